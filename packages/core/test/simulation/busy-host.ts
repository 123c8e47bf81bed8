// A host that does one thing after the other, as fast as it can at the time: what waits too long is done all the same, for nobody.
import type { EventLoop } from './event-loop.ts'

/** How a call ended. */
export type End = 'answered' | 'timed-out' | 'refused'

/** What a host is able to do. Moments and lengths are milliseconds. */
export interface Host {
  /** Calls a second that it can answer at a moment while it is up. */
  readonly capacity: (at: number) => number
  /** From when to when it is down: it refuses connections, and what it had is lost. */
  readonly down?: readonly [from: number, to: number]
}

/** How long a caller waits. */
const PATIENCE = 1_000
/** There and back. */
const ROUND_TRIP = 10

export class BusyHost {
  readonly #host: Host
  readonly #loop: EventLoop
  /** When it will have done what it was asked for. */
  #freeAt = 0

  constructor(host: Host, loop: EventLoop) {
    this.#host = host
    this.#loop = loop
    const { down } = host
    if (down !== undefined) loop.after(down[0], () => (this.#freeAt = down[1]))
  }

  ask(ended: (end: End) => void): void {
    const { now } = this.#loop
    const { capacity, down: [downAt, upAt] = [Infinity, Infinity] } = this.#host
    if (now >= downAt && now < upAt) return this.#tell(ROUND_TRIP, 'refused', ended)
    const from = Math.max(now, this.#freeAt)
    this.#freeAt = from + 1_000 / capacity(from)
    const takes = this.#freeAt - now + ROUND_TRIP
    const lost = now < downAt && now + takes > downAt
    const most = Math.min(takes, PATIENCE)
    if (lost && downAt - now < most) return this.#tell(downAt - now, 'refused', ended)
    this.#tell(most, takes <= PATIENCE ? 'answered' : 'timed-out', ended)
  }

  #tell(ms: number, end: End, ended: (end: End) => void): void {
    this.#loop.after(Math.ceil(ms), () => ended(end))
  }
}
