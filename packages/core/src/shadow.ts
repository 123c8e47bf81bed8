// What a circuit in shadow would have done, and what became of the calls that it let through all the same.
import type { Counters } from './counters.ts'
import type { Verdict } from './outcome.ts'
import type { State } from './state.ts'

/** What a circuit in shadow would have done since it has been there. */
export interface ShadowReport {
  readonly key: string
  readonly label: string
  /** As it would be now. */
  readonly state: State
  /** How often it would have opened, and for how many milliseconds in all. */
  readonly opened: number
  readonly openMs: number
  /** Calls that would have been refused; of those, how many went well, which is what switching it on would have cost. */
  readonly refused: number
  readonly ofThoseWell: number
  readonly ofThoseFailed: number
  /** Why it would have opened last, in a sentence. */
  readonly why: string | undefined
}

/** What a circuit says of itself in its report. */
interface InShadow {
  readonly key: string
  readonly label: string
  readonly state: State
  readonly counters: Counters
}

/** What of a change counts here. */
interface Told {
  readonly shadow: boolean
  readonly message: string
}

/** @internal Counts the calls that a circuit in shadow would have refused. */
export class ShadowTally {
  /** What the circuit had done in earnest before. */
  readonly tripsBefore: number
  readonly openMsBefore: number
  refused = 0
  well = 0
  failed = 0
  /** Of the refused: those that have not ended. They would not be under way. */
  underWay = 0

  constructor(tripsBefore = 0, openMsBefore = 0) {
    this.tripsBefore = tripsBefore
    this.openMsBefore = openMsBefore
  }

  wouldRefuse(): void {
    this.refused++
    this.underWay++
  }

  ended(verdict: Verdict): void {
    // One that had begun before, while the circuit was off.
    if (this.underWay === 0) return
    this.underWay--
    if (verdict === 'success') this.well++
    else if (verdict === 'failure') this.failed++
  }

  /** A call that had ended well did not after all. */
  amended(): void {
    if (this.well === 0) return
    this.well--
    this.failed++
  }

  /** @param opened the last change by which the circuit refused, or would have */
  report({ key, label, state, counters }: InShadow, opened: Told | undefined): ShadowReport {
    return {
      key,
      label,
      state,
      opened: counters.trips - this.tripsBefore,
      openMs: counters.openMs - this.openMsBefore,
      refused: this.refused,
      ofThoseWell: this.well,
      ofThoseFailed: this.failed,
      why: opened?.shadow === true ? opened.message : undefined,
    }
  }
}
