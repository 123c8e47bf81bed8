// How the service limits its callers: so many requests in a window, and a ban for those who keep asking for what is not there.

const WINDOW = 30_000
const REQUESTS = 15
const NOT_FOUND = 10
const BAN = 3_600_000

/** Counts one caller's requests in fixed windows. All times are divided by `scale`. */
export class Limiter {
  readonly #window: number
  readonly #ban: number
  readonly #epoch: number
  #index = -1
  #requests = 0
  #missing = 0
  #bannedUntil = 0

  /** @param epoch wall time in milliseconds at which a window begins; the real service's windows begin at the Unix epoch, 0 */
  constructor(scale: number, epoch: number) {
    this.#window = WINDOW / scale
    this.#ban = BAN / scale
    this.#epoch = epoch
  }

  /** Whether a request may pass, and if not, which rule it broke. */
  admit(): 'passed' | 'throttled' | 'banned' {
    if (Date.now() < this.#bannedUntil) return 'banned'
    this.#turn()
    return ++this.#requests > REQUESTS ? 'throttled' : 'passed'
  }

  /** A request for something that is not there. Whether it was one too many: its sender is banned now. */
  missed(): boolean {
    this.#turn()
    if (++this.#missing <= NOT_FOUND) return false
    this.#bannedUntil = Date.now() + this.#ban
    return true
  }

  #turn(): void {
    const index = Math.floor((Date.now() - this.#epoch) / this.#window)
    if (index === this.#index) return
    this.#index = index
    this.#requests = 0
    this.#missing = 0
  }
}
