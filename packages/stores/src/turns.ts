// The calls to a store that answers later: no more at once than it can lose, and those that write a key one after another.

/** How many reads and writes may be without an answer. A store that has gone silent must not fill the memory. */
const MOST_READS = 256
const MOST_WRITES = 16

interface Turn {
  write: () => Promise<unknown>
  readonly done: Promise<void>
}

/** @internal */
export class Turns {
  readonly #writing = new Map<string, Promise<void>>()
  readonly #next = new Map<string, Turn>()
  #reads = 0

  async read<T>(read: () => Promise<T>): Promise<T> {
    if (this.#reads >= MOST_READS) throw new Error(`not asked, ${MOST_READS} reads are without an answer`)
    this.#reads++
    try {
      return await read()
    } finally {
      this.#reads--
    }
  }

  /**
   * On two connections, the write that was sent last may be done first. So a write waits for the one of its key that is
   * under way, and takes the place of one that waits already: a key ends as the last call wants it.
   */
  write(key: string, write: () => Promise<unknown>): Promise<void> {
    const waiting = this.#next.get(key)
    if (waiting) {
      waiting.write = write
      return waiting.done
    }
    const before = this.#writing.get(key)
    if (!before) return this.#start(key, write)

    const inTurn = (): Promise<void> => {
      this.#next.delete(key)
      return this.#start(key, turn.write)
    }
    const turn: Turn = { write, done: before.then(inTurn, inTurn) }
    this.#next.set(key, turn)
    return turn.done
  }

  #start(key: string, write: () => Promise<unknown>): Promise<void> {
    if (this.#writing.size >= MOST_WRITES) {
      return Promise.reject(new Error(`not sent, ${MOST_WRITES} writes are without an answer`))
    }
    const done = Promise.resolve()
      .then(write)
      .then(() => undefined)
      .finally(() => this.#writing.delete(key))
    this.#writing.set(key, done)
    return done
  }
}
