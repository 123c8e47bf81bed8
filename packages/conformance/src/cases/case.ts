// One numbered case: an idea that holds for every client.
import type { BoardOptions, Fleet, Policy } from '@fuseboard/core'
import type { ManualClock } from '@fuseboard/core/testing'
import type { Settings } from '../driver.ts'
import type { World } from '../world.ts'

export interface Case {
  /** Its number in the list of cases; with a letter where one number holds several ideas. */
  readonly id: CaseId
  /** What holds, as a sentence. */
  readonly name: string
  readonly policy: CasePolicy
  readonly settings?: Settings
  readonly run: (world: World) => Promise<void>
}

/** A policy, and the stores of the board where it matters which; a fleet's goes by the clock of the case. */
export type CasePolicy = Policy & Pick<BoardOptions, 'replies'> & { readonly fleet?: (clock: ManualClock) => Fleet }

export type CaseId = `${number}` | `${number}${'b' | 'c' | 'd' | 'e' | 'f'}`

/** Counts, and never opens. */
export const COUNTS: Policy = { failureRate: false, consecutiveFailures: false }

/** Opens for ten seconds after two failures in a row. */
export const OPENS: Policy = { failureRate: false, consecutiveFailures: 2, openFor: '10s' }
