// Stored replies: what takes the place of one, what takes one back, how old one is, and which of them is whose.
import { describe, expect, test } from 'vitest'
import { header, memoryReplies, reply, staleIfError, type Policy } from './index.ts'
import { DOWN, HOUR, KEPT, SECOND, World, type Answer, type Answering } from '../test/replying-host.ts'

const kept = { body: 'kept' }

test('#16 a 401, 403, 404 or 410 is an answer: it goes to the caller, and what was kept is dropped', async () => {
  for (const status of [401, 403, 404, 410]) {
    await using world = await World.of(KEPT)
    await world.warm(kept)
    world.host.answer = { status, body: 'no' }
    expect(await world.ask(), `${status}`).toMatchObject({ status, text: 'no', mark: undefined })
    expect(await world.down().ask(), `${status}`).toMatchObject({ status: 503 })
    expect(await world.open().ask(), `${status}`).toMatchObject({ error: { code: 'EOPENBREAKER' } })
  }
})

describe('#16 so it is', () => {
  const failing: Policy = {
    classify: (outcome) => ('status' in outcome && outcome.status === 403 ? 'failure' : undefined),
  }
  const cut: Answering = (_request, response) => {
    response.writeHead(403, { 'cache-control': 'max-age=60', 'content-length': 99 })
    response.write('no', () => response.destroy())
    return undefined
  }

  test.each<[string, Answer | Answering, Policy]>([
    ['where the circuit counts it as a failure', { status: 403 }, failing],
    [
      'where a made reply masks it',
      { status: 403 },
      { ...failing, fallback: [staleIfError(KEPT), reply({ json: 0 })] },
    ],
    ['where it may be kept itself, and breaks off', cut, {}],
  ])('%s', async (_name, answer, policy) => {
    await using world = await World.of(KEPT, policy)
    await world.warm(kept)
    world.host.answer = answer
    await world.ask()
    expect((await world.open().ask()).text).not.toBe('kept')
  })
})

test('#17 an answer that may not be kept takes back the one that was', async () => {
  for (const headers of [{ 'cache-control': 'no-store' }, { 'cache-control': 'private' }, { vary: '*' }]) {
    await using world = await World.of(KEPT)
    await world.warm(kept)
    await world.warm({ headers, body: 'new' })
    expect(await world.down().ask()).toMatchObject({ status: 503 })
  }
})

test('#18 an error never takes the place of an answer, whatever its headers', async () => {
  for (const status of [429, 500, 503]) {
    await using world = await World.of(KEPT)
    await world.warm(kept)
    await world.warm({ status, headers: { 'cache-control': 'public, max-age=60' }, body: 'error' })
    expect(await world.open().ask(), `${status}`).toMatchObject({ status: 200, text: 'kept' })
  }
})

describe('#19 a write', () => {
  test.each(['POST', 'PUT', 'PATCH', 'DELETE'])(
    '%s takes back its URL and those that it names on its origin',
    async (method) => {
      await using world = await World.of(KEPT)
      for (const path of ['/x', '/a', '/b?c', '/other']) await world.warm(kept, path)
      world.host.answer = { status: 201, headers: { location: '/a', 'content-location': `${world.origin}/b?c#d` } }
      await world.ask('/x', { method })
      world.down()
      const statuses = ['/x', '/a', '/b?c', '/other'].map(async (path) => (await world.ask(path)).status)
      expect(await Promise.all(statuses)).toEqual([503, 503, 503, 200])
    },
  )

  test('takes back nothing on another origin', async () => {
    const replies = memoryReplies()
    await using world = await World.of(KEPT, { replies })
    await using other = await World.of(KEPT, { replies })
    await other.warm(kept)
    world.host.answer = { status: 201, headers: { location: `${other.origin}/x` } }
    await world.ask('/x', { method: 'POST' })
    expect(await other.down().ask()).toMatchObject({ text: 'kept' })
  })

  test('that failed takes back nothing', async () => {
    await using world = await World.of(KEPT)
    await world.warm(kept)
    for (const status of [400, 404, 500, 503]) {
      world.host.answer = { status }
      await world.ask('/x', { method: 'POST' })
    }
    expect(await world.down().ask()).toMatchObject({ text: 'kept' })
  })

  test('of one partition takes back its own reply and the one that is nobody’s', async () => {
    await using world = await World.of({ ...KEPT, partition: ({ headers }) => header(headers, 'x-user') })
    for (const user of ['alice', 'bob']) await world.warm({ body: user }, '/x', { 'x-user': user })
    await world.warm({ body: 'anybody' })
    world.host.answer = { status: 204 }
    await world.ask('/x', { method: 'PUT', headers: { 'x-user': 'alice' } })
    world.down()
    expect(await world.ask('/x', { 'x-user': 'alice' })).toMatchObject({ status: 503 })
    expect(await world.ask()).toMatchObject({ status: 503 })
    expect(await world.ask('/x', { 'x-user': 'bob' })).toMatchObject({ text: 'bob' })
  })
})

test('#20 without a Date the Age counts from receipt, and a clock that goes back makes it no less', async () => {
  await using world = await World.of(KEPT)
  await world.warm(kept)
  world.down().later(90 * SECOND)
  expect((await world.ask()).headers.get('age')).toBe('90')
  world.later(-HOUR)
  const { headers, text } = await world.ask()
  expect([headers.get('age'), text]).toEqual(['0', 'kept'])
})

test('#20 with a Date or an Age it begins with the larger of the two; one that cannot be read is too old', async () => {
  for (const [headers, age] of [
    [{ age: '7' }, '7'],
    [{ date: 'Sun, 06 Nov 2033 08:49:27 GMT', age: '7' }, '10'],
    [{ date: 'Sun, 06 Nov 2033 09:49:37 GMT' }, '0'],
    [{ age: 'x', 'cache-control': 'max-age=60' }, null],
  ] as const) {
    await using world = await World.of(KEPT)
    await world.warm({ headers })
    expect((await world.down().ask()).headers.get('age')).toBe(age)
  }
})

test('#21 HEAD is answered from what GET left; a part never; and who has the answer already is told so', async () => {
  await using world = await World.of(KEPT)
  await world.warm({ headers: { etag: '"v1"', 'x-kept': 'yes' }, body: 'kept' })
  world.down()
  const head = await world.ask('/x', { method: 'HEAD' })
  expect([head.status, head.text, head.headers.get('x-kept')]).toEqual([200, '', 'yes'])
  expect(await world.ask('/x', { range: 'bytes=0-1' })).toMatchObject({ status: 503 })
  expect(await world.ask('/x', { 'if-none-match': '"v0", W/"v1"' })).toMatchObject({ status: 304, text: '' })
  expect(await world.ask('/x', { 'if-none-match': '"v2"' })).toMatchObject({ status: 200, text: 'kept' })
})

test('#22 neither a part nor an error is ever kept', async () => {
  for (const status of [206, 408, 429, 500, 502, 503, 504, 507]) {
    await using world = await World.of({ ...KEPT, on: [429] })
    await world.warm({ status, headers: { 'cache-control': 'public, max-age=60' } })
    expect(await world.open().ask(), `${status}`).toMatchObject({ error: { code: 'EOPENBREAKER' } })
  }
})

describe('#23 an answer that varies', () => {
  const spoken = async (vary: string): Promise<World> => {
    const world = await World.of(KEPT)
    for (const language of ['en', 'de']) {
      await world.warm({ headers: { vary }, body: language }, '/x', { 'accept-language': language })
    }
    return world.down()
  }

  test('is for requests with the same headers, and several stand side by side', async () => {
    await using world = await spoken('Accept-Language')
    expect(await world.ask('/x', { 'accept-language': 'en' })).toMatchObject({ text: 'en' })
    expect(await world.ask('/x', { 'accept-language': 'de' })).toMatchObject({ text: 'de' })
    expect(await world.ask('/x', { 'accept-language': 'fr' })).toMatchObject({ status: 503 })
    expect(world.board.replyCounters).toMatchObject({ stored: 2, served: 2, refused: { variant: 1 } })
  })

  test('by everything is for nobody', async () => {
    await using world = await spoken('accept-language, *')
    expect(await world.ask('/x', { 'accept-language': 'en' })).toMatchObject({ status: 503 })
    expect(world.board.replyCounters).toMatchObject({ stored: 0, unkept: { vary: 2 } })
  })
})

test('#25 what skip names is neither kept nor given', async () => {
  await using world = await World.of({ ...KEPT, skip: ({ url }) => /\/random|[?&]random=/.test(url) })
  for (const path of ['/data/web/random', '/?random=verse', '/x']) await world.warm(kept, path)
  world.host.answer = DOWN
  expect(await world.ask('/data/web/random')).toMatchObject({ status: 503 })
  expect(await world.ask('/?random=verse')).toMatchObject({ status: 503 })
  expect(await world.ask()).toMatchObject({ text: 'kept' })
})
