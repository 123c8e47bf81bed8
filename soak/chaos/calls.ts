// One call of the chaos, drawn by lot: whom it asks for what, what is to go wrong, and what its caller does meanwhile.
import type { Random } from '../../packages/core/test/simulation/random.ts'

/** What a host does to a request. */
export type Fault =
  | 'none'
  | 'status'
  | 'rate-limit'
  | 'come-back'
  | 'missing'
  | 'reset-before'
  | 'close-before'
  | 'truncate'
  | 'reset-mid'
  | 'hang'
  | 'late-head'
  | 'stall'
  | 'garbage'
  | 'bad-gzip'
  | 'redirect'
  | 'redirect-away'
  | 'redirect-nowhere'
  | 'hints'

/** When its caller gives up: never, before it begins, after some milliseconds, or by a time limit of as many. */
type GivingUp = { readonly how: 'never' | 'before' } | { readonly how: 'after' | 'limit'; readonly ms: number }

/** What its caller does with the body: reads it whole, reads it as it comes, or leaves it after so many milliseconds. */
type Reading = { readonly how: 'whole' | 'stream' } | { readonly how: 'leave'; readonly ms: number }

export interface Call {
  readonly id: string
  readonly doc: number
  readonly method: 'GET' | 'HEAD' | 'POST'
  readonly body: 'text' | 'stream' | undefined
  /** Whose token it carries. */
  readonly user: string | undefined
  readonly language: string | undefined
  readonly anyStatus: boolean
  readonly givingUp: GivingUp
  readonly reading: Reading
  /** The call is to a host that all clients share, and not to the client's own. */
  readonly shared: boolean
  /** A host that is as sick as this or more does what is said below. */
  readonly luck: number
  readonly fault: Fault
  /** For each time that the client asks again, too. */
  readonly status: number
  readonly ms: number
}

/** How many different documents a host has. */
const DOCS = 40

const FAULTS: readonly Fault[] = [
  ...Array<Fault>(6).fill('status'),
  'rate-limit',
  'come-back',
  'missing',
  'reset-before',
  'reset-before',
  'close-before',
  'truncate',
  'reset-mid',
  'hang',
  'late-head',
  'late-head',
  'stall',
  'garbage',
  'bad-gzip',
  'redirect',
  'redirect-away',
  'redirect-nowhere',
  'hints',
]

export function drawCall(random: Random, id: string): Call {
  const pick = <T>(all: readonly T[]): T => all[Math.floor(random() * all.length)] as T
  const method = pick(['GET', 'GET', 'GET', 'GET', 'HEAD', 'POST'] as const)
  return {
    id,
    doc: Math.floor(random() * DOCS),
    method,
    body: method === 'POST' ? pick(['text', 'stream', undefined] as const) : undefined,
    user: random() < 0.15 ? pick(['alice', 'bob']) : undefined,
    language: random() < 0.3 ? pick(['de', 'en']) : undefined,
    anyStatus: random() < 0.3,
    givingUp: drawGivingUp(random),
    reading: drawReading(random),
    shared: random() < 0.3,
    luck: random(),
    fault: pick(FAULTS),
    status: pick([500, 500, 502, 503, 503, 504, 529]),
    ms: Math.floor(random() * 150),
  }
}

function drawGivingUp(random: Random): GivingUp {
  const lot = random()
  const ms = Math.floor(random() * random() * 80)
  if (lot < 0.02) return { how: 'before' }
  if (lot < 0.12) return { how: 'after', ms }
  return lot < 0.16 ? { how: 'limit', ms } : { how: 'never' }
}

function drawReading(random: Random): Reading {
  const lot = random()
  if (lot < 0.75) return { how: 'whole' }
  return lot < 0.88 ? { how: 'stream' } : { how: 'leave', ms: Math.floor(random() * 20) }
}
