// How the last calls of a host went: a window of time or of calls, with running sums.

/** @internal Calls are recorded with a number, by which one may be amended later while the window still holds it. */
export interface Window {
  readonly calls: number
  readonly failures: number
  readonly slow: number
  /** From this moment on it must be rolled before a call is recorded. */
  readonly end: number
  /** Records a call and gives it its number, from 1. It takes no time, for a time would be boxed: see {@link roll}. */
  record(failed: boolean, slow: boolean): number
  /** Makes a recorded success a failure; false where it has left the window. */
  amend(call: number, now: number): boolean
  /** Lets go what has become too old. */
  roll(now: number): void
  clear(): void
}

/** Slots before the newest, whose numbers are what the older ones leave of the sums. */
const OLDER = 9
const CALLS = 0
const FAILURES = 1

/** @internal The calls of the last so many milliseconds, in ten slots: what leaves does so a tenth at a time. */
export class TimeWindow implements Window {
  calls = 0
  failures = 0
  slow = 0
  end = 0
  readonly #width: number
  /** Two or three numbers for each older slot, and no longer than it must be: there is one for each host. */
  readonly #ring: number[]
  /** The absolute number of the newest slot. */
  #slot = 0
  /** Calls that were recorded and are no longer in the window. */
  #gone = 0

  constructor(span: number, tellsSlow: boolean) {
    this.#width = Math.ceil(span / (OLDER + 1))
    this.#ring = Array.from({ length: OLDER * (tellsSlow ? 3 : 2) }, () => 0)
  }

  record(failed: boolean, slow: boolean): number {
    if (failed) this.failures++
    if (slow) this.slow++
    return this.#gone + ++this.calls
  }

  amend(call: number, now: number): boolean {
    this.roll(now)
    if (call <= this.#gone) return false
    let first = this.#gone + this.calls - this.#newest(CALLS)
    for (let slot = this.#slot - 1; call <= first; slot--) {
      const at = this.#at(slot)
      first -= this.#ring[at + CALLS] as number
      if (call > first) (this.#ring[at + FAILURES] as number)++
    }
    this.failures++
    return true
  }

  // Slots are counted from time zero, never from the last call, so that an idle hour empties the window.
  roll(now: number): void {
    if (now < this.end) return
    const slot = Math.floor(now / this.#width)
    if (slot - this.#slot > OLDER) this.clear()
    else for (; this.#slot < slot; this.#slot++) this.#close()
    this.#slot = slot
    this.end = (slot + 1) * this.#width
  }

  clear(): void {
    this.#ring.fill(0)
    this.#gone += this.calls
    this.calls = this.failures = this.slow = 0
  }

  // The newest slot takes the place of the oldest.
  #close(): void {
    const at = this.#at(this.#slot)
    const [calls = 0, failures = 0, slow = 0] = this.#ring.slice(at, at + this.#fields)
    for (let field = 0; field < this.#fields; field++) this.#ring[at + field] = this.#newest(field)
    this.#gone += calls
    this.calls -= calls
    this.failures -= failures
    this.slow -= slow
  }

  #newest(field: number): number {
    let rest = [this.calls, this.failures, this.slow][field] as number
    for (let at = field; at < this.#ring.length; at += this.#fields) rest -= this.#ring[at] as number
    return rest
  }

  #at(slot: number): number {
    return (slot % OLDER) * this.#fields
  }

  get #fields(): number {
    return this.#ring.length / OLDER
  }
}

const FAILED_BIT = 1
const SLOW_BIT = 2

/** @internal The last so many calls. */
export class CountWindow implements Window {
  calls = 0
  failures = 0
  slow = 0
  readonly end: number = Infinity
  readonly #ring: Uint8Array
  #recorded = 0

  constructor(calls: number) {
    this.#ring = new Uint8Array(calls)
  }

  record(failed: boolean, slow: boolean): number {
    const at = this.#recorded % this.#ring.length
    if (this.calls === this.#ring.length) this.#forget(this.#ring[at] as number)
    this.#ring[at] = (failed ? FAILED_BIT : 0) | (slow ? SLOW_BIT : 0)
    this.calls++
    if (failed) this.failures++
    if (slow) this.slow++
    return ++this.#recorded
  }

  amend(call: number): boolean {
    if (call <= this.#recorded - this.calls) return false
    const at = (call - 1) % this.#ring.length
    this.#ring[at] = (this.#ring[at] as number) | FAILED_BIT
    this.failures++
    return true
  }

  roll(): void {}

  clear(): void {
    this.calls = this.failures = this.slow = 0
  }

  #forget(bits: number): void {
    this.calls--
    if (bits & FAILED_BIT) this.failures--
    if (bits & SLOW_BIT) this.slow--
  }
}
