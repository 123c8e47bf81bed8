// How the last calls of a host went: a window of time or of calls, with running sums.

/** @internal Calls are recorded with a number, by which one may be amended later while the window still holds it. */
export interface Window {
  readonly calls: number
  readonly failures: number
  readonly slow: number
  /** Records a call and gives it its number. */
  record(now: number, failed: boolean, slow: boolean): number
  /** Makes a recorded success a failure; false where it has left the window. */
  amend(call: number, now: number): boolean
  /** Lets go what has become too old. */
  advance(now: number): void
  clear(): void
}

const SLOTS = 10
const CALLS = 0
const FAILURES = 1
const SLOW = 2
const FIELDS = 3

/** @internal The calls of the last so many milliseconds, in ten slots: what leaves does so a tenth at a time. */
export class TimeWindow implements Window {
  calls = 0
  failures = 0
  slow = 0
  readonly #width: number
  readonly #ring: number[] = Array.from({ length: SLOTS * FIELDS }, () => 0)
  #recorded = 0
  /** The absolute number of the newest slot. */
  #slot = 0
  #slotEnd = -Infinity

  constructor(span: number) {
    this.#width = span / SLOTS
  }

  record(now: number, failed: boolean, slow: boolean): number {
    if (now >= this.#slotEnd) this.#roll(now)
    const at = (this.#slot % SLOTS) * FIELDS
    this.#add(at + CALLS, 1)
    this.calls++
    if (failed) {
      this.#add(at + FAILURES, 1)
      this.failures++
    }
    if (slow) {
      this.#add(at + SLOW, 1)
      this.slow++
    }
    return ++this.#recorded
  }

  amend(call: number, now: number): boolean {
    this.advance(now)
    let first = this.#recorded
    if (call > first || call <= first - this.calls) return false
    for (let slot = this.#slot; ; slot--) {
      const at = (slot % SLOTS) * FIELDS
      first -= this.#ring[at + CALLS] as number
      if (call <= first) continue
      this.#add(at + FAILURES, 1)
      this.failures++
      return true
    }
  }

  advance(now: number): void {
    if (now >= this.#slotEnd) this.#roll(now)
  }

  clear(): void {
    this.#ring.fill(0)
    this.calls = this.failures = this.slow = 0
  }

  // Slots are counted from time zero, never from the last call, so that an idle hour empties the window.
  #roll(now: number): void {
    const slot = Math.floor(now / this.#width)
    const gap = slot - this.#slot
    if (gap >= SLOTS) this.clear()
    else for (let next = this.#slot + 1; next <= slot; next++) this.#empty((next % SLOTS) * FIELDS)
    this.#slot = slot
    this.#slotEnd = (slot + 1) * this.#width
  }

  #empty(at: number): void {
    this.calls -= this.#ring[at + CALLS] as number
    this.failures -= this.#ring[at + FAILURES] as number
    this.slow -= this.#ring[at + SLOW] as number
    this.#ring.fill(0, at, at + FIELDS)
  }

  #add(at: number, count: number): void {
    this.#ring[at] = (this.#ring[at] as number) + count
  }
}

const FAILED_BIT = 1
const SLOW_BIT = 2

/** @internal The last so many calls. */
export class CountWindow implements Window {
  calls = 0
  failures = 0
  slow = 0
  readonly #ring: Uint8Array
  #recorded = 0

  constructor(calls: number) {
    this.#ring = new Uint8Array(calls)
  }

  record(_now: number, failed: boolean, slow: boolean): number {
    const at = this.#recorded % this.#ring.length
    if (this.calls === this.#ring.length) this.#forget(this.#ring[at] as number)
    this.#ring[at] = (failed ? FAILED_BIT : 0) | (slow ? SLOW_BIT : 0)
    this.calls++
    if (failed) this.failures++
    if (slow) this.slow++
    return ++this.#recorded
  }

  amend(call: number): boolean {
    if (call > this.#recorded || call <= this.#recorded - this.calls) return false
    const at = (call - 1) % this.#ring.length
    this.#ring[at] = (this.#ring[at] as number) | FAILED_BIT
    this.failures++
    return true
  }

  advance(): void {}

  clear(): void {
    this.calls = this.failures = this.slow = 0
  }

  #forget(bits: number): void {
    this.calls--
    if (bits & FAILED_BIT) this.failures--
    if (bits & SLOW_BIT) this.slow--
  }
}
