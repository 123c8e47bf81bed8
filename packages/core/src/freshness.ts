// How old an answer is, how long it stays fresh, and for how long after that it may stand in. Milliseconds throughout.
import type { CacheControl } from './cache-control.ts'
import { header, type HeaderPairs } from './headers.ts'

const IMF_DATE = /^\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT$/

/** When an answer was made; without a Date, the moment it came. */
const madeAt = (headers: HeaderPairs, now: number): number => Date.parse(header(headers, 'date') ?? '') || now

/** @internal How old an answer was when it came (RFC 9111, section 4.2.3); too old for anything where its Age cannot be read. */
export function ageOf(headers: HeaderPairs, now: number): number {
  const ages = header(headers, 'age')?.split(',') ?? []
  const read = ages.map((age) => (/^\s*\d+\s*$/.test(age) ? Number(age) * 1_000 : Infinity))
  return Math.max(0, now - madeAt(headers, now), ...read)
}

/** @internal How long an answer is fresh from when it was made; undefined where the host says nothing of it. */
export function lifetimeOf(headers: HeaderPairs, said: CacheControl, now: number): number | undefined {
  const seconds = said['s-maxage'] ?? said['max-age']
  if (seconds !== undefined) return seconds * 1_000
  const expires = header(headers, 'expires')
  if (expires === undefined) return undefined
  // Many write `0` or `-1` and mean that it never was.
  return IMF_DATE.test(expires) ? Math.max(0, Date.parse(expires) - madeAt(headers, now)) || 0 : 0
}

/**
 * @internal For how long past its freshness an answer may stand in, or -1 where it may not: as the host says, else as
 * the caller asks, else as the policy permits. A caller's max-stale and the policy's ceiling are limits to all of these.
 */
export function windowOf(
  said: CacheControl,
  asked: CacheControl,
  permitted: number = -1,
  ceiling: number = Infinity,
): number {
  if (mustNotBeStale(said)) return -1
  const { 'max-stale': limit = Infinity } = asked
  const seconds = said['stale-if-error'] ?? asked['stale-if-error'] ?? asked['max-stale']
  const window = seconds === undefined ? permitted : seconds * 1_000
  return Math.min(window, limit * 1_000, ceiling)
}

/** @internal Whether the host forbids what is no longer fresh. */
export function mustNotBeStale(said: CacheControl): boolean {
  return (said['must-revalidate'] ?? said['proxy-revalidate'] ?? said['s-maxage']) !== undefined
}
