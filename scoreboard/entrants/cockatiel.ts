// cockatiel: a circuit breaker policy, with its other policies around it or inside it where a behaviour asks for them.
import {
  bulkhead,
  circuitBreaker,
  ConsecutiveBreaker,
  CountBreaker,
  DelegateBackoff,
  ExponentialBackoff,
  fallback,
  handleAll,
  handleWhen,
  noJitterGenerator,
  retry,
  SamplingBreaker,
  timeout,
  TimeoutStrategy,
  wrap,
  type IBreaker,
  type ICircuitBreakerOptions,
  type IDefaultPolicyContext,
  type IPolicy,
} from 'cockatiel'
import { filterOf, lacking, retryAfterIn, termsOf, turnDown, type Entrant, type Policy } from '../entrant.ts'

const LACKS: Partial<Record<keyof Policy, string>> = {
  perSecond: 'it has no rate limiter',
  keepResultFor: 'it keeps no results',
  shareResult: 'it does not join calls',
  warmUp: 'it has no time to warm up',
  shadow: 'its `noop` policy computes nothing',
}

export const cockatiel: Entrant = {
  name: 'cockatiel',
  breaker(policy = {}, saved) {
    turnDown(policy, LACKS)
    const { probes, need } = termsOf(policy)
    const counts = filterOf(policy)
    const errors = counts ? handleWhen(counts) : handleAll
    const handled = errors.orWhenResult(isBad)
    const breaker = circuitBreaker(handled, {
      breaker: ruleOf(policy),
      halfOpenAfter: waitOf(policy),
      halfOpenSampling: { calls: probes, threshold: 1 - need / probes },
      ...(saved !== undefined && { initialState: saved }),
    })
    const { retries, instead, timeLimit, atOnce, waiting } = policy
    const policies: IPolicy<IDefaultPolicyContext, unknown>[] = [
      ...(instead === undefined ? [] : [fallback(handled, instead)]),
      ...(retries === undefined ? [] : [retry(handled, { maxAttempts: retries })]),
      breaker,
      ...(timeLimit === undefined ? [] : [timeout(timeLimit, TimeoutStrategy.Aggressive)]),
      // Inside the time limit, so that a call keeps its place for as long as it runs.
      ...(atOnce === undefined ? [] : [bulkhead(atOnce, waiting)]),
    ]
    const all = wrap(...policies)
    return {
      call: (task, signal) => all.execute(({ signal: own }) => task(own), signal),
      on: (event, listener) => void (event === 'opened' ? breaker.onBreak(listener) : breaker.onSuccess(listener)),
      hold() {
        const hold = breaker.isolate()
        return () => hold.dispose()
      },
      setRate: lacking('its options are read once'),
      save: () => JSON.stringify(breaker),
      retryAfter: retryAfterIn,
      slowest: lacking('it keeps no latencies: `onSuccess` gives those of each call'),
      watch: lacking('it never asks a host by itself'),
      fetch: (url, init) => all.execute(() => fetch(url, init)) as Promise<Response>,
    }
  },
  fleet: lacking('a breaker lives in one process'),
}

/** The one of its three breakers that suits: by time where the behaviour is about time. */
function ruleOf(policy: Policy): IBreaker {
  const { rate, minimum, window } = termsOf(policy)
  if (policy.streak !== undefined) return new ConsecutiveBreaker(policy.streak)
  if (policy.window === undefined)
    return new CountBreaker({ threshold: rate, size: Math.max(20, minimum), minimumNumberOfCalls: minimum })
  return new SamplingBreaker({ threshold: rate, duration: window, minimumRps: minimum / (window / 1_000) })
}

/** An answer can be a failure, without being thrown. */
const isBad = (result: unknown): boolean => result instanceof Response && result.status >= 500

/** How long it stays open may depend on what the host said. */
function waitOf({ openFor = 5_000 }: Policy): ICircuitBreakerOptions['halfOpenAfter'] {
  if (typeof openFor !== 'number') {
    const delays = { initialDelay: openFor.from, maxDelay: openFor.to }
    // Its own generator spreads them.
    return openFor.spread
      ? new ExponentialBackoff(delays)
      : new ExponentialBackoff({ ...delays, generator: noJitterGenerator })
  }
  return new DelegateBackoff(({ result }) => {
    const answer = 'value' in result ? result.value : undefined
    const seconds = answer instanceof Response ? Number(answer.headers.get('retry-after')) : 0
    return Math.max(openFor, seconds * 1_000)
  })
}
