// What goes wrong in the story, in which order, and for how long.
import type { Outage } from './server.ts'

export interface Trouble {
  readonly outage: Outage
  readonly title: string
  readonly breaks: string
  readonly mends: string
  /** Seconds of the real service. */
  readonly lasts: number
  /** Calls to watch once the circuit has closed. */
  readonly more: number
}

const TROUBLES: readonly Trouble[] = [
  {
    outage: 'limiter-store-down',
    title: 'The service fails: 500, and nothing else',
    breaks: "its limiter's store is down",
    mends: "its limiter's store is back",
    lasts: 30,
    more: 1,
  },
  {
    outage: 'database-down',
    title: 'The service fails: 500, and a page of HTML',
    breaks: 'its database is down',
    mends: 'its database is back, and it flaps: half of its pooled connections are stale',
    lasts: 30,
    more: 5,
  },
  {
    outage: 'database-frozen',
    title: 'The service hangs',
    breaks: 'its database is frozen, and no answer ever comes',
    mends: 'its database has thawed',
    lasts: 30,
    more: 1,
  },
  {
    outage: 'server-down',
    title: 'The service disappears',
    breaks: 'nothing listens there any more',
    mends: 'it listens again, on the same port',
    lasts: 42,
    more: 1,
  },
]

/** The outages in the order of the story, or shuffled by a seed. */
export function troubles(seed: number | undefined): readonly Trouble[] {
  return seed === undefined ? TROUBLES : shuffle(TROUBLES, mulberry32(seed))
}

function shuffle<T>(items: readonly T[], random: () => number): T[] {
  const shuffled = [...items]
  for (let last = shuffled.length - 1; last > 0; last--) {
    const other = Math.floor(random() * (last + 1))
    ;[shuffled[last], shuffled[other]] = [shuffled[other]!, shuffled[last]!]
  }
  return shuffled
}

// A generator of random numbers that a seed fixes.
function mulberry32(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
