// The time limits of ky, told from a caller who gives up: to fetch, both are the same abort.
import type { Options } from 'ky'

/** Milliseconds by which a timer may be early, since ky and its timers read the time in different ways. */
const EARLY = 5
/** Milliseconds by which the limit of a body may be late. Whoever aborts after that is not ky. */
const LATE = 1_000

/** @internal The limits of one attempt, and a signal that says which abort was one. */
export class TimeLimit {
  readonly #call: Options
  readonly #end: number
  readonly #controller = new AbortController()
  #since: number = performance.now()
  #late = Infinity

  /** @param startedAt when the call began, for the limit on all of it */
  constructor(call: Options, signal: AbortSignal | null | undefined, startedAt: number) {
    this.#call = call
    this.#end = startedAt + (call.totalTimeout || Infinity)
    if (signal?.aborted) this.#abort(signal)
    else signal?.addEventListener('abort', () => this.#abort(signal), { once: true })
  }

  /** Aborts as the signal of the request does, with a TimeoutError where a limit ran out. */
  get signal(): AbortSignal {
    return this.#controller.signal
  }

  /** The head is there: ky gives the body the same time again. */
  answered(): void {
    this.#since = performance.now()
    this.#late = LATE
  }

  #abort({ reason }: AbortSignal): void {
    const isKys = (reason as Error | undefined)?.name === 'AbortError' && !this.#call.signal?.aborted && this.#isUp()
    this.#controller.abort(isKys ? new DOMException('The time limit of ky ran out', 'TimeoutError') : reason)
  }

  #isUp(): boolean {
    const { timeout = 10_000 } = this.#call
    const due = Math.min(this.#since + (timeout || Infinity), this.#end)
    const now = performance.now()
    return now >= due - EARLY && now <= due + this.#late
  }
}
