// Stored replies: when one stands in, and for how long.
import { expect, test } from 'vitest'
import { memoryReplies } from './index.ts'
import { DOWN, HOUR, KEPT, SECOND, World } from '../test/replying-host.ts'

const SIE = { headers: { 'cache-control': 'max-age=1, stale-if-error=60' }, body: 'kept' }

test('#1 a stale answer stands in for a 503 within its stale-if-error, with its Age and what was masked', async () => {
  await using world = await World.of({})
  await world.warm(SIE)
  const { status, text, headers, mark } = await world
    .down()
    .later(2 * SECOND)
    .ask()
  expect([status, text, headers.get('age')]).toEqual([200, 'kept', '2'])
  expect(headers.get('cache-status')).toBe('Fuseboard; fwd=stale; fwd-status=503; ttl=-1; detail=stale-if-error')
  expect(mark).toEqual({ source: 'stored', reason: 'failed', age: 2_000, masked: { status: 503 } })
})

test('#2 it stands in where nobody listens, and no status is told', async () => {
  await using world = await World.of({})
  await world.warm(SIE)
  await world.host.stop()
  const { text, headers, mark } = await world.later(2 * SECOND).ask()
  expect([text, headers.get('cache-status')]).toEqual(['kept', 'Fuseboard; fwd=stale; ttl=-1; detail=ECONNREFUSED'])
  expect(mark?.masked).toMatchObject({ error: { cause: { code: 'ECONNREFUSED' } } })
})

test('#3 under an open circuit a stale answer is a hit, and the host is not asked', async () => {
  await using world = await World.of({})
  await world.warm(SIE)
  const { text, headers, mark } = await world
    .open()
    .later(2 * SECOND)
    .ask()
  expect([text, world.host.hits]).toEqual(['kept', 1])
  expect(headers.get('cache-status')).toBe('Fuseboard; hit; ttl=-1; detail=circuit-open')
  expect(mark).toMatchObject({ reason: 'refused', masked: { error: { code: 'EOPENBREAKER' } } })
})

test('#4 under an open circuit a fresh answer stands in with the time that it has left', async () => {
  await using world = await World.of({})
  await world.warm({ headers: { 'cache-control': 'max-age=60' }, body: 'kept' })
  const { text, headers } = await world
    .open()
    .later(10 * SECOND)
    .ask()
  expect([text, headers.get('cache-status')]).toEqual(['kept', 'Fuseboard; hit; ttl=50; detail=circuit-open'])
})

test('#5 one second past its window the caller gets what there is: the 503, or the refusal', async () => {
  await using world = await World.of({})
  await world.warm(SIE)
  world.down().later(61 * SECOND)
  expect(await world.ask()).toMatchObject({ text: 'kept' })
  world.later(SECOND)
  expect(await world.ask()).toMatchObject({ status: 503, text: 'down', mark: undefined })
  expect(await world.open().ask()).toMatchObject({ error: { code: 'EOPENBREAKER' } })
})

test('#6 the window is anchored where the answer went stale: ten windows of failures do not lengthen it', async () => {
  await using world = await World.of({})
  await world.warm({ headers: { 'cache-control': 'max-age=1, stale-if-error=10' }, body: 'kept' })
  world.down()
  const begun = world.now
  let last = 0
  while (world.now < begun + 101 * SECOND) {
    world.later(900)
    if ((await world.ask()).status === 200) last = world.now - begun
  }
  expect(last).toBe(10_800)
})

test('#7 maxStale is a ceiling over the stale-if-error of the host, of the caller, and over keepFor', async () => {
  const YEAR = 31_536_000
  for (const [said, asked, keepFor] of [
    [`stale-if-error=${YEAR}`, '', undefined],
    ['max-age=0', `stale-if-error=${YEAR}`, undefined],
    ['max-age=0', '', '365d'],
  ] as const) {
    await using world = await World.of({ maxStale: '1h', ...(keepFor && { keepFor }) })
    await world.warm({ headers: { 'cache-control': said }, body: 'kept' }, '/x', { 'cache-control': asked })
    world.down().later(HOUR)
    expect(await world.ask('/x', { 'cache-control': asked })).toMatchObject({ text: 'kept' })
    expect(await world.later(1).ask('/x', { 'cache-control': asked })).toMatchObject({ status: 503 })
  }
})

test('#7 a maxStale given later holds for what was kept before', async () => {
  const replies = memoryReplies()
  await using before = await World.of(KEPT, { replies })
  await before.warm({ body: 'kept' })
  await using after = await World.of({ ...KEPT, maxStale: '1h' }, { replies })
  const url = `${before.origin}/x`
  before.down()
  expect(await after.later(HOUR).ask(url)).toMatchObject({ text: 'kept' })
  expect(await after.later(1).ask(url)).toMatchObject({ status: 503 })
})

test('#8 without permission an answer that says nothing does not stand in', async () => {
  await using world = await World.of({})
  await world.warm({ body: 'kept' })
  expect(await world.down().ask()).toMatchObject({ status: 503, text: 'down' })
  expect(world.board.replyCounters).toMatchObject({ stored: 0, unkept: { silent: 1 }, refused: { nothing: 1 } })
})

test('#9 keepFor is that permission', async () => {
  await using world = await World.of({ keepFor: '24h' })
  await world.warm({ body: 'kept' })
  world.down().later(24 * HOUR)
  expect(await world.ask()).toMatchObject({ status: 200, text: 'kept' })
  expect(await world.later(1).ask()).toMatchObject({ status: 503 })
})

test('#10 without permission the stale-if-error of a request is the window of an answer kept by its max-age', async () => {
  await using world = await World.of({})
  const asked = { 'cache-control': 'stale-if-error=60' }
  await world.warm({ headers: { 'cache-control': 'max-age=1' }, body: 'kept' }, '/x', asked)
  world.down().later(61 * SECOND)
  expect(await world.ask('/x', asked)).toMatchObject({ text: 'kept' })
  expect(await world.ask()).toMatchObject({ status: 503 })
  expect(await world.later(1).ask('/x', asked)).toMatchObject({ status: 503 })
})

test('#11 must-revalidate forbids it, unless the policy ignores it by name', async () => {
  const answer = { headers: { 'cache-control': 'max-age=1, must-revalidate, stale-if-error=60' }, body: 'kept' }
  await using obeys = await World.of(KEPT)
  await obeys.warm(answer)
  expect(
    await obeys
      .down()
      .later(2 * SECOND)
      .ask(),
  ).toMatchObject({ status: 503 })
  await using ignores = await World.of({ ignore: ['must-revalidate'] })
  await ignores.warm(answer)
  expect(
    await ignores
      .down()
      .later(2 * SECOND)
      .ask(),
  ).toMatchObject({ text: 'kept' })
  expect(await ignores.later(60 * SECOND).ask()).toMatchObject({ status: 503 })
})

test('#12 no-cache and no-store keep an answer out in any case; only no-cache can be ignored', async () => {
  for (const [directive, text] of [
    ['no-cache', 'kept'],
    ['No-Cache', 'kept'],
    ['no-store', 'down'],
    ['NO-STORE', 'down'],
    ['No-Cache, No-Store', 'down'],
  ] as const) {
    await using obeys = await World.of(KEPT)
    await obeys.warm({ headers: { 'cache-control': directive } })
    expect(await obeys.down().ask(), `with ${directive}`).toMatchObject({ status: 503 })
    await using ignores = await World.of({ ...KEPT, ignore: ['no-cache'] })
    await ignores.warm({ headers: { 'cache-control': directive }, body: 'kept' })
    expect(await ignores.down().ask(), `with ${directive}`).toMatchObject({ text })
  }
})

test('#13 s-maxage and proxy-revalidate forbid it to shared stores, and are not said to private ones', async () => {
  for (const directive of ['s-maxage=1', 'proxy-revalidate']) {
    const answer = { headers: { 'cache-control': `max-age=1, stale-if-error=60, ${directive}` }, body: 'kept' }
    await using shared = await World.of(KEPT)
    await shared.warm(answer)
    expect(
      await shared
        .down()
        .later(2 * SECOND)
        .ask(),
      `with ${directive}`,
    ).toMatchObject({ status: 503 })
    await using own = await World.of({ shared: false })
    await own.warm(answer)
    expect(
      await own
        .down()
        .later(2 * SECOND)
        .ask(),
      `with ${directive}`,
    ).toMatchObject({ text: 'kept' })
    await using ignores = await World.of({ ignore: ['s-maxage', 'proxy-revalidate'] })
    await ignores.warm(answer)
    expect(
      await ignores
        .down()
        .later(2 * SECOND)
        .ask(),
      `with ${directive}`,
    ).toMatchObject({ text: 'kept' })
  }
})

test('#14 of duplicate and malformed directives the restrictive reading counts', async () => {
  for (const [directives, status] of [
    ['max-age=60, max-age=0', 503],
    ['max-age=0, stale-if-error=abc', 503],
    ['max-age=0, stale-if-error=60, stale-if-error=0', 503],
    ['max-age=60, private="x, y"', 200],
    ['max-age=60, private="x, y', 503],
    ['max-age=60, x="no-store"', 200],
    ['MAX-AGE=60', 200],
    ['max-age=60; stale-if-error=60', 503],
  ] as const) {
    await using world = await World.of({})
    await world.warm({ headers: { 'cache-control': directives } })
    expect((await world.down().later(1).ask()).status, `with ${directives}`).toBe(status)
  }
})

test('#15 a caller who gives up gets the abort, and never a stand-in', async () => {
  await using world = await World.of(KEPT)
  await world.warm({ body: 'kept' })
  const caller = new AbortController()
  world.host.answer = () => {
    caller.abort()
    return undefined
  }
  const { error, mark } = await world.ask('/x', { signal: caller.signal })
  expect([(error as Error).name, mark]).toEqual(['AbortError', undefined])
  expect(world.circuit.counters.fallbacks).toBe(0)
})

test('`when: refused` leaves failures to the retries of the client, and stands in once the circuit is open', async () => {
  await using world = await World.of({ ...KEPT, when: 'refused' })
  await world.warm({ body: 'kept' })
  world.host.answer = DOWN
  expect(await world.ask()).toMatchObject({ status: 503, mark: undefined })
  expect(await world.open().ask()).toMatchObject({ text: 'kept', mark: { reason: 'refused' } })
})
