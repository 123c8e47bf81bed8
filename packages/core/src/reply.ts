// A reply that stands in for a host: what it is, how it is marked, and what makes one.
import type { Awaitable } from './awaitable.ts'
import { show } from './duration.ts'
import { isFieldValue, isToken } from './field.ts'
import type { HeaderPairs } from './headers.ts'
import type { ReplyTally } from './reply-counters.ts'
import type { HttpRequest } from './request.ts'
import type { State } from './state.ts'

/** A whole answer in bytes. Headers are pairs in wire order, repeats included. */
export interface Reply {
  readonly status: number
  readonly statusText: string
  readonly headers: readonly (readonly [name: string, value: string])[]
  readonly body: Uint8Array
  /** Whether the bytes of the body were decoded already, so that they no longer agree with a `content-encoding`. */
  readonly decoded: boolean
  readonly mark: FallbackMark
}

/** What a stand-in says of itself: see {@link isFallback}. */
export interface FallbackMark {
  /** `stored`: an earlier answer of the host. `made`: an answer of the policy. */
  readonly source: 'stored' | 'made'
  /** `refused`: the circuit let nothing through. `failed`: the host was asked and did not answer well. */
  readonly reason: 'refused' | 'failed'
  /** Milliseconds since the host made the stored answer. */
  readonly age?: number
  /** What the caller would have got: the refusal, the error, or the status of the answer. */
  readonly masked?: { readonly error: unknown } | { readonly status: number }
}

/** Why a stand-in is wanted. */
export interface Failure {
  readonly request: HttpRequest
  readonly key: string
  readonly state: State
  readonly reason: 'refused' | 'failed'
  /** The refusal, or what the client threw. */
  readonly error?: unknown
  /** The head of the answer, where there was one. */
  readonly response?: { readonly status: number; readonly headers: HeaderPairs }
  /** Milliseconds until it is worth asking again, where that is known. */
  readonly retryAfterMs: number | undefined
  /** For the functions of the list: a stored reply that is too old to stand in by itself, where one before them had it. */
  readonly stored?: Reply
}

/** Takes in a good answer as it passes to the caller. */
export interface Sink {
  /** The bytes may be reused by the caller: a sink copies what it keeps. */
  write(chunk: Uint8Array): void
  /** The answer came whole. */
  end(): void
  /** It did not. */
  abort(): void
}

/** The head of an answer, as a sink is asked for. */
export interface AnswerHead {
  readonly status: number
  readonly statusText: string
  readonly headers: HeaderPairs
  /** Whether the sink will be given decoded bytes (fetch, got, axios) or those on the wire (undici). */
  readonly decoded: boolean
  /** Whether the client followed redirects to it, so that it is not the answer of the URL that was asked. */
  readonly redirected?: boolean | undefined
}

/** What stands in where a host cannot answer. Each is asked in the order of the policy's list; the first reply is taken. */
export interface Fallback {
  /** Header fields that must be on the wire before the request is sent, such as an idempotency key. */
  prepare?(request: HttpRequest, replies: Replies): HeaderPairs | undefined
  /** Whether a failure is one it may stand in for; without this, any that counts against the circuit. */
  covers?(failure: Failure, counted: boolean): boolean
  /** @param tooOld told a reply that would do but for its age: functions further down the list may take it knowingly */
  standIn(failure: Failure, replies: Replies, tooOld?: (reply: Reply) => void): Awaitable<Reply | undefined>
  /** @internal Asked in place of `standIn` where a function of the list answered with it: that function saw the request. */
  chosen?(failure: Failure, replies: Replies): Awaitable<Reply | undefined>
  /** A sink for an answer that it wants to keep. */
  capture?(request: HttpRequest, head: AnswerHead, replies: Replies): Sink | undefined
  /** An answer that is not captured: told so that what it supersedes can be dropped. */
  superseded?(request: HttpRequest, head: AnswerHead, replies: Replies): void
  /** @internal Opens the store of the board. A fallback that wants one brings it, so that boards without it carry no store. */
  open?(store: ReplyStore | undefined, fence: Fence): Replies
}

/** @internal What the makers of fallbacks are marked with: one given in place of a fallback was not called. */
export const MAKER: unique symbol = Symbol.for('fuseboard.maker') as never

/** A fallback in a policy's list: one made by this library, or a function that answers with one, with a reply, or with nothing. */
export type FallbackOption = Fallback | ((failure: Failure) => Awaitable<Fallback | Reply | undefined>)

/** An answer at rest. */
export interface StoredReply {
  /** The version of this format. */
  readonly v: 1
  /** The whole key, compared on reading: a store may hash. */
  readonly key: string
  /** The request headers that the answer varies by, with the values it was made for. */
  readonly vary: Readonly<Record<string, string | null>>
  readonly status: number
  readonly statusText: string
  readonly headers: readonly (readonly [name: string, value: string])[]
  readonly body: Uint8Array
  readonly decoded: boolean
  /** Wall time in milliseconds when it was stored. */
  readonly storedAt: number
  /** Milliseconds: how old it was then. */
  readonly ageAtStore: number
  /** Wall time in milliseconds from when on it is stale. */
  readonly staleAt: number
  /** Wall time in milliseconds after which it must not be used. */
  readonly expiresAt: number
}

/** Where replies are kept. The values of a key are its variants. */
export interface ReplyStore {
  get(key: string): Awaitable<readonly StoredReply[] | undefined>
  set(key: string, replies: readonly StoredReply[], options: { ttlMs: number; bytes: number }): Awaitable<void>
  delete(key: string): Awaitable<void>
  /** How many keys have made room for others, where it knows. */
  readonly evicted?: number
}

/** @internal What a fenced store needs of its board. */
export interface Fence {
  readonly wall: () => number
  readonly warn: (code: string, message: string) => void
  readonly onFault: (action: 'get' | 'set' | 'delete', key: string, fault: string) => void
}

/** @internal What a fallback may use of its board: the store behind its fences (none before a staleIfError opens it), and the time. */
export interface Replies {
  /** A fault of the store is a miss, and a `store` event. */
  get(key: string): Awaitable<readonly StoredReply[] | undefined>
  /** Never awaited by a request. */
  set(key: string, replies: readonly StoredReply[], options: { ttlMs: number; bytes: number }): void
  delete(key: string): void
  /** Wall time in milliseconds. */
  wall(): number
  warn(code: string, message: string): void
  readonly tally: ReplyTally
}

/**
 * @internal What a fallback stands in with.
 * @throws TypeError where it is no reply
 */
export function readReply(said: unknown): Reply | undefined {
  if (said === undefined || said === null) return undefined
  const { status, statusText, headers, body, mark } = said as Partial<Record<keyof Reply, unknown>>
  const fits =
    Number.isInteger(status) &&
    (status as number) >= 200 &&
    (status as number) <= 599 &&
    isFieldValue(statusText) &&
    areFields(headers) &&
    body instanceof Uint8Array &&
    typeof mark === 'object' &&
    mark !== null
  if (!fits)
    throw new TypeError(`it must answer with a fallback, as reply(...) is one, or with nothing, got ${show(said)}`)
  return said as Reply
}

/**
 * @internal What a fallback wants on the wire.
 * @throws TypeError where these are no header fields
 */
export function readFields(said: unknown): Reply['headers'] {
  if (said === undefined || said === null) return []
  const fields: unknown = typeof said === 'object' && Symbol.iterator in said ? [...(said as HeaderPairs)] : said
  if (!areFields(fields)) throw new TypeError(`it must give pairs of a header name and a value, got ${show(said)}`)
  return fields
}

/**
 * @internal What takes an answer in.
 * @throws TypeError where it is no sink
 */
export function readSink(said: unknown): Sink | undefined {
  if (said === undefined || said === null) return undefined
  const fits = (['write', 'end', 'abort'] as const).every((name) => typeof (said as Sink)[name] === 'function')
  if (!fits) throw new TypeError(`it must give a sink, with write, end and abort, got ${show(said)}`)
  return said as Sink
}

const areFields = (value: unknown): value is Reply['headers'] =>
  Array.isArray(value) &&
  value.every((pair: unknown) => Array.isArray(pair) && pair.length === 2 && isToken(pair[0]) && isFieldValue(pair[1]))
