// The text of a fleet's record: what is written is read, and what is no record is none.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { CLEAN, decode, encode, type FleetRecord } from './fleet-record.ts'

const FULL: FleetRecord = {
  open: true,
  epoch: 12,
  at: 1_700_000_000_000,
  until: 1_700_000_030_000,
  byHand: true,
  trips: 3,
  passed: ['a-1'],
  failed: 1,
  leases: [{ token: 'b-7', until: 1_700_000_060_000 }],
  votes: [{ by: 'c', at: 1_700_000_000_001 }],
  holds: [
    { id: 'd-1', kind: 'isolated', reason: 'by night' },
    { id: 'd-2', kind: 'bypassed', reason: undefined },
  ],
}

describe('the text of a record', () => {
  test('is short for a host that is well', () => {
    expect(encode({ ...CLEAN, epoch: 2, at: 1_700_000_000_000 })).toBe('{"s":"c","e":2,"a":1700000000000}')
  })

  test('has all that is not as in a clean one', () => {
    expect(encode(FULL)).toBe(
      '{"s":"o","e":12,"a":1700000000000,"u":1700000030000,"t":3,"m":1,"k":["a-1"],"f":1,"l":[["b-7",1700000060000]],' +
        '"v":[["c",1700000000001]],"h":[["d-1","i","by night"],["d-2","b",null]]}',
    )
  })

  test('stays below one unit of writing while one place is lent', () => {
    const lent = { ...FULL, byHand: false, passed: [], failed: 0, votes: [], holds: [] }
    expect(encode({ ...lent, leases: [{ token: 'abcdefghij-12345', until: FULL.until }] }).length).toBeLessThan(200)
  })
})

describe('a record that was written', () => {
  test('is read as it was', () => {
    expect(decode(encode(FULL))).toEqual(FULL)
    expect(decode(encode(CLEAN))).toEqual(CLEAN)
  })

  test('is read as it was, whatever is in it', () => {
    fc.assert(
      fc.property(records, (record) => {
        expect(decode(encode(record))).toEqual(record)
      }),
    )
  })
})

describe('what is no record', () => {
  test.each([
    ['nothing', ''],
    ['no JSON', '{"s":"c"'],
    ['null', 'null'],
    ['a number', '1'],
    ['a text', '"c"'],
    ['a list', '[]'],
    ['no state', '{"e":1,"a":1}'],
    ['a state that there is not', '{"s":"half-open","e":1,"a":1}'],
    ['no epoch', '{"s":"c","a":1}'],
    ['an epoch that is a text', '{"s":"c","e":"1","a":1}'],
    ['an epoch below 0', '{"s":"c","e":-1,"a":1}'],
    ['an epoch beyond what can be counted', '{"s":"c","e":9007199254740992,"a":1}'],
    ['a moment that is no whole number', '{"s":"c","e":1,"a":1.5}'],
    ['an open time without an end', '{"s":"o","e":1,"a":1,"u":1e999}'],
    ['trips that are null', '{"s":"o","e":1,"a":1,"t":null}'],
    ['probes that are no list', '{"s":"o","e":1,"a":1,"k":{"length":1}}'],
    ['a probe that is no text', '{"s":"o","e":1,"a":1,"k":[1]}'],
    ['a lease that is no list', '{"s":"o","e":1,"a":1,"l":["a"]}'],
    ['a lease without an end', '{"s":"o","e":1,"a":1,"l":[["a"]]}'],
    ['a vote of nobody', '{"s":"c","e":1,"a":1,"v":[[null,1]]}'],
    ['a vote at no time', '{"s":"c","e":1,"a":1,"v":[["a","1"]]}'],
    ['a hold without a name', '{"s":"c","e":1,"a":1,"h":[[]]}'],
    ['a list without end', `{"s":"c","e":1,"a":1,"k":${JSON.stringify(Array.from({ length: 1_001 }, () => 'a'))}}`],
  ])('is none: %s', (_, text) => {
    expect(decode(text)).toBeUndefined()
  })

  test('is none or is a record, whatever a store holds', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json(), almost), (text) => {
        const record = decode(text)
        if (record !== undefined) expect(decode(encode(record))).toEqual(reread(record))
      }),
      { numRuns: 2_000 },
    )
  })

  test('puts nothing of its own into a record', () => {
    const record = decode('{"s":"c","e":1,"a":1,"__proto__":{"open":true},"x":1}')
    expect(record).toEqual({ ...CLEAN, epoch: 1, at: 1 })
  })
})

// What a closed record says of an open time is not written: it has none.
const reread = (record: FleetRecord): FleetRecord => (record.open ? record : { ...record, until: 0, trips: 0 })

const count = fc.maxSafeNat()
const few = <T>(one: fc.Arbitrary<T>): fc.Arbitrary<T[]> => fc.array(one, { maxLength: 5 })
const records: fc.Arbitrary<FleetRecord> = fc
  .record({
    open: fc.boolean(),
    epoch: count,
    at: count,
    until: count,
    byHand: fc.boolean(),
    trips: count,
    passed: few(fc.string()),
    failed: count,
    leases: few(fc.record({ token: fc.string(), until: count })),
    votes: few(fc.record({ by: fc.string(), at: count })),
    holds: few(
      fc.record({
        id: fc.string(),
        kind: fc.constantFrom('isolated', 'bypassed'),
        reason: fc.option(fc.string(), { nil: undefined }),
      }),
    ),
  })
  .map(reread)

/** Right keys, and some wrong values. */
const value = fc.oneof(count, fc.constantFrom('o', 'c', 1), fc.jsonValue(), few(fc.tuple(fc.string(), count)))
const almost = fc
  .record(
    {
      s: fc.constantFrom('o', 'c'),
      e: count,
      a: count,
      u: value,
      t: value,
      m: value,
      k: value,
      l: value,
      v: value,
      h: value,
    },
    { requiredKeys: ['s', 'e', 'a'] },
  )
  .map((said) => JSON.stringify(said))
