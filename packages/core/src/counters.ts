// What circuits count: plain numbers, kept whether or not anybody reads them.

/** What a circuit has counted since it was made. */
export interface Counters {
  readonly successes: number
  readonly failures: number
  readonly ignored: number
  /** Calls that were not sent. In shadow there are none: `board.shadowReport()` has those that would have been. */
  readonly refused: number
  /** Results that came when the circuit had moved on: they decided nothing. */
  readonly stale: number
  readonly slow: number
  readonly fallbacks: number
  /** How often it opened. */
  readonly trips: number
  /** Calls under way. */
  readonly inFlight: number
  /** Milliseconds in which it refused all calls: it was open, or held so by hand. */
  readonly openMs: number
  /** Milliseconds that its callers did not wait for it: a refusal counts for what the latest failures took on average. */
  readonly savedMs: number
}

/** @internal */
export const NO_COUNTS: Counters = {
  successes: 0,
  failures: 0,
  ignored: 0,
  refused: 0,
  stale: 0,
  slow: 0,
  fallbacks: 0,
  trips: 0,
  inFlight: 0,
  openMs: 0,
  savedMs: 0,
}

/** @internal */
export function addCounters(one: Counters, other: Counters): Counters {
  const sum: Record<keyof Counters, number> = { ...one }
  for (const name of Object.keys(NO_COUNTS) as (keyof Counters)[]) sum[name] += other[name]
  return sum
}
