// What the fleet promises, checked at its end against what each process told and what the service counted.
import type { Promised } from '../../promised.ts'
import type { Told } from './member.ts'

/** A process, as it is judged. */
export interface Seen {
  readonly n: number
  readonly told: readonly Told[]
}

export interface FleetEvidence {
  readonly members: readonly Seen[]
  /** When the service was down, and what reached it then. */
  readonly dead: { readonly from: number; readonly to: number; readonly requests: number }
  /** Milliseconds by which the timers of this machine were late at worst. */
  readonly late: number
}

/** Failures that open the circuit of the first, and one that each of the others may have under way. */
const FAILURES = 3
/** What the store's push may take, on a machine that is never late. */
const TOGETHER = 250
/** Each opening lasts 2 s. */
const OPEN_FOR = 2_000

export function check(evidence: FleetEvidence): readonly Promised[] {
  return [stopped, spared, probed, started, answered].map((promise) => promise(evidence))
}

function stopped({ members, dead, late }: FleetEvidence): Promised {
  const opened = members.map(({ told }) => momentOf(told, 'open', dead.from))
  const spread = Math.max(...opened) - Math.min(...opened)
  return {
    promise: `all opened within ${TOGETHER} ms of the first`,
    kept: spread <= TOGETHER + late,
    reason: Number.isFinite(spread) ? `${spread} ms` : 'one did not open',
  }
}

function spared({ members, dead }: FleetEvidence): Promised {
  const probes = Math.ceil((dead.to - dead.from) / OPEN_FOR)
  const most = FAILURES + (members.length - 1) + probes
  return {
    promise: `at most ${FAILURES} calls of the first, one of each other, and ${probes} probes reached the dead service`,
    kept: dead.requests <= most,
    reason: `${dead.requests} requests; each by itself would send at least ${members.length * FAILURES}`,
  }
}

function probed({ members }: FleetEvidence): Promised {
  const probes = members.flatMap(({ told }) => told.filter((one) => one.what === 'sent' && one.probe)) as Extract<
    Told,
    { what: 'sent' }
  >[]
  const most = Math.max(
    0,
    ...probes.map(({ begun }) => probes.filter((p) => p.begun <= begun && begun < p.ended).length),
  )
  return {
    promise: 'one process probed at a time',
    kept: most <= 1 && probes.length > 0,
    reason: `${probes.length} probes, ${most} at a time`,
  }
}

function started({ members, dead, late }: FleetEvidence): Promised {
  const closed = members.map(({ told }) => momentOf(told, 'closed', dead.to))
  const spread = Math.max(...closed) - Math.min(...closed)
  return {
    promise: `once one probe went well, all closed within ${TOGETHER} ms`,
    kept: spread <= TOGETHER + late,
    reason: Number.isFinite(spread) ? `${spread} ms` : 'one did not close',
  }
}

function answered({ members }: FleetEvidence): Promised {
  const answers = members.flatMap(({ told }) => told.flatMap((one) => (one.what === 'answered' ? [one.from] : [])))
  const count = (from: string): number => answers.filter((one) => one === from).length
  return {
    promise: 'every call was answered',
    kept: count('nobody') === 0 && count('network') > 0,
    reason: `${count('network')} by the service, ${count('stand-in')} by a stand-in, ${count('nobody')} by nobody`,
  }
}

/** When a state was first reached after a moment. */
const momentOf = (told: readonly Told[], state: string, after: number): number =>
  Math.min(...told.flatMap((one) => (one.what === 'state' && one.state === state && one.at >= after ? [one.at] : [])))
