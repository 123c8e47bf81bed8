// Webhooks: what is posted, how it is signed, when it is tried again, and that no breaker is in its way.
import { createHmac, timingSafeEqual } from 'node:crypto'
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { circuitOpen, createBoard } from '@fuseboard/core'
import { breaker, guardGlobalFetch } from '@fuseboard/undici'
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { Agent, getGlobalDispatcher, setGlobalDispatcher } from 'undici'
import { alertOf, type Alert } from './alert.ts'
import { alerts, webhook } from './alerts.ts'

interface Post {
  readonly path: string | undefined
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

interface Receiver extends AsyncDisposable {
  readonly host: string
  readonly posts: Post[]
  /** What it answers, one after another; then 200. `0` is a connection that breaks, `-1` none at all. */
  readonly statuses: number[]
}

async function receiver(): Promise<Receiver> {
  const posts: Post[] = []
  const statuses: number[] = []
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    posts.push({ path: request.url, headers: request.headers, body: await text(request) })
    const status = statuses.shift() ?? 200
    if (status === 0) request.socket.destroy()
    else if (status > 0) response.writeHead(status, { location: 'http://127.0.0.1:9/' }).end('ok')
  }
  const server = createServer((request, response) => void answer(request, response))
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    posts,
    statuses,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((closed) => server.close(closed))
    },
  }
}

let server: Receiver
beforeEach(async () => {
  server = await receiver()
})
afterEach(() => server[Symbol.asyncDispose]())

const NEVER = new AbortController().signal

const alert = (text = 'api.paypal.com open for 60 s'): Alert =>
  alertOf({ kind: 'open', key: 'api.paypal.com', label: 'api.paypal.com', at: 1, since: 1, text })

describe('a post', () => {
  test('is JSON whose text Slack shows, and all of the alert beside it', async () => {
    const told = alert()
    await webhook(`http://${server.host}/services/T/B?x=1`).notify(told, NEVER)
    expect(server.posts).toMatchObject([
      { path: '/services/T/B?x=1', headers: { 'content-type': 'application/json', host: server.host } },
    ])
    expect(JSON.parse(server.posts[0]?.body ?? '')).toEqual({ text: 'api.paypal.com open for 60 s', alert: told })
    expect(Object.keys(server.posts[0]?.headers ?? {})).not.toContain('fuseboard-signature')
  })

  test('calls nobody by a name that a host was given', async () => {
    await webhook(`http://${server.host}`).notify(alert('<!channel> & <https://x.test|x> open'), NEVER)
    const { text } = JSON.parse(server.posts[0]?.body ?? '') as { text: string }
    expect(text).toBe('&lt;!channel&gt; &amp; &lt;https://x.test|x&gt; open')
  })

  test('is signed with its time, so that who receives it can tell', async () => {
    const before = Math.floor(Date.now() / 1_000)
    await webhook(new URL(`http://${server.host}`), { secret: 's3cret' }).notify(alert('Zürich open'), NEVER)
    const { headers, body } = server.posts[0] as Post
    const timestamp = headers['fuseboard-timestamp'] as string
    const expected = `v1=${createHmac('sha256', 's3cret').update(`${timestamp}.${body}`).digest('hex')}`
    expect(timingSafeEqual(Buffer.from(expected), Buffer.from(headers['fuseboard-signature'] as string))).toBe(true)
    expect(Number(timestamp)).toBeGreaterThanOrEqual(before)
  })

  test.each([[[503]], [[429, 500]], [[0]]])('is tried again after %j', async (statuses) => {
    server.statuses.push(...statuses)
    const told = alert()
    await webhook(`http://${server.host}`).notify(told, NEVER)
    expect(server.posts).toHaveLength(statuses.length + 1)
    const ids = server.posts.map(({ body }) => (JSON.parse(body) as { alert: Alert }).alert.id)
    expect(new Set(ids)).toEqual(new Set([told.id]))
  })

  test('is tried three times', async () => {
    server.statuses.push(503, 503, 503, 200)
    await expect(webhook(`http://${server.host}`).notify(alert(), NEVER)).rejects.toThrow('the answer was 503')
    expect(server.posts).toHaveLength(3)
  })

  test.each([400, 404, 410, 302])('is not tried again after %i', async (status) => {
    server.statuses.push(status)
    await expect(webhook(`http://${server.host}`).notify(alert(), NEVER)).rejects.toThrow(`the answer was ${status}`)
    expect(server.posts).toHaveLength(1)
  })

  test('ends when it has taken too long, and is not tried again then', async () => {
    server.statuses.push(-1)
    const signal = AbortSignal.timeout(50)
    await expect(webhook(`http://${server.host}`).notify(alert(), signal)).rejects.toThrow()
    expect(server.posts).toHaveLength(1)
  })
})

describe('an alert about the webhook’s own host', () => {
  test('gets through where native fetch and undici are guarded and refuse that host', async () => {
    const board = createBoard({ hosts: { [server.host]: {} } })
    const dispatcher = getGlobalDispatcher()
    setGlobalDispatcher(new Agent().compose(breaker(board)))
    onTestFinished(() => setGlobalDispatcher(dispatcher))
    onTestFinished(guardGlobalFetch(board))
    const telling = alerts(board, { notify: [webhook(`http://${server.host}`)] })
    const hold = board.circuit(server.host).isolate('down')
    onTestFinished(() => hold.release())

    const refused: unknown = await fetch(`http://${server.host}`).catch((error: unknown) => error)
    expect(circuitOpen(refused)?.reason).toBe('isolated')
    expect(await telling.flush()).toEqual({ sent: 1, failed: 0, waiting: 0 })
    expect(JSON.parse(server.posts[0]?.body ?? '')).toMatchObject({ alert: { kind: 'open', key: server.host } })
  })

  test('makes no other where it fails: the board does not see it', async () => {
    const board = createBoard({ hosts: { [server.host]: { consecutiveFailures: 1 } } })
    onTestFinished(guardGlobalFetch(board))
    board.on('warning', () => {})
    server.statuses.push(404)
    const telling = alerts(board, { notify: [webhook(`http://${server.host}`)] })
    board.circuit('api.paypal.com').trip()
    expect(await telling.flush()).toEqual({ sent: 0, failed: 1, waiting: 0 })
    expect([...board.circuits()].map(({ key }) => key)).toEqual(['api.paypal.com'])
  })
})

test('a failure tells neither the URL nor the secret', async () => {
  const board = createBoard()
  const warnings: string[] = []
  board.on('warning', ({ message }) => warnings.push(message))
  server.statuses.push(404)
  const hook = webhook(`http://${server.host}/services/TOKEN`, { secret: 's3cret' })
  const telling = alerts(board, { notify: [hook] })
  board.circuit('a.test').trip()
  await telling.flush()
  expect(warnings).toEqual([`An alert was not sent by webhook ${server.host}: the answer was 404`])
})

test.each([
  [undefined, {}, /^webhook needs an absolute http or https URL$/],
  ['/hook', {}, /^webhook needs an absolute/],
  ['ftp://a.test', {}, /^webhook needs an absolute/],
  ['https://a.test', { secret: '' }, /^webhook\.secret must be a text that is not empty$/],
  ['https://a.test', { secret: 7 }, /^webhook\.secret must be a text that is not empty$/],
  ['https://a.test', { header: 'x' }, /^webhook has no option header; there are secret$/],
])('bad input is told: %j %j', (url, options, message) => {
  expect(() => webhook(url as never, options as never)).toThrow(message)
})
