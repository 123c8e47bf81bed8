// What every store must do, whatever it is of: each case runs against the real thing.
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { isFallback, type ReplyStore, type StoredReply } from '@fuseboard/core'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { makeClient } from './client.ts'
import { BODY, startOrigin, type Origin } from './origin.ts'
import { PLACES, type Place, type Target } from './places.ts'

/** How a store is opened on what the tests of a file share. */
export interface Setting {
  readonly name: string
  /** Another client of the same data each time. */
  open(): Promise<Place>
  /** Below this many bytes a body fits. */
  readonly roomFor: number
}

export function storeSuite(setting: Setting): void {
  describe(`${setting.name}: a store`, () => {
    describe('what is kept', () => {
      keeping(setting)
    })
    describe('what is not trusted', () => {
      distrust(setting)
    })
    describe('for a guarded fetch', () => {
      standingIn(setting)
    })
  })
}

/** @param target where the data is: the place is one that another process can open, too */
export function restartSuite(name: keyof typeof PLACES, target: () => Target): void {
  test(`${name}: the reply that another process kept before it ended stands in, as old as it is`, async () => {
    await using origin = await startOrigin()
    const keeper = fileURLToPath(new URL('keeper.ts', import.meta.url))
    await promisify(execFile)(process.execPath, [keeper, name, `${target()}`, origin.url, `${WALL}`])

    origin.status = 503
    await using place = await PLACES[name](target())
    const response = await makeClient(place.store, () => WALL + 90_000).fetch(origin.url)
    expect([response.status, response.headers.get('age')]).toEqual([200, '90'])
    expect(Buffer.from(await response.arrayBuffer()).equals(BODY)).toBe(true)
  })
}

const WALL = 1_800_000_000_000
const HOUR = 3_600_000

let nth = 0
/** A key that no other test uses. */
const freshKey = (tail = ''): string => `GET\nhttps://bible-api.com/${process.pid}/${++nth}${tail}`

function entryOf(key: string, more: Partial<StoredReply> = {}): StoredReply {
  return {
    v: 1,
    key,
    vary: {},
    status: 200,
    statusText: 'OK',
    headers: [['content-type', 'application/json']],
    body: Buffer.from('{}'),
    decoded: true,
    storedAt: WALL,
    ageAtStore: 0,
    staleAt: WALL,
    expiresAt: WALL + HOUR,
    ...more,
  }
}

const lasting = { ttlMs: HOUR, bytes: 1_000 }

/** As core reads them: bodies may come as any bytes. */
const plain = (replies: readonly StoredReply[] | undefined): unknown =>
  replies?.map((reply) => ({ ...reply, body: Buffer.from(reply.body) }))

/** What a board would make of it: an error is a miss. */
async function read(store: ReplyStore, key: string): Promise<unknown> {
  try {
    return plain(await store.get(key))
  } catch (error) {
    return String(error)
  }
}

async function opened(setting: Setting): Promise<Place> {
  const place = await setting.open()
  onTestFinished(() => place[Symbol.asyncDispose]())
  return place
}

const ENTRIES: Readonly<Record<string, Partial<StoredReply>>> = {
  'an empty body': { body: new Uint8Array() },
  'every byte': { body: BODY },
  'a part of a larger buffer': { body: BODY.subarray(100, 200) },
  'headers that repeat, in their order': {
    headers: [
      ['Link', '<a>'],
      ['x', '1'],
      ['Link', '<b>'],
      ['x-empty', ''],
      ['x-latin', 'caf\u00e9 \u00ff'],
    ],
  },
  'what it varies by, headers that were not sent included': { vary: { 'accept-language': 'de,en', accept: null } },
  'names that mean something to JavaScript': { vary: JSON.parse('{"__proto__":"a","constructor":"b"}') as {} },
  'text of any kind': { statusText: 'Très bien \u{1f525} "quoted" \\ \u2028' },
  'bytes still in their encoding': { decoded: false, status: 203, headers: [['content-encoding', 'gzip']] },
  'times with fractions, in the past, and far ahead': { storedAt: 0.5, ageAtStore: 1e-3, staleAt: -1, expiresAt: 9e15 },
  'fields of a later version of core': { partition: 'x', shared: false, more: { a: [1] } } as {},
}

function keeping(setting: Setting): void {
  test('nothing is there before', async () => {
    const { store } = await opened(setting)
    expect(await store.get(freshKey())).toBeUndefined()
    await store.delete(freshKey())
  })

  test.each(Object.entries(ENTRIES))('comes back as it was: %s', async (_name, more) => {
    const { store } = await opened(setting)
    const key = freshKey()
    const entry = entryOf(key, more)
    await store.set(key, [entry], lasting)
    const back = await store.get(key)
    expect(plain(back)).toEqual(plain([entry]))
    expect(back?.[0]?.body).toBeInstanceOf(Uint8Array)
  })

  test('variants keep their order', async () => {
    const { store } = await opened(setting)
    const key = freshKey()
    const entries = Array.from({ length: 8 }, (_, n) =>
      entryOf(key, { vary: { accept: `${n}` }, body: BODY.subarray(n) }),
    )
    await store.set(key, entries, lasting)
    expect(plain(await store.get(key))).toEqual(plain(entries))
  })

  test('is a copy: of what was given, and each time it is read', async () => {
    const { store } = await opened(setting)
    const key = freshKey()
    const body = Uint8Array.from([1, 2, 3])
    const writing = store.set(key, [entryOf(key, { body })], lasting)
    body.fill(9)
    await writing
    const first = await store.get(key)
    first?.[0]?.body.fill(7)
    expect((await store.get(key))?.[0]?.body).toEqual(Uint8Array.from([1, 2, 3]))
  })

  test('a key has what was set last, and nothing once it is deleted', async () => {
    const { store } = await opened(setting)
    const key = freshKey()
    await store.set(key, [entryOf(key, { status: 203 })], lasting)
    await store.set(key, [entryOf(key)], lasting)
    expect((await store.get(key))?.map(({ status }) => status)).toEqual([200])
    await store.delete(key)
    expect(await store.get(key)).toBeUndefined()
  })

  test('keys that are nearly the same are apart', async () => {
    const { store } = await opened(setting)
    const base = freshKey('/a')
    const tails = [
      '',
      '/',
      '/b',
      '/B',
      '?a=1&b=2',
      '?b=2&a=1',
      '/%2f',
      '/%2F',
      '+',
      '%20',
      '*',
      '{b}',
      ':b',
      "'",
      '_',
      '%',
    ]
    const keys = [...tails, '\u0000', 'é', 'x'.repeat(5_000), `${'x'.repeat(5_000)}y`].map((tail) => base + tail)
    for (const key of keys) await store.set(key, [entryOf(key, { statusText: key })], lasting)
    for (const key of keys) expect((await store.get(key))?.[0]?.statusText).toBe(key)
    await store.delete(base)
    expect(await store.get(base)).toBeUndefined()
    for (const key of keys.slice(1)) expect(await store.get(key)).toHaveLength(1)
  })

  test('another client of the same data sees it, and sees it go', async () => {
    const key = freshKey()
    const one = await opened(setting)
    const other = await opened(setting)
    await one.store.set(key, [entryOf(key)], lasting)
    expect(plain(await other.store.get(key))).toEqual(plain([entryOf(key)]))
    await other.store.delete(key)
    expect(await one.store.get(key)).toBeUndefined()
  })

  test('what was asked last holds, though nothing was waited for', async () => {
    const { store } = await opened(setting)
    const [kept, gone] = [freshKey(), freshKey()]
    const calls: unknown[] = []
    for (let n = 1; n <= 20; n++) calls.push(store.set(kept, [entryOf(kept, { statusText: `${n}` })], lasting))
    for (let n = 1; n <= 20; n++) calls.push(store.set(gone, [entryOf(gone)], lasting), store.delete(gone))
    await Promise.all(calls)
    expect((await store.get(kept))?.[0]?.statusText).toBe('20')
    expect(await store.get(gone)).toBeUndefined()
  })

  test.each([0.2, 1.5, 1e15])('a lifetime of %d ms is one', async (ttlMs) => {
    const { store } = await opened(setting)
    const key = freshKey()
    await store.set(key, [entryOf(key)], { ttlMs, bytes: 1 })
    if (ttlMs > 1_000) expect(await store.get(key)).toHaveLength(1)
  })

  test('a body as large as there is room for', async () => {
    const { store } = await opened(setting)
    const key = freshKey()
    const body = Buffer.alloc(setting.roomFor, 'fuse')
    await store.set(key, [entryOf(key, { body })], lasting)
    expect(body.equals((await store.get(key))?.[0]?.body ?? Buffer.of())).toBe(true)
  })
}

/** What may have happened to the bytes of an entry. */
const DAMAGE: Readonly<Record<string, (bytes: Buffer) => Buffer>> = {
  'nothing at all': () => Buffer.alloc(0),
  text: () => Buffer.from('hello'),
  'the replies of something else': (bytes) => Buffer.from(JSON.stringify([...bytes])),
  'another version': (bytes) => Buffer.concat([Buffer.from('FBR\x02', 'latin1'), bytes.subarray(4)]),
  'its beginning': (bytes) => bytes.subarray(0, 10),
  'all but its last byte': (bytes) => bytes.subarray(0, -1),
  'one byte more': (bytes) => Buffer.concat([bytes, Buffer.of(0)]),
  'one bit of the body turned': (bytes) => turned(bytes, bytes.length - 1),
  'one bit of the head turned': (bytes) => turned(bytes, 40),
}

function turned(bytes: Buffer, at: number): Buffer {
  const copy = Buffer.from(bytes)
  copy[at]! ^= 1
  return copy
}

function distrust(setting: Setting): void {
  test.each(Object.entries(DAMAGE))('%s', async (_name, damage) => {
    const { store, plant, dig } = await opened(setting)
    const key = freshKey()
    await store.set(key, [entryOf(key, { body: BODY })], lasting)
    const whole = await dig(key)
    await plant(key, damage(whole!))
    expect(await read(store, key)).toMatch(/^Error: (?:a malformed entry|an entry of another version)/)

    await store.set(key, [entryOf(key)], lasting)
    expect(await store.get(key)).toHaveLength(1)
    await plant(key, damage(whole!))
    await store.delete(key)
    expect(await store.get(key)).toBeUndefined()
  })

  test('the entry of another key is told as what it is, so that core can refuse it', async () => {
    const { store, plant, dig } = await opened(setting)
    const [alice, bob] = [freshKey(), freshKey()]
    await store.set(alice, [entryOf(alice)], lasting)
    await store.set(bob, [entryOf(bob)], lasting)
    await plant(bob, (await dig(alice))!)
    expect((await store.get(bob))?.[0]?.key).toBe(alice)
  })
}

function standingIn(setting: Setting): void {
  let origin: Origin
  beforeAll(async () => {
    origin = await startOrigin()
  })
  afterAll(() => origin[Symbol.asyncDispose]())

  const answering = (status: number): string => {
    origin.status = status
    return origin.url
  }
  const urlOf = (path: string): string => new URL(`/${process.pid}/${path}`, origin.url).href

  test('the reply of a board that is gone stands in, as old as it is', async () => {
    const url = `${urlOf('restart')}/${++nth}`
    answering(200)
    const before = await setting.open()
    const client = makeClient(before.store, () => WALL)
    await (await client.fetch(url)).arrayBuffer()
    await client.written(1)
    await before[Symbol.asyncDispose]()

    answering(503)
    const { store } = await opened(setting)
    const after = makeClient(store, () => WALL + HOUR)
    const response = await after.fetch(url)
    expect([response.status, response.headers.get('age'), response.headers.get('x-name')]).toEqual([
      200,
      '3600',
      'one, two',
    ])
    expect(isFallback(response)).toMatchObject({ source: 'stored', age: HOUR, masked: { status: 503 } })
    expect(Buffer.from(await response.arrayBuffer()).equals(BODY)).toBe(true)
    expect([client.faults, after.faults]).toEqual([[], []])
  })

  test('what the store still has does not stand in once it has expired', async () => {
    const url = `${urlOf('expired')}/${++nth}`
    answering(200)
    const { store } = await opened(setting)
    let now = WALL
    const client = makeClient(store, () => now)
    await (await client.fetch(url)).arrayBuffer()
    await client.written(1)
    answering(503)
    now += 7 * 24 * HOUR
    expect((await client.fetch(url)).status).toBe(200)
    now++
    expect((await client.fetch(url)).status).toBe(503)
  })

  test('a reply that one board drops is gone for all', async () => {
    const url = `${urlOf('dropped')}/${++nth}`
    answering(200)
    const [one, other] = [await opened(setting), await opened(setting)].map(({ store }) =>
      makeClient(store, () => WALL),
    )
    await (await one!.fetch(url)).arrayBuffer()
    await one!.written(1)
    answering(404)
    await (await other!.fetch(url)).arrayBuffer()
    await other!.written(1)
    answering(503)
    expect((await one!.fetch(url)).status).toBe(503)
  })

  test('a damaged entry, and that of another key, are a miss that is told, and mended by the next answer', async () => {
    const [url, other] = [`${urlOf('damaged')}/${++nth}`, `${urlOf('damaged')}/${++nth}`]
    const { store, plant, dig } = await opened(setting)
    const client = makeClient(store, () => WALL)
    answering(200)
    for (const each of [url, other]) await (await client.fetch(each)).arrayBuffer()
    await client.written(2)
    const [key, otherKey] = [`GET\n${url}`, `GET\n${other}`]
    const whole = await dig(otherKey)

    answering(503)
    await plant(key, turned(whole!, whole!.length - 1))
    expect((await client.fetch(url)).status).toBe(503)
    await plant(key, whole!)
    expect((await client.fetch(url)).status).toBe(503)
    expect(client.faults).toEqual(['get a malformed entry', 'get an entry of another key'])

    answering(200)
    await (await client.fetch(url)).arrayBuffer()
    await client.written(3)
    answering(503)
    expect((await client.fetch(url)).status).toBe(200)
  })
}
