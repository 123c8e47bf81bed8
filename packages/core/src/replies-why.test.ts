// Why an answer was not kept and why none stood in: each by its reason, counted for whoever looks.
import { describe, expect, test } from 'vitest'
import { ask, HOUR, KEPT, PLACE, SECOND, World } from '../test/kept-replies.ts'
import type { Reply } from './reply.ts'
import type { StaleIfErrorOptions } from './stale-if-error.ts'

const readOf = (world: World) => world.replies.tally.read()
const CARRIED = { headers: { authorization: 'Bearer x' } }

describe('an answer is not kept', () => {
  test.each([
    ['status', {}, { status: 206 }, KEPT],
    ['status', {}, { status: 203 }, { ...KEPT, statuses: [200] }],
    ['status', {}, { status: 302, headers: { 'cache-control': 'stale-if-error=60' } }, KEPT],
    ['redirected', {}, { redirected: true }, KEPT],
    ['range', { headers: { range: 'bytes=0-1' } }, {}, KEPT],
    ['endless', {}, { headers: { 'content-type': ' Text/Event-Stream; charset=utf-8' } }, KEPT],
    ['forbidden', {}, { headers: { 'cache-control': 'no-store' } }, KEPT],
    ['forbidden', { headers: { 'cache-control': 'no-store' } }, {}, KEPT],
    ['set-cookie', {}, { headers: { 'set-cookie': 'a=b' } }, KEPT],
    ['vary', {}, { headers: { vary: '*' } }, KEPT],
    ['silent', {}, {}, {}],
    ['too-big', {}, { headers: { 'content-length': '5' } }, { ...KEPT, maxEntryBytes: 4 }],
    ['too-big', {}, { body: '12345' }, { ...KEPT, maxEntryBytes: 4 }],
    ['too-old', {}, { headers: { age: '86401' } }, KEPT],
    ['credential', CARRIED, {}, KEPT],
    ['credential', { url: `${PLACE}?token=x` }, {}, KEPT],
  ] as const)('%s: %o, %o', (reason, asked, answered, options: StaleIfErrorOptions) => {
    const world = new World(options).passes(asked, answered)
    expect(readOf(world)).toMatchObject({ stored: 0, unkept: { [reason]: 1 } })
    expect([world.store.size, Object.keys(readOf(world).unkept)]).toEqual([0, [reason]])
  })

  test('and what is just within its limits is', () => {
    for (const [answered, options] of [
      [{ headers: { 'content-length': '4' } }, { ...KEPT, maxEntryBytes: 4 }],
      [{ headers: { age: '86399' } }, KEPT],
      [{ headers: { 'content-type': 'text/html; of="text/event-stream"' } }, KEPT],
      [{ headers: { vary: 'accept' } }, KEPT],
      [{ headers: { 'set-cookie': 'a=b', 'cache-control': 'public' } }, KEPT],
      [{ status: 404, headers: { 'cache-control': 'stale-if-error=60' } }, KEPT],
    ] as const) {
      const world = new World(options).passes({}, answered)
      expect(readOf(world)).toEqual({ served: 0, refused: {}, stored: 1, unkept: {}, evicted: 0 })
    }
  })

  test('for a credential is told once the policy permits it otherwise, with what carries it', () => {
    const world = new World(KEPT)
    world
      .passes(CARRIED)
      .passes({ url: `${PLACE}?token=x` })
      .passes({ credentials: 'include' })
    const kept = 'reply-not-kept: Replies of bible-api.com are not kept: '
    const header = 'may be a credential; a header that is none can be named in varyBy'
    expect(world.warnings).toEqual([
      `${kept}authorization ${header}`,
      `${kept}the URL may hold a credential; partition says whose an answer is`,
      `${kept}credentials: 'include' ${header}`,
    ])
    const silent = new World().passes({ url: `${PLACE}?token=x` })
    silent.passes(CARRIED, { headers: { 'cache-control': 'max-age=60' } })
    expect([silent.warnings, readOf(silent).unkept]).toEqual([[], { credential: 2 }])
  })
})

describe('none stands in', () => {
  const fresh = { headers: { 'cache-control': 'max-age=60' } }

  test.each([
    ['nothing', {}, KEPT, (world: World) => world.failed()],
    ['variant', { headers: { vary: 'accept' } }, KEPT, (world: World) => world.failed({ headers: { accept: 'x' } })],
    ['credential', {}, KEPT, (world: World) => world.failed(CARRIED)],
    ['credential', {}, KEPT, (world: World) => world.failed({ url: `${PLACE}?token=x` })],
    ['caller', fresh, {}, (world: World) => world.failed({ headers: { 'cache-control': 'no-cache' } })],
    ['caller', fresh, {}, (world: World) => world.failed({ headers: { 'cache-control': 'min-fresh=61' } })],
    [
      'caller',
      fresh,
      KEPT,
      (world: World) => world.later(62 * SECOND).failed({ headers: { 'cache-control': 'max-stale=1' } }),
    ],
    ['too-old', fresh, {}, (world: World) => world.later(61 * SECOND).failed()],
  ] as const)('%s', (reason, answered, options: StaleIfErrorOptions, fails) => {
    const world = new World(options)
    if (reason !== 'nothing') world.passes({}, answered)
    expect(fails(world)).toBeUndefined()
    expect(readOf(world)).toMatchObject({ served: 0, refused: { [reason]: 1 } })
    expect(Object.keys(readOf(world).refused)).toEqual([reason])
  })

  test.each([
    ['too-big', { ...KEPT, maxEntryBytes: 3 }],
    ['variant', { ...KEPT, varyBy: ['accept'] }],
    ['forbidden', { ...KEPT, statuses: [203] }],
  ])('%s: where another policy kept it', (reason, options: StaleIfErrorOptions) => {
    const { store } = new World(KEPT).passes()
    const world = new World(options, store)
    expect(world.failed()).toBeUndefined()
    expect(readOf(world).refused).toEqual({ [reason]: 1 })
  })

  test('forbidden: once it is stale, where the host says that it must not be, whatever the policy that kept it went by', () => {
    const headers = { 'cache-control': 'max-age=60, must-revalidate' }
    const kept = new World({ ...KEPT, ignore: ['must-revalidate'] }).passes({}, { headers })
    const world = new World(KEPT, kept.store)
    world.now = kept.now + 59 * SECOND
    expect(world.failed()).toBeDefined()
    world.now += SECOND
    expect(world.failed()).toBeUndefined()
    expect(readOf(world)).toMatchObject({ served: 1, refused: { forbidden: 1 } })
  })

  test('and counts are of each reason, and grow', () => {
    const world = new World(KEPT)
    world.failed()
    world.failed()
    world.passes().failed()
    world.passes({}, { headers: { 'cache-control': 'no-store' } })
    world.passes({}, { headers: { 'cache-control': 'no-store' } })
    expect(readOf(world)).toEqual({
      served: 1,
      refused: { nothing: 2 },
      stored: 1,
      unkept: { forbidden: 2 },
      evicted: 0,
    })
  })

  test('and one that is too old is shown to who wants to know, and no other is', () => {
    const shown: Reply[] = []
    const standIn = (world: World, asked = {}): unknown =>
      world.fallback.standIn(
        { request: ask(asked), key: 'k', state: 'open', reason: 'refused', retryAfterMs: 1 },
        world.replies,
        (reply) => shown.push(reply),
      )
    const world = new World(KEPT).passes()
    standIn(world)
    standIn(world, { headers: { 'cache-control': 'max-age=0' } })
    expect(shown).toEqual([])
    expect(standIn(world.later(25 * HOUR))).toBeUndefined()
    expect(shown.map(({ mark }) => mark.age)).toEqual([25 * HOUR])
  })
})

describe('the caller’s own limits are met to the second', () => {
  const world = (): World => new World({ keepFor: '1h' }).passes({}, { headers: { 'cache-control': 'max-age=60' } })
  const given = (world: World, said: string): boolean =>
    world.failed({ headers: { 'cache-control': said } }) !== undefined

  test('max-age, min-fresh and max-stale', () => {
    expect(given(world().later(9_999), 'max-age=10')).toBe(true)
    expect(given(world().later(10_000), 'max-age=10')).toBe(false)
    expect(given(world().later(50_000), 'min-fresh=10')).toBe(true)
    expect(given(world().later(50_001), 'min-fresh=10')).toBe(false)
    expect(given(world().later(70_000), 'max-stale=10')).toBe(true)
    expect(given(world().later(70_001), 'max-stale=10')).toBe(false)
  })

  test('only-refused: where the circuit lets nothing through, and nowhere else', () => {
    const world = new World({ ...KEPT, when: 'refused' }).passes()
    expect([world.failed(), world.refused() !== undefined]).toEqual([undefined, true])
  })

  test('HEAD is answered from what GET left, and leaves nothing itself', () => {
    const world = new World({ ...KEPT, methods: ['GET', 'HEAD'] }).passes({ method: 'HEAD' })
    expect(world.store.size).toBe(0)
    world.passes()
    expect(world.failed({ method: 'HEAD' })?.body.byteLength).toBe(0)
    expect([world.failed({ method: 'POST' }), readOf(world).refused]).toEqual([undefined, {}])
  })
})
