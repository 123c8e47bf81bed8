// A store that is slow, failing or lying, and what of it a request notices: nothing.
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { FencedReplies, type Fence } from './fenced-replies.ts'
import { memoryReplies } from './memory-replies.ts'
import type { ReplyStore, StoredReply } from './reply.ts'

const KEY = 'GET\nhttps://a/'
const ENTRY: StoredReply = {
  v: 1,
  key: KEY,
  vary: {},
  status: 200,
  statusText: 'OK',
  headers: [['x', 'y']],
  body: new Uint8Array(2),
  decoded: true,
  storedAt: 0,
  ageAtStore: 0,
  staleAt: 0,
  expiresAt: 1,
}
const SIZE = { ttlMs: 1, bytes: 1 }

let faults: string[]
let warnings: string[]
let rejections: unknown[]
const onRejection = (error: unknown): number => rejections.push(error)

const fence: Fence = {
  wall: () => 7,
  warn: (code, message) => void warnings.push(`${code}: ${message}`),
  onFault: (action, key, fault) => faults.push(`${action} ${key === KEY ? 'KEY' : key}: ${fault}`),
}

function fenced(store: Partial<ReplyStore>): FencedReplies {
  const nothing: ReplyStore = { get: () => undefined, set: () => undefined, delete: () => undefined }
  return new FencedReplies({ ...nothing, ...store }, fence)
}

const forever = (): Promise<never> => new Promise(() => {})
const failing = (): never => {
  throw new Error('down')
}
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

beforeEach(() => {
  faults = []
  warnings = []
  rejections = []
  process.on('unhandledRejection', onRejection)
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
})

afterEach(async () => {
  await settled()
  process.off('unhandledRejection', onRejection)
  const timers = vi.getTimerCount()
  vi.useRealTimers()
  if (rejections.length > 0 || timers > 0) throw new Error(`${rejections.length} rejections, ${timers} timers are left`)
})

test('a store that answers at once is not waited for', () => {
  const replies = new FencedReplies(memoryReplies(), fence)
  expect(replies.get(KEY)).toBeUndefined()
  replies.set(KEY, [ENTRY], SIZE)
  expect(replies.get(KEY)).toEqual([ENTRY])
  replies.delete(KEY)
  expect(replies.get(KEY)).toBeUndefined()
  expect([faults, replies.wall()]).toEqual([[], 7])
})

test('a store that answers later is waited for, and its time limit is taken back', async () => {
  expect(await fenced({ get: async () => [ENTRY] }).get(KEY)).toEqual([ENTRY])
  expect(vi.getTimerCount()).toBe(0)
})

test('its methods are called as its own', () => {
  const store = {
    held: [ENTRY],
    get() {
      return this.held
    },
    set: () => undefined,
    delete: () => undefined,
  }
  expect(new FencedReplies(store, fence).get(KEY)).toEqual([ENTRY])
})

describe('a miss, and told', () => {
  test('a get that throws', () => {
    expect(fenced({ get: failing }).get(KEY)).toBeUndefined()
    expect(faults).toEqual(['get KEY: down'])
  })

  test('a get that rejects, whatever with', async () => {
    expect(await fenced({ get: async () => failing() }).get(KEY)).toBeUndefined()
    expect(await fenced({ get: () => Promise.reject() }).get(KEY)).toBeUndefined()
    expect(faults).toEqual(['get KEY: down', 'get KEY: undefined'])
  })

  test('a get that hangs, after 100 ms', async () => {
    const answer = fenced({ get: forever }).get(KEY)
    vi.advanceTimersByTime(99)
    await settled()
    expect(faults).toEqual([])
    vi.advanceTimersByTime(1)
    expect(await answer).toBeUndefined()
    expect(faults).toEqual(['get KEY: no answer within 100 ms'])
  })

  test('a get that fails after it was given up, once', async () => {
    const failures: ((error: Error) => void)[] = []
    const answer = fenced({ get: () => new Promise((_, reject) => failures.push(reject)) }).get(KEY)
    vi.advanceTimersByTime(100)
    await answer
    failures[0]?.(new Error('late'))
    await settled()
    expect(faults).toHaveLength(1)
  })

  test('a thenable that throws', async () => {
    // oxlint-disable-next-line unicorn/no-thenable
    expect(await fenced({ get: () => ({ then: failing }) }).get(KEY)).toBeUndefined()
    expect(faults).toEqual(['get KEY: down'])
  })

  test.each([['text'], [7], [true], [{ length: 1 }], [new Map()]])('garbage: %j', (answer) => {
    expect(fenced({ get: () => answer as never }).get(KEY)).toBeUndefined()
    expect(faults).toEqual(['get KEY: no list of entries'])
  })

  test.each([
    [undefined, 'another version'],
    [null, 'another version'],
    ['entry', 'another version'],
    [{ ...ENTRY, v: 2 }, 'another version'],
    [{ ...ENTRY, key: 'other' }, 'another key'],
    [{ ...ENTRY, body: [1] }, 'malformed'],
  ])('an entry that is none: %j', (entry, fault) => {
    expect(fenced({ get: () => [entry] as never }).get(KEY)).toEqual([])
    expect(faults).toEqual([expect.stringContaining(fault)])
  })
})

test('a store that garbles what it is given is warned of, and one of another version or key is not', () => {
  const garbled = [[{ ...ENTRY, body: '{}' }], 'text', [{ v: 1, key: KEY }]]
  for (const answer of garbled) fenced({ get: () => answer as never }).get(KEY)
  expect(new Set(warnings)).toEqual(
    new Set([
      'replies: The store of replies does not give back what it was given, so nothing of that stands in. ' +
        '@fuseboard/stores has one for Redis, DynamoDB, SQLite and Keyv',
    ]),
  )
  warnings = []
  for (const other of [{ v: 2 }, { key: 'other' }]) fenced({ get: () => [{ ...ENTRY, ...other }] as never }).get(KEY)
  expect(warnings).toEqual([])
})

test('nothing is no fault', async () => {
  expect(fenced({ get: () => null as never }).get(KEY)).toBeUndefined()
  expect(await fenced({ get: async () => undefined }).get(KEY)).toBeUndefined()
  expect(fenced({ get: () => [] }).get(KEY)).toEqual([])
  expect(faults).toEqual([])
})

describe('writes', () => {
  test('that throw or reject are told, and nothing more', async () => {
    const throwing = fenced({ set: failing, delete: failing })
    throwing.set(KEY, [ENTRY], SIZE)
    throwing.delete(KEY)
    const rejecting = fenced({ set: async () => failing(), delete: async () => failing() })
    rejecting.set(KEY, [ENTRY], SIZE)
    rejecting.delete(KEY)
    await settled()
    expect(faults).toEqual(['set KEY: down', 'delete KEY: down', 'set KEY: down', 'delete KEY: down'])
  })

  test('are sixteen at once; more are dropped and told', async () => {
    const open: (() => void)[] = []
    const set = vi.fn<() => Promise<void>>(() => new Promise<void>((resolve) => open.push(resolve)))
    const replies = fenced({ set })
    for (let i = 0; i < 18; i++) replies.set(`${i}`, [], SIZE)
    expect(set).toHaveBeenCalledTimes(16)
    expect(faults).toEqual(['set 16: dropped, 16 writes are under way', 'set 17: dropped, 16 writes are under way'])

    open.shift()?.()
    await settled()
    replies.set('18', [], SIZE)
    expect(set).toHaveBeenCalledTimes(17)
    for (const finish of open) finish()
  })

  test('that hang give their places back', async () => {
    const set = vi.fn<() => Promise<void>>(forever)
    const replies = fenced({ set })
    for (let i = 0; i < 16; i++) replies.set(`${i}`, [], SIZE)
    vi.advanceTimersByTime(5_000)
    await settled()
    expect(faults).toHaveLength(16)
    expect(faults[0]).toBe('set 0: no answer within 5000 ms')
    replies.set('16', [], SIZE)
    expect(set).toHaveBeenCalledTimes(17)
    vi.advanceTimersByTime(5_000)
  })
})

describe('a deletion that did not come through', () => {
  const held: Partial<ReplyStore> = { get: () => [ENTRY] }

  test.each([
    ['threw', failing],
    ['hangs', forever],
    ['rejected', async () => failing()],
  ])('holds all the same where it %s', async (_, remove) => {
    const replies = fenced({ ...held, delete: remove })
    expect(replies.get(KEY)).toEqual([ENTRY])
    replies.delete(KEY)
    expect(replies.get(KEY)).toBeUndefined()
    vi.advanceTimersByTime(5_000)
    await settled()
    expect(replies.get(KEY)).toBeUndefined()
  })

  test('holds where it was one write too many', () => {
    const replies = fenced({ ...held, set: forever })
    for (let i = 0; i < 16; i++) replies.set(`${i}`, [], SIZE)
    replies.delete(KEY)
    expect(replies.get(KEY)).toBeUndefined()
    vi.advanceTimersByTime(5_000)
  })

  test('holds for a read that began before it', async () => {
    const replies = fenced({ get: async () => [ENTRY], delete: failing })
    const answer = replies.get(KEY)
    replies.delete(KEY)
    expect(await answer).toBeUndefined()
  })

  test('holds until something new is kept', async () => {
    const replies = fenced({ ...held, delete: failing, set: async () => undefined })
    replies.delete(KEY)
    replies.set(KEY, [ENTRY], SIZE)
    expect(replies.get(KEY)).toBeUndefined()
    await settled()
    expect(replies.get(KEY)).toEqual([ENTRY])
  })

  test('holds against a write that began before it', async () => {
    const replies = fenced({ ...held, delete: failing, set: async () => undefined })
    replies.set(KEY, [ENTRY], SIZE)
    replies.delete(KEY)
    await settled()
    expect(replies.get(KEY)).toBeUndefined()
  })
})

describe('writes of one key', () => {
  /** A store with a connection for each call: the first is the slowest. */
  function racing() {
    const held = new Map<string, readonly StoredReply[]>()
    const writes: string[] = []
    let delay = 40
    const later = (name: string, act: () => unknown) => async () => {
      writes.push(name)
      await new Promise((resolve) => setTimeout(resolve, (delay -= 10)))
      act()
    }
    const replies = fenced({
      get: (key) => held.get(key),
      set: (key, entries) => later(`set ${entries[0]?.status}`, () => held.set(key, entries))(),
      delete: (key) => later('delete', () => held.delete(key))(),
    })
    return { held, writes, replies }
  }

  test('go one after another: a deletion cannot overtake what it deletes', async () => {
    const { held, replies } = racing()
    replies.set(KEY, [ENTRY], SIZE)
    replies.delete(KEY)
    await vi.advanceTimersByTimeAsync(100)
    expect([replies.get(KEY), held.size]).toEqual([undefined, 0])
  })

  test('that wait give way to the latest', async () => {
    const { held, writes, replies } = racing()
    for (const status of [200, 201, 202]) replies.set(KEY, [{ ...ENTRY, status }], SIZE)
    await vi.advanceTimersByTimeAsync(100)
    expect([writes, held.get(KEY)?.[0]?.status]).toEqual([['set 200', 'set 202'], 202])
  })
})

test('a store without its three methods is told', () => {
  for (const store of [undefined, null, {}, { get() {}, set() {} }, 'x']) {
    expect(() => new FencedReplies(store as never, fence)).toThrow(
      /^replies must have the methods get, set and delete, got /,
    )
  }
})
