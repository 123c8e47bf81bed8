// What a circuit needs to know only once it is not simply closed, so that a healthy one stays small.
import type { TransitionEvent } from './events.ts'
import { Holds } from './holds.ts'
import { Leases } from './leases.ts'
import type { ShadowTally } from './shadow.ts'
import type { RefusalReason, State } from './state.ts'

/** @internal Milliseconds for which safe requests go first, and the longest wait that a probe under way is given as. */
export const COURTESY = 1_000

/** @internal Moments are milliseconds on the board's clock. */
export class Trouble {
  /** It opened until then, if the host did not name a later moment. */
  openUntil = 0
  floor = 0
  /** When it became half-open. */
  probingFrom = 0
  pausedUntil = 0
  /** How long it refused all calls before its present state, and since when it has that. */
  openMs = 0
  since = 0
  /** Milliseconds that refusals saved. */
  savedMs = 0
  /** How often it opened in a row. */
  trips = 0
  /** The probe whose head closed the circuit, and the trips before it did. */
  closedBy = -1
  tripsBefore = 0
  /** When somebody last asked for leave. */
  askedAt = 0
  /** What it would have done, once it is in shadow. */
  shadow: ShadowTally | undefined = undefined
  holds: Holds = new Holds()
  /** The last change, and the last one that made it refuse. */
  last: TransitionEvent | undefined = undefined
  opened: TransitionEvent | undefined = undefined
  readonly leases: Leases = new Leases()

  /** When it may probe. */
  get until(): number {
    return Math.max(this.openUntil, this.floor)
  }

  /** How long it has refused all calls. Once its open time is over it would let one through, whether or not one comes. */
  openTime(shown: State, now: number): number {
    if (shown !== 'open' && shown !== 'isolated') return this.openMs
    const end = shown === 'open' ? Math.min(now, this.until) : now
    return this.openMs + Math.max(0, end - this.since)
  }

  /** Counts what of its open time has passed, before its state or the end of that time changes. */
  countOpen(shown: State, now: number): void {
    this.openMs = this.openTime(shown, now)
    this.since = now
  }

  /**
   * Milliseconds until a call that is refused for this reason may go through, as far as is known.
   * @param permits how many may probe at a time
   */
  retryAfter(reason: RefusalReason, now: number, permits: number): number | undefined {
    if (reason === 'isolated' || reason === 'throttled' || reason === 'full') return undefined
    if (reason === 'paused') return Math.max(0, this.pausedUntil - now)
    if (reason === 'open') return Math.max(0, this.until - now, this.pausedUntil - now)
    const full = this.leases.taken(now) >= permits
    const first = this.probingFrom + COURTESY - now
    return Math.min(COURTESY, full ? this.leases.nextFree - now : first > 0 ? first : COURTESY)
  }
}
