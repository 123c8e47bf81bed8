// All circuits of a board by key, bounded: the least recently used closed idle one makes room.

/** @internal What the registry must know of a circuit. */
export interface Entry<Self> {
  readonly key: string
  /** Whether losing it loses nothing: closed and idle, or open with nobody asking any more. */
  expendable(now: number): boolean
  /** Whether calls are under way. */
  readonly busy: boolean
  /** It has made room: nobody finds it any more. */
  retire(): void
  older: Self | undefined
  newer: Self | undefined
}

/** @internal Circuits by key. They are linked in the order of their last use, so that making room is O(1) and no call pays for it. */
export class Registry<Circuit extends Entry<Circuit>> {
  /** The most recently used one: a circuit that finds itself here needs no {@link used}. */
  newest: Circuit | undefined
  readonly #circuits = new Map<string, Circuit>()
  readonly #most: number
  #oldest: Circuit | undefined
  /** Not expendable when their turn came: open, held, or paused. */
  readonly #away = new Set<Circuit>()

  constructor(most: number) {
    this.#most = most
  }

  get(key: string): Circuit | undefined {
    return this.#circuits.get(key)
  }

  all(): Iterable<Circuit> {
    return this.#circuits.values()
  }

  add(circuit: Circuit): void {
    this.#circuits.set(circuit.key, circuit)
    this.used(circuit)
  }

  /** Whether one more fits, having let one go where needed. */
  room(now: number): boolean {
    return this.#circuits.size < this.#most || this.#letOneGo(now)
  }

  /** Moves a circuit to the front. */
  used(circuit: Circuit): void {
    if (this.newest === circuit || this.#circuits.get(circuit.key) !== circuit) return
    this.#unlink(circuit)
    this.#away.delete(circuit)
    circuit.older = this.newest
    if (this.newest) this.newest.newer = circuit
    else this.#oldest = circuit
    this.newest = circuit
  }

  // A circuit that may not go leaves the list, to come back when it is used next: each is looked at once for each use.
  #letOneGo(now: number): boolean {
    for (let circuit = this.#oldest; circuit !== undefined; circuit = this.#oldest) {
      this.#unlink(circuit)
      if (circuit.expendable(now)) return this.#remove(circuit)
      if (!circuit.busy) this.#away.add(circuit)
    }
    return this.#letOneAwayGo(now)
  }

  #letOneAwayGo(now: number): boolean {
    let looks = 2
    for (const circuit of this.#away) {
      this.#away.delete(circuit)
      if (circuit.expendable(now)) return this.#remove(circuit)
      this.#away.add(circuit)
      if (--looks === 0) break
    }
    return false
  }

  #remove(circuit: Circuit): true {
    this.#unlink(circuit)
    this.#circuits.delete(circuit.key)
    circuit.retire()
    return true
  }

  #unlink(circuit: Circuit): void {
    const { older, newer } = circuit
    if (older) older.newer = newer
    else if (this.#oldest === circuit) this.#oldest = newer
    if (newer) newer.older = older
    else if (this.newest === circuit) this.newest = older
    circuit.older = circuit.newer = undefined
  }
}
