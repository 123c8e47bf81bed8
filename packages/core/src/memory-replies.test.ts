// The store in memory, bounded by bytes.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { memoryReplies } from './memory-replies.ts'
import type { StoredReply } from './reply.ts'
import { sizeOf } from './stored-reply.ts'

const entry = (key: string, bytes = 0, over: Partial<StoredReply> = {}): StoredReply => ({
  v: 1,
  key,
  vary: {},
  status: 200,
  statusText: 'OK',
  headers: [],
  body: new Uint8Array(bytes),
  decoded: false,
  storedAt: 0,
  ageAtStore: 0,
  staleAt: 0,
  expiresAt: 1,
  ...over,
})

test('what is set is got, and what is deleted is not', () => {
  const store = memoryReplies()
  const replies = [entry('a', 10)]
  store.set('a', replies)
  expect(store.get('a')).toEqual(replies)
  store.delete('a')
  expect(store.get('a')).toBeUndefined()
  expect([store.bytes, store.size]).toEqual([0, 0])
})

test('a reply counts its body, its headers, its key and 256 bytes besides', () => {
  const store = memoryReplies()
  store.set('abc', [entry('abc', 100, { headers: [['etag', '"1"']], vary: { accept: 'x', 'x-y': null } })])
  expect(store.bytes).toBe(100 + 'etag"1"'.length + 'abc'.length + 'acceptxx-y'.length + 256)
})

test('of too many keys the least recently used goes', () => {
  const store = memoryReplies({ maxEntries: 2 })
  store.set('a', [entry('a')])
  store.set('b', [entry('b')])
  store.get('a')
  store.set('c', [entry('c')])
  expect(['a', 'b', 'c'].map((key) => store.get(key) !== undefined)).toEqual([true, false, true])
})

test('there are 2,000 keys at most, unless it is told how many', () => {
  const store = memoryReplies()
  for (let i = 0; i <= 2_000; i++) store.set(`${i}`, [entry(`${i}`)])
  expect([store.size, store.evicted, store.get('0'), store.get('1')?.length]).toEqual([2_000, 1, undefined, 1])
})

test('of too many bytes the least recently used go, one at a time', () => {
  const one = sizeOf(entry('a', 744))
  const store = memoryReplies({ maxBytes: one * 9 })
  for (const key of 'abcdefghi') store.set(key, [entry(key, 744)])
  expect([store.size, store.bytes]).toEqual([9, one * 9])
  store.set('j', [entry('j', 744)])
  expect([store.size, store.bytes]).toEqual([9, one * 9])
  expect(store.get('a')).toBeUndefined()
  expect(store.get('b')).toBeDefined()
})

test('a reply over an eighth of the bytes is not kept, and what it takes the place of is gone', () => {
  const store = memoryReplies({ maxBytes: 8_000 })
  store.set('a', [entry('a', 1_000 - 257), entry('a', 1_000 - 256)])
  expect(store.get('a')).toHaveLength(1)
  store.set('a', [entry('a', 1_000)])
  expect([store.get('a'), store.bytes]).toEqual([undefined, 0])
})

test('its count of bytes is exact after any operations, and never above its limit', () => {
  const key = fc.constantFrom('a', 'bb', 'ccc', 'dddd', '__proto__')
  const bodies = fc.array(fc.nat(900), { maxLength: 9 })
  const operation = fc.oneof(
    { weight: 5, arbitrary: fc.record({ does: fc.constant('set' as const), key, bodies }) },
    {
      weight: 2,
      arbitrary: fc.record({ does: fc.constantFrom('get' as const, 'delete' as const), key, bodies: fc.constant([]) }),
    },
  )
  fc.assert(
    fc.property(
      fc.array(operation, { maxLength: 200 }),
      fc.integer({ min: 1, max: 12_000 }),
      (operations, maxBytes) => {
        const store = memoryReplies({ maxBytes, maxEntries: 3 })
        for (const { does, key, bodies } of operations) {
          if (does === 'set')
            store.set(
              key,
              bodies.map((bytes) => entry(key, bytes)),
            )
          else store[does](key)
          expect(store.bytes).toBeLessThanOrEqual(maxBytes)
          expect(store.size).toBeLessThanOrEqual(3)
        }
        const held = ['a', 'bb', 'ccc', 'dddd', '__proto__'].flatMap((key) => store.get(key) ?? [])
        expect(store.bytes).toBe(held.reduce((sum, reply) => sum + sizeOf(reply), 0))
      },
    ),
  )
})

describe('a wrong option', () => {
  test.each([
    [{ maxBytes: '1' }, TypeError, 'memoryReplies.maxBytes must be a number of bytes, got "1"'],
    [{ maxBytes: 0 }, RangeError, 'memoryReplies.maxBytes must be a whole number of bytes above 0, got 0'],
    [
      { maxBytes: Infinity },
      RangeError,
      'memoryReplies.maxBytes must be a whole number of bytes above 0, got Infinity',
    ],
    [{ maxEntries: 1.5 }, RangeError, 'memoryReplies.maxEntries must be a whole number from 1 to 1000000, got 1.5'],
    [{ max: 1 }, TypeError, 'memoryReplies.max is not an option; there are maxBytes, maxEntries'],
    [null, TypeError, 'the options of memoryReplies must be an object, got null'],
  ])('%j is told', (options, kind, message) => {
    const make = () => memoryReplies(options as never)
    expect(make).toThrow(kind)
    expect(make).toThrow(message)
  })
})
