// Stored replies: the options that narrow or widen what is kept, what functions of the list are given, and what is counted.
import { describe, expect, test } from 'vitest'
import { DOWN, HOUR, KEPT, World } from '../test/replying-host.ts'
import { header, memoryReplies, reply, staleIfError, type Failure } from './index.ts'

describe('statuses', () => {
  test('are the only ones kept, and by permission alone no others are needed', async () => {
    await using world = await World.of({ ...KEPT, statuses: [200, 404] })
    await world.warm({ status: 203, headers: { 'cache-control': 'max-age=60' } }, '/203')
    await world.warm({ status: 404, body: 'none' }, '/404')
    world.down()
    expect(await world.ask('/203')).toMatchObject({ status: 503 })
    expect(await world.ask('/404')).toMatchObject({ status: 404, text: 'none', mark: { source: 'stored' } })
    expect(world.board.replyCounters.unkept).toEqual({ status: 1 })
  })

  test('hold for what another policy kept', async () => {
    const replies = memoryReplies()
    await using loose = await World.of(KEPT, { replies })
    await loose.warm({ status: 203, body: 'kept' })
    await using strict = await World.of({ ...KEPT, statuses: [200] }, { replies })
    expect(await strict.ask(`${loose.down().origin}/x`)).toMatchObject({ status: 503 })
    expect(strict.board.replyCounters.refused).toEqual({ forbidden: 1 })
  })
})

describe('methods and key', () => {
  const search = {
    ...KEPT,
    methods: ['GET', 'POST'],
    key: ({ method, url, headers }: { method: string; url: string; headers: Iterable<readonly [string, string]> }) =>
      method === 'GET' ? new URL(url).pathname : header(headers, 'content-digest'),
  }
  const posting = (digest?: string): RequestInit => ({
    method: 'POST',
    body: 'q',
    headers: { 'content-type': 'text/plain', ...(digest !== undefined && { 'content-digest': digest }) },
  })

  test('let an answer to a POST stand in for the same question', async () => {
    await using world = await World.of(search)
    world.host.answer = ({ headers }) => ({ body: `found ${String(headers['content-digest'])}` })
    for (const digest of ['a', 'b']) await world.ask('/search', posting(digest))
    await world.ask('/search', posting())
    world.down()
    expect(await world.ask('/search', posting('a'))).toMatchObject({ text: 'found a' })
    expect(await world.ask('/search', posting('b'))).toMatchObject({ text: 'found b' })
    expect(await world.ask('/search', posting('c'))).toMatchObject({ status: 503 })
    expect(await world.ask('/search', posting())).toMatchObject({ status: 503 })
  })

  test('fold what the policy calls one, and leave alone what it gives no key', async () => {
    await using world = await World.of({ ...KEPT, key: ({ url }) => /^\/items\/\d+/.exec(new URL(url).pathname)?.[0] })
    await world.warm({ body: 'kept' }, '/items/7?utm=1')
    await world.warm({ body: 'kept' }, '/other')
    world.down()
    expect(await world.ask('/items/7?utm=2')).toMatchObject({ text: 'kept' })
    expect(await world.ask('/items/8')).toMatchObject({ status: 503 })
    expect(await world.ask('/other')).toMatchObject({ status: 503 })
  })

  test('take back by the same key: a write, and a 404', async () => {
    for (const method of ['PUT', 'GET']) {
      await using world = await World.of({ ...KEPT, key: ({ url }) => new URL(url).pathname })
      await world.warm({ body: 'kept' }, '/items/7?utm=1')
      world.host.answer = { status: method === 'PUT' ? 204 : 404 }
      await world.ask('/items/7', { method })
      expect(await world.down().ask('/items/7'), `after ${method}`).toMatchObject({ status: 503 })
    }
  })

  test('a key that throws leaves the request alone, and says so', async () => {
    await using world = await World.of({ ...KEPT, key: () => ({}) as never })
    await world.warm({ body: 'kept' })
    expect(await world.down().ask()).toMatchObject({ status: 503 })
    expect(world.warnings).toEqual([
      'staleIfError.key failed, which leaves its request alone: TypeError: it must give text or nothing, got {}',
    ])
  })
})

describe('a function of the list', () => {
  test('is given the request, the failure, the state, the wait, and a reply that is too old to stand in', async () => {
    const asked: Failure[] = []
    const own = (failure: Failure) => {
      asked.push(failure)
      return failure.stored ?? reply({ text: 'made' })
    }
    await using world = await World.of(KEPT, { fallback: [staleIfError({ ...KEPT, maxStale: '1h' }), own] })
    await world.warm({ headers: { 'x-a': 'b' }, body: 'kept' })
    world.host.answer = { ...DOWN, headers: { 'retry-after': '7' } }
    expect(await world.ask('/never')).toMatchObject({ text: 'made', mark: { source: 'made' } })
    const old = await world.later(2 * HOUR).ask()
    expect([old.text, old.headers.get('age'), old.headers.get('x-a')]).toEqual(['kept', '7200', 'b'])
    expect(old.mark).toMatchObject({ source: 'stored', age: 2 * HOUR })
    expect(await world.open().ask()).toMatchObject({ text: 'kept', mark: { reason: 'refused' } })

    const [made, failed, refused] = asked
    expect(made?.stored).toBeUndefined()
    expect(failed).toMatchObject({ reason: 'failed', state: 'closed', retryAfterMs: 7_000, response: { status: 503 } })
    expect(failed?.request.url).toBe(`${world.origin}/x`)
    expect(refused).toMatchObject({ reason: 'refused', state: 'open', error: { code: 'EOPENBREAKER' } })
  })

  test('is given none that is withheld for any other reason than its age', async () => {
    const stored: unknown[] = []
    const fallback = [staleIfError({ ...KEPT, maxStale: '1h' }), (failure: Failure) => void stored.push(failure.stored)]
    await using world = await World.of(KEPT, { fallback })
    await world.warm({ headers: { vary: 'accept-language' }, body: 'en' }, '/x', { 'accept-language': 'en' })
    await world.warm({ headers: { 'cache-control': 'max-age=60, must-revalidate' } }, '/must')
    world.down().later(2 * HOUR)
    await world.ask('/x', { 'accept-language': 'de' })
    await world.ask('/x', { 'accept-language': 'en', authorization: 'alice' })
    await world.ask('/x', { 'accept-language': 'en', 'cache-control': 'max-stale=60' })
    await world.ask('/must')
    expect(stored).toEqual([undefined, undefined, undefined, undefined])
  })

  test('that stands before the stored replies is given none', async () => {
    const stored: unknown[] = []
    const fallback = [(failure: Failure) => void stored.push(failure.stored), staleIfError({ ...KEPT, maxStale: '1h' })]
    await using world = await World.of(KEPT, { fallback })
    await world.warm({ body: 'kept' })
    await world
      .down()
      .later(2 * HOUR)
      .ask()
    expect(stored).toEqual([undefined])
  })
})

test('what is served, refused, kept and let go is counted, with reasons', async () => {
  await using world = await World.of(
    { ...KEPT, maxStale: '1h', maxEntryBytes: 4 },
    { replies: memoryReplies({ maxEntries: 2 }) },
  )
  expect(world.board.replyCounters).toEqual({ served: 0, refused: {}, stored: 0, unkept: {}, evicted: 0 })
  for (const path of ['/a', '/b', '/c']) await world.warm({ body: 'kept' }, path)
  await world.warm({ body: 'bigger' }, '/d')
  await world.warm({ headers: { 'content-type': 'text/event-stream' } }, '/e')
  world.down()
  await world.ask('/c')
  await world.ask('/a')
  await world.ask('/c', { 'cache-control': 'no-cache' })
  await world.ask('/c', { authorization: 'x' })
  await world.later(2 * HOUR).ask('/c')
  expect(world.board.replyCounters).toEqual({
    served: 1,
    refused: { nothing: 1, caller: 1, credential: 1, 'too-old': 1 },
    stored: 3,
    unkept: { 'too-big': 1, endless: 1 },
    evicted: 1,
  })
})
