// A host on 127.0.0.1 that answers as it is told, a board with a clock that is moved by hand, and a guarded fetch between them.
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import * as shipped from '../src/index.ts'
import type { BoardOptions, FallbackMark, ReplyStore, StaleIfErrorOptions, StoredReply } from '../src/index.ts'

/** Core as it ships, or a copy with a fault planted. */
export type Core = typeof shipped

export interface Answer {
  readonly status?: number
  readonly headers?: Record<string, string | string[]>
  readonly body?: string | Uint8Array
}

export type Answering = (request: IncomingMessage, response: ServerResponse) => Answer | undefined

/** What a caller got. */
export interface Told {
  /** The status, or 0 where there was no answer. */
  readonly status: number
  readonly text: string
  readonly headers: Headers
  readonly mark: FallbackMark | undefined
  readonly error: unknown
}

export const SECOND = 1_000
export const HOUR = 3_600 * SECOND
export const KEPT = { keepFor: '1d' } as const
export const DOWN: Answer = { status: 503, body: 'down' }

/** Answers as told, without a Date unless the answer has one. */
export class ReplyingHost implements AsyncDisposable {
  hits = 0
  answer: Answer | Answering = { body: 'well' }
  readonly #server: Server = createServer((request, response) => this.#respond(request, response))

  static async start(): Promise<ReplyingHost> {
    const host = new ReplyingHost()
    await host.listen()
    return host
  }

  async listen(port = 0): Promise<void> {
    this.#server.listen(port, '127.0.0.1')
    await once(this.#server, 'listening')
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  /** Nothing listens any more. */
  async stop(): Promise<void> {
    if (!this.#server.listening) return
    const closed = once(this.#server, 'close')
    this.#server.close()
    this.#server.closeAllConnections()
    await closed
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }

  #respond(request: IncomingMessage, response: ServerResponse): void {
    this.hits++
    response.sendDate = false
    request.resume()
    const answer = typeof this.answer === 'function' ? this.answer(request, response) : this.answer
    if (answer === undefined) return
    const { status = 200, headers = {}, body = '' } = answer
    response.writeHead(status, headers)
    response.end(request.method === 'HEAD' ? undefined : body)
  }
}

export class World implements AsyncDisposable {
  now: number = Date.parse('Sun, 06 Nov 2033 08:49:37 GMT')
  readonly host: ReplyingHost
  readonly board: ReturnType<Core['createBoard']>
  readonly origin: string
  readonly faults: string[] = []
  readonly warnings: string[] = []
  readonly send: typeof fetch
  readonly core: Core

  private constructor(core: Core, host: ReplyingHost, options: BoardOptions) {
    this.core = core
    this.host = host
    this.origin = `http://127.0.0.1:${host.port}`
    const clock = { now: () => this.now, wall: () => this.now }
    this.board = core.createBoard({ consecutiveFailures: false, failureRate: false, clock, ...options })
    this.board.on('store', ({ action, fault }) => this.faults.push(`${action}: ${fault}`))
    this.board.on('warning', ({ message }) => this.warnings.push(message))
    this.send = core.guardFetch(this.board)
  }

  /** A host, and a board whose stored replies go by these options. */
  static async of(
    stored: StaleIfErrorOptions = KEPT,
    options: BoardOptions = {},
    core: Core = shipped,
  ): Promise<World> {
    return new World(core, await ReplyingHost.start(), { fallback: core.staleIfError(stored), ...options })
  }

  /** The circuit of the host. */
  get circuit(): ReturnType<World['board']['circuit']> {
    return this.board.circuit(new URL(this.origin).host)
  }

  /** Asks for a path, or for a whole URL. */
  async ask(path = '/x', init?: RequestInit | Record<string, string>): Promise<Told> {
    const told =
      init === undefined || 'headers' in init || 'method' in init || 'signal' in init ? init : { headers: init }
    try {
      const response = await this.send(new URL(path, this.origin), told as RequestInit)
      const { status, headers } = response
      return { status, text: await response.text(), headers, mark: this.core.isFallback(response), error: undefined }
    } catch (error) {
      return { status: 0, text: '', headers: new Headers(), mark: undefined, error }
    }
  }

  /** Asks once, so that the answer is kept if it may be. */
  async warm(answer: Answer, path?: string, init?: Record<string, string>): Promise<this> {
    this.host.answer = answer
    await this.ask(path, init)
    return this
  }

  /** From now on the host answers with a 503. */
  down(): this {
    this.host.answer = DOWN
    return this
  }

  later(ms: number): this {
    this.now += ms
    return this
  }

  /** Opens the circuit. */
  open(): this {
    this.circuit.trip('30d')
    return this
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.host.stop()
  }
}

/** A store that is asked over a wire: it holds text, and answers later. */
export class RemoteStore implements ReplyStore {
  readonly held = new Map<string, string>()
  reads = 0

  async get(key: string): Promise<readonly StoredReply[] | undefined> {
    this.reads++
    const text = this.held.get(key)
    return text === undefined ? undefined : (JSON.parse(text, revive) as StoredReply[])
  }

  async set(key: string, replies: unknown): Promise<void> {
    this.held.set(key, JSON.stringify(replies, replace))
  }

  async delete(key: string): Promise<void> {
    this.held.delete(key)
  }
}

const replace = (_name: string, value: unknown): unknown =>
  value instanceof Uint8Array ? { base64: Buffer.from(value).toString('base64') } : value

const revive = (_name: string, value: unknown): unknown =>
  typeof value === 'object' && value !== null && 'base64' in value
    ? new Uint8Array(Buffer.from(String(value.base64), 'base64'))
    : value
