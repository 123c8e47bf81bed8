// The scenarios, for any number of instances: outages by the ways to share, trouble of host and store, one sick instance.
import type { FleetOptions } from '../../src/fleet-terms.ts'
import { DOWN_AT, UP_AT, type Scenario } from './scenario.ts'

const isDown = (at: number): boolean => at >= DOWN_AT && at < UP_AT
const PROBES = { permits: 1, need: 3, within: 1_500 }
const FOLLOW: FleetOptions = { trust: 'follow' }
const PUSH = { push: [1, 10] } as const

/** An outage of 30 s that all instances meet, five calls in a row to open for 10 s; many make fewer calls each. */
const outage = (size: number): Omit<Scenario, 'name'> => ({
  size,
  rate: () => (size < 10_000 ? 5 : 2),
  policy: { consecutiveFailures: 5, openFor: '10s', probes: PROBES },
  terms: {},
  store: {},
  failing: (at) => (isDown(at) ? 1 : 0),
  troubles: [],
  reaches: () => true,
  skew: 0,
  deadProber: 0,
  holds: ['P2', 'P5', 'P6', 'P7', 'P8'],
})

/** An outage, by the ways to share. */
export function outages(size: number): Scenario[] {
  const base = outage(size)
  const all = ['P1', ...base.holds] as const
  return [
    { ...base, name: 'local only', terms: undefined, holds: ['P7'] },
    { ...base, name: 'corroborate' },
    { ...base, name: 'corroborate, on suspicion', terms: { reads: 'suspicion' } },
    { ...base, name: 'follow', terms: FOLLOW, holds: all },
    { ...base, name: 'follow, push', terms: FOLLOW, store: PUSH, holds: all },
    // The comparison that shows what jitter is for.
    { ...base, name: 'follow, no jitter', terms: { ...FOLLOW, jitter: 0 }, holds: ['P1', 'P2', 'P5', 'P6', 'P7'] },
    {
      ...base,
      name: 'follow, half seldom called',
      terms: FOLLOW,
      // They would not find the host down by themselves, their views are always old, and some are not called again to close.
      rate: (of) => (of % 2 ? 0.2 : 5),
      holds: ['P1', 'P2', 'P5', 'P6', 'P8'],
    },
    { ...base, name: 'quorum of 3', terms: { trust: { quorum: 3 } }, holds: all },
    {
      ...base,
      name: 'follow, 2nd probers die',
      terms: FOLLOW,
      deadProber: 2,
      // More rounds, and the more instances there are, the more of them read before the first has written.
      holds: size < 10_000 ? all : all.filter((property) => property !== 'P8'),
    },
    {
      ...base,
      name: 'follow, 5 probes, 5 needed',
      terms: FOLLOW,
      policy: { ...base.policy, probes: { ...PROBES, permits: 5, need: 5 } },
      // One of five places is tried for again where another instance was first.
      holds: ['P1', 'P2', 'P5', 'P6', 'P7'],
    },
    { ...base, name: 'follow, clocks off by 2 s', terms: FOLLOW, skew: 2_000, holds: all },
  ]
}

/** An instance that meets trouble of the store is on its own for a while, and probes for itself. */
export function troubles(size: number): Scenario[] {
  const base: Omit<Scenario, 'name'> = { ...outage(size), terms: FOLLOW }
  const alone = { ...base, holds: ['P5', 'P6', 'P7'] } as const
  const inOutage = DOWN_AT + 5_000
  const back = inOutage + 15_000
  return [
    {
      ...base,
      name: 'reads lag, as eventual ones do',
      store: { roundTrip: [5, 15], lag: 100 },
      // What is read before a write is old as well: all who read it meanwhile write.
      holds: ['P1', 'P2', 'P5', 'P6', 'P7'],
    },
    {
      ...alone,
      name: 'one DynamoDB partition',
      store: { roundTrip: [5, 15], lag: 100, mostReads: 6_000, mostWrites: 1_000 },
    },
    { ...alone, name: 'half cannot reach the store', reaches: (of) => of % 2 === 0 },
    {
      ...alone,
      name: 'store killed, back empty',
      troubles: [
        [inOutage, (store) => void (store.health = 'down')],
        [back, (store) => store.empty()],
        [back, (store) => void (store.health = 'well')],
      ],
    },
    {
      ...alone,
      name: 'store hangs for 15 s',
      troubles: [
        [inOutage, (store) => void (store.health = 'hung')],
        [back, (store) => void (store.health = 'well')],
      ],
    },
    { ...alone, name: 'store emptied', troubles: [[inOutage, (store) => store.empty()]] },
    { ...base, name: '1 % of calls fail', failing: () => 0.01, terms: {} },
    { ...base, name: 'brownout of 30 %', failing: (at) => (isDown(at) ? 0.3 : 0), terms: {} },
    { ...base, name: 'brownout, local only', failing: (at) => (isDown(at) ? 0.3 : 0), terms: undefined, holds: ['P7'] },
    { ...base, name: 'down every other 3 s', failing: (at) => (isDown(at) && at % 6_000 < 3_000 ? 1 : 0), terms: {} },
  ]
}

/** The calls of one instance all fail; those of the others do so once in a while, or never. */
export function sickOnes(size: number): Scenario[] {
  const modes: readonly (readonly [string, FleetOptions])[] = [
    ['corroborate', {}],
    ['corroborate, on suspicion', { reads: 'suspicion' }],
    ['quorum of 3', { trust: { quorum: 3 } }],
    ['follow', FOLLOW],
  ]
  return [0, 0.01].flatMap((noise) =>
    modes.map(([mode, terms]) => ({
      ...outage(size),
      name: `${mode}; ${noise * 100} % of errors`,
      terms,
      failing: (_at: number, of: number) => (of === 0 ? 1 : noise),
      holds: ['P10'],
    })),
  )
}
