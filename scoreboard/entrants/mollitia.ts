// mollitia: a circuit with the modules that a behaviour asks for, in the order in which they run.
import {
  Bulkhead,
  Cache,
  Circuit,
  Ratelimit,
  Retry,
  SlidingTimeBreaker,
  SlidingCountBreaker,
  Timeout,
  type Module,
} from 'mollitia'
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
  instead: 'its Fallback module rejects with what its callback gives',
  shareResult: 'it does not join calls',
  warmUp: 'it has no time to warm up',
  shadow: 'a module that is not `active` computes nothing',
}

/** Half-open, it opens again after so long without a verdict; by default never. */
const LONGEST_PROBE = 30_000
const ONE_SECOND = 1_000

export const mollitia: Entrant = {
  name: 'mollitia',
  breaker(policy = {}, saved) {
    turnDown(policy, LACKS)
    const breaker = breakerOf(policy, saved)
    const { retries, perSecond, keepResultFor, timeLimit, atOnce, waiting = 0 } = policy
    const modules: Module[] = [
      ...(keepResultFor === undefined
        ? []
        : [new Cache({ ttl: keepResultFor, adjustCacheParams: () => ['the same'] })]),
      ...(perSecond === undefined ? [] : [new Ratelimit({ limitPeriod: ONE_SECOND, limitForPeriod: perSecond })]),
      ...(retries === undefined ? [] : [new Retry({ attempts: retries })]),
      breaker,
      ...(timeLimit === undefined ? [] : [new Timeout({ delay: timeLimit })]),
      ...(atOnce === undefined ? [] : [new Bulkhead({ concurrentSize: atOnce, queueSize: waiting })]),
    ]
    const run = (task: Task): Promise<unknown> => task() as Promise<unknown>
    const circuit = new Circuit({ func: run, options: { modules } })
    return {
      call: (task) => circuit.execute(task),
      on(event, listener) {
        // It has no event for a success: `execute` comes with the promise of each call.
        if (event === 'opened')
          breaker.on('state-changed', (state: string) => (state === 'opened' ? listener() : undefined))
        else circuit.on('execute', listener)
      },
      hold() {
        void breaker.open()
        return () => void breaker.close()
      },
      setRate: (share) => void (breaker.failureRateThreshold = share * 100),
      save: () => JSON.stringify({ state: breaker.state }),
      retryAfter: retryAfterIn,
      slowest: lacking('it keeps no latencies'),
      watch: lacking('it never asks a host by itself'),
      fetch: (url, init) => circuit.execute(() => fetchOrThrow(url, init)),
    }
  },
  fleet: lacking('a breaker lives in one process, unless its `getState` and `setState` are overridden'),
}

function breakerOf(policy: Policy, saved: unknown): SlidingTimeBreaker | SlidingCountBreaker {
  const { rate, minimum, window, probes, openFor } = termsOf(policy)
  const { slowAfter, streak } = policy
  const counts = filterOf(policy)
  const options = {
    minimumNumberOfCalls: streak ?? minimum,
    failureRateThreshold: rate * 100,
    openStateDelay: openFor,
    permittedNumberOfCallsInHalfOpenState: probes,
    halfOpenStateMaxDelay: LONGEST_PROBE,
    ...(slowAfter !== undefined && { slowCallDurationThreshold: slowAfter, slowCallRateThreshold: 50 }),
    ...(counts && { onError: counts }),
    ...(saved as object | undefined),
  }
  return streak === undefined
    ? new SlidingTimeBreaker({ ...options, slidingWindowSize: window })
    : new SlidingCountBreaker({ ...options, slidingWindowSize: streak })
}
