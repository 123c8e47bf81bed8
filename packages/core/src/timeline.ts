// The time of a board: it never goes back, and it counts what a frozen process slept through.
import { inWords } from './ask.ts'

/** Where a board reads the time. */
export interface Clock {
  /** Milliseconds from any origin, which only grow. @default performance.now() */
  now(): number
  /** Milliseconds since the epoch. @default Date.now(), or derived from `now` where that is given */
  wall?(): number
  /** Calls back once so many milliseconds have passed. @returns what calls it off. @default setTimeout */
  after?(ms: number, then: () => void): () => void
}

/** Wall time this far ahead of the monotonic clock means that the process was frozen; less is the clocks' own drift. */
const FREEZE = 1_000

/** @internal One clock for everything. It is looked up at each read, so that fake timers are seen. */
export class Timeline {
  readonly #clock: Clock | undefined
  readonly #warn: (code: string, message: string) => void
  #last = 0
  #offset = 0
  #anchorNow = 0
  #anchorWall: number = Date.now()

  constructor(clock: Clock | undefined, warn: (code: string, message: string) => void) {
    this.#clock = clock
    this.#warn = warn
    this.#last = this.#read()
    this.#offset = Math.max(0, -this.#last)
    this.#anchorNow = this.now()
    this.#anchorWall = this.wall()
  }

  /**
   * Whole milliseconds, not below zero: numbers that V8 need not box, so that moments cost no memory on their way. A clock
   * that goes back is taken up where it stood.
   */
  now(): number {
    const read = this.#clock === undefined ? Math.floor(performance.now()) : this.#read()
    if (read < this.#last) this.#offset += this.#last - read
    this.#last = read
    return read + this.#offset
  }

  /**
   * As {@link now}, counting the larger of monotonic and wall progress: a frozen process (Lambda) has a monotonic clock
   * that may stand still. It costs a second read, so only failures and circuits that are not closed ask for it.
   */
  thawed(): number {
    const now = this.now()
    const wall = this.wall()
    const ahead = wall - this.#anchorWall - (now - this.#anchorNow)
    if (Math.abs(ahead) <= FREEZE) return now

    this.#offset += Math.max(0, ahead)
    this.#anchorNow = now + Math.max(0, ahead)
    this.#anchorWall = wall
    return this.#anchorNow
  }

  /** Whole milliseconds since the epoch, for what leaves the process. */
  wall(): number {
    if (this.#clock === undefined) return Date.now()
    if (this.#clock.wall === undefined) return this.#last + this.#offset
    try {
      const wall = this.#clock.wall()
      if (Number.isFinite(wall)) return Math.floor(wall)
      this.#warn('clock', `clock.wall gave ${String(wall)} where milliseconds were wanted`)
    } catch (error) {
      this.#warn('clock', `clock.wall threw: ${inWords(error)}`)
    }
    return this.#anchorWall + this.#last + this.#offset - this.#anchorNow
  }

  /**
   * Calls back later: only while something is under way that has a time limit, never by itself.
   * @param waited somebody waits for it: the process must not end before
   * @returns what calls it off
   */
  after(ms: number, then: () => void, waited: boolean): () => void {
    if (this.#clock?.after !== undefined) {
      try {
        const callOff: unknown = this.#clock.after(ms, then)
        if (typeof callOff === 'function') return callOff as () => void
        this.#warn('clock', 'clock.after gave nothing that calls it off')
        return () => {}
      } catch (error) {
        this.#warn('clock', `clock.after threw: ${inWords(error)}`)
      }
    }
    const timer: unknown = setTimeout(then, ms)
    // A browser's timer is a number.
    if (!waited) (timer as { unref?: () => unknown }).unref?.()
    return () => clearTimeout(timer as number)
  }

  // A clock that fails stands still: nothing opens early, and no request ends otherwise for it.
  #read(): number {
    if (this.#clock === undefined) return Math.floor(performance.now())
    try {
      const read = this.#clock.now()
      if (Number.isFinite(read)) return Math.floor(read)
      this.#warn('clock', `clock.now gave ${String(read)} where milliseconds were wanted`)
    } catch (error) {
      this.#warn('clock', `clock.now threw: ${inWords(error)}`)
    }
    return this.#last
  }
}
