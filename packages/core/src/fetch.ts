// One fetch under a board: for a program's own calls, and for SDKs that take a fetch.
import type { Attempt } from './attempt.ts'
import { toBoard, type Board, type BoardOptions } from './board.ts'
import { circuitOpen, type CircuitOpenError } from './errors.ts'
import { exchange, type Client } from './exchange.ts'
import type { HeaderPairs } from './headers.ts'
import { alike } from './likeness.ts'
import { Check } from './check.ts'
import { causeOfSignal, type Cause } from './outcome.ts'
import type { AnswerHead, Reply } from './reply.ts'
import type { RequestLike } from './request.ts'
import { isReadable } from './watched-body.ts'
import { watchResponse, type Watch } from './watched-response.ts'

type Fetch = typeof globalThis.fetch
type Input = Parameters<Fetch>[0]
type Init = NonNullable<Parameters<Fetch>[1]>

/** Marks a guarded fetch with its board, so that one put on twice counts once. */
const GUARD: unique symbol = Symbol.for('fuseboard.fetch')

/** What tags the init of a fetch whose client aborts it for time limits of its own, in a way that looks like the caller's. */
export const TIME_LIMIT: unique symbol = Symbol.for('fuseboard.time-limit') as never

/** The time limits of a client. */
export interface TimeLimits {
  /** The error of the one that aborted a request just now, if one did. */
  ranOut(reason: unknown): Error | undefined
}

/** What a guarded fetch may be told besides its board. */
export interface GuardFetchOptions {
  /** The fetch below. @default globalThis.fetch, looked up at each call, so that mocks put up later are seen */
  fetch?: Fetch
  /**
   * `throw`: a refusal is thrown. `response`: it is a 503 with Retry-After and the headers that stop the retries of SDKs.
   * @default 'throw'
   */
  refusal?: 'throw' | 'response'
}

/**
 * A fetch that asks the circuit of its host first, and stands in where the policy allows it.
 *
 * @param options a board, or the options of one of its own; nothing means the default board of the process
 * @example const client = new OpenAI({ fetch: guardFetch(board, { refusal: 'response' }) })
 * @throws TypeError or RangeError where an option is wrong; the fetch itself throws CircuitOpenError where it is refused
 */
export function guardFetch(options?: Board | BoardOptions, given: GuardFetchOptions = {}): Fetch {
  const check = new Check('')
  check.known(given, ['fetch', 'refusal'], undefined, 'the options of guardFetch')
  const { fetch, refusal = 'throw' } = given
  check.optional(fetch, 'fetch', 'function')
  check.oneOf(refusal, 'refusal', ['throw', 'response'])
  const board = toBoard(options)
  if (fetch !== undefined && GUARD in fetch && fetch[GUARD] === board) return fetch

  const guarded = (input: Input, init?: Init): Promise<Response> => {
    const send = fetch ?? globalThis.fetch
    const call = callOf(board, input, init, send)
    // It is none: the fetch below says so in its own words.
    if (call === undefined) return send(input, init)
    const wait = board.consult(call)
    const answer = wait === undefined ? call.go() : wait.then(() => call.go())
    return refusal === 'throw' ? answer : answer.catch(asResponse)
  }
  return Object.defineProperty(guarded, GUARD, { value: board })
}

function callOf(board: Board, input: Input, init: Init | undefined, fetch: Fetch): FetchCall | undefined {
  try {
    return new FetchCall(board, input, init, fetch)
  } catch {
    return undefined
  }
}

/** One call of fetch: as a board reads it, as an exchange sees it, and as who watches the body of its response. */
class FetchCall implements RequestLike, Client<Response>, Watch {
  readonly url: string
  attempt!: Attempt
  captured = false
  passed: Response | undefined = undefined
  readonly #board: Board
  readonly #input: Input
  readonly #init: Init | undefined
  readonly #fetch: Fetch
  #headers: Headers | undefined = undefined

  constructor(board: Board, input: Input, init: Init | undefined, fetch: Fetch) {
    this.#board = board
    this.#input = input
    this.#init = init
    this.#fetch = fetch
    this.url = absolute(typeof input === 'object' && 'url' in input ? input.url : String(input))
  }

  /** Begins its attempt, and sends it where it may. */
  go(): Promise<Response> {
    const attempt = this.#board.attempt(this)
    if (!attempt.guarded) return this.#fetch.call(globalThis, this.#input, this.#init)
    this.attempt = attempt
    return exchange(attempt, this)
  }

  get method(): string {
    return this.#init?.method ?? this.#request?.method ?? 'GET'
  }

  get headers(): Headers {
    return (this.#headers ??= new Headers(this.#init?.headers ?? this.#request?.headers))
  }

  get credentials(): string | undefined {
    return this.#init?.credentials ?? this.#request?.credentials
  }

  payload(): unknown {
    const body = this.#init?.body
    if (body !== undefined && body !== null) return body
    const request = this.#request
    // Its body can be read only once, so another is given; of one that was read already this throws.
    return request?.body ? request.clone() : undefined
  }

  get signal(): AbortSignal | null | undefined {
    return this.#init?.signal ?? this.#request?.signal
  }

  timedOut(): Error | undefined {
    const { signal } = this
    return signal?.aborted ? this.#limits?.ranOut(signal.reason) : undefined
  }

  send(extra: Attempt['headers']): Promise<Response> {
    const input = this.#input
    const init = this.#init
    let own = this.#board.handDown(init, this.attempt)
    const { signal } = this
    // What is handed down may go on, past a redirect, as an attempt that knows of no limits.
    if (own !== init && this.#limits && signal) own = { ...own, signal: tellingSignal(signal, this.#limits) }
    if (extra.length > 0) {
      const headers = new Headers(this.headers)
      for (const [name, value] of extra) headers.set(name, value)
      own = { ...own, headers }
    }
    return this.#fetch.call(globalThis, input, own === init ? init : { ...this.#referrer, ...own })
  }

  head(response: Response): AnswerHead {
    const { status, statusText, headers, redirected } = response
    return { status, statusText, headers: pairsOf(headers), redirected, decoded: true }
  }

  thrown(error: unknown): { error: unknown; cause?: Cause } {
    const cause = this.causeOf() ?? (isMistake(error, this.#input, this.#init, this) ? 'caller' : undefined)
    return cause === undefined ? { error } : { error, cause }
  }

  watch(response: Response, attempt: Attempt, captured: boolean): Response {
    // To ask for the body costs as much as all the rest of the watching.
    if (captured && response.body === null) attempt.end()
    if (response.status < 200 || (attempt.adopted && !captured)) return response
    this.captured = captured
    return watchResponse(response, this)
  }

  causeOf(): Cause | undefined {
    return causeOfSignal(this.signal)
  }

  drain(response: Response): void {
    if (isReadable(response.body)) response.body.cancel().catch(() => {})
  }

  thaw({ status, statusText, headers, body }: Reply): Response | undefined {
    // A redirect that another client kept: fetch would have followed it.
    if (REDIRECTS.has(status) && (this.#init?.redirect ?? this.#request?.redirect) !== 'manual') return undefined
    const bare = this.method.toUpperCase() === 'HEAD' || [204, 205, 304].includes(status)
    const response = new Response(bare ? null : (body as Uint8Array<ArrayBuffer>), {
      status,
      statusText,
      headers: headers.map(([name, value]) => [name, value] as [string, string]),
    })
    const { href, hash } = new URL(this.url)
    const url = hash === '' ? href : href.slice(0, -hash.length)
    return alike(response, { url, redirected: false, type: 'basic', status, statusText, ok: response.ok }, false)
  }

  /** What a Request loses where an init is beside it (the fetch standard, "new Request(input, init)", step 12). */
  get #referrer(): Init {
    const request = this.#request
    return request === undefined ? {} : { referrer: request.referrer, referrerPolicy: request.referrerPolicy }
  }

  get #limits(): TimeLimits | undefined {
    return (this.#init as { readonly [TIME_LIMIT]?: TimeLimits } | undefined)?.[TIME_LIMIT]
  }

  get #request(): Request | undefined {
    return typeof this.#input === 'object' && 'url' in this.#input ? this.#input : undefined
  }
}

/** A signal that tells in its reason which time limit it was. */
function tellingSignal(signal: AbortSignal, limits: TimeLimits): AbortSignal {
  const controller = new AbortController()
  const abort = (): void => controller.abort(limits.ranOut(signal.reason) ?? signal.reason)
  if (signal.aborted) abort()
  else signal.addEventListener('abort', abort, { once: true })
  return controller.signal
}

const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308])

/** What Node's fetch says of requests that the caller got wrong. */
const MISTAKES = /redirect count exceeded|unexpected redirect|unknown scheme|invalid (?:url|method|header)|URL scheme/i

function isMistake(error: unknown, input: Input, init: Init | undefined, { url, method }: RequestLike): boolean {
  if (!(error instanceof TypeError)) return false
  const { cause } = error as { cause?: unknown }
  if (cause instanceof Error && MISTAKES.test(cause.message)) return true
  if (init?.body != null && /^(?:GET|HEAD)$/i.test(method)) return true
  if (typeof input === 'object' && 'bodyUsed' in input && init === undefined) return false
  try {
    return new Request(url, { method, ...(init?.headers !== undefined && { headers: init.headers }) }).url === ''
  } catch {
    return true
  }
}

/** A mock may have its headers in an object. */
const pairsOf = (headers: Headers): HeaderPairs =>
  Symbol.iterator in headers ? headers : Object.entries<string>(headers)

function asResponse(error: unknown): Response {
  const open = circuitOpen(error)
  if (open === undefined) throw error
  return refusalResponse(open)
}

function refusalResponse({ code, message, key, reason, retryAfterMs }: CircuitOpenError): Response {
  return Response.json(
    { error: { code, message, key, reason, retryAfterMs } },
    {
      status: 503,
      statusText: 'Service Unavailable',
      headers: {
        'cache-control': 'no-store',
        'x-should-retry': 'false',
        'stripe-should-retry': 'false',
        ...(retryAfterMs !== undefined && { 'retry-after': String(Math.max(1, Math.ceil(retryAfterMs / 1_000))) }),
      },
    },
  )
}

function absolute(url: string): string {
  if (url.startsWith('https:') || url.startsWith('http:')) return url
  const base = (globalThis as { location?: { href?: string } }).location?.href
  return base === undefined || /^[a-z][a-z\d+.-]*:/i.test(url) ? url : new URL(url, base).href
}
