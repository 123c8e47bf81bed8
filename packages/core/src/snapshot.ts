// What a board knows, as plain JSON: to be kept over a restart.
import { show } from './duration.ts'

/** What one circuit knew that was not simply closed. Moments are milliseconds since the epoch. */
export interface CircuitSnapshot {
  readonly key: string
  readonly state: 'closed' | 'open'
  /** Open: when it may probe. */
  readonly until?: number
  /** How often it had opened in a row. */
  readonly trips?: number
  /** Calls are refused until then, whatever the state. */
  readonly pausedUntil?: number
}

/** What a board knew. */
export interface BoardSnapshot {
  readonly version: 1
  readonly at: number
  readonly circuits: readonly CircuitSnapshot[]
}

/** What could not be taken over, and why. */
export interface Unrestored {
  readonly entry: unknown
  readonly why: string
}

/** @internal The entries of a snapshot; a reason where it is none. */
export function entriesOf(snapshot: unknown): readonly unknown[] | string {
  if (typeof snapshot !== 'object' || snapshot === null) return 'no snapshot of a board'
  const { version, circuits } = snapshot as Partial<BoardSnapshot>
  if (version !== 1) return `a snapshot of version ${show(version)}, and 1 is known`
  return Array.isArray(circuits) ? circuits : 'a snapshot without a list of circuits'
}

/** @internal An entry as it may be taken over, whole; a reason where it is none. */
export function readEntry(entry: unknown): CircuitSnapshot | string {
  if (typeof entry !== 'object' || entry === null) return 'no entry'
  const { key, state, until, trips = 0, pausedUntil } = entry as { [Name in keyof CircuitSnapshot]?: unknown }
  if (typeof key !== 'string' || key === '') return 'without a key'
  if (state !== 'open' && state !== 'closed') return `the state ${show(state)} is none that is kept`
  if (state === 'open' && !isMoment(until)) return 'open without a moment until when'
  if (!(Number.isSafeInteger(trips) && (trips as number) >= 0)) return 'trips must be a count'
  if (pausedUntil !== undefined && !isMoment(pausedUntil)) return 'pausedUntil must be a moment'
  return {
    key,
    state,
    trips: trips as number,
    ...(state === 'open' && { until: until as number }),
    ...(pausedUntil !== undefined && { pausedUntil: pausedUntil as number }),
  }
}

const isMoment = (value: unknown): boolean => typeof value === 'number' && Number.isFinite(value) && value >= 0
