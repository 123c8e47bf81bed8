// What a fleet's store holds of one host: the verdict that instances share, and who may probe.

/** A place to probe, lent for a while. Each probe has a token of its own. */
interface SharedLease {
  readonly token: string
  readonly until: number
}

/** An instance that found the host open. */
interface Vote {
  readonly by: string
  readonly at: number
}

/** @internal A hold that was put on by hand for the whole fleet. */
export interface SharedHold {
  readonly id: string
  readonly kind: 'isolated' | 'bypassed'
  readonly reason: string | undefined
}

/** @internal Half-open is no state of its own: it is open, and past `until`. Moments are the store's, in milliseconds. */
export interface FleetRecord {
  readonly open: boolean
  /** Rises with every opening and closing, and fences what was seen before. */
  readonly epoch: number
  /** Since when it is so. */
  readonly at: number
  /** Open: when it may be probed. */
  readonly until: number
  /** Opened by hand: no policy bounds it. */
  readonly byHand: boolean
  /** How often it opened in a row. */
  readonly trips: number
  /** The probes of this epoch that ended well: by token, since an answer of the store may be lost. */
  readonly passed: readonly string[]
  /** How many did not. */
  readonly failed: number
  readonly leases: readonly SharedLease[]
  readonly votes: readonly Vote[]
  readonly holds: readonly SharedHold[]
}

/** @internal A host of which nothing is known. */
export const CLEAN: FleetRecord = {
  open: false,
  epoch: 0,
  at: 0,
  until: 0,
  byHand: false,
  trips: 0,
  passed: [],
  failed: 0,
  leases: [],
  votes: [],
  holds: [],
}

/** A list that is longer came from nobody who keeps to the rules. */
const MOST = 1_000

/** @internal The text of a record: short, since stores charge by size. What is as in a clean one is left out. */
export function encode(record: FleetRecord): string {
  const { open, epoch, at, until, byHand, trips, passed, failed, leases, votes, holds } = record
  return JSON.stringify({
    s: open ? 'o' : 'c',
    e: epoch,
    a: at,
    ...(open && { u: until, t: trips }),
    ...(byHand && { m: 1 }),
    ...(passed.length > 0 && { k: passed }),
    ...(failed > 0 && { f: failed }),
    ...(leases.length > 0 && { l: leases.map(({ token, until }) => [token, until]) }),
    ...(votes.length > 0 && { v: votes.map(({ by, at }) => [by, at]) }),
    ...(holds.length > 0 && { h: holds.map(({ id, kind, reason }) => [id, kind === 'isolated' ? 'i' : 'b', reason]) }),
  })
}

/** @internal The record of a text; undefined where it is none. */
export function decode(text: string): FleetRecord | undefined {
  try {
    return read(JSON.parse(text))
  } catch {
    return undefined
  }
}

function read(said: unknown): FleetRecord | undefined {
  if (typeof said !== 'object' || said === null) return undefined
  const { s, e, a, u = 0, t = 0, m, k = [], f = 0, l = [], v = [], h = [] } = said as Record<string, unknown>
  const counts = [e, a, u, t, f]
  if (!(s === 'o' || s === 'c') || !counts.every(isCount)) return undefined
  const [epoch, at, until, trips, failed] = counts as [number, number, number, number, number]
  return {
    open: s === 'o',
    epoch,
    at,
    until,
    byHand: m === 1,
    trips,
    passed: list(k).map(text),
    failed,
    leases: list(l).map((lease) => {
      const [token, until] = list(lease)
      return { token: text(token), until: count(until) }
    }),
    votes: list(v).map((vote) => {
      const [by, at] = list(vote)
      return { by: text(by), at: count(at) }
    }),
    holds: list(h).map((hold) => {
      const [id, kind, reason] = list(hold)
      return {
        id: text(id),
        kind: kind === 'i' ? 'isolated' : 'bypassed',
        reason: typeof reason === 'string' ? reason : undefined,
      }
    }),
  }
}

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0

function list(value: unknown): readonly unknown[] {
  if (Array.isArray(value) && value.length <= MOST) return value
  throw new TypeError('a list was wanted')
}

function text(value: unknown): string {
  if (typeof value === 'string') return value
  throw new TypeError('a text was wanted')
}

function count(value: unknown): number {
  if (isCount(value)) return value
  throw new TypeError('a count was wanted')
}
