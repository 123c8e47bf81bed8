// What goes wrong in the story, in which order, and for how long.
import { mulberry32, shuffle } from '../random.ts'
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
