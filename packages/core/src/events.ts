// What a board tells: events by name, after the change, in order, to listeners that cannot hurt it.
import { inWords } from './ask.ts'
import type { CircuitOpenError } from './errors.ts'
import type { Verdict } from './outcome.ts'
import type { RefusalReason, State } from './state.ts'

/** Why a circuit changed its state. */
export type TransitionReason =
  | 'failure-rate'
  | 'consecutive-failures'
  | 'slow-calls'
  | 'unanswered-calls'
  | 'probe-failed'
  | 'body-broke'
  | 'elapsed'
  | 'probe-succeeded'
  | 'fleet-opened'
  | 'corroborated'
  | 'fleet-closed'
  | 'restored'
  | 'by-hand'

/** What a circuit had seen when it changed its state. */
export interface Evidence {
  /** Calls in the window, and how many of them failed or were slow. */
  readonly calls: number
  readonly failures: number
  readonly slow: number
  /** Unanswered calls older than `slowAfter`. */
  readonly overdue: number
  /** Failures in a row, and the milliseconds they span. */
  readonly streak: number
  readonly streakMs: number
  /** The latest failures by status or error code: `{ '503': 2, ECONNRESET: 1 }`. */
  readonly kinds: Readonly<Record<string, number>>
}

/** A circuit changed its state. */
export interface TransitionEvent {
  readonly key: string
  readonly label: string
  readonly from: State
  readonly to: State
  readonly reason: TransitionReason
  /** Milliseconds since the epoch. */
  readonly at: number
  /** Where it opened: until when, in milliseconds since the epoch. */
  readonly until: number | undefined
  readonly evidence: Evidence
  /** It is in shadow: it would have. */
  readonly shadow: boolean
  /** The whole of it in a sentence. */
  readonly message: string
}

/** A call was refused: it was not sent. */
export interface RefusedEvent {
  readonly key: string
  readonly label: string
  readonly reason: RefusalReason
  readonly retryAfterMs: number | undefined
  readonly host: string
  /** Milliseconds since the epoch. */
  readonly at: number
  /** Undefined where the call was no HTTP request. */
  readonly method: string | undefined
  readonly url: string | undefined
  /** Its circuit is in shadow: it would have been refused, and was sent. */
  readonly shadow: boolean
}

/** A call ended, or what was taken for a good end was amended. */
export interface SettledEvent {
  readonly key: string
  readonly label: string
  readonly verdict: Verdict
  readonly status: number | undefined
  readonly error: unknown
  /** Milliseconds from admission to the head of the answer. */
  readonly durationMs: number
  /** It belonged to an earlier state: it changed counters only. */
  readonly stale: boolean
  readonly probe: boolean
  /** The body broke after a good head, or the caller said so: this takes the place of the success told before. */
  readonly amended: boolean
}

/** A reply stood in. */
export interface FallbackEvent {
  readonly key: string
  readonly label: string
  readonly url: string
  readonly source: 'stored' | 'made'
  readonly reason: 'refused' | 'failed'
  /** Milliseconds since the host made the stored answer. */
  readonly age: number | undefined
  readonly status: number
}

/** A store failed: of replies (`get`, `set`, `delete`) or of the fleet (`read`, `swap`, `watch`). The request went on without it. */
export interface StoreEvent {
  readonly action: 'get' | 'set' | 'delete' | 'read' | 'swap' | 'watch'
  readonly key: string
  readonly fault: string
}

/** Something needs the attention of whoever wrote the program; told once. */
export interface WarningEvent {
  readonly code: string
  readonly message: string
}

/** The events of a board, by name. */
export interface BoardEvents {
  transition: TransitionEvent
  refused: RefusedEvent
  settled: SettledEvent
  fallback: FallbackEvent
  store: StoreEvent
  warning: WarningEvent
}

/** What hears an event of a board. What it throws, or rejects with, is a warning. */
export type Listener<Event> = (event: Event) => void

type Listeners = { [Name in keyof BoardEvents]?: readonly Listener<BoardEvents[Name]>[] | undefined }

/** How many different warnings are told before the rest is dropped: a warning for each of a million hosts is none. */
const MOST_WARNINGS = 1_000

/** @internal The listeners of a board. What nobody hears is not built: ask `heard` first. */
export class Events {
  readonly heard: Listeners = {
    transition: undefined,
    refused: undefined,
    settled: undefined,
    fallback: undefined,
    store: undefined,
    warning: undefined,
  }

  readonly #queue: (() => void)[] = []
  readonly #warned = new Set<string>()
  #telling = false

  on<Name extends keyof BoardEvents>(name: Name, listener: Listener<BoardEvents[Name]>): () => void {
    if (!Object.hasOwn(this.heard, name)) {
      throw new TypeError(`There is no event ${JSON.stringify(name)}; there are ${Object.keys(this.heard).join(', ')}`)
    }
    if (typeof listener !== 'function') throw new TypeError(`A listener must be a function, got ${String(listener)}`)

    // Each registration is its own, so that the undo of one leaves another of the same function alone.
    const own: Listener<BoardEvents[Name]> = (event) => listener(event)
    this.#set(name, [...(this.heard[name] ?? []), own])
    return () => this.#set(name, this.heard[name]?.filter((other) => other !== own) ?? [])
  }

  /** Tells an event. One told by a listener waits until the present one has been told to all. */
  tell<Name extends keyof BoardEvents>(name: Name, event: BoardEvents[Name]): void {
    for (const listener of this.heard[name] ?? []) this.#queue.push(() => this.#call(name, listener, event))
    if (this.#telling) return

    this.#telling = true
    // What a listener adds is told in the same round.
    for (const next of this.#queue) next()
    this.#queue.length = 0
    this.#telling = false
  }

  /** Tells a warning the first time only: to listeners, or to the console where there are none. */
  warn(code: string, message: string): void {
    const id = `${code} ${message}`
    if (this.#warned.has(id) || this.#warned.size >= MOST_WARNINGS) return
    this.#warned.add(id)
    if (this.heard.warning) this.tell('warning', { code, message })
    else print(message)
  }

  #set<Name extends keyof BoardEvents>(name: Name, listeners: readonly Listener<BoardEvents[Name]>[]): void {
    this.heard[name] = (listeners.length === 0 ? undefined : listeners) as Listeners[Name]
  }

  #call<Name extends keyof BoardEvents>(name: Name, listener: Listener<BoardEvents[Name]>, event: BoardEvents[Name]) {
    try {
      const result: unknown = listener(event)
      if (result instanceof Promise) result.catch((error: unknown) => this.#threw(name, error))
    } catch (error) {
      this.#threw(name, error)
    }
  }

  #threw(name: keyof BoardEvents, error: unknown): void {
    const message = `A listener of '${name}' threw: ${inWords(error)}`
    if (name === 'warning') print(message)
    else this.warn('listener', message)
  }
}

function print(message: string): void {
  console.warn(`fuseboard: ${message}`)
}

/** @internal Tells of a refusal. */
export function tellRefused(
  events: Events,
  at: number,
  refusal: CircuitOpenError,
  method?: string,
  url?: string,
  shadow: boolean = false,
): void {
  const { key, label, reason, retryAfterMs, host } = refusal
  events.tell('refused', { key, label, reason, retryAfterMs, host, at, method, url, shadow })
}
