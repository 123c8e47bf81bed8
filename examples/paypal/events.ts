// What happens, as the screen shows it.
import type { State } from '@fuseboard/core'
import type { Promised } from '../promised.ts'
import type { Answer } from './billing.ts'

/** How many customers fared how. */
export interface Summary {
  readonly customers: number
  /** By the last answer: told "subscribed", and told "pending" for what waits in the outbox. */
  readonly subscribed: number
  readonly pended: number
  /** What went out through the outbox, and what waits there still. */
  readonly sent: number
  readonly pending: number
  /** Requests that PayPal knew again by their key, and those that it refused since the same one was under way. */
  readonly known: number
  readonly conflicts: number
  /** Customers with more than one subscription, and with none. */
  readonly twice: number
  readonly lost: number
}

export type StoryEvent =
  | {
      readonly event: 'start'
      readonly seed: number
      readonly scale: number
      readonly host: string
      readonly admin: string
      readonly openForMs: number
      readonly limitMs: number
    }
  | { readonly event: 'scene'; readonly title: string }
  | { readonly event: 'note'; readonly well: boolean; readonly says: string }
  | { readonly event: 'transition'; readonly to: State; readonly message: string }
  /** A customer was answered. */
  | { readonly event: 'answer'; readonly customer: string; readonly answer: Answer; readonly waiting: number }
  /** What waited was sent; `known` where PayPal had made it before. */
  | {
      readonly event: 'sent'
      readonly customer: string
      readonly id: string
      readonly known: boolean
      readonly waiting: number
    }
  /** It was sent in vain, and is tried again. */
  | { readonly event: 'again'; readonly customer: string; readonly why: string; readonly waiting: number }
  | { readonly event: 'alert'; readonly text: string }
  | ({ readonly event: 'summary' } & Summary)
  | ({ readonly event: 'promise' } & Promised)
  | { readonly event: 'end'; readonly status: number; readonly says: string }

/** Hears what happens. */
export type Tell = (event: StoryEvent) => void
