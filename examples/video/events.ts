// What happens, as the screen shows it.
import type { State } from '@fuseboard/core'
import type { Promised } from '../promised.ts'
import type { ClientName } from './clients.ts'
import type { Result } from './download.ts'

/** How far a film has come, and by whom. */
export interface Progress {
  readonly film: string
  readonly by: ClientName | 'child'
  /** Bytes on the disk, and in all; undefined while nobody has told. */
  readonly have: number
  readonly size: number | undefined
}

export interface Step extends Progress {
  readonly kind: 'good' | 'failed' | 'refused'
  readonly says: string
  /** What whoever wanted the film is told. */
  readonly result?: Result
}

/** One line of the table at the end. */
export interface Row {
  readonly film: string
  readonly bytes: number
  readonly resumed: number
  /** Bytes that came from the network and are not in the file. */
  readonly twice: number
  readonly hashOk: boolean
}

export type StoryEvent =
  | {
      readonly event: 'start'
      readonly seed: number
      readonly scale: number
      readonly host: string
      readonly platform: string
      readonly openForMs: number
      readonly silenceMs: number
    }
  | { readonly event: 'scene'; readonly title: string }
  | { readonly event: 'note'; readonly well: boolean; readonly says: string }
  /** Bytes came: no news for a log. */
  | ({ readonly event: 'progress' } & Progress)
  | ({ readonly event: 'step' } & Step)
  | { readonly event: 'transition'; readonly to: State; readonly message: string }
  | { readonly event: 'summary'; readonly rows: readonly Row[] }
  | ({ readonly event: 'promise' } & Promised)
  | { readonly event: 'end'; readonly status: number; readonly says: string }

/** Hears what happens. */
export type Tell = (event: StoryEvent) => void
