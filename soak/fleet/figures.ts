// What came of a run, in figures.
import { WARM, type Course } from './run.ts'

export interface Figures {
  /** Of the calls that were due while the service was well, the share that it answered well. */
  readonly kept: number
  /** Milliseconds from a call to its being sent, while the service was well. */
  readonly p50: number
  readonly p99: number
  /** Of all calls, those that the store held up at all times included. */
  readonly longest: number
  /** Calls that failed while the service was down, of each instance, probes included. */
  readonly failing: number
  /** Calls that an instance at most sent, and that failed, in the second after the first opening. */
  readonly leaked: number
  /** Milliseconds from the first opening to that of the last instance; undefined where one did not open. */
  readonly together: number | undefined
  readonly probes: number
  readonly probesAtATime: number
  /** Milliseconds from the service's return until all were closed; undefined where one was not. */
  readonly recovered: number | undefined
  /** Commands to the store, of each instance and second, while the service was well. */
  readonly commands: number
  readonly faults: number
  readonly errors: readonly string[]
}

export function figuresOf({ plan, seen, begun, down, back, ended, commands }: Course): Figures {
  const all = plan.processes * plan.instances
  const well = seen.calls.filter(({ at }) => at >= begun + WARM && at < down - 100)
  const due = ((down - 100 - begun - WARM) / 1_000) * plan.rate * all
  const overheads = well.map(({ overhead }) => overhead).toSorted((one, other) => one - other)
  const bad = seen.calls.filter(({ at, end }) => end === 'bad' && at >= down && at < back)
  const opened = firstOf(seen.turns, 'open', down, back)
  const first = Math.min(...opened)
  const lastTurns = new Map(seen.turns.map(({ instance, to }) => [instance, to]))
  const closed = [...lastTurns.values()].every((to) => to === 'closed')
  const closings = seen.turns.filter(({ to, at }) => to === 'closed' && at >= back && at <= ended)
  return {
    kept: well.filter(({ end }) => end === 'good').length / due,
    p50: at(overheads, 0.5),
    p99: at(overheads, 0.99),
    longest: Math.max(...seen.calls.map(({ overhead }) => overhead)),
    failing: bad.length / all,
    leaked: mostOf(bad.filter(({ at }) => at > first && at < first + 1_000).map(({ instance }) => instance)),
    together: opened.length === all ? Math.max(...opened) - first : undefined,
    probes: seen.probes.length,
    probesAtATime: Math.max(
      0,
      ...seen.probes.map(({ begun }) => seen.probes.filter((p) => p.begun <= begun && begun < p.ended).length),
    ),
    recovered: closed ? Math.max(0, ...closings.map(({ at }) => at - back)) : undefined,
    commands: commands / all / ((down - begun - WARM) / 1_000),
    faults: seen.faults,
    errors: seen.errors,
  }
}

const at = (sorted: readonly number[], share: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0

function mostOf(names: readonly string[]): number {
  const counts = new Map<string, number>()
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1)
  return Math.max(0, ...counts.values())
}

/** When each instance first reached a state in that time. */
function firstOf(turns: Course['seen']['turns'], state: string, from: number, to: number): readonly number[] {
  const first = new Map<string, number>()
  for (const turn of turns) {
    if (turn.to === state && turn.at >= from && turn.at < to && !first.has(turn.instance)) {
      first.set(turn.instance, turn.at)
    }
  }
  return [...first.values()]
}
