// Requests that wait for their host: taken in, looked up, and sent once the circuit is closed.
import type { Board, Duration } from '@fuseboard/core'
import { Drain, type Drained } from './drain.ts'
import { Events, type OutboxEvents } from './events.ts'
import {
  checkHeader,
  checkKnown,
  checkMethod,
  checkText,
  readOptions,
  show,
  span,
  wordsOf,
  type OutboxOptions,
  type Settings,
} from './options.ts'
import { bytesOf, type Bytes } from './payload.ts'
import type { Depth, Result, StoredRequest } from './store.ts'
import { keep, revive, type Original } from './stored-request.ts'

/** A request that is to be queued by hand. */
export interface ToQueue {
  /** @default 'POST' */
  method?: string
  /** The absolute URL. */
  url: string | URL
  headers?: Record<string, string> | Headers | readonly (readonly [string, string])[]
  /** Text, bytes, a form or a Blob; no stream. */
  body?: string | Uint8Array | ArrayBuffer | URLSearchParams | FormData | Blob
  /** The header by which the API knows a request again, such as `PayPal-Request-Id`. */
  idempotencyHeader: string
  /** @default what that header has in `headers`, or a random UUID */
  idempotencyKey?: string
}

/** What was queued. */
export interface Queued {
  /** What {@link Outbox.result} is asked with. */
  readonly id: string
  readonly circuit: string
  readonly idempotencyKey: string
  /** The same request, by its method, URL and key, waits already or was sent. */
  readonly duplicate: boolean
}

/** @internal A request with all that is known of it. */
export interface ToPut {
  readonly original: Original
  readonly bytes: Bytes
  readonly circuit: string
  readonly idempotencyHeader: string
  readonly idempotencyKey: string
  /** Milliseconds: it was sent just now, and may still be at work at the host. */
  readonly wait: number
}

/** Requests that wait for their host. Made by {@link createOutbox}. */
export class Outbox {
  /** @internal */
  readonly settings: Settings
  /** @internal What is being sent from here just now: it must not be deferred again. */
  readonly sending: Set<string> = new Set()
  readonly #events: Events
  readonly #warned = new Set<string>()
  #drain: Drain | undefined = undefined
  /** What has been told to stop may be at work still. */
  #stopping: Promise<unknown> | undefined = undefined

  /** @internal */
  constructor(options: OutboxOptions) {
    this.settings = readOptions(options)
    this.#events = new Events((message) => this.#warn(message))
    for (const name of ['expires', 'lease'] as const) {
      const ms = options[name]
      if (typeof ms === 'number' && ms < 100)
        this.#warn(`createOutbox.${name} is ${ms} ms: durations are milliseconds, or text such as '${ms}s'`)
    }
  }

  /**
   * Listens to an event of this process. Who must not miss how a request ended asks {@link result}.
   * @returns what takes the listener away again
   */
  on<Name extends keyof OutboxEvents>(name: Name, listener: (event: OutboxEvents[Name]) => unknown): () => void {
    return this.#events.on(name, listener)
  }

  /**
   * Queues a request by hand: it waits for the circuit of its host, and goes out at once where that is closed. Resolves when the
   * store has it.
   *
   * @throws TypeError where the request cannot be queued as it is; Error where its body is a stream or too large; what the store
   * throws
   */
  async enqueue(request: ToQueue): Promise<Queued> {
    checkKnown('enqueue', request, ['method', 'url', 'headers', 'body', 'idempotencyHeader', 'idempotencyKey'])
    const { method = 'POST', idempotencyHeader, body } = request
    checkText('enqueue.method must be the name of a method', method)
    checkHeader('enqueue.idempotencyHeader', idempotencyHeader)
    const { idempotencyKey: given } = request
    if (given !== undefined && typeof given !== 'string')
      throw new TypeError(`enqueue.idempotencyKey must be text, got ${show(given)}`)
    const url = readUrl(request.url)
    const headers = readHeaders(request.headers)
    const idempotencyKey = (request.idempotencyKey ?? headers.get(idempotencyHeader)) || crypto.randomUUID()
    const bytes = await bytesOf(body, this.settings.maxBodyBytes)
    const original = { method: method.toUpperCase(), url: url.href, headers }
    const circuit = url.host.replace(/\.(?=:|$)/, '')
    return this.put({ original, bytes, circuit, idempotencyHeader, idempotencyKey, wait: 0 }, (message) =>
      this.#warn(message),
    )
  }

  /**
   * What has become of a request, as far as the engine knows: by rights it is known for as long as `expires` says, and for longer
   * where it was given up.
   */
  async result(id: string): Promise<Result | undefined> {
    return this.settings.store.result(id)
  }

  /** How much waits, and since when: what `alerts` and `cloudwatch` of `@fuseboard/telemetry` ask. */
  async depth(): Promise<Depth> {
    return this.settings.store.depth()
  }

  /**
   * Sends what waits through the circuits of a board: from when a circuit closes, or at once where it is, one at first, then 2,
   * then 4; until it opens.
   *
   * @returns what stops it; it resolves when nothing is under way any more
   * @throws Error where it drains already
   */
  drainOn(board: Board): () => Promise<void> {
    const drain = this.#drainFor(board)
    drain.start()
    return () => {
      if (this.#drain === drain) this.#drain = undefined
      const stopped = drain.stop()
      this.#stopping = Promise.allSettled([this.#stopping, stopped])
      return stopped
    }
  }

  /**
   * Sends what may go now, and resolves when nothing is under way any more: for a process that does not stay, such as a Lambda
   * that is called once a minute. Of a circuit that is half-open it sends one request, which is the probe, unless `probeAfter`
   * is `false`.
   *
   * @param options `within`: no request is begun after so long. @default for as long as something can go
   * @throws Error where it drains already; TypeError or RangeError where an option is wrong; what the store throws
   */
  async drain(board: Board, options: { within?: Duration } = {}): Promise<Drained> {
    checkMethod('drain needs a board', board, 'attempt')
    checkKnown('drain', options, ['within'])
    const ms = options.within === undefined ? Infinity : span('drain.within', options.within)
    const drain = this.#drainFor(board)
    try {
      return await drain.once(ms)
    } finally {
      if (this.#drain === drain) this.#drain = undefined
    }
  }

  /**
   * Stops sending, waits for what is under way, and closes what the engine has opened itself: a file of SQLite by its path, from
   * when on nothing is queued there. What waits is sent by the next process.
   */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.#drain?.stop(), this.#stopping])
    this.#drain = undefined
    this.settings.store[Symbol.dispose]?.()
  }

  /** @internal */
  async put(given: ToPut, warn: (message: string) => void): Promise<Queued> {
    const { original, bytes, circuit, idempotencyHeader, idempotencyKey, wait } = given
    const { request, secrets } = keep(original, bytes, [idempotencyHeader, idempotencyKey])
    checkRequest(request)
    if (secrets.length > 0 && this.settings.prepare === undefined) {
      const names = [...new Set(secrets)].join(', ')
      warn(
        `The outbox does not store ${names} of requests to ${circuit}: give it a prepare(request) that signs them again`,
      )
    }
    const now = this.settings.wall()
    const id = await idOf([request.method, request.url, idempotencyHeader.toLowerCase(), idempotencyKey])
    const times = { queuedAt: now, notBefore: now + wait, expiresAt: now + this.settings.expires }
    const entry = { id, circuit, request, idempotencyHeader, idempotencyKey, ...times, attempts: 0 }
    const duplicate = (await this.settings.store.put(entry)) === 'duplicate'
    if (!duplicate) this.#events.tell('queued', { id, circuit, idempotencyKey })
    this.#drain?.poke(circuit)
    return { id, circuit, idempotencyKey, duplicate }
  }

  #drainFor(board: Board): Drain {
    checkMethod('drainOn needs a board', board, 'attempt')
    if (this.#drain !== undefined) throw new Error('This outbox drains on a board already')
    return (this.#drain = new Drain(this, board, this.#events))
  }

  #warn(message: string): void {
    if (this.#drain !== undefined) return this.#drain.warn(message)
    if (this.#warned.has(message) || this.#warned.size >= MOST_WARNINGS) return
    this.#warned.add(message)
    console.warn(`fuseboard: ${message}`)
  }
}

const MOST_WARNINGS = 100

/**
 * Makes an outbox: requests that cannot go out now wait in its store, and are sent when their host is back.
 *
 * @example
 * const outbox = createOutbox({ store: sqliteOutbox('outbox.db'), prepare: async (request) => {
 *   request.headers.set('authorization', `Bearer ${await token()}`)
 * } })
 * outbox.drainOn(board)
 * @throws TypeError or RangeError that names the option, its rule and the value
 */
export function createOutbox(options: OutboxOptions): Outbox {
  return new Outbox(options)
}

function readUrl(url: string | URL): URL {
  const read = URL.parse(String(url))
  if (read?.protocol === 'http:' || read?.protocol === 'https:') return read
  throw new TypeError(`enqueue.url must be an absolute URL of http or https, got ${show(url)}`)
}

function readHeaders(headers: ToQueue['headers']): Headers {
  try {
    return new Headers(headers as Record<string, string>)
  } catch (error) {
    throw new TypeError(`enqueue.headers must be fields of HTTP: ${wordsOf(error)}`, { cause: error })
  }
}

/** @throws TypeError where it could never be sent: its caller must hear so, and not that it waits */
function checkRequest(request: StoredRequest): void {
  try {
    revive(request)
  } catch (error) {
    const what = `${request.method} to ${new URL(request.url).host}`
    throw new TypeError(`${what} is no request that can be sent: ${wordsOf(error)}`, { cause: error })
  }
}

/** 128 bits, so that nobody guesses one where the key is a random one. */
async function idOf(parts: readonly string[]): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(parts.join('\n')))
  return [...new Uint8Array(digest, 0, 16)].map((byte) => byte.toString(16).padStart(2, '0')).join('')
}
