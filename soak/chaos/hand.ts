// The hand of the chaos: it changes policies, trips, holds and resets circuits, and makes hosts and the store sick and well again.
import { header, reply, staleIfError, type Board, type Hold, type Policy } from '@fuseboard/core'
import type { Random } from '../../packages/core/test/simulation/random.ts'
import type { Host } from './host.ts'
import { MOODS, type MoodyStore } from './store.ts'

const stored = staleIfError({ keepFor: '1h', partition: ({ headers }) => header(headers, 'authorization') })
const made = reply({ json: { made: true } })

/** The policy that each host begins a round with. Its times are short: a run has minutes for what programs have days for. */
export const POLICY = {
  window: '30s',
  failureRate: 0.5,
  minimumCalls: 10,
  consecutiveFailures: 5,
  slowAfter: false,
  openFor: '200ms',
  maxPause: '400ms',
  probes: { permits: 2, need: 1, within: '30s' },
  abandonedAfter: '5s',
  rateLimit: 'ignore',
  maxInFlight: false,
  throttle: false,
  mode: 'on',
  fallback: [stored],
} as const satisfies Policy

const PATCHES: readonly Policy[] = [
  POLICY,
  { consecutiveFailures: 3 },
  { consecutiveFailures: false, failureRate: 0.5, minimumCalls: 5 },
  { consecutiveFailures: { calls: 3, over: '100ms' } },
  { openFor: { from: '100ms', to: '400ms' } },
  { probes: 1 },
  { probes: { permits: 3, need: 2, within: '30s' } },
  { probe: ({ method }) => method === 'GET' },
  { slowAfter: '100ms' },
  { slowAfter: '150ms', slowRate: 0.9 },
  { slowAfter: '100ms', failureRate: false },
  { slowAfter: false },
  { throttle: 1.2 },
  { throttle: false },
  { maxInFlight: 3 },
  { maxInFlight: false },
  { window: { calls: 20 } },
  { window: '1s' },
  { mode: 'shadow' },
  { mode: 'off' },
  { mode: 'on' },
  { rateLimit: 'pause' },
  { rateLimit: 'failure' },
  { abandonedAfter: '100ms' },
  { fallback: [] },
  { fallback: [stored, made] },
  { fallback: [() => undefined, stored] },
  { classify: (outcome) => ('status' in outcome && outcome.status === 404 ? 'failure' : undefined) },
  { classify: (outcome) => ('status' in outcome && outcome.status === 429 ? { pause: 150 } : undefined) },
]

const SICKNESS = [0, 0, 0.05, 0.3, 0.9, 1] as const

export class Hand {
  readonly #board: Board
  readonly #hosts: readonly Host[]
  readonly #store: MoodyStore
  readonly #random: Random
  readonly #holds: Hold[] = []

  constructor(board: Board, hosts: readonly Host[], store: MoodyStore, random: Random) {
    this.#board = board
    this.#hosts = hosts
    this.#store = store
    this.#random = random
  }

  /** Does one thing. */
  act(): void {
    const random = this.#random
    const host = this.#pick(this.#hosts)
    const key = this.#pick(keysOf(host))
    const lot = random()
    if (lot < 0.4) host.sickness = this.#pick(SICKNESS)
    else if (lot < 0.65) this.#board.configure(key, this.#pick(PATCHES))
    else if (lot < 0.75) this.#store.mood = this.#pick(MOODS)
    else if (lot < 0.78) this.#store.empty()
    else if (lot < 0.84) this.#board.circuit(key).trip(`${100 + Math.floor(random() * 200)}ms`)
    else if (lot < 0.88) this.#board.circuit(key).reset()
    else if (lot < 0.92) this.#hold(key)
    else if (lot < 0.98) this.#holds.shift()?.release()
    else this.#board.restore(JSON.parse(JSON.stringify(this.#board.snapshot())))
  }

  /** All is well again. */
  rest(): void {
    for (const hold of this.#holds.splice(0)) hold.release()
    for (const host of this.#hosts) host.sickness = 0
    this.#store.mood = 'well'
  }

  /** All policies are as they were. */
  renew(): void {
    for (const key of this.#hosts.flatMap(keysOf)) this.#board.configure(key, POLICY)
  }

  #hold(key: string): void {
    const circuit = this.#board.circuit(key)
    this.#holds.push(this.#random() < 0.5 ? circuit.isolate('chaos') : circuit.bypass('chaos'))
  }

  #pick<T>(all: readonly T[]): T {
    return all[Math.floor(this.#random() * all.length)] as T
  }
}

const keysOf = ({ server }: Host): readonly string[] => [server.origin, server.alias].map((url) => new URL(url).host)
