// Why a circuit is as it is, in sentences for people.
import type { Counters } from './counters.ts'
import { plural, spell } from './duration.ts'
import type { Evidence } from './events.ts'
import type { Mode } from './policy.ts'
import type { State } from './state.ts'
import type { Trouble } from './trouble.ts'

/** @internal What there is to say of a circuit. */
export interface Facts {
  readonly label: string
  readonly mode: Mode
  readonly state: State
  readonly window: Pick<Evidence, 'calls' | 'failures' | 'slow'>
  readonly counters: Counters
  /** Failures in a row. */
  readonly streak: number
  /** Milliseconds for which calls are refused, or would be. */
  readonly wait: number | undefined
  readonly trouble: Trouble | undefined
  /** What its share in a fleet says. */
  readonly fleet: string | undefined
}

/** @internal */
export function explain(facts: Facts): string {
  const { label, mode, state, trouble, wait, fleet } = facts
  const lines = [`${label} is ${state}.`]
  if (mode === 'shadow') lines.push('It is in shadow: it refuses nothing.')
  if (mode === 'off') lines.push('It is off: calls pass it by.')
  if (trouble?.holds.note !== undefined) lines.push(`Held by hand: ${trouble.holds.note}.`)
  if (trouble?.last) lines.push(`Last change, at ${new Date(trouble.last.at).toISOString()}: ${trouble.last.message}.`)
  if (wait !== undefined) lines.push(`Calls ${mode === 'on' ? 'are' : 'would be'} refused for another ${spell(wait)}.`)
  lines.push(...seen(facts))
  if (fleet !== undefined) lines.push(fleet)
  return lines.join(' ')
}

function seen({ window: { calls, failures, slow }, streak, counters }: Facts): string[] {
  return [
    `In its window: ${plural(calls, 'call')}, ${failures} failed, ${slow} slow; ${plural(streak, 'failure')} in a row.`,
    `In all: ${counters.successes} well, ${counters.failures} failed, ${counters.refused} refused, ` +
      `${counters.fallbacks} stood in for; ${counters.inFlight} under way.`,
  ]
}
