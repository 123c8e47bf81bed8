// What the suite asks of a client. A driver says how one client does it, and nothing else: the rest is the suite's.
import type { Readable } from 'node:stream'
import type { Board } from '@fuseboard/core'

/** One client. */
export interface Driver {
  readonly name: string
  /** Whether the client tries again by itself; where it does not, the suite does so around it. */
  readonly retries: boolean
  /** What becomes of the stream that a refused request was to send. */
  readonly refusedBody: 'destroyed' | 'untouched'
  /** A fresh client, guarded by the board. */
  open(board: Board, settings: Settings): Client
  /** Whether a response is of the client's own type. */
  isNative(response: unknown): boolean
  /** Whether the error of a refused call is of the client's own kind. */
  isOwnRefusal(error: unknown): boolean
  /** The status in an error, where the client throws for some. */
  statusOf?(error: unknown): number | undefined
}

/** How a case wants its client. */
export interface Settings {
  /** The client's own time limit for head and body, in milliseconds. */
  readonly timeout?: number
  /** How often the client's own retry tries again, without a pause; or the retry as it comes. */
  readonly retries?: number | 'default'
  /** How many redirects are followed at most, where the client lets one say so. */
  readonly redirects?: number
  /** With the client's own cache, above the breaker. */
  readonly cache?: boolean
  /** What URLs are relative to. */
  readonly base?: string
  /** The breaker is put on twice. */
  readonly twice?: boolean
  /** A second place of the same chain is guarded too. */
  readonly layers?: boolean
  /** Speaks HTTP/2 where the host does, and the client can. */
  readonly http2?: boolean
  /** The caller has a transport of their own beneath the breaker, which calls this when it sends. */
  readonly onSend?: () => void
}

export interface Client {
  readonly call: (url: string, options?: CallOptions) => Promise<Answer>
  /** Resolves at the head. */
  readonly stream: (url: string, options?: CallOptions) => Promise<Streamed>
  /** Reads the body by the client's own means. */
  readonly read: (url: string, as: Form) => Promise<unknown>
  /** The API that gives a stream at once. */
  readonly pipeline?: (url: string) => Readable
  /** Opens a WebSocket, or upgrades in another way. */
  readonly upgrade?: (url: string) => Promise<{ close(): void }>
  /** A client made from this one. */
  readonly child?: () => Client
  /** Takes the breaker away. */
  readonly uninstall?: () => void
  /** Breaks whatever is still open. */
  readonly close: () => Promise<void>
}

export interface CallOptions {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Readable
  readonly signal?: AbortSignal
  /** No status is an error (`validateStatus`, `throwHttpErrors`). */
  readonly anyStatus?: boolean
  /** The call brings a transport of its own, which calls this when it sends. */
  readonly onSend?: () => void
}

export interface Answer {
  readonly status: number
  readonly headers: Fields
  readonly text: string
  /** The response as the client gave it. */
  readonly native: unknown
}

export interface Streamed {
  readonly status: number
  readonly headers: Fields
  readonly body: Readable
}

/** Header fields as clients give them. */
export type Fields = Headers | Readonly<Record<string, string | string[] | undefined>>

/** A body as a whole. */
type Form = 'text' | 'json' | 'arrayBuffer'
