// What is so for a fleet, kept beside its record from the rules of the protocol alone; and what a record owes to that.
import { CLEAN, type FleetRecord } from '../src/fleet-record.ts'
import type { FleetEvent } from '../src/fleet-step.ts'

/** What a search holds against a record; a counterexample names one of them. */
export const OWED = {
  throws: 'nothing throws, and no record is changed in place',
  quiet: 'what changes nothing is not written',
  fenced: 'evidence of an earlier epoch changes nothing',
  early: 'open does not end before its time, but by a reset',
  openTime: 'open lasts as long as the policy wants, longer each time in a row, and a hand never shortens it',
  leases: 'no more live leases than permits',
  place: 'a free place is lent: a dead prober delays one lease at most',
  lent: 'a lease lasts as long as was asked, and nobody takes it away',
  nobody: 'a result of no lease changes nothing',
  late: 'of a lease that has run out only a success counts',
  once: 'what is said again, since its acknowledgement was lost, counts once',
  closes: 'it closes at the needed number of good probes, and not before',
  reopens: 'it opens again once more probes failed than may, and not before',
  ignored: 'a probe of which nothing can be said gives its place back, and casts no vote',
  quorum: 'it opens once so many found it so within the window, and not before',
  byHand: 'a hand opens and closes at once',
  holds: 'a hold goes by its release or a reset, and only so',
  rises: 'the epoch rises with each opening and closing, and only so',
} as const

export type Owed = keyof typeof OWED

export interface Breach {
  readonly property: Owed
  readonly why: string
}

interface Lent {
  readonly token: string
  readonly until: number
  /** A result came. */
  readonly back: boolean
  /** It ran out, and somebody saw that. */
  readonly over: boolean
}

/** Of the epoch that the fleet is in. */
export interface Facts {
  readonly open: boolean
  readonly epoch: number
  readonly until: number
  readonly byHand: boolean
  readonly trips: number
  readonly good: readonly string[]
  readonly bad: number
  readonly lent: readonly Lent[]
  readonly votes: FleetRecord['votes']
  readonly holds: readonly string[]
}

/** When an instance took it to be, which may be a little early, when it was, and how many may probe. */
export interface Moment {
  readonly at: number
  readonly now: number
  readonly permits: number
}

export function newFacts(): Facts {
  const { open, epoch, until, byHand, trips } = CLEAN
  return { open, epoch, until, byHand, trips, good: [], bad: 0, lent: [], votes: [], holds: [] }
}

/**
 * What is so after an event, or the property that the record broke.
 * @param next what the reducer made of the record of these facts
 */
export function follow(facts: Facts, event: FleetEvent, next: FleetRecord | undefined, moment: Moment): Facts | Breach {
  const { property, to = facts, may = false } = owed(facts, event, moment.at)
  if (next === undefined) {
    if (to === facts || may) return facts
    return { property, why: 'nothing was written' }
  }
  const breach = compare(facts, to, next, property, moment)
  if (breach !== undefined) return breach
  if (to === facts) return { property: 'quiet', why: 'the same was written again' }
  return to
}

interface Debt {
  /** What it means if the record is not as it should be. */
  readonly property: Owed
  /** The facts as they were, where nothing is to be changed. */
  readonly to?: Facts
  /** It need not be written. */
  readonly may?: boolean
}

function owed(facts: Facts, event: FleetEvent, at: number): Debt {
  switch (event.do) {
    case 'trip':
      return owedTrip(facts, event, at)
    case 'lease':
      return owedLease(facts, event, at)
    case 'settle':
      return owedSettle(facts, event, at)
    case 'open':
      return {
        property: 'byHand',
        to: { ...opened(facts, at + event.ms), until: Math.max(facts.until, at + event.ms), byHand: true },
      }
    case 'reset':
      return { property: 'byHand', to: { ...closed(facts), holds: [] } }
    case 'hold':
      if (facts.holds.includes(event.id)) return { property: 'once' }
      return { property: 'holds', to: { ...facts, holds: [...facts.holds, event.id] } }
    case 'release':
      if (!facts.holds.includes(event.id)) return { property: 'once' }
      return { property: 'holds', to: { ...facts, holds: facts.holds.filter((id) => id !== event.id) } }
  }
}

function owedTrip(facts: Facts, event: Extract<FleetEvent, { do: 'trip' }>, at: number): Debt {
  if (event.epoch !== facts.epoch) return { property: 'fenced' }
  if (facts.open) return { property: 'openTime' }
  const votes = [...recent(facts.votes, at, event.within).filter(({ by }) => by !== event.by), { by: event.by, at }]
  if (votes.length < event.quorum) return { property: 'quorum', to: { ...facts, votes } }
  return { property: 'quorum', to: opened(facts, at + openFor(event.open, facts.trips)) }
}

function owedLease(facts: Facts, { token, ms, permits }: Extract<FleetEvent, { do: 'lease' }>, at: number): Debt {
  if (!facts.open || at < facts.until) return { property: 'early' }
  const live = liveAt(facts, at)
  if (live.some((lease) => lease.token === token)) return { property: 'once' }
  if (live.length >= permits) return { property: 'leases' }
  const others = facts.lent
    .filter((lease) => lease.token !== token)
    .map((lease) => ({ ...lease, over: lease.over || at >= lease.until }))
  const lent = [...others, { token, until: at + ms, back: false, over: false }]
  return { property: 'place', to: { ...facts, lent } }
}

function owedSettle(facts: Facts, event: Extract<FleetEvent, { do: 'settle' }>, at: number): Debt {
  const { epoch, token, ok, need, spare } = event
  if (epoch !== facts.epoch || !facts.open) return { property: 'fenced' }
  const lease = facts.lent.find((one) => one.token === token)
  if (lease === undefined) return { property: 'nobody' }
  if (lease.back) return { property: 'once' }
  const lent = facts.lent.map((one) => (one === lease ? { ...one, back: true } : one))
  const over = lease.over || at >= lease.until
  if (ok === undefined) return { property: 'ignored', to: { ...facts, lent }, may: over }
  if (!ok) {
    if (over) return { property: 'late' }
    if (facts.bad < spare) return { property: 'reopens', to: { ...facts, lent, bad: facts.bad + 1 } }
    return { property: 'reopens', to: opened(facts, at + openFor(event.open, facts.trips)) }
  }
  const good = [...facts.good, token]
  const to = good.length < need ? { ...facts, lent, good } : closed(facts)
  return { property: over ? 'late' : 'closes', to }
}

/** What of a record is not as the facts have it. */
function compare(before: Facts, facts: Facts, next: FleetRecord, property: Owed, moment: Moment): Breach | undefined {
  if (next.open !== facts.open) return { property, why: `it is ${next.open ? 'open' : 'closed'}` }
  if (before.open && !next.open && property !== 'byHand' && moment.now < before.until)
    return { property: 'early', why: `${before.until - moment.now} ms too soon` }
  if (next.epoch !== facts.epoch) {
    // Where only the epoch is wrong, it was no opening that was undue or left out.
    const rest = next.until === facts.until && facts !== before
    return { property: rest ? 'rises' : property, why: `the epoch is ${next.epoch}, not ${facts.epoch}` }
  }
  const ids = next.holds.map(({ id }) => id)
  if (ids.join() !== facts.holds.join())
    return { property: 'holds', why: `held by [${ids.join()}], not [${facts.holds.join()}]` }
  if (next.trips !== facts.trips || next.byHand !== facts.byHand || next.until !== facts.until)
    return {
      property: 'openTime',
      why: `until ${next.until}, not ${facts.until}, ${next.trips} trips, not ${facts.trips}`,
    }
  return compareProbes(facts, next, property, moment) ?? compareVotes(facts, next)
}

function compareProbes(
  facts: Facts,
  next: FleetRecord,
  property: Owed,
  { at, now, permits }: Moment,
): Breach | undefined {
  const counts = [next.passed.length, next.failed].join()
  const owed = [facts.good.length, facts.bad].join()
  if (counts !== owed) return { property, why: `good and bad are ${counts}, not ${owed}` }
  const live = next.leases.filter(({ until }) => now < until).length
  if (live > permits) return { property: 'leases', why: `${live} are live` }
  const missing = liveAt(facts, at).find((lease) => !next.leases.some((one) => same(one, lease)))
  if (missing !== undefined) return { property: 'lent', why: `${missing.token} has no place until its time` }
  if (new Set(next.leases.map(({ token }) => token)).size < next.leases.length)
    return { property, why: 'a probe has two places' }
  const undue = next.leases.find((one) => !facts.lent.some((lease) => !lease.back && same(one, lease)))
  return undue && { property, why: `${undue.token} has a place that is not its own` }
}

function compareVotes(facts: Facts, next: FleetRecord): Breach | undefined {
  const cast = (votes: FleetRecord['votes']): string => votes.map(({ by, at }) => `${by} ${at}`).join()
  if (cast(next.votes) === cast(facts.votes)) return undefined
  return { property: 'quorum', why: `votes are [${cast(next.votes)}], not [${cast(facts.votes)}]` }
}

const same = (one: FleetRecord['leases'][number], lease: Lent): boolean =>
  one.token === lease.token && one.until === lease.until

const recent = (votes: Facts['votes'], at: number, within: number): Facts['votes'] =>
  votes.filter((vote) => at - vote.at < within)

const liveAt = ({ lent }: Facts, at: number): readonly Lent[] =>
  lent.filter(({ until, back, over }) => !back && !over && at < until)

const openFor = ({ from, to, factor, stretch, atLeast }: Extract<FleetEvent, { do: 'trip' }>['open'], trips: number) =>
  Math.max(Math.min(to, from * factor ** trips) * stretch, atLeast)

const opened = (facts: Facts, until: number): Facts => ({ ...closed(facts), open: true, until, trips: facts.trips + 1 })

const closed = ({ epoch, holds }: Facts): Facts => ({ ...newFacts(), epoch: epoch + 1, holds })
