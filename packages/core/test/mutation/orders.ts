// What the process that plans a run and the thread that has the tests say to each other.

/** What a thread is started with. */
export interface Start {
  readonly channel: string
  /** A change that is in force from the start, where its code runs as it is loaded. */
  readonly mutant: string | undefined
}

/** A test as both know it. */
interface Listed {
  readonly id: string
  readonly fileName: string
}

/** The thread has loaded its tests, or some file of them could not be. */
export interface Ready {
  readonly tests: readonly Listed[]
  readonly broken: string | undefined
}

/** What is asked of the thread: to run tests, all where none are named, until one fails. */
export interface Order {
  readonly tests: readonly string[] | undefined
  /** The change that is in force meanwhile. */
  readonly mutant: string | undefined
  /** How often its place may be passed: more is taken for an endless loop. */
  readonly hitLimit: number | undefined
}

/** How it went. */
export interface Outcome {
  /** The milliseconds that each took. */
  readonly ran: Readonly<Record<string, number>>
  readonly failed: { readonly id: string; readonly message: string } | undefined
  /** The test that failed does so too without the change: what an earlier one left behind must be cleared away first. */
  readonly spoilt: boolean
  readonly hits: number | undefined
  readonly coverage: unknown
}

declare module 'vitest' {
  interface ProvidedContext {
    start: Start
  }
}
