// Figures as people read them: a line for each scenario, under the names of its columns.
import type { Figures } from './ledger.ts'
import type { Scenario } from './scenario.ts'

interface Column {
  readonly name: string
  readonly width: number
  readonly show: (scenario: Scenario, figures: Figures) => string
}

const SIZE: Column = { name: 'N', width: 6, show: ({ size }) => size.toLocaleString('en') }
const NAME: Column = { name: 'scenario', width: 40, show: ({ name }) => name }
const WRITES: Column = {
  name: 'writes (peak/s, needed)',
  width: 23,
  show: ({ terms }, { writes, peakWrites, necessary }) =>
    terms === undefined ? '-' : `${writes} (${peakWrites}, ${necessary})`,
}
const HOLDS: Column = { name: 'asserted', width: 17, show: ({ holds }) => holds.join(' ') }

/** An outage: what it costs, and how soon it is over. */
export const COSTS: readonly Column[] = [
  SIZE,
  { ...NAME, width: 30 },
  { name: 'reads/inst/s', width: 12, show: (_, { healthyReads }) => healthyReads.toFixed(2) },
  { name: 'failing/inst', width: 12, show: (_, { failing }) => failing.toFixed(2) },
  { name: 'refused', width: 7, show: (_, { refused }) => inPercent(refused) },
  { name: 'last call', width: 9, show: (_, { lastCall }) => (lastCall === undefined ? '-' : inSeconds(lastCall)) },
  WRITES,
  { name: 'reads/s', width: 7, show: (_, { peakReads }) => String(peakReads) },
  { name: 'probes (all)', width: 12, show: (_, { mostProbes, probes }) => `${mostProbes} (${probes})` },
  {
    name: 'closed',
    width: 7,
    show: (_, { closedAfter }) => (closedAfter === undefined ? 'never' : inSeconds(closedAfter)),
  },
  { name: 'waited', width: 6, show: (_, { longestWait }) => `${longestWait} ms` },
  HOLDS,
]

/** One sick instance: what it does to the others. */
export const HARMS: readonly Column[] = [
  SIZE,
  NAME,
  { name: 'refused by healthy', width: 18, show: (_, { refused }) => inPercent(refused) },
  { name: 'healthy that opened', width: 19, show: (_, { opened }) => inPercent(opened) },
  { name: 'fleet opened', width: 12, show: (_, { openings }) => String(openings) },
  WRITES,
  HOLDS,
]

export function head(columns: readonly Column[]): string {
  const names = columns.map(({ name, width }) => name.padEnd(width))
  const rules = columns.map(({ width }) => '-'.repeat(width))
  return `${line(names)}\n${line(rules)}`
}

export function row(columns: readonly Column[], scenario: Scenario, figures: Figures): string {
  return line(columns.map(({ width, show }) => show(scenario, figures).padEnd(width)))
}

const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`

const inSeconds = (ms: number): string => `${(ms / 1_000).toFixed(ms < 100 ? 3 : 2)} s`

const inPercent = (share: number): string => `${(100 * share).toFixed(2)} %`
