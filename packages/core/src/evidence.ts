// What a circuit saw when it changed its state, and how it says so.
import { plural, spell } from './duration.ts'
import type { Evidence, TransitionEvent, TransitionReason } from './events.ts'
import type { Mode } from './policy.ts'
import type { Trouble } from './trouble.ts'

type Change = Pick<TransitionEvent, 'from' | 'to' | 'reason' | 'at' | 'evidence'>

/** @internal A change of a circuit, as it is told. */
export function transitionOf(
  { key, label, mode }: { readonly key: string; readonly label: string; readonly mode: Mode },
  { until: ends, askedAt, holds }: Trouble,
  change: Change,
  now: number,
): TransitionEvent {
  const { from, to, reason, at, evidence } = change
  // An open time is told as it was set, however long that took.
  const wait = ends - (to === 'open' ? askedAt : now)
  const until = to === 'open' ? at + ends - now : undefined
  const shadow = mode === 'shadow'
  const how = `${shadow ? '(in shadow) ' : ''}${to}${until === undefined ? '' : ` for ${spell(wait)}`}`
  const message = `${label} ${how}: ${reasonFor(reason, evidence, holds.note)}`
  return { key, label, from, to, reason, at, until, evidence, shadow, message }
}

/** Why a circuit opened, in words. */
function reasonFor(reason: TransitionReason, evidence: Evidence, note: string | undefined): string {
  const { calls, failures, slow, overdue, streak, streakMs } = evidence
  const kinds = spellKinds(evidence.kinds)
  switch (reason) {
    case 'failure-rate':
      return `${failures} of ${plural(calls, 'call')} failed${kinds}`
    case 'consecutive-failures':
      return `${plural(streak, 'call')} in a row failed${streakMs > 0 ? ` in ${spell(streakMs)}` : ''}${kinds}`
    case 'slow-calls':
      return `${slow + overdue} of ${calls + overdue} calls were slow${overdue > 0 ? `, ${overdue} of them still unanswered` : ''}`
    case 'unanswered-calls':
      return `${overdue} calls are still unanswered, and nothing was answered meanwhile`
    case 'probe-failed':
      return `a probe failed${kinds}`
    case 'body-broke':
      return `the body of the probe's answer broke${kinds}`
    case 'probe-succeeded':
      return 'the host answers again'
    case 'fleet-opened':
      return 'the fleet found it down'
    case 'corroborated':
      return `the fleet found it down, and so did this instance${kinds}`
    case 'fleet-closed':
      return 'the fleet found that it answers again'
    case 'elapsed':
      return 'the open time is over, the next call may probe'
    case 'restored':
      return 'as it was before a restart'
    case 'by-hand':
      return note === undefined ? 'by hand' : `by hand: ${note}`
  }
}

function spellKinds(kinds: Readonly<Record<string, number>>): string {
  const list = Object.entries(kinds).map(([kind, count]) => `${count}x ${kind}`)
  return list.length === 0 ? '' : ` (${list.join(', ')})`
}
