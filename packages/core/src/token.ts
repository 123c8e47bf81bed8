// The number that stands for one call under way: the era that admitted it, what kind of call it is, and a probe's lease.
import type { RefusalReason } from './state.ts'

/** @internal The request changes nothing at the host. */
export const SAFE = 1
/** The call found out whether the host is well again. */
const PROBE = 2
/** An era is what lies between two changes of a circuit; its tokens begin with its number. */
const ERA = 4
/** Eras go round before a token would need more than 30 bits; a result that late belongs to none. */
const ERAS = 2 ** 30
/** Above its era, a probe's token carries the number of its lease. */
const LEASE = ERAS

/** @internal */
export const nextEra = (era: number): number => (era + ERA) % ERAS

/** @internal */
export const eraOf = (token: number): number => Math.floor((token % LEASE) / ERA) * ERA

/** @internal */
export const probeToken = (lease: number, era: number, safe: boolean): number =>
  lease * LEASE + era + PROBE + (safe ? SAFE : 0)

/** @internal */
export const leaseOf = (token: number): number => Math.floor(token / LEASE)

/** @internal Whether a token is a probe's. */
export const isProbe = (token: number): boolean => (token & PROBE) !== 0

/** @internal A call that passes a circuit by, which only counts how it ended. No era begins so high, and no probe has this. */
export const GHOST: number = ERAS

const REFUSALS: readonly RefusalReason[] = ['open', 'probing', 'paused', 'isolated', 'throttled', 'full']

/** @internal What stands where a token would, had the call been let through. */
export const refusedFor = (reason: RefusalReason): number => -1 - REFUSALS.indexOf(reason)

/** @internal */
export const refusalOf = (token: number): RefusalReason => REFUSALS[-1 - token] ?? 'open'

/** @internal What settling gives back where there is nothing to amend. */
export const NOTHING = -1
/** @internal The same, since the result came in a later era. */
export const STALE = -2
