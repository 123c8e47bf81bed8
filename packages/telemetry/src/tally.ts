// What CloudWatch is told of each circuit: how it is, and what it counted since it was told last.
import type { Board, Circuit, Counters, State } from '@fuseboard/core'
import type { OutboxLike } from './outbox.ts'
import { askOutbox } from './outbox.ts'

/** @internal One metric of one moment. */
export interface Metric {
  readonly name: (typeof METRICS)[number]
  readonly unit: 'Count' | 'Seconds'
  readonly value: number
}

/** @internal What was counted under one name, and whether its circuit is open. */
export interface Row {
  open: boolean
  opened: number
  rejected: number
  failures: number
  fallbacks: number
}

/** @internal All names of metrics: a dimension must not have one of them. */
export const METRICS = [
  'CircuitBreakerState',
  'CircuitOpened',
  'CallsRejected',
  'CallFailures',
  'FallbackServed',
  'OutboxDepth',
  'OutboxOldestAge',
] as const

/** What circuits are counted under that have no name of their own. */
const OTHER = '_other'

/** CloudWatch takes 1,024; so many of ours fit into one request even where each is this long. */
const LONGEST_NAME = 255

/** @internal Reads the counters of a board by difference. */
export class Tally {
  readonly #board: Board
  readonly #most: number
  readonly #names = new Set<string>()
  #told = new Map<Circuit, Counters>()
  #evicted: Row = emptyRow()

  constructor(board: Board, most: number) {
    this.#board = board
    this.#most = most
    // Those that alarms are made for never end up among the others.
    for (const { label } of board.hosts()) if (label !== undefined) this.#names.add(nameOf(label))
  }

  /** The name that a circuit is counted under. */
  nameOf(label: string): string {
    const name = nameOf(label)
    if (this.#names.has(name)) return name
    if (this.#names.size >= this.#most) return OTHER
    this.#names.add(name)
    return name
  }

  /** What one circuit counted since it was told last. */
  takeOne(circuit: Circuit, state: State): Row {
    const counters = circuit.counters
    const row = acted(circuit, since(counters, this.#told.get(circuit), state))
    this.#told.set(circuit, counters)
    return row
  }

  /** What all counted since they were told last, by name; those that have made room for others are not forgotten. */
  take(): Map<string, Row> {
    const before = this.#told
    this.#told = new Map()
    const rows = new Map<string, Row>()
    for (const circuit of this.#board.circuits()) {
      const counters = circuit.counters
      this.#told.set(circuit, counters)
      addRow(rows, this.nameOf(circuit.label), acted(circuit, since(counters, before.get(circuit), circuit.state)))
      before.delete(circuit)
    }
    this.#takeEvicted(before, rows)
    return rows
  }

  // What is left of the earlier ones made room; what came and went in between is known only as a sum.
  #takeEvicted(left: ReadonlyMap<Circuit, Counters>, rows: Map<string, Row>): void {
    const evicted = since(this.#board.evicted, undefined, 'closed')
    const rest = lessRow(evicted, this.#evicted)
    this.#evicted = evicted
    for (const [circuit, told] of left) {
      addRow(rows, this.nameOf(circuit.label), since(circuit.counters, told, 'closed'))
      Object.assign(rest, lessRow(rest, since(circuit.counters, undefined, 'closed')))
    }
    if (rest.opened + rest.rejected + rest.failures + rest.fallbacks > 0) addRow(rows, OTHER, rest)
  }
}

/** @internal The metrics of a row. What counted nothing is left out: what is never told is never billed. */
export function metricsOf(row: Row): readonly Metric[] {
  const counts: readonly Metric[] = [
    { name: 'CircuitOpened', unit: 'Count', value: row.opened },
    { name: 'CallsRejected', unit: 'Count', value: row.rejected },
    { name: 'CallFailures', unit: 'Count', value: row.failures },
    { name: 'FallbackServed', unit: 'Count', value: row.fallbacks },
  ]
  const state: Metric = { name: 'CircuitBreakerState', unit: 'Count', value: row.open ? 1 : 0 }
  return [state, ...counts.filter(({ value }) => value > 0)]
}

/** @internal @throws Error where the outbox could not be asked */
export async function metricsOfOutbox(outbox: OutboxLike, now: number): Promise<readonly Metric[]> {
  const { pending, ageMs } = await askOutbox(outbox, now)
  return [
    { name: 'OutboxDepth', unit: 'Count', value: pending },
    { name: 'OutboxOldestAge', unit: 'Seconds', value: Math.round(ageMs / 1_000) },
  ]
}

/** @internal A label as the value of a dimension: CloudWatch takes printable ASCII, and no blanks alone. */
export function nameOf(label: string): string {
  const name = label
    .replaceAll(/[^\x20-\x7e]/g, '?')
    .trim()
    .slice(0, LONGEST_NAME)
  return name.startsWith(':') || name === '' ? `?${name}`.slice(0, LONGEST_NAME) : name
}

/** @internal Adds a row to those of its name. */
export function addRow(rows: Map<string, Row>, name: string, row: Row): void {
  const sum = rows.get(name)
  if (sum === undefined) {
    rows.set(name, { ...row })
    return
  }
  sum.open ||= row.open
  sum.opened += row.opened
  sum.rejected += row.rejected
  sum.failures += row.failures
  sum.fallbacks += row.fallbacks
}

/** @internal Whether a state refuses all calls: half-open does not, and must not keep an alarm up. */
export const isOpen = (state: State): boolean => state === 'open' || state === 'isolated'

const emptyRow = (): Row => ({ open: false, opened: 0, rejected: 0, failures: 0, fallbacks: 0 })

const since = (now: Counters, before: Counters | undefined, state: State): Row => ({
  open: isOpen(state),
  opened: now.trips - (before?.trips ?? 0),
  rejected: now.refused - (before?.refused ?? 0),
  // A good answer whose body breaks becomes a failure, never the other way round.
  failures: now.failures - (before?.failures ?? 0),
  fallbacks: now.fallbacks - (before?.fallbacks ?? 0),
})

/** Nobody is woken for what a circuit in shadow would have done. */
const acted = ({ mode }: Circuit, row: Row): Row =>
  mode === 'on' ? row : { ...row, open: false, opened: 0, rejected: 0 }

// Whoever kept a circuit that made room may still call it: that is in no sum, and must not take from one.
const lessRow = (one: Row, other: Row): Row => ({
  open: false,
  opened: Math.max(0, one.opened - other.opened),
  rejected: Math.max(0, one.rejected - other.rejected),
  failures: Math.max(0, one.failures - other.failures),
  fallbacks: Math.max(0, one.fallbacks - other.fallbacks),
})
