// How far the instances of a fleet trust each other, and how often they look: the options, their defaults, and their rules.
import type { Duration } from './duration.ts'
import { Check } from './check.ts'
import { environment } from './environment.ts'

/** How far another instance's verdict on a host goes. */
export type Trust = 'corroborate' | 'follow' | { readonly quorum: number }

/** How the instances of a fleet share. Every option has a default. */
export interface FleetOptions {
  /**
   * `corroborate`: while others have a host open, this one opens once two of its own calls in a row fail as well; a sick
   * instance cannot stop healthy ones. `follow`: what one opens all open. `{ quorum: n }`: what n found open within their
   * window all open. @default 'corroborate'
   */
  trust?: Trust
  /**
   * `polling`: looks once a `refresh` while there are requests. `suspicion`: looks only after a failure of its own, and while a
   * host is open: a healthy host costs no reads. @default 'polling', and 'suspicion' in AWS Lambda
   */
  reads?: 'polling' | 'suspicion'
  /** What was read is good for this long. @default '1s', and '10s' where the store pushes changes */
  refresh?: Duration
  /** What was read longer ago than this is not used before the store was asked again. @default twice `refresh` */
  staleAfter?: Duration
  /** A request waits for the store at most this long. @default '100ms' */
  wait?: Duration
  /** What the store does not answer within this, beside the requests, is given up. @default '1s' */
  timeout?: Duration
  /**
   * What many may want to write at once each writes up to so much later; a probe by a fifth of `openFor` at most.
   * @default '1s'
   */
  jitter?: Duration
}

/** @internal The options of a fleet, read: milliseconds. */
export interface Terms {
  /** How many have to find a host open: 1 to follow any, 0 to corroborate. */
  readonly quorum: number
  readonly polls: boolean
  readonly refresh: number
  readonly staleAfter: number
  readonly wait: number
  readonly timeout: number
  readonly jitter: number
}

const OPTIONS: Record<keyof FleetOptions, true> = {
  trust: true,
  reads: true,
  refresh: true,
  staleAfter: true,
  wait: true,
  timeout: true,
  jitter: true,
}

/** @internal @throws TypeError or RangeError that names the option, its rule and the value */
export function readTerms(options: FleetOptions, pushed: boolean): Terms {
  const check = new Check('fleet')
  check.known(options, Object.keys(OPTIONS))
  const { trust = 'corroborate', reads = inLambda() ? 'suspicion' : 'polling' } = options
  const refresh = check.span(options.refresh ?? (pushed ? '10s' : '1s'), 'refresh')
  const staleAfter = check.span(options.staleAfter ?? 2 * refresh, 'staleAfter')
  if (staleAfter < refresh) check.fail('staleAfter', `must be at least refresh (${refresh} ms)`, options.staleAfter)
  return {
    quorum: readTrust(trust, check),
    polls: check.oneOf(reads, 'reads', ['polling', 'suspicion']) === 'polling',
    refresh,
    staleAfter,
    wait: check.span(options.wait ?? '100ms', 'wait'),
    timeout: check.span(options.timeout ?? '1s', 'timeout'),
    jitter: check.time(options.jitter ?? '1s', 'jitter'),
  }
}

function readTrust(trust: Trust, check: Check): number {
  if (typeof trust !== 'object' || trust === null) {
    return check.oneOf(trust, 'trust', ['corroborate', 'follow']) === 'follow' ? 1 : 0
  }
  check.known(trust, ['quorum'], 'trust')
  return check.count(trust.quorum, 'trust.quorum')
}

// A function that is frozen between requests has no time for polling.
const inLambda = (): boolean => environment('AWS_LAMBDA_FUNCTION_NAME') !== undefined
