// Watches how much memory the process takes, and by how much that grew.
const EVERY = 25

export class Memory {
  readonly #timer: NodeJS.Timeout
  #from = Infinity
  #most = 0

  constructor() {
    this.#timer = setInterval(() => this.#look(), EVERY).unref()
  }

  /** What is in use now is where growth begins. */
  begin(): void {
    this.#from = process.memoryUsage.rss()
    this.#most = this.#from
  }

  /** Bytes of resident memory, at most, above those at the beginning. */
  get growth(): number {
    this.#look()
    return this.#most - this.#from
  }

  close(): void {
    clearInterval(this.#timer)
  }

  #look(): void {
    this.#most = Math.max(this.#most, process.memoryUsage.rss())
  }
}
