// The time limits of ky, told from a caller who gives up: to fetch, both are the same abort.
import type { TimeLimits } from '@fuseboard/core'
import type { Options } from 'ky'

/** Milliseconds by which a timer may be early, since ky and its timers read the time in different ways. */
const EARLY = 5
/** Milliseconds by which the limit of a body may be late. Whoever aborts after that is not ky. */
const LATE = 1_000

/** @internal The limits of one attempt. */
export class TimeLimit implements TimeLimits {
  readonly #call: Options
  readonly #end: number
  #since: number = performance.now()
  #late = Infinity

  /** @param startedAt when the call began, for the limit on all of it */
  constructor(call: Options, startedAt: number) {
    this.#call = call
    this.#end = startedAt + (call.totalTimeout || Infinity)
  }

  /** The head is there: ky gives the body the same time again. */
  answered(): void {
    this.#since = performance.now()
    this.#late = LATE
  }

  ranOut(reason: unknown): Error | undefined {
    const isKys = (reason as Error | undefined)?.name === 'AbortError' && !this.#call.signal?.aborted && this.#isUp()
    return isKys ? new DOMException('The time limit of ky ran out', 'TimeoutError') : undefined
  }

  #isUp(): boolean {
    const { timeout = 10_000 } = this.#call
    const due = Math.min(this.#since + (timeout || Infinity), this.#end)
    const now = performance.now()
    return now >= due - EARLY && now <= due + this.#late
  }
}
