// The metrics of a board at one moment, each with its values: what every exporter shows, in its own form.
import type { Board, State, StoreEvent } from '@fuseboard/core'
import { ledgerOf, type Attributes, type Host, type Reading } from './ledger.ts'
import { ATTRIBUTES, METRICS, type Metric } from './names.ts'

/** @internal A metric and its values. */
export interface Family {
  readonly metric: Metric
  readonly samples: readonly Sample[]
}

interface Sample {
  readonly value: number
  readonly attributes: Attributes
}

const ACTIONS: Readonly<Record<StoreEvent['action'], Attributes>> = {
  get: { [ATTRIBUTES.action]: 'get' },
  set: { [ATTRIBUTES.action]: 'set' },
  delete: { [ATTRIBUTES.action]: 'delete' },
  read: { [ATTRIBUTES.action]: 'read' },
  swap: { [ATTRIBUTES.action]: 'swap' },
  watch: { [ATTRIBUTES.action]: 'watch' },
}

const STATES: readonly State[] = ['closed', 'open', 'half-open', 'isolated', 'bypassed']

/** @internal Reads a board: all families, with so many hosts at most and the others as one. */
export function familiesOf(board: Board, mostHosts: number): readonly Family[] {
  const ledger = ledgerOf(board)
  const readings = ledger.read(mostHosts)
  const family = (metric: Metric, of: (reading: Reading) => readonly Sample[]): Family => ({
    metric,
    samples: readings.flatMap(of),
  })
  return [
    family(METRICS.state, statesOf),
    family(METRICS.transitions, transitionsOf),
    family(METRICS.calls, callsOf),
    family(METRICS.slowCalls, ({ host, totals }) => [sample(host, totals.slow)]),
    family(METRICS.fallbacks, ({ host, fallbacks }) =>
      [...fallbacks].map(([source, value]) => sample(host, value, [ATTRIBUTES.source, source])),
    ),
    family(METRICS.failureRate, ({ host, window }) => share(host, window.failures, window.calls)),
    family(METRICS.slowRate, ({ host, window }) => share(host, window.slow, window.calls)),
    family(METRICS.openTime, ({ host, totals }) => [sample(host, totals.openMs / 1_000)]),
    family(METRICS.timeSaved, ({ host, totals }) => [sample(host, totals.savedMs / 1_000)]),
    {
      metric: METRICS.storeErrors,
      samples: Object.entries(ledger.storeErrors).map(([action, value]) => ({
        value,
        attributes: ACTIONS[action as StoreEvent['action']],
      })),
    },
  ]
}

const statesOf = ({ host, states }: Reading): readonly Sample[] =>
  STATES.map((state) => sample(host, states[state], [ATTRIBUTES.state, state]))

function transitionsOf({ host, transitions }: Reading): readonly Sample[] {
  return [...transitions].map(([name, value]) => {
    const [from = '', to = '', reason = ''] = name.split(' ')
    return sample(host, value, [ATTRIBUTES.from, from], [ATTRIBUTES.to, to], [ATTRIBUTES.reason, reason])
  })
}

function callsOf({ host, totals }: Reading): readonly Sample[] {
  const of = (outcome: string, value: number): Sample => sample(host, value, [ATTRIBUTES.outcome, outcome])
  return [
    of('success', totals.successes),
    of('failure', totals.failures),
    of('ignored', totals.ignored),
    of('refused', totals.refused),
  ]
}

const share = (host: Host, part: number, whole: number): readonly Sample[] =>
  whole === 0 ? [] : [sample(host, part / whole)]

const sample = (host: Host, value: number, ...more: readonly (readonly [string, string])[]): Sample => ({
  value,
  attributes: host.attributes(...more),
})
