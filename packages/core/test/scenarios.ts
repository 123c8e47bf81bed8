// Small policies, and what is done to a circuit under each: so small that all transitions lie within reach.
import type { Action } from './engine.ts'
import type { Scenario } from './search.ts'

const admit: Action = { do: 'admit', as: 'task' }
const fails = (call: number): Action => ({ do: 'settle', call, as: 'failure' })
/** Two failures in a row. */
const opened: readonly Action[] = [admit, admit, fails(0), fails(1)]

const row = { consecutiveFailures: 2, failureRate: false, window: { calls: 3 }, openFor: 1_000 } as const
const rate = { consecutiveFailures: false, failureRate: 0.5, minimumCalls: 2, openFor: 1_000 } as const
const slow = {
  consecutiveFailures: false,
  failureRate: false,
  slowAfter: 1_000,
  minimumCalls: 3,
  openFor: 1_000,
} as const
const one = { permits: 1, need: 1, within: 1_000 } as const

const byHand = {
  policy: { ...row, probes: one },
  admit: ['task'],
  settle: ['success', 'failure', 'pause'],
  wait: [500, 1_000],
  hands: ['amend', 'isolate', 'bypass', 'trip', 'reset'],
  depth: 8,
} as const satisfies Omit<Scenario, 'name'>

export const SCENARIOS = {
  hands: { name: 'all that hands can do', ...byHand },
  handsOnOpen: {
    name: 'all that hands can do, from open',
    ...byHand,
    begin: opened,
    hands: ['isolate', 'bypass', 'trip', 'reset'],
  },
  probes: {
    name: 'two good probes of three, from open',
    policy: { ...row, probes: { permits: 3, need: 2, within: 1_000 } },
    begin: opened,
    admit: ['task'],
    settle: ['success', 'failure', 'ignored'],
    wait: [500, 1_000],
    hands: ['amend'],
    depth: 13,
    most: 4,
  },
  pauses: {
    name: 'pauses, short and long',
    policy: { ...row, probes: one },
    admit: ['task'],
    settle: ['success', 'failure', 'pause', 'short pause'],
    wait: [500, 1_000],
    depth: 12,
  },
  calls: {
    name: 'half of the last two calls',
    policy: { ...rate, window: { calls: 2 }, probes: one },
    admit: ['task'],
    settle: ['success', 'failure', 'ignored'],
    wait: [1_000],
    hands: ['amend', 'reset'],
    depth: 10,
  },
  time: {
    name: 'half of the calls of the last second, of two at least',
    policy: { ...rate, window: 1_000, probes: one },
    admit: ['task'],
    settle: ['success', 'failure'],
    wait: [300, 1_000],
    hands: ['amend'],
    depth: 10,
  },
  growth: {
    name: 'an open time that grows, from open',
    policy: { ...row, openFor: { from: 1_000, to: 3_000, factor: 2 }, probes: one },
    begin: opened,
    admit: ['task'],
    settle: ['success', 'failure', 'retry-after'],
    wait: [500, 1_000],
    hands: ['amend', 'trip'],
    tripFor: 500,
    depth: 10,
  },
  safe: {
    name: 'safe requests first, from open',
    policy: { ...row, window: 2_000, probes: { permits: 2, need: 1, within: 500 } },
    begin: opened,
    admit: ['safe', 'unsafe'],
    settle: ['success', 'failure', 'retry-after'],
    wait: [400, 1_000],
    hands: ['isolate'],
    depth: 8,
  },
  slow: {
    name: 'slow calls',
    policy: { ...slow, window: { calls: 4 }, probes: { permits: 2, need: 1, within: 2_000 } },
    admit: ['task'],
    settle: ['success', 'failure', 'ignored'],
    wait: [500, 1_000],
    hands: ['amend', 'reset'],
    depth: 9,
  },
  slowProbes: {
    name: 'slow probes, from open',
    policy: { ...slow, window: { calls: 4 }, probes: { permits: 2, need: 1, within: 2_000 } },
    begin: [{ do: 'trip' }],
    admit: ['task'],
    settle: ['success', 'failure', 'ignored'],
    wait: [500, 1_000],
    hands: ['amend'],
    depth: 11,
  },
} as const satisfies Record<string, Scenario>
