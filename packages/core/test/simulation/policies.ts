// Policies against each other: what of a load gets through to a host that is slow, down, or coming back. The board and its circuit
// are those that ship; the host and the calls are made up, so the figures compare policies and promise nothing.
import { createBoard, type BoardOptions } from '../../src/board.ts'
import type { Policy } from '../../src/policy.ts'
import { BusyHost, type End, type Host } from './busy-host.ts'
import { EventLoop } from './event-loop.ts'
import { seeded, withRandom } from './random.ts'
import { EPOCH } from './store.ts'

const REQUEST = { method: 'GET', url: 'https://bible-api.com/john+3:16' }
const SEEDS = [1, 2, 3, 4, 5] as const

/** A host in trouble, and how often it is asked, calls a second by chance. */
interface Load {
  readonly rate: number
  /** Milliseconds. */
  readonly length: number
  readonly host: Host
}

/** What became of the calls of a load: means over the seeds. */
export interface Goodput {
  readonly successes: number
  /** Calls that were sent, and that the host did not answer in time. */
  readonly failures: number
  /** Calls that were not sent. */
  readonly refused: number
  readonly trips: number
}

/** What came of each load. */
export type Results = Readonly<Record<LoadName, Goodput>>

const RATE_ONLY = { consecutiveFailures: false } as const
const CAP_15 = { from: '5s', to: '15s' } as const
const NO_CIRCUIT = { ...RATE_ONLY, failureRate: false } as const

/** All but the last four look at rates alone, so that each shows one thing. */
export const POLICIES = {
  none: { mode: 'off' },
  'failureRate 0.5, openFor 5 s to 60 s': { ...RATE_ONLY, failureRate: 0.5, openFor: { from: '5s', to: '60s' } },
  'failureRate 0.5, openFor 5 s to 15 s': { ...RATE_ONLY, failureRate: 0.5, openFor: CAP_15 },
  'throttle 2': { ...NO_CIRCUIT, throttle: 2 },
  'throttle 1.2': { ...NO_CIRCUIT, throttle: 1.2 },
  'throttle 1.2, failureRate 0.9, openFor 5 s to 15 s': { ...RATE_ONLY, throttle: 1.2, openFor: CAP_15 },
  'throttle 1.2, openFor 5 s to 15 s, else the defaults': { throttle: 1.2, openFor: CAP_15 },
  'the same, consecutiveFailures over 5 s': {
    throttle: 1.2,
    openFor: CAP_15,
    consecutiveFailures: { calls: 5, over: '5s' },
  },
  'throttle 1.2, else the defaults': { throttle: 1.2 },
  'the defaults': {},
} as const satisfies Record<string, Policy>

export type PolicyName = keyof typeof POLICIES

const seconds = (s: number): number => s * 1_000

/** From a share of it at first to all of it, evenly. */
const warmingUp =
  (from: number, takes: number, first: number, all: number) =>
  (at: number): number =>
    at < from ? all : Math.min(all, first + ((all - first) * (at - from)) / takes)

/** Asked for 90 a second, a host that could do 150 has room to spare; asked for 100, one that can do 50 has none. */
const LOADS = {
  brownout: {
    rate: 100,
    length: seconds(120),
    host: { capacity: () => 50 },
  },
  coldStart: {
    rate: 90,
    length: seconds(120),
    host: { capacity: warmingUp(seconds(40), seconds(30), 30, 150), down: [seconds(20), seconds(40)] },
  },
  outage: {
    rate: 90,
    length: seconds(120),
    host: { capacity: () => 150, down: [seconds(20), seconds(80)] },
  },
} as const satisfies Record<string, Load>

export type LoadName = keyof typeof LOADS

/** Runs all loads under a policy. */
export async function resultsOf(policy: Policy, seeds?: readonly number[]): Promise<Results> {
  const entries: [string, Goodput][] = []
  for (const [name, load] of Object.entries(LOADS)) entries.push([name, await goodput(policy, load, seeds)])
  return Object.fromEntries(entries) as Results
}

async function goodput(policy: Policy, load: Load, seeds: readonly number[] = SEEDS): Promise<Goodput> {
  const runs: Goodput[] = []
  for (const seed of seeds) runs.push(await run(policy, load, seed))
  const mean = (of: keyof Goodput): number => runs.reduce((sum, one) => sum + one[of], 0) / runs.length
  return { successes: mean('successes'), failures: mean('failures'), refused: mean('refused'), trips: mean('trips') }
}

// Whatever the policy, the calls of one seed come at the same moments.
async function run(policy: Policy, load: Load, seed: number): Promise<Goodput> {
  const loop = new EventLoop()
  const arrivals = seeded(seed)
  const host = new BusyHost(load.host, loop)
  const board = boardOf({ ...policy }, loop, seed)
  let [successes, failures, refused, trips] = [0, 0, 0, 0]
  board.on('transition', ({ to }) => {
    if (to === 'open') trips++
  })
  const call = (): void => {
    const attempt = board.attempt(REQUEST)
    if (attempt.refused) return void refused++
    host.ask((end) => {
      attempt.settle(outcomeOf(end))
      if (end === 'answered') successes++
      else failures++
    })
  }
  let due = 0
  const callLater = (): void => {
    // By chance, and not in whole milliseconds: rounding each gap would make them fewer.
    due += (-Math.log(1 - arrivals()) * 1_000) / load.rate
    if (due >= load.length) return
    loop.after(Math.floor(due) - loop.now, () => {
      callLater()
      call()
    })
  }
  callLater()
  // The last ones end within the time that a caller waits.
  await loop.runTo(load.length + seconds(2))
  return { successes, failures, refused, trips }
}

function boardOf(policy: BoardOptions, loop: EventLoop, seed: number) {
  const clock = { now: () => loop.now, wall: () => EPOCH + loop.now }
  return withRandom(seeded(seed + 1_000), () => createBoard({ ...policy, clock }))
}

const outcomeOf = (end: End) =>
  end === 'answered'
    ? { status: 200 }
    : ({ error: new Error(end), cause: end === 'timed-out' ? 'deadline' : 'unknown' } as const)
