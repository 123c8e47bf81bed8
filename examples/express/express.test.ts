// The service by its behaviour: what its callers get while a host is well and while it is dead, and what those who run it see.
import { request, type IncomingMessage } from 'node:http'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { expect, onTestFinished, test } from 'vitest'
import { start } from '../start.ts'
import { Host } from './host.ts'
import { NAMES, type Name } from './policy.ts'
import { run } from './running.ts'

const OPERATOR = 'an operator'

async function begin() {
  const hosts = await Promise.all(NAMES.map((name) => Host.listen(name)))
  const named = Object.fromEntries(NAMES.map((name, nth) => [name, hosts[nth]!])) as Record<Name, Host>
  const [verses, plans, videos] = hosts.map(({ origin }) => origin) as [string, string, string]
  const { board, places, [Symbol.asyncDispose]: stop } = await run({ verses, plans, videos }, OPERATOR)
  onTestFinished(async () => {
    await stop()
    await Promise.all(hosts.map((host) => host.close()))
  })
  const circuit = (name: Name) => board.circuit(new URL(named[name].origin).host)
  return { hosts: named, circuit, ...places }
}

async function get(url: string) {
  const response = await fetch(url)
  const body: unknown = await response.json()
  return { status: response.status, after: response.headers.get('retry-after'), body }
}

test('each route asks its own host, and hands on what that answers', async () => {
  const { service } = await begin()
  for (const name of NAMES) {
    expect(await get(`${service}/${name}/${encodeURIComponent('john 3:16/ü')}`)).toEqual({
      status: 200,
      after: null,
      body: { from: name, id: 'john 3:16/ü' },
    })
  }
  expect((await fetch(`${service}/verses/%`)).status).toBe(400)
  expect((await fetch(`${service}/other`)).status).toBe(404)
})

test('a dead host is a 502 until its circuit opens, then a 503 that says when; it is asked no more, and others are well', async () => {
  const { service, operations, hosts, circuit } = await begin()
  hosts.videos.dead = true
  const asked = await Promise.all([1, 2, 3].map((id) => get(`${service}/videos/${id}`)))
  const late = { status: 502, after: null, body: { error: 'no answer in time' } }
  expect(asked).toEqual([late, late, late])
  expect(circuit('videos').state).toBe('open')

  const { status, after, body } = await get(`${service}/videos/4`)
  expect({ status, body }).toEqual({
    status: 503,
    body: { error: expect.stringContaining('videos is open') as string },
  })
  expect(Number(after)).toBeGreaterThan(60)
  expect(Number(after)).toBeLessThanOrEqual(120)
  expect(hosts.videos.asked).toBe(3)
  for (const name of ['verses', 'plans']) expect(await get(`${service}/${name}/1`)).toMatchObject({ status: 200 })

  expect(await get(`${operations}/ready`)).toMatchObject({
    status: 200,
    body: { status: 'degraded', degraded: [{ host: 'videos', state: 'open' }] },
  })
  const key = encodeURIComponent(new URL(hosts.videos.origin).host)
  const headers = { 'x-fuseboard': '1', authorization: `Bearer ${OPERATOR}` }
  await fetch(`${operations}/fuseboard/circuits/${key}/reset`, { method: 'POST', headers })
  hosts.videos.dead = false
  expect(await get(`${service}/videos/5`)).toMatchObject({ status: 200 })
  expect(await get(`${operations}/ready`)).toEqual({ status: 200, after: null, body: { status: 'ok', degraded: [] } })
})

test('a host that is gone is a 502', async () => {
  const { service, hosts } = await begin()
  await hosts.plans.close()
  expect(await get(`${service}/plans/1`)).toMatchObject({ status: 502, body: { error: 'ECONNREFUSED' } })
})

test('the metrics have the circuits by name, for prom-client to show', async () => {
  const { service, operations } = await begin()
  await get(`${service}/verses/1`)
  const response = await fetch(`${operations}/metrics`)
  expect(response.headers.get('content-type')).toContain('text/plain; version=0.0.4')
  const page = await response.text()
  expect(page).toMatch(/^fuseboard_calls_total\{.*fuseboard_label="verses".*\} 1$/m)
  for (const name of NAMES) expect(page).toMatch(new RegExp(`^fuseboard_circuit_state\\{.*="${name}".*\\}`, 'm'))
})

test('everybody there may look at the circuits, operators alone may change one, and no page of another site may do either', async () => {
  const { operations, circuit, hosts } = await begin()
  const { body } = await get(`${operations}/fuseboard/`)
  expect((body as { circuits: { label: string }[] }).circuits.map(({ label }) => label)).toEqual([...NAMES])

  const path = `/fuseboard/circuits/${encodeURIComponent(new URL(hosts.plans.origin).host)}/isolate?reason=why`
  const operator = { 'x-fuseboard': '1', authorization: `Bearer ${OPERATOR}` }
  const refused = [
    { 'x-fuseboard': '1' },
    { ...operator, origin: 'https://example.org' },
    { ...operator, host: 'example.org' },
  ]
  for (const headers of refused) expect(await ask(operations + path, headers)).toMatchObject({ status: 403 })
  expect(circuit('plans').state).toBe('closed')
  expect(await ask(operations + path, { ...operator, host: 'a b' })).toMatchObject({ status: 400 })
  expect(await ask(operations + path, operator)).toMatchObject({
    status: 200,
    body: expect.stringContaining('isolated'),
  })
  expect(circuit('plans').state).toBe('isolated')
})

const program = (...args: readonly string[]) => start(new URL('main.ts', import.meta.url), args)

test('--load measures its runs, and says what was promised', { timeout: 60_000 }, async () => {
  const { stdout, stderr } = await program('--load', '--rate', '30', '--seconds', '3').run
  expect(stderr).toBe('')
  expect(stdout.match(/^ {2}verses +30 /gm)).toHaveLength(3)
  const says = stdout.replaceAll(/\s+/g, ' ')
  expect(says).toMatch(/verses and plans completed [\d.]+ requests a second, [\d.]+ in the control run: [\d.]+ %/)
  expect(says).toMatch(/(All promises kept|Broken: .*)\. $/)
})

test('without --load it serves until Ctrl-C', async () => {
  const { child, run } = program()
  child.stdout!.once('data', () => child.kill('SIGINT'))
  const { status, stdout, stderr } = await run
  expect({ status, stderr }).toEqual({ status: 130, stderr: '' })
  expect(stdout).toContain('/fuseboard/')
})

/** By node:http, which sends any Host that it is told. */
async function ask(url: string, headers: Record<string, string>) {
  const asked = request(url, { method: 'POST', headers, agent: false }).end()
  const [response] = (await once(asked, 'response')) as [IncomingMessage]
  return { status: response.statusCode, body: await text(response) }
}
