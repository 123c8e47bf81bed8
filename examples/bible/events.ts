// What happens, as the timeline shows it and `--json` prints it.
import type { State } from '@fuseboard/core'
import type { Promised } from '../promised.ts'
import type { Choice, Client } from './clients.ts'
import type { Outage } from './server.ts'

/**
 * Where an answer came from: the service, a stored reply, or a made one; or there was none: refused with a wait, or failed,
 * which is what this program promises not to happen.
 */
type Source = 'network' | 'stored' | 'made' | 'refused' | 'failed'

/** One call with the breaker. Times are milliseconds. */
export interface Call {
  readonly n: number
  readonly client: Client['name']
  readonly asked: string
  readonly path: string
  readonly source: Source
  readonly status?: number
  /** How old the stored reply is. */
  readonly ageMs?: number
  /** After how long a refused call is worth asking again. */
  readonly waitMs?: number
  /** What the caller would have met without Fuseboard: a status, an error's code, or why the call was not sent. */
  readonly instead?: string
  readonly tookMs: number
  /** The first words. */
  readonly text?: string
}

/** The same call without a breaker, to a server of its own. */
export interface Twin {
  readonly n: number
  readonly source: 'network' | 'failed'
  readonly status?: number
  readonly error?: string
  readonly tookMs: number
}

export interface Column {
  readonly calls: number
  readonly answered: number
  readonly network: number
  readonly stored: number
  readonly made: number
  readonly refused: number
  readonly failed: number
  /** Requests, and attempts to connect, that met a service that was down. */
  readonly reachedDead: number
  /** What all callers waited, added up. */
  readonly waitedMs: number
  readonly longestMs: number
}

/** What came of one outage. */
export interface Endured {
  readonly outage: Outage
  /** Calls asked for meanwhile. */
  readonly asked: number
  /** Requests, and attempts to connect, that met the dead service: with the breaker, and without. */
  readonly guarded: number
  readonly unguarded: number
  /** How often the circuit opened. */
  readonly opened: number
}

export interface Summary {
  readonly guarded: Column
  readonly unguarded: Column
  readonly outages: readonly Endured[]
  readonly savedMs: number
  readonly scale: number
}

export type StoryEvent =
  | {
      readonly event: 'start'
      readonly scale: number
      readonly seed: number | null
      readonly host: string
      readonly limitMs: number
      readonly client: Choice
    }
  | { readonly event: 'scene'; readonly title: string }
  | { readonly event: 'service'; readonly outage: Outage | null; readonly says: string }
  | ({ readonly event: 'call' } & Call)
  | ({ readonly event: 'unguarded' } & Twin)
  | {
      readonly event: 'transition'
      readonly from: State
      readonly to: State
      readonly reason: string
      readonly message: string
    }
  | { readonly event: 'pause'; readonly waitMs: number }
  | { readonly event: 'warning'; readonly message: string }
  | ({ readonly event: 'summary' } & Summary)
  | ({ readonly event: 'promise' } & Promised)
  | { readonly event: 'end'; readonly status: number; readonly says: string }

/** Hears what happens. */
export type Tell = (event: StoryEvent) => void
