// Figures as people read them: a line for each scenario, under the names of its columns.
import type { Figures } from './ledger.ts'
import type { Goodput, LoadName, PolicyName, Results } from './policies.ts'
import type { Scenario } from './scenario.ts'

interface Column<Of extends readonly unknown[]> {
  readonly name: string
  readonly width: number
  readonly show: (...of: Of) => string
}

/** Of one scenario. */
type Figure = Column<[Scenario, Figures]>

const SIZE: Figure = { name: 'N', width: 6, show: ({ size }) => size.toLocaleString('en') }
const NAME: Figure = { name: 'scenario', width: 40, show: ({ name }) => name }
const WRITES: Figure = {
  name: 'writes (peak/s, needed)',
  width: 23,
  show: ({ terms }, { writes, peakWrites, necessary }) =>
    terms === undefined ? '-' : `${writes} (${peakWrites}, ${necessary})`,
}
const HOLDS: Figure = { name: 'asserted', width: 17, show: ({ holds }) => holds.join(' ') }

/** An outage: what it costs, and how soon it is over. */
export const COSTS: readonly Figure[] = [
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
export const HARMS: readonly Figure[] = [
  SIZE,
  NAME,
  { name: 'refused by healthy', width: 18, show: (_, { refused }) => inPercent(refused) },
  { name: 'healthy that opened', width: 19, show: (_, { opened }) => inPercent(opened) },
  { name: 'fleet opened', width: 12, show: (_, { openings }) => String(openings) },
  WRITES,
  HOLDS,
]

const goodput = (name: string, load: LoadName): Column<[PolicyName, Results]> => ({
  name,
  width: 34,
  show: (_, results) => inCalls(results[load]),
})

/** One policy: what becomes of the calls of each load. */
export const GOODPUT: readonly Column<[PolicyName, Results]>[] = [
  { name: 'policy', width: 52, show: (name) => name },
  goodput('brownout: 50/s of 100/s', 'brownout'),
  goodput('outage of 20 s, then cold start', 'coldStart'),
  goodput('outage of 60 s', 'outage'),
]

export function head<Of extends readonly unknown[]>(columns: readonly Column<Of>[]): string {
  const names = columns.map(({ name, width }) => name.padEnd(width))
  const rules = columns.map(({ width }) => '-'.repeat(width))
  return `${line(names)}\n${line(rules)}`
}

export function row<Of extends readonly unknown[]>(columns: readonly Column<Of>[], ...of: Of): string {
  return line(columns.map(({ width, show }) => show(...of).padEnd(width)))
}

const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`

const inSeconds = (ms: number): string => `${(ms / 1_000).toFixed(ms < 100 ? 3 : 2)} s`

const inPercent = (share: number): string => `${(100 * share).toFixed(2)} %`

const inCalls = ({ successes, failures, refused, trips }: Goodput): string =>
  `${count(successes)} / ${count(failures)} (${count(refused)}, ${trips.toFixed(1)})`

const count = (calls: number): string => calls.toFixed(0)
