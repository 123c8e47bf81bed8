// Stored replies: against the recorded answers of bible-api.com, served from 127.0.0.1, with its limits, its ban and its outages.
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { BibleServer, type Outage } from '../../../examples/bible/server.ts'
import { createBoard, guardFetch, header, isFallback, staleIfError, type Outcome, type Policy } from './index.ts'

const VERSE = '/John+3:16'
const SCRIPTURE = {
  keepFor: '7d',
  statuses: [200],
  varyBy: ['x-single-chapter-book-matching'],
  skip: ({ url }: { url: string }) => /\/random|[?&]random=/.test(url),
} as const

let server: BibleServer
let epoch: number
let now: number

beforeEach(async () => {
  epoch = now = Date.now()
  server = await BibleServer.listen({ epoch })
})
afterEach(() => server.close())

function guarding(stored: Parameters<typeof staleIfError>[0] = SCRIPTURE, policy: Policy = {}) {
  const clock = { now: () => now, wall: () => now }
  const fallback = staleIfError(stored)
  const board = createBoard({ consecutiveFailures: false, failureRate: false, clock, fallback, ...policy })
  const send = guardFetch(board)
  const ask = async (path: string, init?: RequestInit) => {
    try {
      const response = await send(`${server.origin}${path}`, init)
      return {
        status: response.status,
        text: await response.text(),
        headers: response.headers,
        mark: isFallback(response),
      }
    } catch (error) {
      return { status: 0, text: String(error), headers: new Headers(), mark: undefined }
    }
  }
  return { circuit: () => board.circuit(server.host), ask, board }
}

test('#24 a chapter read as one verse and as a whole are never crossed, though no Vary tells them apart', async () => {
  const { ask } = guarding()
  const whole = { headers: { 'x-single-chapter-book-matching': 'indifferent' } }
  const [one, all] = [await ask('/Jude+1'), await ask('/Jude+1', whole)]
  expect(all.text.length).toBeGreaterThan(one.text.length * 10)
  await server.breakDown('database-down')
  expect(await ask('/Jude+1')).toMatchObject({ text: one.text, mark: { source: 'stored' } })
  expect(await ask('/Jude+1', whole)).toMatchObject({ text: all.text, mark: { source: 'stored' } })
  expect((await ask('/Jude+1', { headers: { 'x-single-chapter-book-matching': 'other' } })).mark).toBeUndefined()
})

test('#25 a random verse is not kept: in an outage its error passes', async () => {
  const { ask } = guarding()
  for (const path of ['/data/web/random/NT', '/?random=verse']) await ask(path)
  await server.breakDown('database-down')
  expect(await ask('/data/web/random/NT')).toMatchObject({ status: 500, mark: undefined })
  expect(await ask('/?random=verse')).toMatchObject({ status: 500, mark: undefined })
})

describe('#26 the 16th request of a window', () => {
  const WINDOW = 30_000
  const pausing: Policy = {
    classify: (outcome: Outcome) =>
      'status' in outcome && outcome.status === 429 ? { pause: WINDOW - ((now - epoch) % WINDOW) } : undefined,
  }

  test('has the stored verse for its 429, and none is sent before the window ends', async () => {
    const { ask, circuit } = guarding({ ...SCRIPTURE, on: [429] }, pausing)
    for (let request = 0; request < 15; request++) expect((await ask(VERSE)).mark).toBeUndefined()
    now = epoch + 10_000
    const limited = await ask(VERSE)
    expect([limited.status, JSON.parse(limited.text)]).toMatchObject([200, { reference: 'John 3:16' }])
    expect(limited.headers.get('cache-status')).toContain('fwd=stale; fwd-status=429')
    expect(circuit().state).toBe('closed')

    const before = server.counters.requests
    now = epoch + WINDOW - 1
    expect((await ask(VERSE)).mark).toMatchObject({ reason: 'refused', masked: { error: { reason: 'paused' } } })
    expect(server.counters.requests).toBe(before)
    now = epoch + WINDOW
    await ask(VERSE)
    expect(server.counters.requests).toBe(before + 1)
  })

  test('has its 429 where the policy does not name it, or the verse is not kept', async () => {
    const { ask } = guarding()
    const named = guarding({ ...SCRIPTURE, on: [429] })
    for (let request = 0; request < 15; request++) await ask(VERSE)
    expect(await ask(VERSE)).toMatchObject({ status: 429, mark: undefined })
    expect(await named.ask('/John+3:17')).toMatchObject({ status: 429, mark: undefined })
  })
})

test('#27 the ban for asking too often for what is not there is masked where the policy calls it a failure', async () => {
  const banned = ({ status, headers }: Extract<Outcome, { status: number }>): boolean =>
    status === 403 && header(headers, 'content-type')?.startsWith('text/plain') === true
  const classify = (outcome: Outcome) => ('status' in outcome && banned(outcome) ? 'failure' : undefined)
  const policy = guarding({ ...SCRIPTURE, on: [403] }, { classify })
  const plain = guarding()
  await policy.ask(VERSE)
  await plain.ask(VERSE)
  for (let request = 0; request < 11; request++) await policy.ask('/InvalidBook+1:1')
  expect(await policy.ask(VERSE)).toMatchObject({ status: 200, mark: { masked: { status: 403 } } })
  expect(policy.circuit().counters.failures).toBeGreaterThan(0)
  expect(await plain.ask(VERSE)).toMatchObject({ status: 403, text: 'Forbidden\n', mark: undefined })
})

const OUTAGES: readonly (readonly [Outage, string])[] = [
  ['limiter-store-down', 'fwd=stale; fwd-status=500'],
  ['database-down', 'fwd=stale; fwd-status=500'],
  ['database-frozen', 'fwd=stale; ttl'],
  ['limiter-store-frozen', 'fwd=stale; ttl'],
  ['server-down', 'fwd=stale; ttl=-1; detail=ECONNREFUSED'],
]

test.each(OUTAGES)('#28 %s: the same bytes stand in', async (outage, told) => {
  const { ask } = guarding()
  const { text, headers } = await ask(VERSE)
  now += 1_000
  await server.breakDown(outage)
  const stood = await ask(VERSE, { signal: AbortSignal.timeout(100) })
  expect([stood.text, stood.headers.get('cache-status')]).toEqual([text, expect.stringContaining(told)])
  for (const name of ['content-type', 'access-control-allow-methods', 'x-content-type-options']) {
    expect(stood.headers.get(name)).toBe(headers.get(name))
  }
})
