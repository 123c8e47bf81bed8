// What a program promised, and how it ends by that.
import type { Ending } from './entry.ts'

export interface Promised {
  readonly promise: string
  readonly kept: boolean
  /** The figures behind it. */
  readonly reason: string
}

/** A broken promise is named, with its figures. */
export function endingOf(promises: readonly Promised[]): Ending {
  const broken = promises.filter(({ kept }) => !kept)
  if (broken.length === 0) return { status: 0, says: 'All promises kept.' }
  return { status: 1, says: `Broken: ${broken.map(({ promise, reason }) => `${promise}: ${reason}`).join('; ')}.` }
}
