// The breaker of one host: closed while it is well, open while it is not, half-open to find out.
import { ask } from './ask.ts'
import { addCounters, type Counters } from './counters.ts'
import { parse, show, type Duration } from './duration.ts'
import { CircuitOpenError, refuse } from './errors.ts'
import { tellRefused, type Events, type Evidence, type TransitionReason } from './events.ts'
import { transitionOf } from './evidence.ts'
import { explain } from './explain.ts'
import { Failures, type Kind } from './failures.ts'
import { Holds, type Hold, type HoldKind } from './holds.ts'
import type { Verdict } from './outcome.ts'
import { Pending } from './pending.ts'
import { spanOf, type Mode, type Rules } from './policy.ts'
import type { Entry, Registry } from './registry.ts'
import { publicUrl } from './host.ts'
import { isSafe, RequestView, type HttpRequest, type RequestLike } from './request.ts'
import type { SharedCircuit, Sharing } from './sharing.ts'
import { ShadowTally, type ShadowReport } from './shadow.ts'
import type { RefusalReason, State } from './state.ts'
import { runPlain, type Sequel } from './plain-task.ts'
import { runTask, type RunOptions } from './task.ts'
import type { Timeline } from './timeline.ts'
import type { CircuitSnapshot } from './snapshot.ts'
import { Throttle } from './throttle.ts'
import {
  eraOf,
  GHOST,
  isProbe,
  leaseOf,
  nextEra,
  NOTHING,
  probeToken,
  refusalOf,
  refusedFor,
  SAFE,
  STALE,
} from './token.ts'
import { COURTESY, Trouble } from './trouble.ts'
import { CountWindow, TimeWindow, type Window } from './window.ts'

/** @internal What the circuits of one board share. */
export interface Wiring {
  readonly time: Timeline
  readonly random: () => number
  readonly events: Events
  readonly circuits: Registry<Circuit>
  /** What circuits counted that have made room for others. */
  evicted: Counters
  /** What follows the tasks of the circuit that ran one last. */
  sequel: Sequel | undefined
  /** Gives a circuit its share in the fleet, where the board has one. */
  readonly share: ((circuit: SharedCircuit) => Sharing) | undefined
}

/** @internal Who asks for admission: looked at only where it decides something. */
export interface Asker {
  readonly method: string
  readonly host: string
  readonly request: HttpRequest
}

type Machine = 'closed' | 'open' | 'half-open'

/** The rules by which a circuit sees: what it saw by others is not to be compared. */
const SEEING = ['windowMs', 'windowCalls', 'slowAfter', 'throttle', 'mode'] as const

/** The breaker of one host, or of whatever its key names. Made by a board. */
export class Circuit implements Entry<Circuit> {
  readonly key: string
  /** @internal */
  older: Circuit | undefined = undefined
  /** @internal */
  newer: Circuit | undefined = undefined
  /** @internal */
  rules: Rules
  /** @internal It has made room for another. */
  retired = false
  /** @internal */
  readonly wiring: Wiring
  #share: Sharing | undefined = undefined
  #pinned: boolean
  #machine: Machine = 'closed'
  /** Closed, without a hold, a pause or a need of the clock: admission is a count. */
  #calm: boolean
  /** Changes with the circuit, and fences what is under way. */
  #era = 0
  /** When a safe request was last asked for; -1 for never. */
  #safeAt = -1
  #inFlight = 0
  #successes = 0
  #failed = 0
  #ignored = 0
  #refused = 0
  #stale = 0
  #slow = 0
  #fallbacks = 0
  #trips = 0
  #window: Window | undefined = undefined
  #pending: Pending | undefined = undefined
  #failures: Failures | undefined = undefined
  #trouble: Trouble | undefined = undefined
  #throttle: Throttle | undefined = undefined

  /** @internal */
  constructor(key: string, rules: Rules, wiring: Wiring, pinned = false) {
    this.key = key
    this.rules = rules
    this.wiring = wiring
    this.#pinned = pinned
    this.#calm = true
    this.#see(rules)
    this.#equip(rules)
    this.#calm = this.#mayBeCalm
  }

  // What it sees by, with nothing seen yet: one policy needs it and another does not.
  #see({ slowAfter, throttle }: Rules): void {
    this.#pending = slowAfter < Infinity ? new Pending(slowAfter) : undefined
    this.#throttle = throttle < Infinity ? new Throttle(throttle, spanOf(this.rules)) : undefined
  }

  #equip({ mode }: Rules): void {
    if (mode === 'on') this.#share ??= this.wiring.share?.(this.#shared())
    else {
      this.#share?.end()
      this.#share = undefined
    }
  }

  /** What people call it: the policy's `label`, or the key. */
  get label(): string {
    return this.rules.label ?? this.key
  }

  /** Whether it acts on what it finds: in shadow it only says what it would do. */
  get mode(): Mode {
    return this.rules.mode
  }

  /** What a call would meet now. Asking changes nothing: an open circuit whose time is over shows as half-open. */
  get state(): State {
    const trouble = this.#trouble
    if (trouble === undefined) return this.#machine
    const shown = this.#shown
    return shown === 'open' && this.wiring.time.thawed() >= trouble.until ? 'half-open' : shown
  }

  /**
   * Milliseconds for which calls are refused from now on, as far as is known: what to answer a caller as Retry-After before anything
   * is sent. Undefined where calls go through, and where nobody can tell: while it is isolated, say.
   */
  get retryAfterMs(): number | undefined {
    return this.rules.mode === 'on' ? this.#refusedFor(this.wiring.time.thawed()) : undefined
  }

  /** What it has counted since it was made. */
  get counters(): Counters {
    const trouble = this.#trouble
    return {
      successes: this.#successes,
      failures: this.#failed,
      ignored: this.#ignored,
      refused: this.#refused,
      stale: this.#stale,
      slow: this.#slow,
      fallbacks: this.#fallbacks,
      trips: this.#trips,
      inFlight: this.#inFlight,
      openMs: trouble?.openTime(this.#shown, this.wiring.time.thawed()) ?? 0,
      savedMs: trouble?.savedMs ?? 0,
    }
  }

  /** The calls in its window: what `failureRate` and `slowRate` are shares of. */
  get window(): Pick<Evidence, 'calls' | 'failures' | 'slow'> {
    this.#window?.roll(this.wiring.time.thawed())
    const { calls = 0, failures = 0, slow = 0 } = this.#window ?? {}
    return { calls, failures, slow }
  }

  /**
   * Asks leave to make one call. Every token must be settled once; prefer {@link run} or `board.attempt`, which see to it.
   *
   * @param startedAt where `slowAfter` is set: the board's time, the same as is given to {@link settle}
   * @returns a token, or a negative number where the call must not be made: see {@link refusal}
   */
  admit(asker?: Asker, startedAt?: number): number {
    if (!this.#calm || (this.#share !== undefined && this.#mustLook(this.#share, startedAt))) {
      return this.#admitWithCare(asker, startedAt)
    }
    this.#inFlight++
    return asker !== undefined && isSafe(asker.method) ? this.#era + SAFE : this.#era
  }

  #mustLook({ lookAt }: Sharing, startedAt: number | undefined): boolean {
    return lookAt < Infinity && (startedAt ?? this.wiring.time.now()) >= lookAt
  }

  /**
   * @internal What a call waits for before it asks for leave, where it can: the fleet is asked first if it was not seen for
   * long, or if the call may probe.
   */
  consult(like?: RequestLike, host: string = this.key): Promise<void> | undefined {
    const share = this.#share
    if (share === undefined || (this.#calm && share.lookAt === Infinity)) return undefined
    const now = this.wiring.time.thawed()
    if (this.#calm && now < share.lookAt) return undefined
    const trouble = this.#trouble
    if (trouble !== undefined && (trouble.holds.any || now < trouble.pausedUntil)) return undefined
    if (trouble === undefined || this.#machine === 'closed') return share.viewed(now)
    if (now < trouble.until || trouble.leases.taken(now) >= this.rules.permits) return undefined
    const asker = like && { method: like.method, host, request: new RequestView(like, host) }
    const safe = asker !== undefined && isSafe(asker.method)
    return this.#mayProbe(trouble, asker, safe, now) ? share.leased(now) : undefined
  }

  /**
   * Says how an admitted call went. A result of an earlier era decides nothing.
   *
   * @param startedAt the board's time at admission, where it is known: it tells slow calls
   * @returns the number to amend it by, or a negative one where there is nothing to amend
   */
  settle(token: number, verdict: Verdict, startedAt = -1, kind: Kind = 'failure'): number {
    this.#inFlight--
    const { circuits } = this.wiring
    if (circuits.newest !== this) circuits.used(this)
    const flags = token - this.#era
    const plain = this.#pending === undefined && this.#throttle === undefined
    if (verdict !== 'success' || !plain || (flags !== 0 && flags !== SAFE)) {
      return this.#settleWithCare(token, verdict, startedAt, kind)
    }
    this.#successes++
    const now = this.wiring.time.now()
    if (flags === SAFE) this.#safeAt = now
    const window = (this.#window ??= windowFor(this.rules))
    if (now >= window.end) window.roll(now)
    const call = window.record(false, false)
    if (this.#failures !== undefined) this.#failures.end(call)
    if (window.failures > 0) this.#evaluate(window, now)
    return call
  }

  /**
   * Makes a settled success a failure, once: its body broke, or the caller says that it was none.
   *
   * @internal
   * @returns whether it belonged to an era that is over
   */
  amend(token: number, call: number, kind: Kind): boolean {
    this.#successes--
    this.#failed++
    if (token === GHOST) {
      this.#trouble?.shadow?.amended()
      return false
    }
    const now = this.wiring.time.thawed()
    if (isProbe(token)) return this.#amendProbe(token, call, now, kind)
    if (eraOf(token) !== this.#era || call < 0 || !this.#window?.amend(call, now)) return this.#late()

    const failures = (this.#failures ??= new Failures())
    failures.resume(call)
    failures.add(now, kind)
    this.#evaluate(this.#window, now)
    this.#tellFailed(now)
    return false
  }

  /**
   * @internal A counted failure said when to come back: the open time is at least that long. A call that would have been refused
   * would not have been told.
   */
  holdOff(ms: number, token?: number): void {
    if (token === GHOST) return
    const trouble = (this.#trouble ??= new Trouble())
    trouble.floor = Math.max(trouble.floor, this.wiring.time.thawed() + Math.min(ms, this.rules.maxPause))
  }

  /** @internal The host, or the policy, wants no calls for a while: refused until then, and then as before. */
  pause(ms: number, token?: number): void {
    if (!(ms > 0) || token === GHOST) return
    const trouble = (this.#trouble ??= new Trouble())
    trouble.pausedUntil = Math.max(trouble.pausedUntil, this.wiring.time.thawed() + Math.min(ms, this.rules.maxPause))
    this.#calm = false
  }

  /** @internal A reply stood in. */
  stoodIn(): void {
    this.#fallbacks++
  }

  /** The error for a call that was refused just now. It was not sent. */
  refusal(token: number, host: string = this.key): CircuitOpenError {
    const reason = refusalOf(token)
    const retryAfterMs = this.#trouble?.retryAfter(reason, this.#trouble.askedAt, this.rules.permits)
    const why = reason === 'paused' ? `${this.label} asked for a pause` : (this.#trouble?.opened?.message ?? '')
    return refuse({ key: this.key, host, label: this.label, reason, retryAfterMs, why }, this.rules.stack)
  }

  /**
   * Runs a task if the circuit allows it.
   *
   * @returns what the task gives
   * @throws CircuitOpenError (as a rejection) where it was refused; what the task throws
   */
  run<T>(task: () => T | PromiseLike<T>, options?: RunOptions): Promise<T> {
    const wait = this.#share && this.consult()
    return wait === undefined ? this.#run(task, options) : wait.then(() => this.#run(task, options))
  }

  #run<T>(task: () => T | PromiseLike<T>, options: RunOptions | undefined): Promise<T> {
    const { settled } = this.wiring.events.heard
    const isPlain = options === undefined && this.#pending === undefined && settled === undefined
    return isPlain && typeof task === 'function' ? runPlain(this, task) : runTask(this, task, options)
  }

  /** Why it is as it is, for people. */
  explain(): string {
    const now = this.wiring.time.thawed()
    const { label, mode, state, window, counters } = this
    const streak = this.#failures?.streak ?? 0
    const wait = mode === 'off' ? undefined : this.#refusedFor(now)
    const fleet = this.#share?.explain(now)
    return explain({ label, mode, state, window, counters, streak, wait, fleet, trouble: this.#trouble })
  }

  /** For logs: what it is called, how it is, and what it counted. */
  toJSON(): { readonly key: string; readonly label: string; readonly state: State; readonly counters: Counters } {
    const { key, label, state, counters } = this
    return { key, label, state, counters }
  }

  /** Closes it and forgets what it saw. Holds and pauses end. In a fleet: for all of its instances. */
  reset(): void {
    this.#share?.reset()
    const trouble = this.#trouble
    const from = this.#shown
    if (trouble !== undefined) {
      trouble.countOpen(from, this.wiring.time.thawed())
      trouble.openUntil = trouble.floor = trouble.pausedUntil = trouble.trips = 0
      // Holds that are still in somebody's hands are void.
      trouble.holds = new Holds()
    }
    this.#become('closed', 'by-hand', from)
  }

  /**
   * Opens it by hand. It never shortens an open time. In a fleet: for all of its instances.
   *
   * @param duration how long. @default the policy's `openFor`
   * @throws RangeError where it is no duration longer than 0
   */
  trip(duration?: Duration): void {
    const ms = parse(duration)
    if (duration !== undefined && !((ms ?? 0) > 0)) {
      throw new RangeError(`trip(for) must be a duration longer than 0, got ${show(duration)}`)
    }
    const trouble = (this.#trouble ??= new Trouble())
    const before = this.#machine === 'open' ? trouble.openUntil : 0
    // Letting go of a hold does not undo it.
    trouble.holds.onClosed = false
    this.#open('by-hand', trouble.trips, ms, before)
  }

  /** Holds it open until let go: every call is refused. Holds are counted. In a fleet: for all of its instances. */
  isolate(reason?: string): Hold {
    return this.#holdForAll('isolated', reason)
  }

  /**
   * Holds it closed until let go: every call goes through and is still counted. Holds are counted; an isolation is stronger.
   * In a fleet: for all of its instances.
   */
  bypass(reason?: string): Hold {
    return this.#holdForAll('bypassed', reason)
  }

  /** @internal Whether it goes by these rules. */
  goesBy(rules: Rules): boolean {
    return rules === this.rules || isSame(rules, this.rules)
  }

  /** @internal A guard has claimed it, with a policy of its own. */
  get pinned(): boolean {
    return this.#pinned
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
    if (trouble.holds.any || now < trouble.pausedUntil) return false
    if (this.#machine === 'closed') return true
    return now > Math.max(trouble.until, trouble.askedAt) + spanOf(this.rules)
  }

  /** @internal */
  retire(): void {
    this.retired = true
    this.#share?.end()
    this.wiring.evicted = addCounters(this.wiring.evicted, this.counters)
  }

  /** @internal A guard claims it by its name, with a policy: false where another did, with another. */
  pin(rules: Rules): boolean {
    if (this.#pinned) return this.goesBy(rules)
    this.#pinned = true
    this.configure(rules)
    return true
  }

  /** @internal Goes by other rules from now on. Its state stays; what it has seen is forgotten where it was seen otherwise. */
  configure(rules: Rules): void {
    const before = this.rules
    this.rules = rules
    if (SEEING.some((name) => rules[name] !== before[name])) {
      this.#window = undefined
      this.#failures?.forget()
      // What is under way began by other rules.
      this.#era = nextEra(this.#era)
      this.#trouble?.leases.clear()
      this.#see(rules)
    }
    const trouble = this.#trouble
    if (rules.mode === 'shadow' && before.mode !== 'shadow' && trouble !== undefined) {
      trouble.shadow = new ShadowTally(this.#trips, this.counters.openMs)
    }
    this.#equip(rules)
    this.#calm = false
  }

  /** @internal What is worth keeping over a restart; undefined where nothing is. */
  save(): CircuitSnapshot | undefined {
    const trouble = this.#trouble
    if (trouble === undefined) return undefined
    const { key } = this
    const now = this.wiring.time.thawed()
    const ahead = this.wiring.time.wall() - now
    const pause = now < trouble.pausedUntil ? { pausedUntil: trouble.pausedUntil + ahead } : undefined
    if (this.#machine === 'closed') return pause && { key, state: 'closed', ...pause }
    return { key, state: 'open', until: trouble.until + ahead, trips: trouble.trips, ...pause }
  }

  /**
   * @internal Takes over what was saved. No clock that was set otherwise holds it open for longer than its policy would, and by
   * chance a little longer, so that those that were saved together do not all probe at once.
   * @returns why not; undefined where it did
   */
  load({ state, until = 0, trips = 0, pausedUntil }: CircuitSnapshot): string | undefined {
    if (this.state !== 'closed') return `it is ${this.state} already`
    const { openFrom, openTo, openJitter, maxPause } = this.rules
    const { time, random } = this.wiring
    const left = until - time.wall()
    if (pausedUntil !== undefined) this.pause(Math.min(pausedUntil - time.wall(), maxPause))
    if (state === 'closed') return undefined
    const longest = Math.max(openTo * (1 + openJitter), maxPause)
    const trouble = (this.#trouble ??= new Trouble())
    trouble.askedAt = time.thawed()
    trouble.openUntil = Math.ceil(trouble.askedAt + Math.min(Math.max(left, 0), longest) + random() * 0.2 * openFrom)
    trouble.trips = trips
    this.#become('open', 'restored')
    return undefined
  }

  /** @internal What it would have done, where it is in shadow and would have done anything. */
  get shadow(): ShadowReport | undefined {
    const trouble = this.#trouble
    if (this.rules.mode !== 'shadow' || trouble === undefined) return undefined
    return (trouble.shadow ?? new ShadowTally()).report(this, trouble.opened)
  }

  /** @internal Admits a task that is no HTTP request. */
  admitTask(startedAt?: number): number {
    const token = this.admit(undefined, startedAt)
    const { events, time } = this.wiring
    if (token < 0 && events.heard.refused) tellRefused(events, time.wall(), this.refusal(token))
    return token
  }

  #holdForAll(kind: HoldKind, reason: string | undefined): Hold {
    if (reason !== undefined && typeof reason !== 'string') {
      throw new TypeError(`The reason of a hold must be a string, got ${show(reason)}`)
    }
    if (this.#share === undefined) return this.#hold(kind, reason)
    const release = this.#share.hold(kind, reason)
    return { release, [Symbol.dispose]: release }
  }

  #hold(kind: HoldKind, reason: string | undefined): Hold {
    const { holds } = (this.#trouble ??= new Trouble())
    const from = this.#shown
    if (!holds.any) holds.onClosed = this.#machine === 'closed'
    const letGo = holds.put(kind, reason)
    this.#turn(from, 'by-hand')

    let held = true
    const release = (): void => {
      if (!held || this.#trouble?.holds !== holds) return
      held = false
      const from = this.#shown
      letGo()
      if (!holds.any) this.#machine = holds.onClosed ? 'closed' : 'half-open'
      this.#turn(from, 'by-hand')
    }
    return { release, [Symbol.dispose]: release }
  }

  #admitWithCare(asker: Asker | undefined, startedAt: number | undefined): number {
    if (this.rules.mode === 'off') return this.#pass()
    const { time } = this.wiring
    const trouble = this.#trouble
    const now = this.#machine === 'closed' && trouble === undefined ? (startedAt ?? time.now()) : time.thawed()
    const safe = asker !== undefined && isSafe(asker.method)
    if (safe) this.#safeAt = now
    this.#share?.asked(now)
    if (trouble !== undefined) {
      trouble.askedAt = now
      const held = trouble.holds.kind
      if (held === 'isolated') return this.#refuse('isolated', asker)
      if (held === undefined) {
        if (now < trouble.pausedUntil) return this.#refuse('paused', asker)
        if (this.#machine === 'open' && now < trouble.until) return this.#refuse('open', asker)
        if (this.#machine === 'open') {
          this.#become('half-open', 'elapsed')
          // Who heard of it may have changed it again.
          return this.#admitWithCare(asker, startedAt)
        }
        if (this.#machine === 'half-open') return this.#admitProbe(trouble, asker, safe, now)
      }
    }
    this.#calm = this.#mayBeCalm && !this.#held
    if (this.#pending !== undefined && this.#tooManyOverdue(this.#pending, now)) return this.#refuse('open', asker)
    const limit = this.#held ? undefined : this.#limit(now)
    if (limit !== undefined) return this.#refuse(limit, asker)
    this.#pending?.add(startedAt ?? now)
    this.#inFlight++
    return this.#era + (safe ? SAFE : 0)
  }

  #admitProbe(trouble: Trouble, asker: Asker | undefined, safe: boolean, now: number): number {
    if (trouble.leases.taken(now) >= this.rules.permits) return this.#refuse('probing', asker)
    if (!this.#mayProbe(trouble, asker, safe, now)) return this.#refuse('probing', asker)
    if (this.#share !== undefined && !this.#share.mayProbe(now)) return this.#refuse('probing', asker)
    this.#inFlight++
    const lease = trouble.leases.take(now + this.rules.within)
    this.#share?.probing(lease)
    return probeToken(lease, this.#era, safe)
  }

  #mayProbe(trouble: Trouble, asker: Asker | undefined, safe: boolean, now: number): boolean {
    const { probe } = this.rules
    if (probe !== undefined && asker !== undefined) {
      const may = ask(
        () => probe(asker.request),
        readYesOrNo,
        (why) => this.wiring.events.warn('probe', `probe of ${this.label} failed: ${why}`),
      )
      if (may !== undefined) return may
    }
    if (safe || now >= trouble.probingFrom + COURTESY) return true
    return this.#safeAt < 0 || now - this.#safeAt > spanOf(this.rules)
  }

  /** Why a closed circuit does not let one more through. */
  #limit(now: number): 'full' | 'throttled' | undefined {
    const { maxInFlight, minimumCalls } = this.rules
    if (this.#inFlight - (this.#trouble?.shadow?.underWay ?? 0) >= maxInFlight) return 'full'
    return this.#throttle?.refuses(now, minimumCalls, this.wiring.random) ? 'throttled' : undefined
  }

  /** Lets a call through that decides nothing. */
  #pass(): number {
    this.#inFlight++
    return GHOST
  }

  #refuse(reason: RefusalReason, asker: Asker | undefined): number {
    const trouble = this.#trouble
    const token = refusedFor(reason)
    if (this.rules.mode === 'on') {
      this.#refused++
      if (trouble !== undefined && (reason === 'open' || reason === 'probing')) {
        trouble.savedMs += this.#failures?.meanMs ?? 0
      }
      return token
    }
    const { events } = this.wiring
    if (events.heard.refused) {
      const url = asker && publicUrl(asker.request.url)
      tellRefused(events, this.wiring.time.wall(), this.refusal(token, asker?.host), asker?.method, url, true)
    }
    ;((this.#trouble ??= new Trouble()).shadow ??= new ShadowTally()).wouldRefuse()
    return this.#pass()
  }

  // A hung host answers nothing, so its silence must count before any call ends.
  #tooManyOverdue(pending: Pending, now: number): boolean {
    if (this.#held) return false
    const overdue = pending.overdue(now)
    if (overdue === 0) return false
    const { minimumCalls, slowAfter, slowRate } = this.rules
    const window = (this.#window ??= windowFor(this.rules))
    window.roll(now)
    const calls = window.calls + overdue
    const slow = calls >= minimumCalls && window.slow + overdue >= slowRate * calls
    // A busy host has a window full of good calls when it begins to hang: no share of them would be reached for long.
    const silent = overdue >= minimumCalls && now - pending.answeredAt > slowAfter
    if (slow || silent) this.#open(slow ? 'slow-calls' : 'unanswered-calls', this.#trouble?.trips ?? 0)
    return slow || silent
  }

  get #held(): boolean {
    return this.#trouble !== undefined && this.#trouble.holds.any
  }

  get #shown(): State {
    return this.#trouble?.holds.kind ?? this.#machine
  }

  // What is no good result of an ordinary call of this era.
  #settleWithCare(token: number, verdict: Verdict, startedAt: number, kind: Kind): number {
    if (verdict === 'success') this.#successes++
    else if (verdict === 'failure') this.#failed++
    else this.#ignored++
    if (token === GHOST) {
      this.#trouble?.shadow?.ended(verdict)
      return NOTHING
    }
    const { time } = this.wiring
    // Those that were under way when it opened tell best how long a call hangs.
    if (verdict === 'failure' && startedAt >= 0) (this.#failures ??= new Failures()).took(time.thawed() - startedAt)
    if (eraOf(token) !== this.#era) {
      this.#stale++
      return STALE
    }
    if (isProbe(token)) return this.#settleProbe(token, verdict, startedAt, kind, time.thawed())

    const pending = this.#pending
    if (verdict === 'ignored' && pending === undefined) return NOTHING
    const now = verdict === 'failure' ? time.thawed() : time.now()
    if (token !== this.#era) this.#safeAt = now
    if (startedAt >= 0) pending?.remove(startedAt, now)
    if (verdict === 'success' && pending !== undefined) pending.answeredAt = now
    if (verdict === 'success') this.#throttle?.accepted(now)
    if (verdict === 'ignored') return NOTHING

    const slow = startedAt >= 0 && now - startedAt > this.rules.slowAfter
    if (slow) this.#slow++
    const window = (this.#window ??= windowFor(this.rules))
    if (now >= window.end) window.roll(now)
    const call = window.record(verdict === 'failure', slow)
    if (verdict === 'failure') (this.#failures ??= new Failures()).add(now, kind)
    else this.#failures?.end(call)
    if (window.failures > 0 || window.slow > 0) this.#evaluate(window, now)
    if (verdict === 'failure') this.#tellFailed(now)
    return call
  }

  #tellFailed(now: number): void {
    if (this.#share !== undefined && this.#machine === 'closed') this.#share.failed(now)
  }

  #settleProbe(token: number, verdict: Verdict, startedAt: number, kind: Kind, now: number): number {
    const trouble = this.#trouble as Trouble
    trouble.leases.giveBack(leaseOf(token))
    const slow = verdict !== 'ignored' && startedAt >= 0 && now - startedAt > this.rules.slowAfter
    if (slow) this.#slow++
    const ok = verdict === 'ignored' ? undefined : verdict === 'success' && !slow
    const passedByAll = this.#share?.probed(leaseOf(token), ok, now)
    if (verdict === 'ignored') return NOTHING
    if (verdict === 'failure' || slow) {
      this.#probeFailed(trouble, now, verdict === 'failure' ? kind : 'slow')
      // It has had its say: a broken body adds nothing.
      return NOTHING
    }
    trouble.leases.passed++
    if ((passedByAll ?? trouble.leases.passed) >= this.rules.need) {
      trouble.closedBy = token
      trouble.tripsBefore = trouble.trips
      this.#become('closed', 'probe-succeeded')
    }
    return 0
  }

  #probeFailed(trouble: Trouble, now: number, kind: Kind): void {
    const { permits, need } = this.rules
    ;(this.#failures ??= new Failures()).note(now, kind)
    if (++trouble.leases.failed > Math.max(0, permits - need)) this.#open('probe-failed', trouble.trips)
  }

  #amendProbe(token: number, call: number, now: number, kind: Kind): boolean {
    const trouble = this.#trouble as Trouble
    const era = eraOf(token)
    if (era === this.#era) {
      if (call === NOTHING) return false
      trouble.leases.passed--
      this.#probeFailed(trouble, now, kind)
      return false
    }
    const closedIt = nextEra(era) === this.#era && trouble.closedBy === token
    if (!closedIt || this.#held) return this.#late()
    ;(this.#failures ??= new Failures()).note(now, kind)
    this.#open('body-broke', trouble.tripsBefore)
    return false
  }

  #late(): true {
    this.#stale++
    return true
  }

  #evaluate(window: Window, now: number): void {
    const { rules } = this
    if (this.#held) return
    const trips = this.#trouble?.trips ?? 0
    const { streak, since } = this.#failures ?? NO_FAILURES
    if (streak >= rules.streak && now - since >= rules.streakOver) return this.#open('consecutive-failures', trips)
    if (window.calls < rules.minimumCalls) return
    if (window.failures >= rules.failureRate * window.calls) this.#open('failure-rate', trips)
    else if (window.slow >= rules.slowRate * window.calls) this.#open('slow-calls', trips)
  }

  #open(reason: TransitionReason, trips: number, ms?: number, atLeast = 0): void {
    const { openFrom, openTo, openFactor, openJitter } = this.rules
    const trouble = (this.#trouble ??= new Trouble())
    const grown =
      Math.min(openTo, openFrom * openFactor ** trips) * (1 + openJitter * (openJitter && this.wiring.random()))
    trouble.askedAt = this.wiring.time.thawed()
    trouble.countOpen(this.#shown, trouble.askedAt)
    trouble.openUntil = Math.max(trouble.askedAt + Math.ceil(ms ?? grown), atLeast)
    trouble.trips = trips + 1
    if (this.#machine !== 'open') this.#trips++
    this.#become('open', reason)
    if (reason === 'by-hand') this.#share?.trip(trouble.openUntil - trouble.askedAt)
    else this.#share?.opened(trouble.askedAt, Math.max(0, trouble.floor - trouble.askedAt))
  }

  #shared(): SharedCircuit {
    return {
      key: this.key,
      rules: () => this.rules,
      closed: () => this.#machine === 'closed',
      streak: () => this.#failures?.streak ?? 0,
      streakSince: () => this.#failures?.since ?? 0,
      good: () => this.#successes,
      bad: () => this.#failed,
      followOpen: (until, reason) => this.#followOpen(until, reason),
      followClosed: () => this.#become('closed', 'fleet-closed'),
      followHold: (kind, reason) => {
        const hold = this.#hold(kind, reason)
        return () => hold.release()
      },
    }
  }

  #followOpen(until: number, reason: TransitionReason): void {
    const trouble = (this.#trouble ??= new Trouble())
    trouble.openUntil = until
    if (this.#machine === 'open') return
    trouble.askedAt = this.wiring.time.thawed()
    trouble.trips++
    this.#trips++
    this.#become('open', reason)
  }

  get #mayBeCalm(): boolean {
    const { mode, maxInFlight } = this.rules
    if (this.#pending !== undefined || this.#throttle !== undefined || maxInFlight < Infinity) return false
    return mode !== 'off'
  }

  #become(to: Machine, reason: TransitionReason, from: State = this.#shown): void {
    this.#machine = to
    this.#turn(from, reason)
  }

  // Every change comes through here: the era fences what is under way, and the change is whole before it is told.
  #turn(from: State, reason: TransitionReason): void {
    const trouble = (this.#trouble ??= new Trouble())
    const now = this.wiring.time.thawed()
    const to = this.#shown
    trouble.countOpen(from, now)
    const evidence = this.#evidence(now, reason)
    this.#era = nextEra(this.#era)
    trouble.leases.clear()
    this.#pending?.clear()
    if (to === 'closed') {
      this.#window?.clear()
      this.#throttle?.clear()
      this.#failures?.forget()
      trouble.trips = 0
    } else if (to === 'half-open') {
      this.#failures?.forgetKinds()
      trouble.probingFrom = reason === 'elapsed' ? trouble.until : now
    }
    this.#calm = to === 'closed' && this.#mayBeCalm && now >= trouble.pausedUntil

    if (from === to && reason !== 'by-hand') return
    trouble.last = transitionOf(this, trouble, { from, to, reason, at: this.wiring.time.wall(), evidence }, now)
    if (to === 'open' || to === 'isolated') trouble.opened = trouble.last
    if (from === to) return
    const { circuits, events } = this.wiring
    circuits.used(this)
    if (events.heard.transition) events.tell('transition', trouble.last)
  }

  #evidence(now: number, reason: TransitionReason): Evidence {
    this.#window?.roll(now)
    const { calls = 0, failures = 0, slow = 0 } = this.#window ?? {}
    const { streak, since } = this.#failures ?? NO_FAILURES
    return {
      calls,
      failures,
      slow,
      overdue: this.#pending?.overdue(now) ?? 0,
      streak,
      streakMs: streak > 0 ? now - since : 0,
      kinds: this.#failures?.kinds(reason === 'consecutive-failures' ? since : now - spanOf(this.rules)) ?? {},
    }
  }

  #refusedFor(now: number): number | undefined {
    const { state } = this
    if (state === 'isolated' || state === 'bypassed') return undefined
    return this.#trouble?.retryAfter(state === 'open' ? 'open' : 'paused', now, this.rules.permits) || undefined
  }
}

// What Node prints of one: not all the circuits that it is linked with.
Object.defineProperty(Circuit.prototype, Symbol.for('nodejs.util.inspect.custom'), {
  value(this: Circuit) {
    return this.toJSON()
  },
})

function readYesOrNo(said: unknown): boolean {
  if (typeof said === 'boolean') return said
  throw new TypeError(`it must answer true or false, got ${show(said)}`)
}

// A list of fallbacks is made anew each time, and no guard has one.
const isSame = (one: Rules, other: Rules): boolean =>
  Object.entries(one).every(([name, value]) => name === 'fallbacks' || value === other[name as keyof Rules])

const NO_FAILURES = { streak: 0, since: 0 }

const windowFor = (rules: Rules): Window =>
  rules.windowCalls > 0
    ? new CountWindow(rules.windowCalls)
    : new TimeWindow(rules.windowMs, rules.slowAfter < Infinity)
