// What the process of the chaos is told, and what it tells.
import type { Burden } from './leaks.ts'

export interface Orders {
  readonly seed: number
  /** Seconds. */
  readonly length: number
}

export interface Figures {
  readonly rounds: number
  readonly calls: number
  readonly sent: number
  readonly arrived: number
  readonly hiddenHops: number
  readonly unguarded: number
  readonly refused: number
  readonly stoodIn: number
  readonly ends: readonly (readonly [what: string, count: number])[]
  readonly unarrived: readonly (readonly [how: string, count: number])[]
  readonly transitions: number
  readonly storeFaults: number
  readonly burdens: readonly Burden[]
  /** The bounds that did not hold, some words on each. */
  readonly broken: readonly string[]
}
