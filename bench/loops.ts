// Loops that make a call over and over, compiled for each subject by itself: one loop shared by all would be compiled for all of
// their calls at once, which is nobody's program.

/** One way to make a call. */
export interface Subject {
  readonly name: string
  readonly call: () => unknown
  /** Calls in a block of the clock, where they are not to fill a millisecond. */
  readonly block?: number
}

/** How calls end: with a value at once, with a promise that is fulfilled, or with one that is rejected. */
export type Ending = 'returns' | 'resolves' | 'rejects'

/** Makes so many calls. */
export type Loop = (calls: number) => unknown

const SOURCES: Record<Ending, string> = {
  returns: 'return (calls) => { let sum = 0; for (let i = 0; i < calls; i++) sum += call(); return sum }',
  resolves: 'return async (calls) => { for (let i = 0; i < calls; i++) await call() }',
  rejects: 'return async (calls) => { for (let i = 0; i < calls; i++) try { await call() } catch {} }',
}

let loops = 0

export function loopOf(subject: Subject, ending: Ending): Loop {
  // The number keeps V8 from taking it for one that it has compiled before.
  // oxlint-disable-next-line typescript/no-implied-eval -- the point of this file
  return new Function('call', `/* ${++loops} */ ${SOURCES[ending]}`)(subject.call) as Loop
}
