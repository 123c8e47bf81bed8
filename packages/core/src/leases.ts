// The places of the calls that probe a half-open circuit: each is lent for a while, and free again after it.

interface Lease {
  readonly id: number
  readonly until: number
}

/** Numbers go round: no probe outlives a million others. */
const IDS = 2 ** 20

/** @internal */
export class Leases {
  /** Probes of this era that ended well, and that did not. */
  passed = 0
  failed = 0
  #out: readonly Lease[] = []
  #last = 0

  /** Places that are taken, those being free again whose time is over. */
  taken(now: number): number {
    if (this.#out.some(({ until }) => now >= until)) this.#out = this.#out.filter(({ until }) => now < until)
    return this.#out.length
  }

  /** Takes a place. @returns the number of the lease */
  take(until: number): number {
    this.#last = (this.#last + 1) % IDS
    this.#out = [...this.#out, { id: this.#last, until }]
    return this.#last
  }

  giveBack(id: number): void {
    this.#out = this.#out.filter((lease) => lease.id !== id)
  }

  /** When the next place is free by itself; Infinity where none is taken. */
  get nextFree(): number {
    return Math.min(...this.#out.map(({ until }) => until))
  }

  /** A new era: nobody has a place. */
  clear(): void {
    this.#out = []
    this.passed = this.failed = 0
  }
}
