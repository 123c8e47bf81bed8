// A store that instances share, on virtual time: as far away, as busy, as forgetful and as dead as a scenario says.
import { CLEAN, decode, type FleetRecord } from '../../src/fleet-record.ts'
import type { SharedStore, Snapshot } from '../../src/shared-store.ts'
import type { EventLoop } from './event-loop.ts'
import { between, type Random } from './random.ts'

/** What is particular about a store. */
export interface StoreTraits {
  /** Milliseconds there and back: the least and the most. @default [3, 7] */
  readonly roundTrip?: readonly [number, number]
  /** Tells of changes within this many milliseconds, the least and the most; undefined where it does not push. */
  readonly push?: readonly [number, number]
  /** Reads may show what was there this long ago. @default 0 */
  readonly lag?: number
  /** What it answers in a second; the rest is refused. @default as many as are asked */
  readonly mostReads?: number
  readonly mostWrites?: number
  /** A planted fault: a write is won whatever the version was. */
  readonly lax?: boolean
}

interface Written {
  readonly at: number
  readonly version: number
  readonly value: string | undefined
}

const NOTHING: Written = { at: -Infinity, version: 0, value: undefined }
const ROUND_TRIP = [3, 7] as const
/** The store's time at the beginning. */
export const EPOCH = 1_700_000_000_000

export class SimulatedStore {
  /** `down`: refuses connections. `hung`: answers nothing. */
  health: 'well' | 'down' | 'hung' = 'well'
  /** What it was asked in each second. */
  readonly reads: number[] = []
  readonly writes: number[] = []
  /** When the fleet was opened first, and how often it went from closed to open. */
  openedAt: number | undefined = undefined
  openings = 0
  /** Places to probe that were lent at a time, and all that ever were. */
  mostLeases = 0
  readonly leases: Set<string> = new Set()
  readonly #loop: EventLoop
  readonly #random: Random
  readonly #traits: StoreTraits
  #history: Written[] = [NOTHING]
  readonly #watchers: (() => void)[] = []

  constructor(loop: EventLoop, random: Random, traits: StoreTraits) {
    this.#loop = loop
    this.#random = random
    this.#traits = traits
  }

  /**
   * The store as one instance reaches it.
   * @param ahead how far off this instance takes the store's time to be
   * @param reached whether it is reached now
   */
  seenBy(ahead: number, reached: () => boolean): SharedStore {
    const { push } = this.#traits
    const now = (): number => EPOCH + this.#loop.now + ahead
    return {
      read: (_key, signal) =>
        this.#ask(this.reads, this.#traits.mostReads, signal, reached, () => show(this.#seen(), now())),
      swap: (_key, expected, value, { notAfter, signal }) =>
        this.#ask(this.writes, this.#traits.mostWrites, signal, reached, () => {
          const won = this.#fits(expected) && now() <= notAfter
          if (won) this.#write(value, Math.max(expected + 1, now()))
          return { ...show(this.#last, now()), won }
        }),
      ...(push && {
        watch: (_key: string, changed: (snapshot: Snapshot) => void) => this.#watch(push, changed, now, reached),
      }),
    }
  }

  /** It forgets everything. */
  empty(): void {
    this.#history = [NOTHING]
  }

  get #last(): Written {
    return this.#history.at(-1) as Written
  }

  #fits(expected: number): boolean {
    return this.#traits.lax === true || this.#last.version === expected
  }

  #seen(): Written {
    const { lag = 0 } = this.#traits
    const at = this.#loop.now - (lag > 0 ? between(this.#random, 0, lag) : 0)
    return this.#history.findLast((written) => written.at <= at) ?? NOTHING
  }

  #write(value: string, version: number): void {
    const before = recordOf(this.#last.value)
    const { open, leases } = recordOf(value)
    const now = EPOCH + this.#loop.now
    this.#history.push({ at: this.#loop.now, version, value })
    for (const { token } of leases) this.leases.add(token)
    this.mostLeases = Math.max(this.mostLeases, leases.filter(({ until }) => now < until).length)
    if (open && !before.open) {
      this.openings++
      this.openedAt ??= this.#loop.now
    }
    for (const tell of this.#watchers) tell()
  }

  #watch(
    [least, most]: readonly [number, number],
    changed: (snapshot: Snapshot) => void,
    now: () => number,
    reached: () => boolean,
  ): () => void {
    const tell = (): void => {
      const written = this.#last
      const deliver = (): void => {
        if (reached()) changed(show(written, now()))
      }
      this.#loop.after(between(this.#random, least, most), deliver)
    }
    this.#watchers.push(tell)
    return () => void this.#watchers.splice(this.#watchers.indexOf(tell), 1)
  }

  #ask<T>(counts: number[], most = Infinity, signal: AbortSignal, reached: () => boolean, answer: () => T): Promise<T> {
    const loop = this.#loop
    const [least, longest] = this.#traits.roundTrip ?? ROUND_TRIP
    const trip = between(this.#random, least, longest)
    const there = Math.ceil(trip / 2)
    return new Promise((resolve, reject) => {
      const refuse = (why: string): void => void loop.after(trip - there, () => reject(new Error(why)))
      loop.after(there, () => {
        if (this.health === 'hung') return signal.addEventListener('abort', () => reject(signal.reason as Error))
        if (this.health === 'down' || !reached()) return refuse('no connection')
        const second = Math.floor(loop.now / 1_000)
        const asked = (counts[second] = (counts[second] ?? 0) + 1)
        if (asked > most) return refuse('throttled')
        const answered = answer()
        loop.after(trip - there, () => resolve(answered))
      })
    })
  }
}

const show = ({ version, value }: Written, now: number): Snapshot => ({ version, value, now })

const recordOf = (value: string | undefined): FleetRecord => (value === undefined ? CLEAN : (decode(value) ?? CLEAN))
