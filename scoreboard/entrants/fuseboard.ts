// Fuseboard, through the board that a program makes.
import { circuitOpen, createBoard, fleet, guardFetch, type BoardOptions, type TaskOutcome } from '@fuseboard/core'
import { memoryStore } from '@fuseboard/core/testing'
import { lacking, termsOf, turnDown, type Breaker, type Entrant, type Policy } from '../entrant.ts'

const KEY = 'host'

const LACKS: Partial<Record<keyof Policy, string>> = {
  timeLimit: 'it leaves time limits to the client',
  warmUp: 'it goes by `minimumCalls` from the first call on',
  retries: 'it leaves retries to the client',
  waiting: 'a call over `maxInFlight` is refused; none waits',
  perSecond: 'it has no rate limiter',
  instead: '`fallback` is for HTTP requests only; a function has a `catch` for it',
  keepResultFor: 'it keeps HTTP answers for an outage, and no results of functions',
  shareResult: 'it does not join calls',
}

export const fuseboard: Entrant = {
  name: 'Fuseboard',
  breaker(policy = {}, saved) {
    turnDown(policy, LACKS)
    return breakerOf({}, policy, saved)
  },
  fleet(policy, members) {
    const shared = memoryStore()
    return Array.from({ length: members }, () => breakerOf({ fleet: fleet(shared, { trust: 'follow' }) }, policy))
  },
}

function breakerOf(own: BoardOptions, policy: Policy, saved?: unknown): Breaker {
  const board = createBoard({ ...own, ...optionsOf(policy) })
  // Its warnings would go to the console.
  board.on('warning', () => {})
  if (saved !== undefined) board.restore(saved)
  const fetch = guardFetch(board)
  const { answers } = policy
  const classify = answers && ((end: TaskOutcome) => ('error' in end && answers(end.error) ? 'success' : undefined))
  return {
    call: (task, signal) => board.run(KEY, () => task(), { signal, expected: policy.counts, classify }),
    on(event, listener) {
      if (event === 'opened') board.on('transition', ({ to }) => (to === 'open' ? listener() : undefined))
      else board.on('settled', ({ verdict }) => (verdict === 'success' ? listener() : undefined))
    },
    hold() {
      const hold = board.circuit(KEY).isolate('by hand')
      return () => hold.release()
    },
    setRate: (failureRate) => board.configure(KEY, { failureRate }),
    save: () => JSON.stringify(board.snapshot()),
    retryAfter: (error) => circuitOpen(error)?.retryAfterMs,
    slowest: lacking('it counts calls, and leaves how long they took to the telemetry of the client'),
    watch: lacking('it never asks a host by itself'),
    fetch: (url, init) => fetch(url, init),
  }
}

function optionsOf(policy: Policy): BoardOptions {
  const { rate, minimum, window, probes, need } = termsOf(policy)
  const { openFor = 5_000, slowAfter, atOnce, streak, shadow, patient } = policy
  return {
    window,
    failureRate: rate,
    minimumCalls: minimum,
    consecutiveFailures: streak ?? false,
    openFor: typeof openFor === 'number' ? openFor : { from: openFor.from, to: openFor.to },
    probes: { permits: probes, need },
    ...(slowAfter !== undefined && { slowAfter }),
    ...(atOnce !== undefined && { maxInFlight: atOnce }),
    ...(patient === true && { abandonedAfter: false }),
    ...(shadow === true && { mode: 'shadow' }),
  }
}
