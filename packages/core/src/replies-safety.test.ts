// Stored replies: what may be given to many, and what names and copies come to. What must not leak is in replies-leaks.test.ts.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { KEPT, RemoteStore, SECOND, World } from '../test/replying-host.ts'
import { createBoard, header, staleIfError, type Failure } from './index.ts'

const userOf = ({ headers }: { headers: Iterable<readonly [string, string]> }) => header(headers, 'x-user')

test('#29 why an answer is not kept is told once, by the name of the header and without its value', async () => {
  await using world = await World.of(KEPT)
  for (const key of ['s3cret', 's3cret too']) await world.warm({ body: 'x' }, '/x', { 'x-api-key': key })
  expect(world.warnings).toHaveLength(1)
  expect(world.warnings[0]).toMatch(/^Replies of 127\.0\.0\.1:\d+ are not kept: x-api-key may be a credential/)
  expect(world.board.replyCounters).toMatchObject({ stored: 0, unkept: { credential: 2 } })
})

test('#29 so it is for a URL that may hold one', async () => {
  await using world = await World.of(KEPT)
  for (const token of ['s3cret', 's3cret too']) await world.warm({ body: 'x' }, `/x?token=${token}`)
  expect(world.warnings).toEqual([
    expect.stringMatching(/ are not kept: the URL may hold a credential; partition says whose an answer is$/),
  ])
  expect(world.board.replyCounters).toMatchObject({ stored: 0, unkept: { credential: 2 } })
})

describe('#30 a partition', () => {
  test('has its own replies, whatever credentials there are, and one user’s fall does not take another’s', async () => {
    await using world = await World.of({ ...KEPT, partition: userOf })
    for (const user of ['alice', 'bob']) {
      await world.warm({ body: `of ${user}` }, '/me', { 'x-user': user, authorization: user, cookie: user })
    }
    await world.warm({ status: 403 }, '/me', { 'x-user': 'bob', authorization: 'bob' })
    world.down()
    expect(await world.ask('/me', { 'x-user': 'alice', authorization: 'another token' })).toMatchObject({
      text: 'of alice',
    })
    expect(await world.ask('/me', { 'x-user': 'bob', authorization: 'bob' })).toMatchObject({ status: 503 })
    expect(await world.ask('/me', { authorization: 'alice' })).toMatchObject({ status: 503 })
  })

  test.each<[what: string, partition: () => never, why: string]>([
    [
      'throws',
      () => {
        throw new Error('no session')
      },
      'Error: no session',
    ],
    ['gives a promise', () => Promise.resolve('alice') as never, 'it must answer at once, got a promise'],
    ['gives no text', () => 5 as never, 'TypeError: it must give text or nothing, got 5'],
  ])('whose function %s leaves the request alone, and says so once', async (_what, partition, why) => {
    await using world = await World.of({ ...KEPT, partition })
    await world.warm({ body: 'x' })
    expect(await world.down().ask()).toMatchObject({ status: 503 })
    expect(world.warnings).toEqual([`staleIfError.partition failed, which leaves its request alone: ${why}`])
  })

  test('of no name is none', async () => {
    await using world = await World.of({ ...KEPT, partition: () => '' })
    await world.warm({ body: 'x' }, '/x', { authorization: 'alice' })
    expect(await world.down().ask('/x', { authorization: 'alice' })).toMatchObject({ status: 503 })
  })
})

test('#32 whatever the options, what the host did not make public goes to its own partition or to nobody', async () => {
  const credential = fc.constantFrom('authorization', 'cookie', 'proxy-authorization', 'x-api-key', 'x-user')
  const said = fc.subarray(['max-age=60', 'stale-if-error=60', 'private', 'must-revalidate', 'no-cache', 'max-age=0'])
  const options = fc.record({
    keepFor: fc.constant('1d' as const),
    shared: fc.boolean(),
    ignore: fc.subarray(['must-revalidate', 'no-cache'] as const),
    on: fc.constant([429, 403]),
    partition: fc.constantFrom(
      undefined,
      userOf,
      () => undefined,
      () => '',
    ),
  })
  const sees = async (
    how: Parameters<typeof staleIfError>[0],
    name: string,
    cacheControl: string,
  ): Promise<string[]> => {
    const told: string[] = []
    const own = ({ stored }: Failure): undefined => void (stored && told.push('too old'))
    const board = createBoard({ fallback: [staleIfError(how), own], consecutiveFailures: false })
    board.on('warning', () => {})
    const begin = (user: string) =>
      board.attempt({
        method: 'GET',
        url: 'http://a.test/me',
        headers: user === '' ? [] : [[name, user], ...(name === 'x-user' ? [] : [['x-user', user] as const])],
      })
    const good = begin('alice')
    good.settle({ status: 200 })
    if (good.capture({ status: 200, statusText: '', headers: [['cache-control', cacheControl]], decoded: true }))
      good.end()
    for (const user of ['bob', '']) {
      const bad = begin(user)
      bad.settle({ status: 503 })
      if ((await bad.standIn()) !== undefined) told.push(user)
    }
    return told
  }
  await fc.assert(
    fc.asyncProperty(options, credential, said, async ({ partition, ...rest }, name, said) => {
      // Where the host itself says for how long, headers of its own are its affair.
      fc.pre(!said.includes('stale-if-error=60') || !name.startsWith('x-'))
      expect(await sees({ ...rest, ...(partition && { partition }) }, name, said.join(', '))).toEqual([])
    }),
    { numRuns: 400 },
  )
})

test('#33 a private store keeps an answer that sets a cookie, without the cookie', async () => {
  await using world = await World.of({ ...KEPT, shared: false })
  await world.warm({ headers: { 'set-cookie': 'sid=1', 'x-a': 'b' }, body: 'kept' })
  const { text, headers } = await world.down().ask()
  expect([text, headers.get('x-a'), headers.getSetCookie()]).toEqual(['kept', 'b', []])
})

test('#34 a private store keeps a private answer, and for its credentials needs a partition all the same', async () => {
  const answer = { headers: { 'cache-control': 'private, max-age=60' }, body: 'kept' }
  await using shared = await World.of(KEPT)
  await shared.warm(answer)
  expect(await shared.down().ask()).toMatchObject({ status: 503 })
  await using own = await World.of({ ...KEPT, shared: false })
  await own.warm(answer)
  await own.warm(answer, '/me', { authorization: 'me' })
  own.down()
  expect(await own.ask()).toMatchObject({ text: 'kept' })
  expect(await own.ask('/me', { authorization: 'me' })).toMatchObject({ status: 503 })
})

test('#37 the case of a host, its default port and its IDN form are one place', async () => {
  for (const [kept, asked] of [
    ['http://a.test/x', 'http://A.TEST:80/x#y'],
    ['https://a.test/x', 'HTTPS://a.test:443/x'],
    ['https://bücher.test/', 'https://XN--BCHER-KVA.test/'],
  ] as const) {
    const board = createBoard({ fallback: staleIfError(KEPT) })
    const good = board.attempt({ method: 'GET', url: kept })
    good.settle({ status: 200 })
    good.capture({ status: 200, statusText: '', headers: [], decoded: true })
    good.end()
    board.circuit(good.host).trip()
    expect(await board.attempt({ method: 'GET', url: asked }).standIn()).toBeDefined()
  }
})

test('#37 the user of a URL is in no key, no event and no Cache-Status', async () => {
  const replies = new RemoteStore()
  await using world = await World.of({ ...KEPT, partition: () => 'tenant' }, { replies })
  const told: unknown[] = []
  for (const name of ['fallback', 'refused', 'settled', 'transition'] as const)
    world.board.on(name, (event) => told.push(event))
  const url = world.origin.replace('http://', 'http://alice:s3cret@')
  const good = world.board.attempt({ method: 'GET', url })
  good.settle({ status: 200 })
  good.capture({ status: 200, statusText: '', headers: [], decoded: true })
  good.end()
  const reply = await world.open().board.attempt({ method: 'GET', url }).standIn()
  expect(reply?.mark.source).toBe('stored')
  expect(JSON.stringify([[...replies.held], told, reply?.headers])).not.toMatch(/alice|s3cret/)
})

test('#42 a hundred stand-ins at once are streams of their own', async () => {
  await using world = await World.of(KEPT)
  await world.warm({ headers: { 'content-type': 'application/json' }, body: '{"list":[1,2,3]}' })
  world.open()
  const responses = await Promise.all(Array.from({ length: 100 }, () => world.send(`${world.origin}/x`)))
  const lists = await Promise.all(
    responses.map(async (response) => ((await response.json()) as { list: number[] }).list),
  )
  lists[0]?.splice(0)
  expect(lists.slice(1)).toEqual(Array.from({ length: 99 }, () => [1, 2, 3]))
  const bytes = new Uint8Array(await (await world.send(`${world.origin}/x`)).arrayBuffer())
  bytes.fill(0)
  expect(await world.ask()).toMatchObject({ text: '{"list":[1,2,3]}' })
})

test('a stand-in whose mark is a symbol has the headers that the host sent, and its age counts on', async () => {
  await using world = await World.of({ ...KEPT, mark: 'symbol' })
  await world.warm({ headers: { 'cache-status': 'CDN; hit', 'cache-control': 'max-age=60' }, body: 'kept' })
  const { headers, mark } = await world
    .later(5 * SECOND)
    .down()
    .ask()
  expect(Object.fromEntries(headers)).toMatchObject({ 'cache-status': 'CDN; hit', 'cache-control': 'max-age=60' })
  expect(headers.has('age')).toBe(false)
  expect(mark).toMatchObject({ source: 'stored', age: 5_000, masked: { status: 503 } })
})
