// The latest failures of a circuit: how many came in a row, over what time, and what they were.

/** @internal What a failure was: its status, or the code or name of its error. */
export type Kind = string | number

/** How many of the latest are told apart by kind. */
const MOST = 20

/** Over how many of the latest the time to fail is averaged. */
const AVERAGED = 8

interface Failure {
  readonly kind: Kind
  readonly at: number
  older: Failure | undefined
}

/** @internal Made at the first failure. Plain values: no response and no error is kept alive. */
export class Failures {
  /** Failures in a row, and since when. */
  streak = 0
  since = 0
  /** Milliseconds that the latest took, on average; 0 while none is known. */
  meanMs = 0
  #timed = 0
  #latest: Failure | undefined = undefined
  #kept = 0
  /** The good call that ended a streak, which is taken up again where its own body breaks; calls are numbered from 1. */
  #endedBy = 0
  #endedStreak = 0
  #endedSince = 0

  /** A call of a closed circuit failed. */
  add(now: number, kind: Kind): void {
    if (this.streak === 0) this.since = now
    this.streak++
    this.note(now, kind)
  }

  /** A failed call took so long. */
  took(ms: number): void {
    if (this.#timed < AVERAGED) this.#timed++
    this.meanMs += Math.round((ms - this.meanMs) / this.#timed)
  }

  /** A call failed that is in no streak: a probe. */
  note(at: number, kind: Kind): void {
    this.#latest = { kind, at, older: this.#latest }
    if (++this.#kept === 2 * MOST) this.#prune()
  }

  /** A call went well. */
  end(call: number): void {
    this.#endedBy = this.streak === 0 ? 0 : call
    this.#endedStreak = this.streak
    this.#endedSince = this.since
    this.streak = 0
  }

  /** The call that ended a streak did not go well after all, if no other did since. */
  resume(call: number): void {
    if (call !== this.#endedBy) return
    this.#endedBy = 0
    this.since = this.#endedSince
    this.streak += this.#endedStreak
  }

  /** The host is well again. */
  forget(): void {
    this.streak = this.#endedBy = 0
    this.forgetKinds()
  }

  forgetKinds(): void {
    this.#latest = undefined
    this.#kept = 0
  }

  /** How many of the latest there were of each kind, since a moment. */
  kinds(since: number): Record<string, number> {
    const counts: Record<string, number> = {}
    let told = 0
    for (let at = this.#latest; at !== undefined && told < MOST && at.at >= since; at = at.older, told++) {
      counts[at.kind] = (counts[at.kind] ?? 0) + 1
    }
    return counts
  }

  // Twice as many are kept as are told, so that letting go costs next to nothing a failure.
  #prune(): void {
    let at = this.#latest
    for (let i = 1; i < MOST; i++) at = at?.older
    if (at) at.older = undefined
    this.#kept = MOST
  }
}
