// One promise that is held against cases drawn by lot: a few hundred in the tests, a million of all in `soak`.
import type fc from 'fast-check'

export interface Fuzz {
  /** What is promised. */
  readonly what: string
  /** How many of a thousand cases are for it. */
  readonly share: number
  readonly holds: fc.IAsyncProperty<unknown> | fc.IProperty<unknown>
}
