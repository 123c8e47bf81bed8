// The clock of a store that only tells it in the `Date` of its answers: each bounds the time a little more.

/** What `Date` leaves out: it is cut to whole seconds. */
const UNTOLD_MS = 1_000

/** @internal */
export class StoreClock {
  // How far the store's clock is ahead of ours: at least, and at most.
  #least = -Infinity
  #most = Infinity

  /**
   * Milliseconds since the epoch, by the store's clock. Ours is taken for right as long as the store has not shown otherwise,
   * and then corrected as little as may be.
   *
   * @param local what our clock shows
   */
  at(local: number): number {
    return local + Math.min(Math.max(0, this.#least), this.#most)
  }

  /**
   * Takes in an answer.
   *
   * @param date its header
   * @param sent what our clock showed as the request left
   * @param received and as the answer had come: the store wrote its date in between
   */
  hear(date: unknown, sent: number, received: number): void {
    const told = typeof date === 'string' ? Date.parse(date) : NaN
    // Our own clock was set back meanwhile.
    if (Number.isNaN(told) || received < sent) return
    const [least, most] = [told - received, told + UNTOLD_MS - sent]
    const agrees = least <= this.#most && most >= this.#least
    // Where it contradicts what was known, one of the clocks was set, and what was known is of the past.
    this.#least = agrees ? Math.max(least, this.#least) : least
    this.#most = agrees ? Math.min(most, this.#most) : most
  }
}
