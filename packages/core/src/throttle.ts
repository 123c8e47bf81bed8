// Asks an overloaded host for less: refuses by chance what it would not accept (Google's SRE book, "Handling Overload").
import { TimeWindow } from './window.ts'

/** Below 1, or a host that has recovered would never be seen to accept again. */
const MOST = 0.9

/** @internal What was asked for and what was accepted, in a window of time. */
export class Throttle {
  readonly #ratio: number
  /** Its calls are what was asked for, refused ones included; its failures are what was accepted of that. */
  readonly #window: TimeWindow

  constructor(ratio: number, span: number) {
    this.#ratio = ratio
    this.#window = new TimeWindow(span, false)
  }

  /**
   * Counts a call that is asked for.
   * @param minimum how many must have been asked for before one is refused
   * @returns whether it is refused
   */
  refuses(now: number, minimum: number, random: () => number): boolean {
    const window = this.#window
    window.roll(now)
    const { calls: asked, failures: accepted } = window
    window.record(false, false)
    if (asked < minimum) return false
    const drop = (asked - this.#ratio * accepted) / (asked + 1)
    return drop > 0 && random() < Math.min(MOST, drop)
  }

  /** A call that was let through ended well. */
  accepted(now: number): void {
    this.#window.roll(now)
    this.#window.failures++
  }

  clear(): void {
    this.#window.clear()
  }
}
