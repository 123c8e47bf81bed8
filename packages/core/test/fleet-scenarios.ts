// Small fleets, and what happens to each: times so chosen that moments are met exactly, passed, and not reached.
import type { FleetScenario } from './fleet-search.ts'
import type { FleetAction, FleetRules, Saying } from './fleet-world.ts'

const says = (of: number, what: Saying): FleetAction => ({ do: 'say', of, what, looks: true, lost: false })
const waits = (ms: number): FleetAction => ({ do: 'wait', ms })
/** Opened by one, and its open time is over. */
const probed: readonly FleetAction[] = [says(0, 'trip'), waits(1_000)]

const rules: FleetRules = {
  quorum: 1,
  window: 1_000,
  permits: 1,
  need: 1,
  lease: 600,
  open: { from: 1_000, to: 1_000, factor: 1 },
  byHand: 300,
  steps: [-400, 400],
}
const wait = [400, 600] as const

export const FLEETS = {
  verdict: {
    name: 'one verdict for all',
    rules: { ...rules, open: { from: 600, to: 2_000, factor: 2 } },
    says: ['trip', 'old trip', 'lease', 'good', 'bad', 'open'],
    wait,
    depth: 8,
  },
  quorum: {
    name: 'all three must find it open',
    rules: { ...rules, quorum: 3 },
    says: ['trip', 'old trip', 'reset'],
    wait,
    depth: 8,
  },
  place: {
    name: 'one place, from open',
    rules,
    begin: probed,
    says: ['lease', 'good', 'bad', 'nothing', 'stray', 'old trip'],
    wait,
    depth: 8,
  },
  places: {
    name: 'two good probes of three, from open',
    rules: { ...rules, permits: 3, need: 2, steps: [-400] },
    begin: probed,
    says: ['lease', 'good', 'bad'],
    wait: [600],
    depth: 8,
  },
  hands: {
    name: 'all that hands can do, from open',
    rules: { ...rules, steps: [] },
    begin: probed,
    says: ['lease', 'good', 'open', 'reset', 'hold', 'release'],
    wait: [],
    depth: 8,
  },
} as const satisfies Record<string, FleetScenario>
