// The page on the services of the mission shows what is here, and what is here does what the page says.
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { expect, test, vi } from 'vitest'
import { Inbox } from '../paypal/inbox.ts'
import { PayPalServer } from '../paypal/server.ts'
import { board as verses, fetchVerse } from './verses.ts'
import { board as videos, downloadVideo } from './videos.ts'

const read = (path: string): Promise<string> => readFile(new URL(path, import.meta.url), 'utf8')

test('the page shows these files', async () => {
  const page = await read('../../docs/use-cases.md')
  const blocks = [...page.matchAll(/```ts\n([^]*?)```/g)].map(([, code]) => code)
  const files = await Promise.all(['verses.ts', 'paypal.ts', 'videos.ts'].map(read))
  expect(blocks).toEqual(files.map((file) => file.slice(file.indexOf('\n') + 1)))
})

test('a verse comes from the host, then from what is stored, and where nothing is stored there is a made one', async ({
  onTestFinished,
}) => {
  onTestFinished(() => void vi.unstubAllGlobals())
  const host = vi.fn<typeof fetch>(async () => Response.json({ text: 'For God so loved the world' }))
  vi.stubGlobal('fetch', host)
  expect(await fetchVerse('john 3:16')).toEqual({ text: 'For God so loved the world' })

  host.mockImplementation(async () => new Response(null, { status: 503 }))
  const made = { text: '[Bible verse temporarily unavailable]', translation: 'KJV' }
  for (const _ of [1, 2, 3]) expect(await fetchVerse('jude 1')).toEqual(made)
  expect(verses.circuit('bible-api.com').state).toBe('open')
  expect(await fetchVerse('jude 1')).toEqual(made)
  expect(await fetchVerse('john 3:16')).toEqual({ text: 'For God so loved the world' })
  expect(host).toHaveBeenCalledTimes(4)
})

test('a subscription waits where PayPal cannot take it or gives no token, goes out once, and the admin is told', async ({
  onTestFinished,
}) => {
  const folder = await mkdtemp(join(tmpdir(), 'fuseboard-use-cases-'))
  const [server, inbox] = await Promise.all([PayPalServer.listen(), Inbox.listen()])
  vi.stubEnv('PAYPAL', server.origin)
  vi.stubEnv('PAYPAL_ID', 'shop')
  vi.stubEnv('PAYPAL_SECRET', 'secret')
  vi.stubEnv('ADMIN_WEBHOOK', inbox.url)
  vi.stubEnv('OUTBOX', join(folder, 'outbox.db'))
  const { board, outbox, subscribe } = await import('./paypal.ts')
  onTestFinished(async () => {
    vi.unstubAllEnvs()
    await outbox[Symbol.asyncDispose]()
    await Promise.all([server.close(), inbox.close()])
    await rm(folder, { recursive: true })
  })
  const customer = (n: number) => ({ plan_id: 'P-1', subscriber: { email_address: `customer-${n}@example.org` } })
  const circuit = board.circuit(server.host)
  const pending = { status: 'pending', retry: true, id: expect.any(String) as string }

  server.goDown()
  for (const n of [1, 2, 3, 4, 5]) expect(await subscribe(`order-${n}`, customer(n))).toEqual(pending)
  expect([circuit.state, server.asked.length]).toEqual(['open', 5])
  expect(await subscribe('order-6', customer(6))).toEqual(pending)
  expect(server.asked).toHaveLength(5)
  await vi.waitUntil(() => inbox.alerts.length === 1)

  server.recover()
  circuit.reset()
  await vi.waitUntil(() => server.subscriptions.length === 6, { timeout: 15_000 })

  server.befall('lost')
  expect(await subscribe('order-7', customer(7))).toEqual(pending)
  expect(await subscribe('order-7', customer(7))).toMatchObject({ id: server.subscriptions[6]?.id })
  expect(await subscribe('order-8', customer(8))).toMatchObject({ status: 'APPROVAL_PENDING' })
  await expect(subscribe('order-9', {})).rejects.toThrow('400')
  expect(new Set(server.subscriptions.map(({ key }) => key))).toEqual(
    new Set([1, 2, 3, 4, 5, 6, 7, 8].map((n) => `order-${n}`)),
  )
  expect(server.subscriptions).toHaveLength(8)
  expect(inbox.alerts.map(({ kind }) => kind)).toEqual(['open', 'recovered'])
})

test('videos that are gone leave the circuit closed, a broken network opens it for two minutes', async ({
  onTestFinished,
}) => {
  const folder = await mkdtemp(join(tmpdir(), 'fuseboard-use-cases-'))
  onTestFinished(async () => {
    vi.unstubAllEnvs()
    await rm(folder, { recursive: true })
  })
  vi.stubEnv('PATH', `${folder}${delimiter}${process.env.PATH}`)
  const says = async (words: string): Promise<void> => {
    const program = join(folder, 'yt-dlp')
    await writeFile(program, `#!/bin/sh\necho '${words}' >&2\nexit 1\n`)
    await chmod(program, 0o755)
  }
  const url = 'https://videos.test/watch?v=1'
  const stateOf = (): string | undefined => videos.peek('videos.test')?.state

  await says('ERROR: [site] 1: Video unavailable')
  for (const _ of [1, 2, 3]) expect(await downloadVideo(url)).toMatchObject({ status: 'failed' })
  expect(stateOf()).toBe('closed')

  await says('ERROR: unable to download video data: Connection reset by peer')
  for (const _ of [1, 2, 3]) expect(await downloadVideo(url)).toMatchObject({ status: 'failed', retry_later: true })
  expect(stateOf()).toBe('open')
  const before = Date.now()
  const told = (await downloadVideo(url)) as { retry_at: Date }
  expect(told.retry_at.getTime() - before).toBeGreaterThan(60_000)
})
