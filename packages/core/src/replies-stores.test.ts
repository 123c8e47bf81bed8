// Stored replies: stores that are slow, hang, throw, hold little, or outlive the process; and what a stand-in is to the circuit.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { DOWN, HOUR, KEPT, RemoteStore, SECOND, World, type Told } from '../test/replying-host.ts'
import { guardFetch, memoryReplies, type ReplyStore, type StoredReply } from './index.ts'

const good: ReplyStore = { get: () => undefined, set() {}, delete() {} }
const EMPTY: StoredReply = {
  v: 1,
  key: '',
  vary: {},
  status: 200,
  statusText: '',
  headers: [],
  body: new Uint8Array(),
  decoded: true,
  storedAt: 0,
  ageAtStore: 0,
  staleAt: 0,
  expiresAt: 1,
}
const never = (): Promise<never> => new Promise(() => {})

function promised(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let resolve = (): void => {}
  const promise = new Promise<void>((keep) => (resolve = keep))
  return { promise, resolve: () => resolve() }
}

afterEach(() => {
  vi.useRealTimers()
})

describe('#47 a store', () => {
  test('that never has done with a write keeps no download waiting', async () => {
    await using world = await World.of(KEPT, { replies: { ...good, set: never } })
    for (let request = 0; request < 20; request++) await world.warm({ body: 'well' }, `/${request}`)
    expect(await world.ask()).toMatchObject({ text: 'well' })
    expect(world.faults).toEqual(Array(5).fill('set: dropped, 16 writes are under way'))
  })

  test('that never answers a read is a miss after 100 ms, and no earlier', async () => {
    await using world = await World.of(KEPT, { replies: { ...good, get: never } })
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    world.open()
    let told: Told | undefined
    const asked = world.ask().then((answer) => (told = answer))
    await vi.advanceTimersByTimeAsync(99)
    expect(told).toBeUndefined()
    await vi.advanceTimersByTimeAsync(1)
    expect(await asked).toMatchObject({ error: { code: 'EOPENBREAKER' } })
    expect(world.faults).toEqual(['get: no answer within 100 ms'])
  })

  test('that never answers a read leaves a failed answer as it is', async () => {
    await using world = await World.of(KEPT, { replies: { ...good, get: never } })
    expect(await world.down().ask()).toMatchObject({ status: 503, text: 'down', mark: undefined })
  })

  test('is not asked where the host is well', async () => {
    const replies = new RemoteStore()
    await using world = await World.of(KEPT, { replies })
    for (let request = 0; request < 5; request++) await world.warm({ body: 'well' })
    expect(replies.reads).toBe(0)
  })
})

test.each([
  [
    'throws',
    () => {
      throw new Error('broken')
    },
  ],
  ['rejects', () => Promise.reject(new Error('broken'))],
  ['rejects with nothing', () => Promise.reject()],
] as const)('#48 a store that %s hurts no request, and is told of', async (_how, fails) => {
  const unhandled: unknown[] = []
  const hear = (error: unknown): number => unhandled.push(error)
  process.on('unhandledRejection', hear)
  await using world = await World.of(
    { ...KEPT, varyBy: ['accept'] },
    { replies: { get: fails, set: fails, delete: fails } },
  )
  await world.warm({ body: 'well' })
  world.host.answer = { status: 404 }
  expect(await world.ask('/y')).toMatchObject({ status: 404 })
  expect(await world.down().ask()).toMatchObject({ status: 503, text: 'down' })
  expect(await world.open().ask()).toMatchObject({ error: { code: 'EOPENBREAKER' } })
  await new Promise(setImmediate)
  process.off('unhandledRejection', hear)
  expect(unhandled).toEqual([])
  expect(new Set(world.faults.map((fault) => fault.slice(0, 3)))).toEqual(new Set(['get', 'set', 'del']))
})

test('#49 after 100,000 random operations the bytes of the memory are exact, and the least recently used are gone', () => {
  const store = memoryReplies({ maxBytes: 50_000, maxEntries: 40 })
  const model = new Map<string, number>()
  const entryOf = (key: string, bytes: number): StoredReply => ({ ...EMPTY, key, body: new Uint8Array(bytes) })
  const total = (): number => [...model.values()].reduce((sum, bytes) => sum + bytes, 0)
  const [seed] = fc.sample(fc.nat(), { numRuns: 1, seed: 49 }) as [number]
  let state = seed
  const random = (below: number): number => (state = (state * 1_103_515_245 + 12_345) % 2_147_483_648) % below
  for (let step = 0; step < 100_000; step++) {
    const key = `k${random(97)}`
    const what = random(10)
    if (what === 0) {
      store.delete(key)
      model.delete(key)
    } else if (what < 4) {
      const known = model.get(key)
      if (known !== undefined) model.delete(key)
      if (known !== undefined) model.set(key, known)
      expect(store.get(key) !== undefined).toBe(known !== undefined)
    } else {
      const bytes = random(6_000)
      store.set(key, [entryOf(key, bytes)])
      model.delete(key)
      if (bytes + 256 + key.length <= 6_250) model.set(key, bytes + 256 + key.length)
      for (const oldest of model.keys()) {
        if (total() <= 50_000 && model.size <= 40) break
        model.delete(oldest)
      }
    }
    if (step % 1_000 === 0) expect([store.bytes, store.size]).toEqual([total(), model.size])
  }
  expect([...model.keys()].filter((key) => store.get(key) === undefined)).toEqual([])
  expect([store.bytes, store.size]).toEqual([total(), model.size])
  expect(store.evicted).toBeGreaterThan(1_000)
})

test('#50 of a thousand variants eight are kept', async () => {
  const replies = new RemoteStore()
  await using world = await World.of(KEPT, { replies })
  for (let language = 0; language < 1_000; language++) {
    await world.warm({ headers: { vary: 'accept-language' }, body: `${language}` }, '/x', {
      'accept-language': `x-${language}`,
    })
  }
  expect(await replies.get(`GET\n${world.origin}/x`)).toHaveLength(8)
  world.down()
  expect(await world.ask('/x', { 'accept-language': 'x-992' })).toMatchObject({ text: '992' })
  expect(await world.ask('/x', { 'accept-language': 'x-991' })).toMatchObject({ status: 503 })
})

test('#51 a stand-in is no success: the attempt that failed is a failure, and the one that was refused is nothing', async () => {
  await using world = await World.of(KEPT, { consecutiveFailures: 3, openFor: '1h' })
  await world.warm({ body: 'kept' })
  world.host.answer = DOWN
  for (let request = 0; request < 5; request++) expect(await world.ask()).toMatchObject({ text: 'kept' })
  expect(world.circuit.state).toBe('open')
  expect(world.circuit.counters).toMatchObject({ successes: 1, failures: 3, refused: 2, fallbacks: 5, inFlight: 0 })
})

describe('#54 another cache', () => {
  /** As undici's: it gives a fresh answer, and a stale one where what is below fails. */
  const cacheOver = (below: typeof fetch, isFresh: () => boolean): typeof fetch => {
    let kept: string | undefined
    return async (input, init) => {
      if (kept !== undefined && isFresh()) return new Response(kept)
      try {
        const response = await below(input, init)
        if (!response.ok) return response
        kept = await response.text()
        return new Response(kept)
      } catch (error) {
        if (kept === undefined) throw error
        return new Response(kept)
      }
    }
  }

  test('above the guard gives its stale answer for a refusal, which is an error in due form', async () => {
    await using world = await World.of(KEPT, { fallback: [] })
    const cached = cacheOver(world.send, () => false)
    world.host.answer = { body: 'kept above' }
    await cached(`${world.origin}/x`)
    world.open()
    expect(await (await cached(`${world.origin}/x`)).text()).toBe('kept above')
  })

  test('below the guard is not asked under an open circuit, fresh though its answer is: it belongs above', async () => {
    await using world = await World.of(KEPT, { fallback: [] })
    const guarded = guardFetch(world.board, { fetch: cacheOver(fetch, () => true) })
    world.host.answer = { body: 'kept below' }
    await guarded(`${world.origin}/x`)
    world.open()
    await expect(guarded(`${world.origin}/x`)).rejects.toMatchObject({ code: 'EOPENBREAKER' })
  })
})

describe('#55 a hundred requests that fail at once', () => {
  test('read the store once', async () => {
    const replies = new RemoteStore()
    await using world = await World.of(KEPT, { replies })
    await world.warm({ body: 'kept' })
    await new Promise(setImmediate)
    const failed = promised()
    const get = replies.get.bind(replies)
    replies.get = async (key) => {
      const entries = await get(key)
      await failed.promise
      return entries
    }
    world.board.on('settled', () => {
      if (world.circuit.counters.failures === 100) failed.resolve()
    })
    world.down()
    const told = await Promise.all(Array.from({ length: 100 }, () => world.ask()))
    expect(told.every(({ text }) => text === 'kept')).toBe(true)
    expect(replies.reads).toBe(1)
  })

  test('and whoever asks after something was kept or dropped reads it anew', async () => {
    const replies = new RemoteStore()
    await using world = await World.of(KEPT, { replies })
    await world.warm({ body: 'old' })
    const late = promised()
    const get = replies.get.bind(replies)
    replies.get = (key) => late.promise.then(() => get(key))
    const first = world.down().ask()
    await vi.waitFor(() => expect(world.circuit.counters.failures).toBe(1))
    await world.warm({ body: 'new' })
    replies.get = get
    expect(await world.down().ask()).toMatchObject({ text: 'new' })
    late.resolve()
    await first
    expect(replies.reads).toBe(2)
  })
})

test('#56 what a store holds outlives the process, with the right Age; another version of it is a miss', async () => {
  const file = join(mkdtempSync(join(tmpdir(), 'replies-')), 'store.json')
  const before = new RemoteStore()
  await using world = await World.of(KEPT, { replies: before })
  await world.warm({ headers: { age: '5' }, body: 'kept' })
  await new Promise(setImmediate)
  writeFileSync(file, JSON.stringify([...before.held]))
  world.down()

  const restarted = async (text: string): Promise<{ told: Told; faults: string[] }> => {
    const replies = new RemoteStore()
    for (const [key, entries] of JSON.parse(text) as [string, string][]) replies.held.set(key, entries)
    await using after = await World.of(KEPT, { replies })
    after.later(HOUR - 5 * SECOND)
    return { told: await after.ask(`${world.origin}/x`), faults: after.faults }
  }
  const text = readFileSync(file, 'utf8')
  rmSync(file)
  const { told, faults } = await restarted(text)
  expect([told.text, told.headers.get('age'), faults]).toEqual(['kept', '3600', []])
  const newer = await restarted(text.replaceAll('\\"v\\":1', '\\"v\\":2'))
  expect([newer.told.status, newer.faults]).toEqual([503, ['get: an entry of another version']])
})
