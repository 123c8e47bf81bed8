// A host that is not there, its answers as they pass and what stands in for them: stored replies with no socket, one clock and one store.
import { FencedReplies } from '../src/fenced-replies.ts'
import type { HeaderPairs } from '../src/headers.ts'
import { memoryReplies } from '../src/memory-replies.ts'
import type { AnswerHead, Failure, Fallback, Reply, ReplyStore } from '../src/reply.ts'
import type { HttpRequest } from '../src/request.ts'
import { staleIfError, type StaleIfErrorOptions } from '../src/stale-if-error.ts'

export const START = Date.parse('Sun, 06 Nov 2033 08:49:37 GMT')
export const SECOND = 1_000
export const HOUR = 3_600 * SECOND
export const PLACE = 'https://bible-api.com/John+3:16'

export interface Asked {
  url?: string
  method?: string
  headers?: Record<string, string> | HeaderPairs
  credentials?: string
}

export interface Answered {
  status?: number
  headers?: Record<string, string> | HeaderPairs
  body?: string | Uint8Array
  decoded?: boolean
  redirected?: boolean
}

const pairs = (headers: Asked['headers'] = {}): HeaderPairs =>
  Symbol.iterator in headers ? headers : Object.entries(headers)

export const ask = ({ url = PLACE, method = 'GET', headers, credentials }: Asked = {}): HttpRequest => ({
  method,
  url,
  host: new URL(url).host,
  headers: pairs(headers),
  credentials,
})

/** One host, one clock, one store, and a fallback between them. */
export class World {
  now = START
  readonly store = memoryReplies()
  readonly warnings: string[] = []
  readonly faults: string[] = []
  readonly fallback: Fallback
  readonly replies: FencedReplies

  constructor(options?: StaleIfErrorOptions, store: ReplyStore = this.store) {
    this.fallback = staleIfError(options)
    this.replies = new FencedReplies(store, {
      wall: () => this.now,
      warn: (code, message) => this.warnings.push(`${code}: ${message}`),
      onFault: (action, _, fault) => this.faults.push(`${action}: ${fault}`),
    })
  }

  /** An answer that the circuit counts as good, as an attempt hands it on. */
  passes(asked: Asked = {}, answered: Answered = {}): this {
    this.begins(asked, answered)?.end()
    return this
  }

  begins(asked: Asked, { status = 200, headers, body = 'body', decoded = true, redirected }: Answered) {
    const head: AnswerHead = { status, statusText: 'OK', headers: pairs(headers), decoded, redirected }
    const sink = this.fallback.capture?.(ask(asked), head, this.replies)
    if (sink === undefined) this.fallback.superseded?.(ask(asked), head, this.replies)
    sink?.write(Buffer.from(body))
    return sink
  }

  later(ms: number): this {
    this.now += ms
    return this
  }

  /** What stands in where the circuit lets nothing through. */
  refused(asked: Asked = {}): Reply | undefined {
    return this.#asks({ request: ask(asked), key: 'k', state: 'open', reason: 'refused', retryAfterMs: 1 })
  }

  /** What stands in for an answer of this status, or for none. */
  failed(asked: Asked = {}, how: { status: number } | { error: unknown } = { status: 503 }): Reply | undefined {
    const common = {
      request: ask(asked),
      key: 'k',
      state: 'closed',
      reason: 'failed',
      retryAfterMs: undefined,
    } as const
    return this.#asks(
      'status' in how ? { ...common, response: { status: how.status, headers: [] } } : { ...common, ...how },
    )
  }

  #asks(failure: Failure): Reply | undefined {
    if (!this.fallback.covers?.(failure, true)) return undefined
    return this.fallback.standIn(failure, this.replies) as Reply | undefined
  }
}

export const KEPT = { keepFor: '1d' } as const
export const textOf = (reply: Reply | undefined): string | undefined => reply && Buffer.from(reply.body).toString()
export const valueOf = (reply: Reply | undefined, name: string): string | undefined =>
  reply?.headers.find(([field]) => field === name)?.[1]
