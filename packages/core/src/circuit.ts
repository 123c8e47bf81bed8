// The breaker of one host: closed while it is well, open while it is not, half-open to find out.
import { parse, show, spell, type Duration } from './duration.ts'
import { CircuitOpenError, refuse } from './errors.ts'
import { tellRefused, type Events, type Evidence, type TransitionEvent, type TransitionReason } from './events.ts'
import { RecentFailures, reasonFor, type Kind } from './evidence.ts'
import { causeOf, causeOfSignal, judgeCause, type Verdict } from './outcome.ts'
import { Pending } from './pending.ts'
import { spanOf, type Rules } from './policy.ts'
import type { Entry, Registry } from './registry.ts'
import { isSafe, type HttpRequest } from './request.ts'
import type { RefusalReason, State } from './state.ts'
import type { Timeline } from './timeline.ts'
import { CountWindow, TimeWindow, type Window } from './window.ts'

/** @internal What the circuits of one board share. */
export interface Wiring {
  readonly time: Timeline
  readonly random: () => number
  readonly events: Events
  readonly circuits: Registry<Circuit>
}

/** @internal Who asks for admission: looked at only where it decides something. */
export interface Asker {
  readonly method: string
  readonly host: string
  readonly request: HttpRequest
}

/** A circuit held open or closed by hand, until it is let go. */
export interface Hold extends Disposable {
  release(): void
}

/** What a circuit has counted since it was made. */
export interface Counters {
  readonly successes: number
  readonly failures: number
  readonly ignored: number
  readonly refused: number
  /** Results that came when the circuit had moved on: they decided nothing. */
  readonly stale: number
  readonly slow: number
  readonly fallbacks: number
  /** How often it opened. */
  readonly trips: number
  /** Calls under way. */
  readonly inFlight: number
}

/** How a task ended, for `classify`. */
export type TaskOutcome = { readonly value: unknown } | { readonly error: unknown }

/** Which errors of a task count: classes of errors, or a predicate. The others are ignored. */
export type Expected =
  | (new (...args: never[]) => Error)
  | readonly (new (...args: never[]) => Error)[]
  | ((error: unknown) => boolean)

/** How a task is judged. */
export interface RunOptions {
  /** An AbortError is the caller's doing only where this had aborted. */
  readonly signal?: AbortSignal | undefined
  /** Overrides the verdict; undefined leaves it. */
  readonly classify?: ((outcome: TaskOutcome) => Verdict | { pause: number } | undefined) | undefined
  /** Which errors count as failures. @default all */
  readonly expected?: Expected | undefined
}

/** What follows a task of one generation: made once, since all its calls carry the same token. */
interface Handlers {
  readonly token: number
  readonly good: <T>(value: T) => T
  readonly bad: (error: unknown) => never
}

type Machine = 'closed' | 'open' | 'half-open'

const SAFE = 1
const PROBE = 2
/** Generations go round before a token would need more than 30 bits; a result that late belongs to no state. */
const GENERATIONS = 2 ** 28
/** Above the generation and its bits, a probe's token carries the number of its lease. */
const LEASE = 2 ** 30

const REFUSALS: readonly RefusalReason[] = ['open', 'probing', 'paused', 'isolated']
const refused = (reason: RefusalReason): number => -1 - REFUSALS.indexOf(reason)

const OPEN = refused('open')

/** How long safe requests go first, and the longest wait that a probe under way is given as. */
const COURTESY = 1_000
const NOTHING = -1
const STALE = -2

/** What a circuit needs only once something went wrong, so that a healthy one stays small. */
class Trouble {
  until = 0
  floor = 0
  pausedUntil = 0
  trips = 0
  leases: { id: number; until: number }[] = []
  lastLease = 0
  passed = 0
  failed = 0
  /** The probe whose head closed the circuit, and the trips before it did. */
  closedBy = NaN
  tripsBefore = 0
  streakSince = 0
  /** A streak that a good head ended, to be taken up again where its own body breaks. */
  ended = { by: 0, streak: 0, since: 0 }
  recent = new RecentFailures()
  isolated = 0
  bypassed = 0
  heldClosed = false
  note: string | undefined
  askedAt = 0
  last: TransitionEvent | undefined
  opened: TransitionEvent | undefined
}

/** The breaker of one host, or of whatever its key names. Made by a board. */
export class Circuit implements Entry<Circuit> {
  readonly key: string
  /** @internal */
  older: Circuit | undefined = undefined
  /** @internal */
  newer: Circuit | undefined = undefined
  /** @internal */
  readonly rules: Rules
  /** @internal It has made room for another. */
  retired = false
  readonly #wiring: Wiring
  readonly #pinned: boolean
  #machine: Machine = 'closed'
  /** Closed, without a hold, a pause or a need of the clock: admission is a count. */
  #calm: boolean
  #generation = 0
  #streak = 0
  #lastGood = 0
  #safeAt = -1
  #inFlight = 0
  #successes = 0
  #failures = 0
  #ignored = 0
  #refused = 0
  #stale = 0
  #slow = 0
  #fallbacks = 0
  #trips = 0
  #window: Window | undefined = undefined
  #pending: Pending | undefined = undefined
  #trouble: Trouble | undefined = undefined
  #handlers: Handlers | undefined = undefined

  /** @internal */
  constructor(key: string, rules: Rules, wiring: Wiring, pinned = false) {
    this.key = key
    this.rules = rules
    this.#wiring = wiring
    this.#pinned = pinned
    this.#calm = rules.slowAfter === Infinity
    if (!this.#calm) this.#pending = new Pending(rules.slowAfter)
  }

  /** What people call it: the policy's `label`, or the key. */
  get label(): string {
    return this.rules.label ?? this.key
  }

  /** What a call would meet now. Asking changes nothing: an open circuit whose time is over shows as half-open. */
  get state(): State {
    const trouble = this.#trouble
    if (trouble === undefined) return this.#machine
    if (trouble.isolated > 0) return 'isolated'
    if (trouble.bypassed > 0) return 'bypassed'
    if (this.#machine === 'open' && this.#wiring.time.thawed() >= untilOf(trouble)) return 'half-open'
    return this.#machine
  }

  /** What it has counted since it was made. */
  get counters(): Counters {
    return {
      successes: this.#successes,
      failures: this.#failures,
      ignored: this.#ignored,
      refused: this.#refused,
      stale: this.#stale,
      slow: this.#slow,
      fallbacks: this.#fallbacks,
      trips: this.#trips,
      inFlight: this.#inFlight,
    }
  }

  /**
   * Asks leave to make one call. Every token must be settled once; prefer {@link run} or `board.attempt`, which see to it.
   *
   * @param startedAt where `slowAfter` is set: the board's time, the same as is given to {@link settle}
   * @returns a token, or a negative number where the call must not be made: see {@link refusal}
   */
  admit(asker?: Asker, startedAt?: number): number {
    if (!this.#calm) return this.#admitWithCare(asker, startedAt)
    this.#inFlight++
    return asker !== undefined && isSafe(asker.method) ? this.#generation * 4 + SAFE : this.#generation * 4
  }

  /**
   * Says how an admitted call went. A result of an earlier state decides nothing.
   *
   * @returns the number to {@link amend} it by, or a negative one where there is nothing to amend
   */
  settle(token: number, verdict: Verdict, startedAt: number = NaN, kind: Kind = 'failure'): number {
    this.#inFlight--
    if (verdict === 'success') this.#successes++
    else if (verdict === 'failure') this.#failures++
    else this.#ignored++

    const { circuits, time } = this.#wiring
    if (circuits.newest !== this) circuits.used(this)
    const base = token % LEASE
    if (Math.floor(base / 4) !== this.#generation) {
      this.#stale++
      return STALE
    }
    if ((token & PROBE) !== 0) return this.#settleProbe(token, verdict, startedAt, kind)

    const pending = this.#pending
    if (verdict === 'ignored' && pending === undefined) return NOTHING
    const now = verdict === 'failure' ? time.thawed() : time.now()
    if ((token & SAFE) !== 0) this.#safeAt = Math.floor(now / COURTESY)
    const slow = pending !== undefined && now - startedAt > this.rules.slowAfter
    if (pending !== undefined && startedAt === startedAt) pending.remove(startedAt, now)
    if (verdict === 'ignored') return NOTHING
    if (slow) this.#slow++

    const window = (this.#window ??= windowFor(this.rules))
    const call = window.record(now, verdict === 'failure', slow)
    if (verdict === 'success') this.#well(call)
    else this.#ill(now, kind)
    if (window.failures > 0 || slow) this.#evaluate(window, now)
    return call
  }

  /**
   * Makes a settled success a failure, once: its body broke, or the caller says that it was none.
   *
   * @internal
   * @returns whether it belonged to a state that is over
   */
  amend(token: number, call: number, kind: Kind): boolean {
    this.#successes--
    this.#failures++
    const now = this.#wiring.time.thawed()
    const generation = Math.floor((token % LEASE) / 4)
    if ((token & PROBE) !== 0) return this.#amendProbe(token, generation, now, kind)
    if (generation !== this.#generation || call < 0 || !this.#window?.amend(call, now)) return this.#late()

    const ended = this.#trouble?.ended
    if (call === this.#lastGood && ended !== undefined && ended.by === call && this.#trouble) {
      this.#trouble.streakSince = ended.since
      this.#streak += ended.streak
    }
    this.#ill(now, kind)
    this.#evaluate(this.#window, now)
    return false
  }

  /** @internal A counted failure said when to come back: the open time is at least that long. */
  holdOff(ms: number): void {
    const trouble = (this.#trouble ??= new Trouble())
    trouble.floor = Math.max(trouble.floor, this.#wiring.time.thawed() + Math.min(ms, this.rules.maxPause))
  }

  /** @internal The host, or the policy, wants no calls for a while: refused until then, and then as before. */
  pause(ms: number): void {
    if (!(ms > 0)) return
    const trouble = (this.#trouble ??= new Trouble())
    trouble.pausedUntil = Math.max(trouble.pausedUntil, this.#wiring.time.thawed() + Math.min(ms, this.rules.maxPause))
    this.#calm = false
  }

  /** @internal A reply stood in. */
  stoodIn(): void {
    this.#fallbacks++
  }

  /** The error for a call that was refused. It was not sent. */
  refusal(token: number = OPEN, host: string = this.key): CircuitOpenError {
    const reason = REFUSALS[-1 - token] ?? 'open'
    const retryAfterMs = this.#retryAfter(reason)
    return refuse(
      { key: this.key, host, label: this.label, reason, retryAfterMs, why: this.#why(reason) },
      this.rules.stack,
    )
  }

  /**
   * Runs a task if the circuit allows it.
   *
   * @returns what the task gives
   * @throws CircuitOpenError (as a rejection) where it was refused; what the task throws
   */
  run<T>(task: () => T | PromiseLike<T>, options?: RunOptions): Promise<T> {
    if (options !== undefined || this.#pending !== undefined || this.#wiring.events.heard.settled !== undefined) {
      return this.#runTimed(task, options ?? {})
    }
    const token = this.admitTask()
    if (token < 0) return Promise.reject(this.refusal(token))
    let result: T | PromiseLike<T>
    try {
      result = task()
    } catch (error) {
      this.settle(token, verdictOnThrown(error, undefined), NaN, kindOf(error))
      return Promise.reject(error)
    }
    if (!isThenable(result)) {
      this.settle(token, 'success')
      return Promise.resolve(result)
    }
    const handlers = this.#handlers?.token === token ? this.#handlers : this.#handlersFor(token)
    const promise = result instanceof Promise ? (result as Promise<T>) : Promise.resolve(result)
    return promise.then<T>(handlers.good, handlers.bad)
  }

  /** Why it is as it is, for people. */
  explain(): string {
    const { calls = 0, failures = 0, slow = 0 } = this.#window ?? {}
    const trouble = this.#trouble
    const state = this.state
    const lines = [`${this.label} is ${state}.`]
    if (trouble?.note !== undefined) lines.push(`Held by hand: ${trouble.note}.`)
    if (trouble?.last)
      lines.push(`Last change, at ${new Date(trouble.last.at).toISOString()}: ${trouble.last.message}.`)
    const wait = this.#retryAfter(state === 'open' ? 'open' : 'paused')
    if (wait !== undefined && wait > 0) lines.push(`Calls are refused for another ${spell(wait)}.`)
    lines.push(`In its window: ${calls} calls, ${failures} failed, ${slow} slow; ${this.#streak} failures in a row.`)
    lines.push(
      `In all: ${this.#successes} well, ${this.#failures} failed, ${this.#refused} refused, ${this.#fallbacks} stood in for; ` +
        `${this.#inFlight} under way.`,
    )
    return lines.join(' ')
  }

  /** Closes it and forgets what it saw. Holds and pauses end. */
  reset(): void {
    const trouble = this.#trouble
    if (trouble !== undefined) {
      Object.assign(trouble, {
        until: 0,
        floor: 0,
        pausedUntil: 0,
        trips: 0,
        isolated: 0,
        bypassed: 0,
        note: undefined,
      })
      // Holds that are still in somebody's hands must not be let go twice.
      this.#holds = Symbol('holds')
    }
    this.#become('closed', 'by-hand')
  }

  /**
   * Opens it by hand. It never shortens an open time.
   *
   * @param duration how long. @default the policy's `openFor`
   */
  trip(duration?: Duration): void {
    const ms = duration === undefined ? undefined : parse(duration)
    if (duration !== undefined && !(ms !== undefined && ms > 0)) {
      throw new RangeError(`trip(for) must be a duration longer than 0, got ${show(duration)}`)
    }
    const trouble = (this.#trouble ??= new Trouble())
    const before = this.#machine === 'open' ? trouble.until : 0
    this.#open('by-hand', trouble.trips, ms, before)
  }

  /** Holds it open until let go: every call is refused. Holds are counted. */
  isolate(reason?: string): Hold {
    return this.#hold('isolated', reason)
  }

  /** Holds it closed until let go: every call goes through and is still counted. Holds are counted; an isolation is stronger. */
  bypass(reason?: string): Hold {
    return this.#hold('bypassed', reason)
  }

  /** @internal */
  get busy(): boolean {
    return this.#inFlight > 0
  }

  /** @internal */
  expendable(now: number): boolean {
    const trouble = this.#trouble
    if (this.#pinned || this.#inFlight > 0) return false
    if (trouble === undefined) return true
    if (trouble.isolated > 0 || trouble.bypassed > 0 || now < trouble.pausedUntil) return false
    if (this.#machine === 'closed') return true
    return now > Math.max(untilOf(trouble), trouble.askedAt) + spanOf(this.rules)
  }

  /** @internal */
  retire(): void {
    this.retired = true
  }

  // Holds of before a reset are void.
  #holds = Symbol('holds')

  #hold(kind: 'isolated' | 'bypassed', reason: string | undefined): Hold {
    const trouble = (this.#trouble ??= new Trouble())
    const from = this.state
    if (trouble.isolated + trouble.bypassed === 0) trouble.heldClosed = this.#machine === 'closed'
    trouble[kind]++
    trouble.note = reason
    this.#turn(from, 'by-hand')

    const holds = this.#holds
    let held = true
    const release = (): void => {
      if (!held || holds !== this.#holds) return
      held = false
      this.#letGo(kind)
    }
    return { release, [Symbol.dispose]: release }
  }

  #letGo(kind: 'isolated' | 'bypassed'): void {
    const trouble = this.#trouble as Trouble
    const from = this.state
    trouble[kind]--
    if (trouble.isolated + trouble.bypassed > 0) return this.#turn(from, 'by-hand')
    trouble.note = undefined
    this.#machine = trouble.heldClosed ? 'closed' : 'half-open'
    if (trouble.heldClosed) this.#forget()
    this.#turn(from, 'by-hand')
  }

  /** @internal Admits a task that is no HTTP request. */
  admitTask(startedAt?: number): number {
    const token = this.admit(undefined, startedAt)
    if (token < 0 && this.#wiring.events.heard.refused) tellRefused(this.#wiring.events, this.refusal(token))
    return token
  }

  #admitWithCare(asker: Asker | undefined, startedAt: number | undefined): number {
    const { time } = this.#wiring
    const trouble = this.#trouble
    const now = this.#machine === 'closed' && trouble === undefined ? (startedAt ?? time.now()) : time.thawed()
    const safe = asker !== undefined && isSafe(asker.method)
    if (safe) this.#safeAt = Math.floor(now / COURTESY)
    if (trouble !== undefined) {
      trouble.askedAt = now
      if (trouble.isolated > 0) return this.#refuse('isolated')
      if (trouble.bypassed === 0) {
        if (now < trouble.pausedUntil) return this.#refuse('paused')
        if (this.#machine === 'open' && now < untilOf(trouble)) return this.#refuse('open')
        if (this.#machine === 'open') this.#become('half-open', 'elapsed')
        if (this.#machine === 'half-open') return this.#admitProbe(trouble, asker, safe, now)
        this.#calm = this.#pending === undefined
      }
    }
    if (this.#pending !== undefined && this.#tooManyOverdue(this.#pending, now)) return this.#refuse('open')
    this.#pending?.add(startedAt ?? now)
    this.#inFlight++
    return this.#generation * 4 + (safe ? SAFE : 0)
  }

  #admitProbe(trouble: Trouble, asker: Asker | undefined, safe: boolean, now: number): number {
    trouble.leases = trouble.leases.filter((lease) => now < lease.until)
    if (trouble.leases.length >= this.rules.permits) return this.#refuse('probing')
    if (!this.#mayProbe(trouble, asker, safe, now)) return this.#refuse('probing')

    const id = (trouble.lastLease = (trouble.lastLease + 1) % 2 ** 20)
    trouble.leases.push({ id, until: now + this.rules.within })
    this.#inFlight++
    return id * LEASE + this.#generation * 4 + PROBE + (safe ? SAFE : 0)
  }

  #mayProbe(trouble: Trouble, asker: Asker | undefined, safe: boolean, now: number): boolean {
    const { probe } = this.rules
    if (probe !== undefined && asker !== undefined) {
      try {
        return probe(asker.request)
      } catch (error) {
        this.#wiring.events.warn('probe', `probe of ${this.label} threw: ${String(error)}`)
      }
    }
    if (safe || now >= untilOf(trouble) + COURTESY) return true
    return this.#safeAt < 0 || now - this.#safeAt * COURTESY > spanOf(this.rules)
  }

  #refuse(reason: RefusalReason): number {
    this.#refused++
    return refused(reason)
  }

  // A hung host answers nothing, so its silence must count before any call ends.
  #tooManyOverdue(pending: Pending, now: number): boolean {
    if (this.#machine !== 'closed' || this.#held) return false
    const overdue = pending.overdue(now)
    if (overdue === 0) return false
    const { minimumCalls, slowRate } = this.rules
    const window = (this.#window ??= windowFor(this.rules))
    window.advance(now)
    const calls = window.calls + overdue
    if (calls < minimumCalls || window.slow + overdue < slowRate * calls) return false
    this.#open('slow-calls', this.#trouble?.trips ?? 0)
    return true
  }

  get #held(): boolean {
    return this.#trouble !== undefined && this.#trouble.isolated + this.#trouble.bypassed > 0
  }

  #settleProbe(token: number, verdict: Verdict, startedAt: number, kind: Kind): number {
    const trouble = this.#trouble as Trouble
    const now = this.#wiring.time.thawed()
    const id = Math.floor(token / LEASE)
    trouble.leases = trouble.leases.filter((lease) => lease.id !== id)
    if (verdict === 'ignored') return NOTHING

    const slow = now - startedAt > this.rules.slowAfter
    if (slow) this.#slow++
    if (verdict === 'failure' || slow) {
      trouble.recent.add(now, verdict === 'failure' ? kind : 'slow')
      this.#probeFailed(trouble)
    } else if (++trouble.passed >= this.rules.need) {
      trouble.closedBy = token
      trouble.tripsBefore = trouble.trips
      this.#become('closed', 'probe-succeeded')
    }
    return 0
  }

  #probeFailed(trouble: Trouble): void {
    trouble.failed++
    if (trouble.failed > Math.max(0, this.rules.permits - this.rules.need)) this.#open('probe-failed', trouble.trips)
  }

  #amendProbe(token: number, generation: number, now: number, kind: Kind): boolean {
    const trouble = this.#trouble as Trouble
    trouble.recent.add(now, kind)
    if (generation === this.#generation && this.#machine === 'half-open') {
      trouble.passed--
      this.#probeFailed(trouble)
      return false
    }
    const next = (generation + 1) % GENERATIONS
    if (next !== this.#generation || this.#machine !== 'closed' || trouble.closedBy !== token || this.#held)
      return this.#late()
    this.#open('body-broke', trouble.tripsBefore)
    return false
  }

  #late(): true {
    this.#stale++
    return true
  }

  #well(call: number): void {
    this.#lastGood = call
    if (this.#streak === 0) return
    const trouble = this.#trouble as Trouble
    trouble.ended = { by: call, streak: this.#streak, since: trouble.streakSince }
    this.#streak = 0
  }

  #ill(now: number, kind: Kind): void {
    const trouble = (this.#trouble ??= new Trouble())
    if (this.#streak === 0) trouble.streakSince = now
    this.#streak++
    trouble.recent.add(now, kind)
  }

  #evaluate(window: Window, now: number): void {
    const { rules } = this
    if (this.#machine !== 'closed' || this.#held) return
    const trips = this.#trouble?.trips ?? 0
    if (this.#streak >= rules.streak && now - (this.#trouble?.streakSince ?? now) >= rules.streakOver) {
      return this.#open('consecutive-failures', trips)
    }
    if (window.calls < rules.minimumCalls) return
    if (window.failures >= rules.failureRate * window.calls) this.#open('failure-rate', trips)
    else if (window.slow >= rules.slowRate * window.calls) this.#open('slow-calls', trips)
  }

  #open(reason: TransitionReason, trips: number, ms?: number, atLeast = 0): void {
    const { openFrom, openTo, openFactor, openJitter } = this.rules
    const trouble = (this.#trouble ??= new Trouble())
    const grown =
      Math.min(openTo, openFrom * openFactor ** trips) * (1 + openJitter * (openJitter && this.#wiring.random()))
    trouble.until = Math.max(this.#wiring.time.thawed() + (ms ?? grown), atLeast)
    trouble.trips = trips + 1
    this.#trips++
    this.#become('open', reason)
  }

  #become(to: Machine, reason: TransitionReason): void {
    const from = this.#trouble && this.#held ? this.state : this.#machine
    this.#machine = to
    this.#turn(from, reason)
  }

  // Every change comes through here: the generation fences what is under way, and the change is whole before it is told.
  #turn(from: State, reason: TransitionReason): void {
    const trouble = (this.#trouble ??= new Trouble())
    const now = this.#wiring.time.thawed()
    const to: State = trouble.isolated > 0 ? 'isolated' : trouble.bypassed > 0 ? 'bypassed' : this.#machine
    const evidence = this.#evidence(trouble, now)
    this.#generation = (this.#generation + 1) % GENERATIONS
    trouble.leases = []
    trouble.passed = trouble.failed = 0
    this.#pending?.clear()
    if (this.#machine === 'closed' && to === 'closed') {
      this.#forget()
      trouble.trips = 0
    }
    this.#calm = to === 'closed' && this.#pending === undefined && now >= trouble.pausedUntil

    if (from === to && reason !== 'by-hand') return
    trouble.last = this.#event(trouble, from, to, reason, evidence, now)
    if (to === 'open' || to === 'isolated') trouble.opened = trouble.last
    if (from !== to) this.#wiring.circuits.used(this)
    if (from !== to && this.#wiring.events.heard.transition) this.#wiring.events.tell('transition', trouble.last)
  }

  #forget(): void {
    this.#window?.clear()
    this.#streak = 0
  }

  #evidence(trouble: Trouble, now: number): Evidence {
    this.#window?.advance(now)
    return {
      calls: this.#window?.calls ?? 0,
      failures: this.#window?.failures ?? 0,
      slow: this.#window?.slow ?? 0,
      overdue: this.#pending?.overdue(now) ?? 0,
      streak: this.#streak,
      streakMs: this.#streak > 0 ? now - trouble.streakSince : 0,
      kinds: trouble.recent.since(
        this.#machine === 'open' && this.#streak > 0 ? trouble.streakSince : now - spanOf(this.rules),
      ),
    }
  }

  #event(
    trouble: Trouble,
    from: State,
    to: State,
    reason: TransitionReason,
    evidence: Evidence,
    now: number,
  ): TransitionEvent {
    const at = this.#wiring.time.wall()
    const wait = untilOf(trouble) - now
    const until = to === 'open' ? at + wait : undefined
    const message = `${this.label} ${to}${until === undefined ? '' : ` for ${spell(wait)}`}: ${reasonFor(reason, evidence, trouble.note)}`
    return { key: this.key, label: this.label, from, to, reason, at, until, evidence, message }
  }

  #why(reason: RefusalReason): string {
    if (reason === 'paused') return `${this.label} asked for a pause`
    return this.#trouble?.opened?.message ?? ''
  }

  #retryAfter(reason: RefusalReason): number | undefined {
    const trouble = this.#trouble
    if (trouble === undefined || reason === 'isolated') return undefined
    const now = this.#wiring.time.thawed()
    if (reason === 'paused') return Math.max(0, trouble.pausedUntil - now)
    if (reason === 'open') return Math.max(0, untilOf(trouble) - now, trouble.pausedUntil - now)
    const courtesy = trouble.leases.length >= this.rules.permits ? COURTESY : untilOf(trouble) + COURTESY - now
    const lease = Math.min(...trouble.leases.map(({ until }) => until - now), COURTESY)
    return Math.max(0, Math.min(COURTESY, courtesy, lease))
  }

  #handlersFor(token: number): Handlers {
    const good = <T>(value: T): T => {
      this.settle(token, 'success')
      return value
    }
    const bad = (error: unknown): never => {
      this.settle(token, verdictOnThrown(error, undefined), NaN, kindOf(error))
      throw error
    }
    const handlers = { token, good, bad }
    // A probe's token is its own: only the calls of a closed circuit share one.
    if (token < LEASE) this.#handlers = handlers
    return handlers
  }

  #runTimed<T>(task: () => T | PromiseLike<T>, options: RunOptions): Promise<T> {
    const { time } = this.#wiring
    const startedAt = time.now()
    const token = this.admitTask(startedAt)
    if (token < 0) return Promise.reject(this.refusal(token))
    const good = (value: T): T => {
      this.judgeTask(token, startedAt, { value }, options)
      return value
    }
    const bad = (error: unknown): never => {
      this.judgeTask(token, startedAt, { error }, options)
      throw error
    }
    try {
      const result = task()
      if (isThenable(result)) return Promise.resolve(result).then(good, bad)
      return Promise.resolve(good(result))
    } catch (error) {
      this.judgeTask(token, startedAt, { error }, options)
      return Promise.reject(error)
    }
  }

  /** @internal Settles a task by how it ended. */
  judgeTask(token: number, startedAt: number, outcome: TaskOutcome, options: RunOptions): void {
    const error = 'error' in outcome ? outcome.error : undefined
    let verdict: Verdict = 'error' in outcome ? verdictOnThrown(error, options) : 'success'
    const said = this.#classified(outcome, options)
    if (typeof said === 'string') verdict = said
    else if (said !== undefined) {
      this.pause(said.pause)
      verdict = 'ignored'
    }
    const { events, time } = this.#wiring
    const call = this.settle(token, verdict, startedAt, kindOf(error))
    if (!events.heard.settled) return
    const { key, label } = this
    events.tell('settled', {
      key,
      label,
      verdict,
      status: undefined,
      error,
      durationMs: time.now() - startedAt,
      stale: call === STALE,
      probe: (token & PROBE) !== 0,
      amended: false,
    })
  }

  #classified(outcome: TaskOutcome, { classify }: RunOptions): Verdict | { pause: number } | undefined {
    if (classify === undefined) return undefined
    try {
      return readVerdict(classify(outcome))
    } catch (error) {
      this.#wiring.events.warn('classify', `classify of ${this.label} failed: ${String(error)}`)
      return undefined
    }
  }
}

/** @internal What a settled call left behind. */
export const wasStale = (call: number): boolean => call === STALE

/** @internal Whether a token is a probe's. */
export const isProbe = (token: number): boolean => (token & PROBE) !== 0

/**
 * @internal What a `classify` answered.
 * @throws TypeError where it is nothing that it may answer
 */
export function readVerdict(said: unknown): Verdict | { pause: number } | undefined {
  if (said === undefined || said === 'success' || said === 'failure' || said === 'ignored') return said
  const pause = typeof said === 'object' && said !== null && 'pause' in said ? said.pause : undefined
  if (typeof pause === 'number' && pause >= 0) return { pause }
  throw new TypeError(
    `it must answer 'success', 'failure', 'ignored', { pause: milliseconds } or undefined, got ${show(said)}`,
  )
}

/** @internal What a thrown thing is called in the evidence. */
export function kindOf(error: unknown): string {
  for (let depth = 0, at: unknown = error; depth < 4 && typeof at === 'object' && at !== null; depth++) {
    const { code, cause } = at as { code?: unknown; cause?: unknown }
    if (typeof code === 'string') return code
    at = cause
  }
  return error instanceof Error ? error.name : typeof error
}

function verdictOnThrown(error: unknown, options: RunOptions | undefined): Verdict {
  const cause = causeOf(error)
  if (cause === 'refused') return judgeCause(cause)
  const signalled = causeOfSignal(options?.signal)
  if (signalled === 'abort' && (cause === 'abort' || error === options?.signal?.reason)) return judgeCause('abort')
  return isExpected(error, options?.expected) ? 'failure' : 'ignored'
}

function isExpected(error: unknown, expected: Expected | undefined): boolean {
  if (expected === undefined) return true
  const list = Array.isArray(expected) ? (expected as readonly unknown[]) : [expected]
  try {
    return list.some((one) => (isClass(one) ? error instanceof one : (one as (error: unknown) => boolean)(error)))
  } catch {
    // A predicate that fails must neither hide the error nor keep the place of the call.
    return true
  }
}

const isClass = (value: unknown): value is new (...args: never[]) => Error =>
  typeof value === 'function' && (value === Error || (value as { prototype?: unknown }).prototype instanceof Error)

function isThenable<T>(value: T | PromiseLike<T>): value is PromiseLike<T> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function'
}

const untilOf = (trouble: Trouble): number => Math.max(trouble.until, trouble.floor)

const windowFor = (rules: Rules): Window =>
  rules.windowCalls > 0 ? new CountWindow(rules.windowCalls) : new TimeWindow(rules.windowMs)
