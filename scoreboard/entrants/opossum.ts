// opossum: one breaker, whose action is the function that each call brings.
import Opossum from 'opossum'
import {
  fetchOrThrow,
  filterOf,
  lacking,
  retryAfterIn,
  termsOf,
  turnDown,
  type Entrant,
  type Policy,
  type Task,
} from '../entrant.ts'

const LACKS: Partial<Record<keyof Policy, string>> = {
  retries: 'it has no retries',
  waiting: 'a call over its `capacity` is refused; none waits',
  perSecond: 'it has no rate limiter',
  shadow: '`enabled: false` computes nothing',
}

const TEN_MINUTES = 600_000

export const opossum: Entrant = {
  name: 'opossum',
  breaker(policy = {}, saved) {
    turnDown(policy, LACKS)
    const { rate, minimum, window, openFor } = termsOf(policy)
    const { warmUp, streak, timeLimit, atOnce, instead, keepResultFor, shareResult } = policy
    const counts = filterOf(policy)
    const breaker: Opossum<[Task], unknown> = new Opossum((task) => task(breaker.getSignal()), {
      timeout: timeLimit ?? false,
      // Its signal belongs to the breaker, for it ends what runs when the time is over.
      ...(timeLimit !== undefined && { abortController: new AbortController(), autoRenewAbortController: true }),
      errorThresholdPercentage: rate * 100,
      volumeThreshold: streak ?? minimum,
      // It does not count failures in a row: a window of ten minutes comes nearest.
      rollingCountTimeout: streak === undefined ? window : TEN_MINUTES,
      resetTimeout: openFor,
      enableSnapshots: false,
      ...(warmUp === true && { allowWarmUp: true }),
      ...(counts && { errorFilter: (error: unknown) => !counts(error) }),
      ...(atOnce !== undefined && { capacity: atOnce }),
      ...(keepResultFor !== undefined && { cache: true, cacheTTL: keepResultFor, cacheGetKey: () => 'the same' }),
      ...(shareResult === true && { coalesce: true, cacheGetKey: () => 'the same' }),
      ...(saved as object | undefined),
    })
    if (instead !== undefined) breaker.fallback(() => instead)
    return {
      call: (task) => breaker.fire(task),
      on: (event, listener) => void breaker.on(event === 'opened' ? 'open' : 'success', listener),
      hold() {
        breaker.open()
        return () => breaker.close()
      },
      setRate: (share) => void (breaker.options.errorThresholdPercentage = share * 100),
      save: () => JSON.stringify(breaker.toJSON()),
      retryAfter: retryAfterIn,
      slowest: () => breaker.stats.percentiles['0.99'] ?? Number.NaN,
      watch: (check) => breaker.healthCheck(check, 1_000),
      fetch: (url, init) => breaker.fire(() => fetchOrThrow(url, init)) as Promise<Response>,
    }
  },
  fleet: lacking('a breaker lives in one process'),
}
