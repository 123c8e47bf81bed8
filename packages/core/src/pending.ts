// Calls that are still unanswered, by when they began: those that are slow already count before they end.

/** A call is overdue once its slot lies 32 behind, so the 33rd slot is the one that may still be young. */
const SLOTS = 33

/** @internal Counts the unanswered calls of a circuit that are older than `slowAfter` (by up to a 32nd more): O(1), no timers. */
export class Pending {
  /** When a call was last answered well. */
  answeredAt = 0
  readonly #width: number
  readonly #ring: number[] = Array.from({ length: SLOTS }, () => 0)
  #slot = 0
  #overdue = 0

  constructor(slowAfter: number) {
    this.#width = slowAfter / (SLOTS - 1)
  }

  add(now: number): void {
    this.#advance(now)
    const at = this.#slot % SLOTS
    this.#ring[at] = (this.#ring[at] as number) + 1
  }

  remove(startedAt: number, now: number): void {
    this.#advance(now)
    const slot = Math.floor(startedAt / this.#width)
    if (slot <= this.#slot - SLOTS) this.#overdue--
    else this.#ring[slot % SLOTS] = (this.#ring[slot % SLOTS] as number) - 1
  }

  overdue(now: number): number {
    this.#advance(now)
    return this.#overdue
  }

  clear(): void {
    this.#ring.fill(0)
    this.#overdue = 0
  }

  #advance(now: number): void {
    const slot = Math.floor(now / this.#width)
    for (let next = Math.max(this.#slot, slot - SLOTS) + 1; next <= slot; next++) {
      this.#overdue += this.#ring[next % SLOTS] as number
      this.#ring[next % SLOTS] = 0
    }
    this.#slot = slot
  }
}
