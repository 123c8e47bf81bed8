// Who takes part, and how each makes a call. Peers get the options that suit them best for the job at hand:
// - cockatiel Consecutive is its cheapest breaker; Sampling the one that does what ours does, over ten buckets, as many as ours has;
// - opossum as it comes, which gives each call a timer for its time-out of 10 s, and lean: no time-out, percentiles or snapshots.
import { createBoard } from '@fuseboard/core'
import { circuitBreaker, ConsecutiveBreaker, handleAll, SamplingBreaker, type CircuitBreakerPolicy } from 'cockatiel'
import Opossum from 'opossum'
import type { Subject } from './loops.ts'

const KEY = 'api.example'
const OTHER = 'other.example'
const BOOM = new Error('the task failed')
const AN_HOUR = 3_600_000
const LEAN = { timeout: false, rollingPercentilesEnabled: false, enableSnapshots: false } as const
/** Successes in the window before the first failure. */
const MANY = 100_000

const works = async (): Promise<number> => 42
const fails = (): Promise<number> => Promise.reject(BOOM)

/** One read of the clock, and what a circuit does beside it. */
export function clocks(): Subject[] {
  const circuit = createBoard().circuit(KEY)
  return [
    { name: 'clock', call: () => performance.now() },
    { name: 'clock again', call: () => performance.now() },
    { name: 'circuit.admit + settle', call: () => circuit.settle(circuit.admit(), 'success') },
  ]
}

/** A request on its way through a board. The last attempts are kept, or the compiler would make none at all. */
export function attempts(): Subject & { readonly last: object[] } {
  const board = createBoard()
  const request = { method: 'GET', url: `https://${KEY}/`, origin: `https://${KEY}` }
  const answer = { status: 200 }
  const last: object[] = Array.from({ length: 64 }, () => request)
  let next = 0
  return {
    name: 'board.attempt + settle',
    last,
    call() {
      const attempt = board.attempt(request)
      attempt.settle(answer)
      last[next++ & 63] = attempt
      return next
    },
  }
}

/** A call that goes well, through a closed circuit. */
export function closed(): Subject[] {
  const board = createBoard()
  const circuit = board.circuit(OTHER)
  const [consecutive, sampling, opossum, lean] = [
    lenient(),
    sampler(),
    new Opossum(works),
    new Opossum(works, { ...LEAN }),
  ]
  return [
    { name: 'bare', call: works },
    { name: 'bare again', call: works },
    { name: 'board.run', call: () => board.run(KEY, works) },
    { name: 'circuit.run', call: () => circuit.run(works) },
    { name: 'cockatiel Consecutive', call: () => consecutive.execute(works) },
    { name: 'cockatiel Sampling', call: () => sampling.execute(works) },
    { name: 'opossum', call: () => opossum.fire() },
    { name: 'opossum lean', call: () => lean.fire() },
  ]
}

/** A call that fails, through a circuit that looks at its rules and finds that it may stay closed; some after many successes. */
export async function failing(): Promise<Subject[]> {
  // One success keeps the share of failures under 1, and five failures in a row never span a day.
  const board = createBoard({ window: '5m', failureRate: 1, consecutiveFailures: { calls: 5, over: '1d' } })
  const [consecutive, sampling, busySampling] = [lenient(), sampler(), sampler()]
  const tolerant = { errorThresholdPercentage: 100, rollingCountTimeout: AN_HOUR }
  let task = works
  const action = (): Promise<number> => task()
  const [opossum, busyOpossum] = [new Opossum(action, { ...tolerant }), new Opossum(action, { ...tolerant })]
  const [lean, busyLean] = [
    new Opossum(action, { ...tolerant, ...LEAN }),
    new Opossum(action, { ...tolerant, ...LEAN }),
  ]
  await board.run(KEY, works)
  for (let i = 0; i < MANY; i++) {
    await Promise.all([board.run(OTHER, works), busySampling.execute(works), busyOpossum.fire(), busyLean.fire()])
  }
  task = fails
  return [
    { name: 'bare', call: fails },
    { name: 'bare again', call: fails },
    { name: 'board.run', call: () => board.run(KEY, fails) },
    { name: 'board.run after 100,000 successes', call: () => board.run(OTHER, fails) },
    { name: 'cockatiel Consecutive', call: () => consecutive.execute(fails) },
    { name: 'cockatiel Sampling', call: () => sampling.execute(fails) },
    { name: 'cockatiel Sampling after 100,000 successes', call: () => busySampling.execute(fails) },
    // At each failure opossum joins and sorts all latencies of its window: it cannot be called often.
    { name: 'opossum', call: () => opossum.fire(), block: 1 },
    { name: 'opossum after 100,000 successes', call: () => busyOpossum.fire(), block: 1 },
    { name: 'opossum lean', call: () => lean.fire() },
    { name: 'opossum lean after 100,000 successes', call: () => busyLean.fire() },
  ]
}

/** A call that an open circuit refuses, against a promise that is rejected. */
export async function refused(): Promise<Subject[]> {
  const board = createBoard({ consecutiveFailures: 1, openFor: '1h' })
  const circuit = board.circuit(OTHER)
  const consecutive = circuitBreaker(handleAll, { halfOpenAfter: AN_HOUR, breaker: new ConsecutiveBreaker(1) })
  const opossum = new Opossum(works, { ...LEAN, resetTimeout: AN_HOUR })
  await Promise.allSettled([board.run(KEY, fails), circuit.run(fails), consecutive.execute(fails)])
  opossum.open()
  return [
    { name: 'bare', call: fails },
    { name: 'bare again', call: fails },
    { name: 'board.run', call: () => board.run(KEY, works) },
    { name: 'circuit.run', call: () => circuit.run(works) },
    { name: 'cockatiel', call: () => consecutive.execute(works) },
    { name: 'opossum', call: () => opossum.fire() },
  ]
}

/** Circuits, each for a host of its own, and what it takes to find them again. */
export interface Fleet {
  make(key: string): void
  use(key: string, fail: boolean): Promise<unknown>
}

/** Fleets by name. The registry of a peer is a Map, as its users write it. */
export const FLEETS: Readonly<Record<string, () => Fleet>> = {
  fuseboard() {
    const board = createBoard({ maxCircuits: 1_000_000 })
    return { make: (key) => void board.circuit(key), use: (key, fail) => board.run(key, fail ? fails : works) }
  },
  'cockatiel Consecutive': () => registry(lenient, (policy, fail) => policy.execute(fail ? fails : works)),
  'cockatiel Sampling': () => registry(sampler, (policy, fail) => policy.execute(fail ? fails : works)),
  opossum: () =>
    registry(
      () => new Opossum(oneOf),
      (breaker, fail) => breaker.fire(fail),
    ),
  'opossum lean': () =>
    registry(
      () => new Opossum(oneOf, { ...LEAN }),
      (breaker, fail) => breaker.fire(fail),
    ),
}

const oneOf = (fail: boolean): Promise<number> => (fail ? fails() : works())

function registry<B>(create: () => B, use: (breaker: B, fail: boolean) => Promise<unknown>): Fleet {
  const breakers = new Map<string, B>()
  return { make: (key) => void breakers.set(key, create()), use: (key, fail) => use(breakers.get(key)!, fail) }
}

/** Stays closed, however much fails. */
function lenient(): CircuitBreakerPolicy {
  return circuitBreaker(handleAll, { halfOpenAfter: 10_000, breaker: new ConsecutiveBreaker(1e9) })
}

/** Stays closed too. */
function sampler(): CircuitBreakerPolicy {
  const breaker = new SamplingBreaker({ threshold: 0.5, duration: 10_000, minimumRps: 1e9 })
  return circuitBreaker(handleAll, { halfOpenAfter: 10_000, breaker })
}
