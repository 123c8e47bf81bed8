// What a circuit owes after each thing that is done to it: kept beside the circuit, from the table of transitions alone.
import type { TransitionEvent } from '../src/events.ts'
import { spanOf, type Rules } from '../src/policy.ts'
import type { RefusalReason, State } from '../src/state.ts'
import { LEAVE, type Action, type Asking, type Ending, type Sight } from './engine.ts'

/** What a search holds against a circuit; a counterexample names one of them. */
export const PROPERTIES = {
  throws: 'nothing throws',
  openToClosed: 'open never goes straight to closed, but by a reset',
  oneEvent: 'each change of state is told once, and from where the last one led',
  inFlight: 'in flight are the calls under way',
  leases: 'no more probes at a time than have permits',
  places: 'half-open has a place for a probe unless all are taken by live ones',
  courtesy: 'safe requests go first for a second, and no longer',
  paused: 'a paused circuit admits nothing',
  pause: 'a pause is never shortened, and changes no state',
  stale: 'a late result changes counters only',
  ignored: 'an ignored call casts no vote',
  probeGood: 'it closes at the needed number of good probes, and not before',
  probeBad: 'it opens again once more probes failed than may',
  policy: 'closed opens exactly where its policy says so',
  emptied: 'closing empties the window',
  window: 'the window holds the calls since it closed',
  openTime: 'the open time is as long as the policy, a Retry-After and a hand want it, and never shortened',
  openRefuses: 'open refuses until its time is over',
  closedAdmits: 'closed admits',
  isolated: 'isolated admits nothing',
  bypassed: 'bypassed admits everything',
  byHand: 'by hand it goes where it is sent',
  time: 'time alone ends open times, and nothing else',
  once: 'each call is counted once, under its verdict',
  asking: 'asking for leave changes nothing, but for an open time that is over',
  retryAfter: 'waiting for retryAfterMs suffices',
} as const

export type Property = keyof typeof PROPERTIES

interface Call {
  readonly call: number
  readonly at: number
  readonly era: number
  readonly probe: boolean
  readonly safe: boolean
}

/** A call that was settled as a success, and may be amended. */
interface Good extends Call {
  readonly late: boolean
  /** It took a vote of half-open: good, or bad since it was slow. */
  readonly vote: 'good' | 'bad' | undefined
  /** The streak that its head ended, while no other good head came. */
  readonly ended: number
}

interface Recorded {
  readonly call: number
  readonly at: number
  readonly failed: boolean
  readonly slow: boolean
}

interface Held {
  readonly hold: number
  readonly kind: 'isolated' | 'bypassed'
  readonly live: boolean
}

type Counters = { -readonly [Name in Exclude<keyof Sight['counters'], 'fallbacks' | 'openMs' | 'savedMs'>]: number }

/** Times are absolute; {@link keyOf} makes them relative. */
export interface Ledger {
  now: number
  /** Grows with everything that must fence what is under way. */
  era: number
  machine: 'closed' | 'open' | 'half-open'
  holds: Held[]
  given: { calls: number; holds: number }
  heldClosed: boolean
  out: Call[]
  good: Good[]
  window: Recorded[]
  streak: number
  until: number
  floor: number
  pausedUntil: number
  /** Half-open: until then safe requests go first. */
  courtesyUntil: number
  trips: number
  tripsBefore: number
  closedBy: number
  votes: { good: number; bad: number }
  /** When a safe request was last asked for, and when a circuit that need not look at methods must have known of it. */
  safe: { askedAt: number; knownAt: number }
  /** Paused, and nobody asked since the pause was over. */
  wary: boolean
  counters: Counters
  /** What else ever happened, so that a circuit that forgot too little is not taken for a new one. */
  past: Record<'opened' | 'closed' | 'paused' | 'held' | 'reset' | 'late' | 'amended' | 'expired', number>
}

export function newLedger(now: number): Ledger {
  return {
    now,
    era: 0,
    machine: 'closed',
    holds: [],
    given: { calls: 0, holds: 0 },
    heldClosed: false,
    out: [],
    good: [],
    window: [],
    streak: 0,
    until: 0,
    floor: 0,
    pausedUntil: 0,
    courtesyUntil: 0,
    trips: 0,
    tripsBefore: 0,
    closedBy: -1,
    votes: { good: 0, bad: 0 },
    safe: { askedAt: -Infinity, knownAt: -Infinity },
    wary: false,
    counters: { successes: 0, failures: 0, ignored: 0, refused: 0, stale: 0, slow: 0, trips: 0, inFlight: 0 },
    past: { opened: 0, closed: 0, paused: 0, held: 0, reset: 0, late: 0, amended: 0, expired: 0 },
  }
}

/** What was seen of a circuit after an action. */
export interface Witness {
  readonly after: Sight
  readonly told: readonly TransitionEvent[]
  readonly admitted: boolean
  /** Why it was refused. */
  readonly reason: RefusalReason | undefined
  readonly retryAfterMs: number | undefined
}

/** A property that does not hold. */
export interface Breach {
  readonly property: Property
  readonly why: string
}

/** What the circuit owes next, or the property that it broke. */
export function follow(ledger: Ledger, action: Action, witness: Witness, rules: Rules): Ledger | Breach {
  const next = new Next(ledger, rules)
  const breach = next.take(action, witness) ?? next.compare(action, witness)
  return breach ?? next.ledger
}

const heldAs = ({ holds }: Ledger): 'isolated' | 'bypassed' | undefined =>
  (['isolated', 'bypassed'] as const).find((kind) => holds.some((hold) => hold.live && hold.kind === kind))

const toldAs = (ledger: Ledger): State => heldAs(ledger) ?? ledger.machine
const untilOf = ({ until, floor }: Ledger): number => Math.max(until, floor)
const livesAt = (call: Call, { era, now }: Ledger, { within }: Rules): boolean =>
  call.probe && call.era === era && now < call.at + within

/** How many probes have a place. */
export const probesOf = (ledger: Ledger, rules: Rules): number =>
  ledger.out.filter((call) => livesAt(call, ledger, rules)).length

/** Half-open: for how long safe requests go first. */
const COURTESY = 1_000
const SLOTS = 10
/** How many successes at most wait for an amendment. */
const AMENDABLE = 3

class Next {
  readonly ledger: Ledger
  readonly #before: Ledger
  readonly #rules: Rules
  /** What it means if the state is not what it should be. */
  #property: Property = 'oneEvent'

  constructor(before: Ledger, rules: Rules) {
    this.#before = before
    this.#rules = rules
    this.ledger = { ...before, counters: { ...before.counters }, past: { ...before.past } }
  }

  take(action: Action, witness: Witness): Breach | undefined {
    switch (action.do) {
      case 'admit':
        return this.#admit(action.as, witness)
      case 'settle':
        return this.#settle(action.call, action.as)
      case 'amend':
        return this.#amend(action.call)
      case 'wait':
        return this.#wait(action.ms)
      case 'isolate':
        return this.#hold('isolated')
      case 'bypass':
        return this.#hold('bypassed')
      case 'release':
        return this.#release(action.hold)
      case 'trip':
        return this.#trip(undefined)
      case 'trip for':
        return this.#trip(action.ms)
      case 'reset':
        return this.#reset()
    }
  }

  compare(action: Action, { after, told }: Witness): Breach | undefined {
    const straight = told.find(({ from, to }) => from === 'open' && to === 'closed')
    if (straight !== undefined && action.do !== 'reset') return breach('openToClosed', straight.reason)
    const counters = this.#counters(after)
    if (counters !== undefined) return counters
    const state = this.#shown()
    if (after.state !== state) return breach(this.#property, `it is ${after.state}, not ${state}`)
    return this.#events(told) ?? this.#times(after) ?? this.#sums(after)
  }

  #shown(): State {
    const told = toldAs(this.ledger)
    return told === 'open' && this.ledger.now >= untilOf(this.ledger) ? 'half-open' : told
  }

  #counters(after: Sight): Breach | undefined {
    for (const name of Object.keys(this.ledger.counters) as (keyof Counters)[]) {
      const owed = this.ledger.counters[name]
      if (after.counters[name] === owed) continue
      const property = COUNTED[name] ?? (this.#property === 'stale' ? 'stale' : 'once')
      return breach(name === 'trips' ? this.#property : property, `${name} is ${after.counters[name]}, not ${owed}`)
    }
    return undefined
  }

  #events(told: readonly TransitionEvent[]): Breach | undefined {
    const from = toldAs(this.#before)
    const to = toldAs(this.ledger)
    const owed = from === to ? [] : [`${from} to ${to}`]
    const heard = told.map((event) => `${event.from} to ${event.to}`)
    if (heard.join() !== owed.join())
      return breach('oneEvent', `told were [${heard.join()}], owed was [${owed.join()}]`)
    const [event] = told
    if (event?.until !== undefined && event.until !== untilOf(this.ledger))
      return breach('openTime', `told was ${event.until - this.ledger.now} ms`)
    return undefined
  }

  #times({ state, refusesMs }: Sight): Breach | undefined {
    const { now, pausedUntil } = this.ledger
    const held = state === 'isolated' || state === 'bypassed'
    const paused = held ? 0 : Math.max(0, pausedUntil - now)
    const owed = state === 'open' ? Math.max(untilOf(this.ledger) - now, paused) : paused
    if (refusesMs === owed) return undefined
    return breach(owed === paused ? 'pause' : 'openTime', `it refuses for ${refusesMs} ms, not ${owed}`)
  }

  #sums({ calls, failures, slow, streak }: Sight): Breach | undefined {
    this.#age()
    const { window } = this.ledger
    const property = this.ledger.machine === 'closed' && this.ledger.era !== this.#before.era ? 'emptied' : 'window'
    if (streak !== this.ledger.streak) return breach(property, `the streak is ${streak}, not ${this.ledger.streak}`)
    const owed = [window.length, window.filter((one) => one.failed).length, window.filter((one) => one.slow).length]
    if ([calls, failures, slow].join() === owed.join()) return undefined
    return breach(
      property,
      `it has ${[calls, failures, slow].join()} of calls, failures and slow ones, not ${owed.join()}`,
    )
  }

  #admit(as: Asking, witness: Witness): Breach | undefined {
    const { ledger } = this
    const { admitted, reason } = witness
    const held = heldAs(ledger)
    this.#property = 'asking'
    if (as === 'safe') this.#askedSafely(ledger.machine !== 'closed' || held !== undefined)
    if (held === 'isolated')
      return admitted ? breach('isolated', 'it admitted a call') : this.#refused(witness, 'isolated')
    if (ledger.now >= ledger.pausedUntil) ledger.wary = false
    if (held === 'bypassed') return admitted ? this.#admitted(as, false) : breach('bypassed', `it refused: ${reason}`)
    if (ledger.now < ledger.pausedUntil)
      return admitted ? breach('paused', 'it admitted a call') : this.#refused(witness, 'paused')
    if (ledger.machine === 'open' && ledger.now < untilOf(ledger))
      return admitted ? breach('openRefuses', 'it admitted a call') : this.#refused(witness, 'open')

    if (ledger.machine === 'open') this.#become('half-open')
    if (ledger.machine === 'half-open') return this.#probe(as, witness)
    if (this.#overdue()) {
      this.#property = 'policy'
      if (admitted) return breach('policy', 'it admitted a call though too many are overdue')
      this.#open(ledger.trips)
      return this.#refused(witness, 'open')
    }
    return admitted ? this.#admitted(as, false) : breach('closedAdmits', `it refused: ${reason}`)
  }

  #probe(as: Asking, witness: Witness): Breach | undefined {
    const { ledger } = this
    const { admitted, reason } = witness
    const live = probesOf(ledger, this.#rules)
    if (live >= this.#rules.permits)
      return admitted ? breach('leases', `${live} live probes, and one more`) : this.#refused(witness, 'probing')

    const courtesy = this.#courtesy(as)
    if (courtesy === 'owed' && admitted) return breach('courtesy', 'an unsafe request went first')
    if (courtesy === 'undue' && !admitted)
      return breach(as === 'unsafe' ? 'courtesy' : 'places', `it refused with ${live} live probes: ${reason}`)
    return admitted ? this.#admitted(as, true) : this.#refused(witness, 'probing')
  }

  // A closed circuit looks at methods when calls end: between what was asked for and what it knows of, it is free.
  #courtesy(as: Asking): 'owed' | 'free' | 'undue' {
    const { now, safe, courtesyUntil } = this.ledger
    if (as === 'safe' || now >= courtesyUntil) return 'undue'
    const span = spanOf(this.#rules)
    if (now - safe.knownAt <= span) return 'owed'
    return now - safe.askedAt > span ? 'undue' : 'free'
  }

  #askedSafely(known: boolean): void {
    const { now, safe } = this.ledger
    this.ledger.safe = { askedAt: now, knownAt: known ? now : safe.knownAt }
  }

  #admitted(as: Asking, probe: boolean): undefined {
    const { ledger } = this
    const { now: at, era, given } = ledger
    if (probe && ledger.out.some((call) => call.probe && call.era === era && !livesAt(call, ledger, this.#rules)))
      ledger.past.expired = 1
    ledger.out = [...ledger.out, { call: given.calls, at, era, probe, safe: as === 'safe' }]
    ledger.given = { ...given, calls: given.calls + 1 }
    ledger.counters.inFlight++
    return undefined
  }

  #refused({ reason, retryAfterMs }: Witness, owed: RefusalReason): Breach | undefined {
    const { ledger } = this
    ledger.counters.refused++
    if (reason !== owed) return breach('asking', `it refused: ${reason}, not ${owed}`)
    if (owed !== 'open' && owed !== 'paused') return undefined
    const left = (owed === 'open' ? untilOf(ledger) : ledger.pausedUntil) - ledger.now
    if (retryAfterMs === left) return undefined
    return breach(owed === 'open' ? 'openTime' : 'pause', `retry after ${retryAfterMs} ms, not ${left}`)
  }

  // Nothing counts as overdue before all of `slowAfter` and an eighth of it are over.
  #overdue(): boolean {
    const { ledger } = this
    const { slowAfter, slowRate, minimumCalls } = this.#rules
    if (slowAfter === Infinity) return false
    this.#age()
    const overdue = ledger.out.filter(
      (call) => !call.probe && call.era === ledger.era && ledger.now - call.at > slowAfter,
    ).length
    const calls = ledger.window.length + overdue
    const slow = ledger.window.filter((one) => one.slow).length + overdue
    return overdue > 0 && calls >= minimumCalls && slow >= slowRate * calls
  }

  #settle(number: number, as: Ending): undefined {
    const { ledger } = this
    const { counters } = ledger
    const call = ledger.out.find((one) => one.call === number) as Call
    ledger.out = ledger.out.filter((one) => one !== call)
    counters.inFlight--
    const pauses = as === 'pause' || as === 'short pause'
    if (pauses) {
      ledger.pausedUntil = Math.max(ledger.pausedUntil, ledger.now + LEAVE[as])
      ledger.past.paused = 1
      ledger.wary = true
    }
    if (as === 'retry-after') ledger.floor = Math.max(ledger.floor, ledger.now + LEAVE[as])
    const verdict = pauses ? 'ignored' : as === 'retry-after' ? 'failure' : as
    counters[TALLY[verdict]]++
    if (call.era !== ledger.era) {
      this.#property = 'stale'
      counters.stale++
      ledger.past.late = 1
      if (verdict === 'success') this.#keep({ ...call, late: true, vote: undefined, ended: 0 })
      return
    }
    this.#property = pauses ? 'pause' : 'ignored'
    if (verdict === 'ignored') return
    if (call.safe && !call.probe) this.#askedSafely(true)
    const slow = ledger.now - call.at > this.#rules.slowAfter
    if (slow) counters.slow++
    if (call.probe) this.#vote(call, verdict, slow)
    else this.#record(call, verdict, slow)
  }

  #vote(call: Call, verdict: 'success' | 'failure', slow: boolean): void {
    const { ledger } = this
    const bad = verdict === 'failure' || slow
    if (verdict === 'success') this.#keep({ ...call, late: false, vote: bad ? 'bad' : 'good', ended: 0 })
    this.#property = bad ? 'probeBad' : 'probeGood'
    ledger.votes = { good: ledger.votes.good + (bad ? 0 : 1), bad: ledger.votes.bad + (bad ? 1 : 0) }
    if (bad) this.#judgeProbes()
    else if (ledger.votes.good >= this.#rules.need) {
      ledger.closedBy = call.call
      ledger.tripsBefore = ledger.trips
      ledger.past.closed = 1
      this.#become('closed')
    }
  }

  #judgeProbes(): void {
    const { permits, need } = this.#rules
    if (this.ledger.votes.bad > Math.max(0, permits - need)) this.#open(this.ledger.trips)
  }

  #record(call: Call, verdict: 'success' | 'failure', slow: boolean): void {
    const { ledger } = this
    this.#property = 'policy'
    const failed = verdict === 'failure'
    ledger.window = [...ledger.window, { call: call.call, at: ledger.now, failed, slow }]
    this.#age()
    if (failed) ledger.streak++
    else {
      // Only the last good head may take a streak up again.
      ledger.good = ledger.good.map((one) => (one.ended === 0 ? one : { ...one, ended: 0 }))
      this.#keep({ ...call, late: false, vote: undefined, ended: ledger.streak })
      ledger.streak = 0
    }
    this.#judge()
  }

  #keep(good: Good): void {
    this.ledger.good = [...this.ledger.good, good].slice(-AMENDABLE)
  }

  #age(): void {
    const { ledger } = this
    const { windowCalls, windowMs } = this.#rules
    const slotOf = (at: number): number => Math.floor(at / (windowMs / SLOTS))
    ledger.window =
      windowCalls > 0
        ? ledger.window.slice(-windowCalls)
        : ledger.window.filter(({ at }) => slotOf(at) > slotOf(ledger.now) - SLOTS)
  }

  #judge(): void {
    const { ledger } = this
    if (ledger.machine !== 'closed' || heldAs(ledger) !== undefined) return
    const { streak, failureRate, slowRate, minimumCalls } = this.#rules
    const failures = ledger.window.filter((one) => one.failed).length
    const slow = ledger.window.filter((one) => one.slow).length
    const { length } = ledger.window
    const rated = length >= minimumCalls && (failures >= failureRate * length || slow >= slowRate * length)
    if (ledger.streak >= streak || rated) this.#open(ledger.trips)
  }

  #amend(number: number): undefined {
    const { ledger } = this
    const call = ledger.good.find((one) => one.call === number) as Good
    ledger.good = ledger.good.filter((one) => one !== call)
    ledger.counters.successes--
    ledger.counters.failures++
    ledger.past.amended = 1
    if (call.late) this.#late()
    else if (call.probe) this.#amendProbe(call)
    else this.#amendCall(call)
  }

  #amendProbe(call: Good): void {
    const { ledger } = this
    this.#property = 'probeBad'
    if (call.era === ledger.era) {
      // One probe has one vote: a slow one that broke, too, failed once.
      if (call.vote === 'bad') return
      ledger.votes = { good: ledger.votes.good - 1, bad: ledger.votes.bad + 1 }
      return this.#judgeProbes()
    }
    const itClosed = ledger.machine === 'closed' && ledger.closedBy === call.call && call.era + 1 === ledger.era
    if (itClosed && heldAs(ledger) === undefined) return this.#open(ledger.tripsBefore)
    return this.#late()
  }

  #amendCall(call: Good): void {
    const { ledger } = this
    if (call.era !== ledger.era) return this.#late()
    this.#age()
    const recorded = ledger.window.find((one) => one.call === call.call)
    if (recorded === undefined) return this.#late()
    this.#property = 'policy'
    ledger.window = ledger.window.map((one) => (one === recorded ? { ...one, failed: true } : one))
    ledger.streak += call.ended + 1
    this.#judge()
  }

  #late(): void {
    this.#property = 'stale'
    this.ledger.counters.stale++
    this.ledger.past.late = 1
  }

  #wait(ms: number): undefined {
    this.#property = 'time'
    this.ledger.now += ms
  }

  #hold(kind: 'isolated' | 'bypassed'): undefined {
    const { ledger } = this
    this.#property = kind
    if (heldAs(ledger) === undefined) ledger.heldClosed = ledger.machine === 'closed'
    ledger.holds = [...ledger.holds, { hold: ledger.given.holds, kind, live: true }]
    ledger.given = { ...ledger.given, holds: ledger.given.holds + 1 }
    ledger.past.held = 1
    return this.#fence()
  }

  #release(number: number): undefined {
    const { ledger } = this
    this.#property = 'byHand'
    const hold = ledger.holds.find((one) => one.hold === number) as Held
    ledger.holds = ledger.holds.filter((one) => one !== hold)
    if (!hold.live) return
    // It may be let go once more, which must do nothing.
    ledger.holds = [...ledger.holds, { ...hold, live: false }]
    if (heldAs(ledger) !== undefined) return this.#fence()
    this.#become(ledger.heldClosed ? 'closed' : 'half-open')
  }

  #trip(ms: number | undefined): undefined {
    const { ledger } = this
    this.#property = 'byHand'
    // Letting go of a hold does not undo it.
    ledger.heldClosed = false
    this.#open(ledger.trips, ms, ledger.machine === 'open' ? ledger.until : 0)
  }

  #reset(): undefined {
    const { ledger } = this
    this.#property = 'byHand'
    ledger.holds = ledger.holds.map((hold) => ({ ...hold, live: false }))
    ledger.until = ledger.floor = ledger.pausedUntil = 0
    ledger.past.reset = 1
    this.#become('closed')
  }

  #open(trips: number, ms?: number, atLeast = 0): void {
    const { ledger } = this
    const { openFrom, openTo, openFactor } = this.#rules
    const grown = Math.min(openTo, openFrom * openFactor ** trips)
    ledger.until = Math.max(ledger.now + (ms ?? grown), atLeast)
    ledger.trips = trips + 1
    if (ledger.machine !== 'open') ledger.counters.trips++
    ledger.past.opened = 1
    this.#become('open')
  }

  #become(machine: Ledger['machine']): void {
    const { ledger } = this
    const heldBefore = heldAs(this.#before)
    // A hand may end an open time before it is over, and a Retry-After may come later.
    const from = ledger.machine === 'open' && heldBefore === undefined ? untilOf(ledger) : ledger.now
    if (machine === 'half-open') ledger.courtesyUntil = from + COURTESY
    ledger.machine = machine
    this.#fence()
    if (machine === 'closed') this.#forget()
  }

  #fence(): undefined {
    this.ledger.era++
    this.ledger.wary = this.ledger.now < this.ledger.pausedUntil
    this.ledger.votes = { good: 0, bad: 0 }
  }

  #forget(): void {
    const { ledger } = this
    ledger.window = []
    ledger.streak = 0
    ledger.trips = 0
  }
}

const TALLY = { success: 'successes', failure: 'failures', ignored: 'ignored' } as const
const COUNTED: Partial<Record<keyof Counters, Property>> = { inFlight: 'inFlight', stale: 'stale', refused: 'asking' }

const breach = (property: Property, why: string): Breach => ({ property, why })

/** What of the past makes a difference to come, times relative: circuits of the same key are taken for the same. */
export function keyOf(ledger: Ledger, rules: Rules): string {
  const { now, era, machine, holds, heldClosed, window, streak, votes, past } = ledger
  const left = (time: number, least = 0): number => Math.max(least, time - now)
  const age = (call: Call): number => Math.min(2, era - call.era)
  const watched = (call: Call): number => (rules.slowAfter === Infinity ? 0 : left(call.at, -2 * rules.slowAfter))
  const out = ledger.out.map((call) =>
    [
      call.probe ? 1 : 0,
      age(call),
      age(call) === 0 && call.probe ? left(call.at + rules.within) : 0,
      watched(call),
      call.safe ? 1 : 0,
    ].join(),
  )
  const good = ledger.good.map((call) =>
    [
      call.probe ? 1 : 0,
      age(call),
      call.late ? 1 : 0,
      call.ended,
      call.vote,
      call.call === ledger.closedBy ? 1 : 0,
      window.findIndex((one) => one.call === call.call),
    ].join(),
  )
  return [
    toldAs(ledger),
    machine,
    heldClosed ? 1 : 0,
    holds
      .map((hold) => (hold.live ? hold.kind : 'void'))
      .toSorted()
      .join(),
    out.toSorted().join(' '),
    good.toSorted().join(' '),
    window
      .map(
        (one) =>
          `${one.failed ? 1 : 0}${one.slow ? 1 : 0}${rules.windowCalls > 0 ? '' : left(one.at, -rules.windowMs)}`,
      )
      .join(),
    streak,
    left(ledger.until),
    left(ledger.floor),
    machine === 'half-open' ? left(ledger.courtesyUntil) : 0,
    left(ledger.pausedUntil),
    rules.openFactor === 1 ? 0 : [ledger.trips, ledger.tripsBefore].join(),
    votes.good,
    votes.bad,
    left(ledger.safe.askedAt, -2 * spanOf(rules)),
    left(ledger.safe.knownAt, -2 * spanOf(rules)),
    ledger.wary ? 1 : 0,
    Object.values(past).join(''),
  ].join('|')
}
