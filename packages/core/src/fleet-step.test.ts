// The rules of a fleet's record, one by one; and what is so of any record and any event.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { CLEAN, decode, encode, type FleetRecord } from './fleet-record.ts'
import { step, type FleetEvent, type OpenTime } from './fleet-step.ts'

const NOW = 1_700_000_000_000
const OPEN: OpenTime = { from: 5_000, to: 30_000, factor: 2, stretch: 1, atLeast: 0 }

type Trip = Extract<FleetEvent, { do: 'trip' }>
type Settle = Extract<FleetEvent, { do: 'settle' }>

const tripped = (but: Partial<Trip> = {}): Trip => ({
  do: 'trip',
  epoch: 0,
  open: OPEN,
  by: 'a',
  quorum: 1,
  within: 10_000,
  ...but,
})
const leased = (token: string, permits = 1): FleetEvent => ({ do: 'lease', token, ms: 2_000, permits })
const settled = (token: string, ok: boolean | undefined, but: Partial<Settle> = {}): Settle => ({
  do: 'settle',
  epoch: 7,
  token,
  ok,
  need: 1,
  spare: 0,
  open: OPEN,
  ...but,
})

/** Open since five seconds ago, for the third time in a row, and may be probed now. */
const open: FleetRecord = { ...CLEAN, open: true, epoch: 7, at: NOW - 5_000, until: NOW, trips: 3 }
const probed: FleetRecord = { ...open, leases: [{ token: 'p', until: NOW + 2_000 }] }
const hold = { id: 'h', kind: 'isolated', reason: 'by night' } as const

/** What is known of a record once it is closed. */
const closed = (at: number): FleetRecord => ({ ...CLEAN, epoch: 8, at })

describe('a trip', () => {
  test('opens what is closed, and names the next epoch', () => {
    expect(step(CLEAN, tripped(), NOW)).toEqual({
      ...CLEAN,
      open: true,
      epoch: 1,
      at: NOW,
      until: NOW + 5_000,
      trips: 1,
    })
  })

  test('of another epoch says nothing', () => {
    const later = { ...CLEAN, epoch: 2 }
    expect(step(later, tripped({ epoch: 1 }), NOW)).toBeUndefined()
    expect(step(later, tripped({ epoch: 3 }), NOW)).toBeUndefined()
  })

  test('opens nothing that is open', () => {
    expect(step(open, tripped({ epoch: 7 }), NOW)).toBeUndefined()
  })

  test('opens for as long as the host asked for, if that is longer', () => {
    expect(step(CLEAN, tripped({ open: { ...OPEN, atLeast: 60_000 } }), NOW)?.until).toBe(NOW + 60_000)
    expect(step(CLEAN, tripped({ open: { ...OPEN, atLeast: 1_000 } }), NOW)?.until).toBe(NOW + 5_000)
  })

  test('is stretched by chance, and beyond the longest open time too', () => {
    const stretched = { ...OPEN, from: 30_000, stretch: 1.2 }
    expect(step(CLEAN, tripped({ open: stretched }), NOW)?.until).toBe(NOW + 36_000)
  })

  test('keeps the holds', () => {
    expect(step({ ...CLEAN, holds: [hold] }, tripped(), NOW)?.holds).toEqual([hold])
  })
})

describe('a trip where a quorum decides', () => {
  const vote = (by: string, at: number, record: FleetRecord | undefined): FleetRecord | undefined =>
    record && step(record, tripped({ by, quorum: 3 }), at)

  test('is a vote, and opens it as the last one that is wanted', () => {
    const two = vote('b', NOW + 2, vote('a', NOW, CLEAN))
    expect(two).toEqual({
      ...CLEAN,
      votes: [
        { by: 'a', at: NOW },
        { by: 'b', at: NOW + 2 },
      ],
    })
    expect(vote('c', NOW + 4, two)).toMatchObject({ open: true, epoch: 1, votes: [] })
  })

  test('is one vote, however often one instance says it', () => {
    const again = vote('a', NOW + 9, vote('a', NOW + 4, vote('a', NOW, CLEAN)))
    expect(again?.votes).toEqual([{ by: 'a', at: NOW + 9 }])
  })

  test('is forgotten once the window is over', () => {
    const old = vote('b', NOW + 9_999, vote('a', NOW, CLEAN))
    expect(old?.votes).toHaveLength(2)
    expect(vote('c', NOW + 10_000, old)).toMatchObject({ open: false, votes: [{ by: 'b' }, { by: 'c' }] })
  })

  test('is void after a reset', () => {
    const reset = step(vote('b', NOW, vote('a', NOW, CLEAN)) ?? CLEAN, { do: 'reset' }, NOW)
    expect(reset?.votes).toEqual([])
  })
})

describe('a lease', () => {
  test('is given from the moment at which the open time is over', () => {
    expect(step(open, leased('p'), NOW - 1)).toBeUndefined()
    expect(step(open, leased('p'), NOW)).toEqual(probed)
  })

  test('is not given by what is closed', () => {
    expect(step(CLEAN, leased('p'), NOW)).toBeUndefined()
  })

  test('is given to as many as may probe', () => {
    expect(step(probed, leased('q'), NOW)).toBeUndefined()
    expect(step(probed, leased('q', 2), NOW)?.leases.map(({ token }) => token)).toEqual(['p', 'q'])
  })

  test('is free again at the moment at which it runs out', () => {
    expect(step(probed, leased('q'), NOW + 1_999)).toBeUndefined()
    expect(step(probed, leased('q'), NOW + 2_000)?.leases).toEqual([{ token: 'q', until: NOW + 4_000 }])
  })

  test('that is asked for again is the same, until it has run out', () => {
    expect(step(probed, leased('p', 2), NOW + 1)).toBeUndefined()
    expect(step(probed, leased('p', 2), NOW + 2_000)?.leases).toEqual([{ token: 'p', until: NOW + 4_000 }])
  })
})

describe('a good probe', () => {
  test('closes it where one is needed, and all of the epoch is forgotten', () => {
    const full = { ...probed, byHand: true, failed: 1, passed: ['o'] }
    expect(step(full, settled('p', true), NOW + 9)).toEqual(closed(NOW + 9))
  })

  test('is one of those that are needed, and gives its place back', () => {
    const one = step(probed, settled('p', true, { need: 2 }), NOW)
    expect(one).toEqual({ ...open, passed: ['p'] })
    expect(step(one ?? CLEAN, settled('q', true, { need: 2 }), NOW)).toEqual(closed(NOW))
  })

  test('counts once, however often it is told', () => {
    expect(step({ ...open, passed: ['p'] }, settled('p', true, { need: 2 }), NOW)).toBeUndefined()
  })

  test('counts after its lease has run out, and after its place was given away', () => {
    expect(step(probed, settled('p', true), NOW + 2_000)).toEqual(closed(NOW + 2_000))
    const away = { ...open, leases: [{ token: 'q', until: NOW + 4_000 }] }
    expect(step(away, settled('p', true, { need: 2 }), NOW + 2_500)).toEqual({ ...away, passed: ['p'] })
  })

  test('of another epoch says nothing', () => {
    expect(step(probed, settled('p', true, { epoch: 6 }), NOW)).toBeUndefined()
    expect(step({ ...CLEAN, epoch: 7 }, settled('p', true), NOW)).toBeUndefined()
  })

  test('keeps the holds', () => {
    expect(step({ ...probed, holds: [hold] }, settled('p', true), NOW)?.holds).toEqual([hold])
  })
})

describe('a bad probe', () => {
  test('opens it again, for longer', () => {
    const again = step(probed, settled('p', false), NOW + 1)
    expect(again).toEqual({ ...open, epoch: 8, at: NOW + 1, until: NOW + 1 + 30_000, trips: 4 })
    const first = step({ ...probed, trips: 1 }, settled('p', false), NOW)
    expect(first?.until).toBe(NOW + 10_000)
  })

  test('voids the other probes', () => {
    const two = { ...probed, leases: [...probed.leases, { token: 'q', until: NOW + 2_000 }], passed: ['o'], failed: 1 }
    expect(step(two, settled('p', false), NOW)).toMatchObject({ leases: [], passed: [], failed: 0 })
  })

  test('only gives its place back while some may fail', () => {
    const spared = step(probed, settled('p', false, { spare: 1 }), NOW)
    expect(spared).toEqual({ ...open, failed: 1 })
    const second = { ...probed, failed: 1 }
    expect(step(second, settled('p', false, { spare: 1 }), NOW)).toMatchObject({ open: true, epoch: 8 })
  })

  test('counts once, however often it is told', () => {
    expect(step({ ...open, failed: 1 }, settled('p', false, { spare: 1 }), NOW)).toBeUndefined()
  })

  test('says nothing from the moment at which its lease has run out', () => {
    expect(step(probed, settled('p', false), NOW + 1_999)).toBeDefined()
    expect(step(probed, settled('p', false), NOW + 2_000)).toBeUndefined()
  })

  test('without a lease says nothing', () => {
    expect(step(probed, settled('q', false), NOW)).toBeUndefined()
  })

  test('of another epoch says nothing', () => {
    expect(step(probed, settled('p', false, { epoch: 6 }), NOW)).toBeUndefined()
  })
})

describe('a probe of which nothing can be said', () => {
  test('gives its place back', () => {
    expect(step(probed, settled('p', undefined), NOW)).toEqual(open)
  })

  test('has none to give where it has none', () => {
    expect(step(open, settled('p', undefined), NOW)).toBeUndefined()
    expect(step(probed, settled('p', undefined, { epoch: 6 }), NOW)).toBeUndefined()
  })
})

describe('a hand', () => {
  test('opens what is closed, and what is open anew', () => {
    const until = NOW + 60_000
    expect(step(CLEAN, { do: 'open', ms: 60_000 }, NOW)).toEqual({
      ...CLEAN,
      open: true,
      epoch: 1,
      at: NOW,
      until,
      byHand: true,
      trips: 1,
    })
    expect(step(probed, { do: 'open', ms: 60_000 }, NOW)).toEqual({
      ...open,
      epoch: 8,
      at: NOW,
      until,
      byHand: true,
      trips: 4,
    })
  })

  test('never shortens an open time', () => {
    const long = { ...open, until: NOW + 90_000 }
    expect(step(long, { do: 'open', ms: 60_000 }, NOW)?.until).toBe(NOW + 90_000)
  })

  test('resets everything, the holds included, and voids what was seen before', () => {
    expect(step({ ...probed, holds: [hold] }, { do: 'reset' }, NOW)).toEqual(closed(NOW))
    expect(step(CLEAN, { do: 'reset' }, NOW)?.epoch).toBe(1)
  })
})

describe('a hold', () => {
  test('is put on once, and changes nothing else', () => {
    const held = step(probed, { do: 'hold', ...hold }, NOW)
    expect(held).toEqual({ ...probed, holds: [hold] })
    expect(step(held ?? CLEAN, { do: 'hold', ...hold }, NOW)).toBeUndefined()
  })

  test('goes by its own release', () => {
    const other = { ...hold, id: 'i' }
    const two = { ...open, holds: [hold, other] }
    expect(step(two, { do: 'release', id: 'h' }, NOW)).toEqual({ ...open, holds: [other] })
    expect(step({ ...open, holds: [other] }, { do: 'release', id: 'h' }, NOW)).toBeUndefined()
  })
})

test('moments are whole milliseconds, whatever a policy says', () => {
  const third = 10_000 / 3
  const all = [
    step(CLEAN, tripped({ open: { ...OPEN, from: third } }), NOW),
    step(CLEAN, tripped({ open: { ...OPEN, atLeast: third } }), NOW),
    step(CLEAN, { do: 'open', ms: third }, NOW),
  ]
  expect(all.map((record) => record && record.until - NOW)).toEqual([3_334, 5_000, 3_334])
  expect(step(open, { do: 'lease', token: 'p', ms: third, permits: 1 }, NOW)?.leases).toEqual([
    { token: 'p', until: NOW + 3_334 },
  ])
})

const moment = fc.integer({ min: 0, max: 4_000 })
const name = fc.constantFrom('a', 'b', 'c', 'd')
const epoch = fc.nat(3)
const few = <T>(one: fc.Arbitrary<T>): fc.Arbitrary<T[]> => fc.array(one, { maxLength: 4 })
const holds = fc.record({
  id: name,
  kind: fc.constantFrom('isolated', 'bypassed'),
  reason: fc.option(fc.string({ maxLength: 40 }), { nil: undefined }),
})
const records: fc.Arbitrary<FleetRecord> = fc
  .record({
    open: fc.boolean(),
    epoch,
    at: moment,
    until: moment,
    byHand: fc.boolean(),
    trips: fc.nat(40),
    passed: few(name),
    failed: fc.nat(4),
    leases: few(fc.record({ token: name, until: moment })),
    votes: few(fc.record({ by: name, at: moment })),
    holds: few(holds),
  })
  // A closed record has neither an open time nor places.
  .map((record) => (record.open ? record : { ...record, until: 0, trips: 0, leases: [] }))
const ms = fc.double({ min: 1, max: 100_000, noNaN: true })
const openTime = fc.record({
  from: ms,
  to: ms,
  factor: fc.double({ min: 1, max: 10, noNaN: true }),
  stretch: fc.double({ min: 1, max: 1.2, noNaN: true }),
  atLeast: ms,
})
const events: fc.Arbitrary<FleetEvent> = fc.oneof(
  fc.record({
    do: fc.constant('trip' as const),
    epoch,
    open: openTime,
    by: name,
    quorum: fc.integer({ min: 1, max: 4 }),
    within: ms,
  }),
  fc.record({ do: fc.constant('lease' as const), token: name, ms, permits: fc.integer({ min: 1, max: 4 }) }),
  fc.record({
    do: fc.constant('settle' as const),
    epoch,
    token: name,
    ok: fc.constantFrom(true, false, undefined),
    need: fc.integer({ min: 1, max: 4 }),
    spare: fc.nat(3),
    open: openTime,
  }),
  fc.record({ do: fc.constant('open' as const), ms }),
  fc.constant({ do: 'reset' as const }),
  holds.map((hold) => ({ do: 'hold' as const, ...hold })),
  fc.record({ do: fc.constant('release' as const), id: name }),
)

describe('of any record and any event', () => {
  const each = (check: (record: FleetRecord, event: FleetEvent, now: number) => void): void =>
    fc.assert(
      fc.property(records, events, moment, (record, event, now) => check(frozen(record), frozen(event), now)),
      { numRuns: 3_000 },
    )

  test('the next record can be written and read, and is short', () => {
    each((record, event, now) => {
      const next = step(record, event, now)
      if (next === undefined) return
      const text = encode(next)
      expect(decode(text)).toEqual(next)
      expect(new TextEncoder().encode(text).byteLength).toBeLessThan(2_000)
    })
  })

  test('it is the same each time', () => {
    each((record, event, now) => {
      expect(step(record, event, now)).toEqual(step(record, event, now))
    })
  })

  test('what is written is another record', () => {
    each((record, event, now) => {
      const next = step(record, event, now)
      if (next !== undefined) expect(encode(next)).not.toBe(encode(record))
    })
  })

  test('the epoch rises by one with what opens or closes it, and stays with all else', () => {
    each((record, event, now) => {
      const next = step(record, event, now)
      if (next === undefined) return
      const { open, at, until, trips } = next
      if (next.epoch === record.epoch) expect({ ...record, open, at, until, trips }).toEqual(record)
      else expect(next).toMatchObject({ epoch: record.epoch + 1, at: now, passed: [], leases: [], votes: [] })
    })
  })

  test('evidence of another epoch changes nothing', () => {
    each((record, event, now) => {
      if ('epoch' in event && event.epoch !== record.epoch) expect(step(record, event, now)).toBeUndefined()
    })
  })

  test('what was told need not be told again', () => {
    each((record, event, now) => {
      const told = step(record, event, now)
      const byHand = event.do === 'open' || event.do === 'reset'
      const voted = told !== undefined && event.do === 'trip' && !told.open
      if (told !== undefined && !byHand && !voted) expect(step(told, event, now)).toBeUndefined()
    })
  })

  test('holds are touched by a hold, a release and a reset alone', () => {
    each((record, event, now) => {
      const next = step(record, event, now)
      if (next === undefined || event.do === 'hold' || event.do === 'release' || event.do === 'reset') return
      expect(next.holds).toEqual(record.holds)
    })
  })
})

function frozen<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value)
    for (const part of Object.values(value)) frozen(part)
  }
  return value
}
