// What an event makes of a fleet's record: one pure function, so that no store holds any policy.
import { CLEAN, type FleetRecord, type SharedHold } from './fleet-record.ts'

/** @internal How long a host stays open, by how often it opened in a row. Milliseconds. */
export interface OpenTime {
  readonly from: number
  readonly to: number
  readonly factor: number
  /** What chance makes of it: 1 to 1.2. */
  readonly stretch: number
  /** What the host itself asked for. */
  readonly atLeast: number
}

/** @internal What an instance has to say. Evidence names the epoch that it was seen in. */
export type FleetEvent =
  /** My own circuit opened. */
  | {
      readonly do: 'trip'
      readonly epoch: number
      readonly open: OpenTime
      readonly by: string
      /** How many have to say so, within how long. */
      readonly quorum: number
      readonly within: number
    }
  /** I want to probe. */
  | {
      readonly do: 'lease'
      readonly token: string
      readonly ms: number
      readonly permits: number
      /** When the open time is over by my own policy, whatever the record says. */
      readonly from?: number
      /** The places that I saw lent for longer than any is: of a clock that was put back, or of a store that lies. */
      readonly over?: readonly string[]
    }
  /** My probe ended; `ok` undefined: nothing can be said of it. */
  | {
      readonly do: 'settle'
      readonly epoch: number
      readonly token: string
      readonly ok: boolean | undefined
      readonly need: number
      /** How many may fail. */
      readonly spare: number
      readonly open: OpenTime
    }
  /** By hand. */
  | { readonly do: 'open'; readonly ms: number }
  | { readonly do: 'reset' }
  | ({ readonly do: 'hold' } & SharedHold)
  | { readonly do: 'release'; readonly id: string }

/** @internal The record after an event, or undefined where it changes nothing and need not be written. */
export function step(record: FleetRecord, event: FleetEvent, now: number): FleetRecord | undefined {
  switch (event.do) {
    case 'trip':
      return trip(record, event, now)
    case 'lease':
      return lease(record, event, now)
    case 'settle':
      return settle(record, event, now)
    case 'open':
      return { ...opened(record, now, event.ms, record.until), byHand: true }
    case 'reset':
      return { ...closed(record, now), holds: [] }
    case 'hold':
      if (record.holds.some(({ id }) => id === event.id)) return undefined
      return { ...record, holds: [...record.holds, { id: event.id, kind: event.kind, reason: event.reason }] }
    case 'release':
      if (!record.holds.some(({ id }) => id === event.id)) return undefined
      return { ...record, holds: record.holds.filter(({ id }) => id !== event.id) }
  }
}

function trip(record: FleetRecord, event: Extract<FleetEvent, { do: 'trip' }>, now: number): FleetRecord | undefined {
  // Evidence of an earlier epoch is void.
  if (record.open || event.epoch !== record.epoch) return undefined
  const others = record.votes.filter(({ by, at }) => by !== event.by && now - at < event.within)
  if (others.length + 1 >= event.quorum) return opened(record, now, openFor(event.open, record.trips))
  return { ...record, votes: [...others, { by: event.by, at: now }] }
}

function lease(record: FleetRecord, event: Extract<FleetEvent, { do: 'lease' }>, now: number): FleetRecord | undefined {
  if (!record.open || now < Math.min(record.until, event.from ?? Infinity)) return undefined
  const live = record.leases.filter(({ token, until }) => now < until && !event.over?.includes(token))
  // Mine already, where the store's answer was lost.
  if (live.length >= event.permits || live.some(({ token }) => token === event.token)) return undefined
  return { ...record, leases: [...live, { token: event.token, until: now + Math.ceil(event.ms) }] }
}

function settle(
  record: FleetRecord,
  event: Extract<FleetEvent, { do: 'settle' }>,
  now: number,
): FleetRecord | undefined {
  if (!record.open || event.epoch !== record.epoch) return undefined
  const leases = record.leases.filter(({ token }) => token !== event.token)
  const mine = record.leases.find(({ token }) => token === event.token)
  if (event.ok === undefined) return mine && { ...record, leases }
  if (!event.ok) {
    // Once it has run out, another may have found the host well meanwhile.
    if (mine === undefined || now >= mine.until) return undefined
    const failed = record.failed + 1
    return failed > event.spare ? opened(record, now, openFor(event.open, record.trips)) : { ...record, leases, failed }
  }
  if (record.passed.includes(event.token)) return undefined
  const passed = [...record.passed, event.token]
  return passed.length >= event.need ? closed(record, now) : { ...record, leases, passed }
}

const openFor = ({ from, to, factor, stretch, atLeast }: OpenTime, trips: number): number =>
  Math.max(Math.min(to, from * factor ** trips) * stretch, atLeast)

// A moment is a whole number: a record that has another is read by nobody.
const opened = (record: FleetRecord, now: number, ms: number, notBefore = 0): FleetRecord => ({
  ...closed(record, now),
  open: true,
  until: Math.max(now + Math.ceil(ms), notBefore),
  trips: record.trips + 1,
})

// Whatever was seen, lent or voted for ends with its epoch; only what was put on by hand does not.
const closed = ({ epoch, holds }: FleetRecord, now: number): FleetRecord => ({
  ...CLEAN,
  epoch: epoch + 1,
  at: now,
  holds,
})
