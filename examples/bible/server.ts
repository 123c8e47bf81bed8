// The verse service on 127.0.0.1, made from recorded answers: it limits, bans, breaks, hangs, disappears and comes back as the real one does.
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { listenOn, listenSomewhere } from '../listen.ts'
import { Answers, recorded, type Answer } from './answers.ts'
import { Limiter } from './limiter.ts'

/**
 * What can go wrong there. `limiter-store-down`: 500 with an empty body. `limiter-store-frozen` and `database-frozen`: no answer ever comes.
 * `database-down`: 500 in HTML, and a few more from stale connections once it is back. `server-down`: nothing listens.
 */
export type Outage = 'limiter-store-down' | 'limiter-store-frozen' | 'database-down' | 'database-frozen' | 'server-down'

export interface BibleServerOptions {
  /** How many times as fast as the real one its limits run. @default 1 */
  readonly scale?: number
  /** Wall time in milliseconds at which a window of the limiter begins. @default 0, the Unix epoch, as the real one */
  readonly epoch?: number
}

/** What became of a request, by status; `500 empty` and `500 html` are outages, `unanswered` is a client that left without an answer. */
export type Outcome = '200' | '400' | '403' | '404' | '429' | '500 empty' | '500 html' | 'unanswered'

/** What reached the server, as it counted. A connection refused while it is down reached nobody and is not in here. */
export interface Counters {
  readonly requests: number
  /** Of those, the ones that came during an outage. */
  readonly dead: number
  readonly outcomes: Readonly<Record<Outcome, number>>
}

/**
 * A verse service on loopback.
 *
 * @example
 * const server = await BibleServer.listen({ scale: 10 })
 * await fetch(`${server.origin}/John+3:16`)
 * await server.breakDown('database-down')
 * await server.mend()
 * await server.close()
 */
export class BibleServer {
  readonly port: number
  readonly #server: Server
  readonly #limiter: Limiter
  readonly #answers = new Answers()
  readonly #held = new Map<ServerResponse, () => void>()
  readonly #outcomes: Record<Outcome, number> = {
    '200': 0,
    '400': 0,
    '403': 0,
    '404': 0,
    '429': 0,
    '500 empty': 0,
    '500 html': 0,
    unanswered: 0,
  }
  #requests = 0
  #dead = 0
  #outage: Outage | undefined
  #pool: readonly ('stale' | 'fresh')[] = []

  private constructor(server: Server, port: number, options: BibleServerOptions) {
    this.port = port
    this.#server = server
    this.#limiter = new Limiter(options.scale ?? 1, options.epoch ?? 0)
    server.on('request', (request, response) => this.#receive(request, response))
  }

  /** A server that listens. */
  static async listen(options: BibleServerOptions = {}): Promise<BibleServer> {
    const server = createServer()
    return new BibleServer(server, await listenSomewhere(server), options)
  }

  /** Host and port, as a policy names it. */
  get host(): string {
    return `127.0.0.1:${this.port}`
  }

  get origin(): string {
    return `http://${this.host}`
  }

  get outage(): Outage | undefined {
    return this.#outage
  }

  get counters(): Counters {
    return { requests: this.#requests, dead: this.#dead, outcomes: { ...this.#outcomes } }
  }

  /** Something goes wrong, until {@link mend}. */
  async breakDown(outage: Outage): Promise<void> {
    await this.mend()
    this.#outage = outage
    if (outage === 'server-down') await this.close()
  }

  /** It works again. What was frozen thaws, and answers those who still wait. */
  async mend(): Promise<void> {
    const outage = this.#outage
    this.#outage = undefined
    if (outage === 'database-down') this.#pool = POOL
    if (outage === 'server-down') await listenOn(this.#server, this.port)
    const held = [...this.#held.values()]
    this.#held.clear()
    for (const thaw of held) thaw()
  }

  /** Closes the listening socket and every connection. */
  async close(): Promise<void> {
    if (!this.#server.listening) return
    const closed = once(this.#server, 'close')
    this.#server.close()
    this.#server.closeAllConnections()
    await closed
  }

  #receive(request: IncomingMessage, response: ServerResponse): void {
    this.#requests++
    if (this.#outage) this.#dead++
    if (this.#outage === 'limiter-store-down') this.#send(response, recorded('limiter-store-down'), '500 empty')
    else if (this.#outage === 'limiter-store-frozen') this.#hold(response, () => this.#limit(request, response))
    else this.#limit(request, response)
  }

  #limit(request: IncomingMessage, response: ServerResponse): void {
    const leave = this.#limiter.admit()
    if (leave === 'banned') this.#send(response, recorded('abuse-403'), '403')
    else if (leave === 'throttled') this.#send(response, recorded('throttled-429'), '429')
    else this.#work(request, response)
  }

  #work(request: IncomingMessage, response: ServerResponse): void {
    if (this.#outage === 'database-frozen') return this.#hold(response, () => this.#work(request, response))
    const [connection, ...pool] = this.#pool
    this.#pool = pool
    if (this.#outage === 'database-down' || connection === 'stale') {
      return this.#send(response, recorded('database-down'), '500 html')
    }
    const found = this.#answers.to(
      request.method!,
      request.url!,
      request.headers['x-single-chapter-book-matching'] === 'indifferent',
    )
    if (found.status === 404 && this.#limiter.missed()) return this.#send(response, recorded('abuse-403'), '403')
    return this.#send(response, found, String(found.status) as Outcome)
  }

  #hold(response: ServerResponse, thaw: () => void): void {
    this.#held.set(response, thaw)
    response.on('close', () => {
      this.#held.delete(response)
      if (!response.writableEnded) this.#outcomes.unanswered++
    })
  }

  #send(response: ServerResponse, { status, statusText, headers, body }: Answer, outcome: Outcome): void {
    this.#outcomes[outcome]++
    // The real one says neither.
    response.sendDate = false
    response.removeHeader('connection')
    response.writeHead(status, statusText, headers as [string, string][])
    response.end(body)
  }
}

// The order in which its pooled connections are taken after the database has restarted: a stale one costs a request once.
const POOL = ['stale', 'fresh', 'fresh', 'stale', 'fresh', 'stale'] as const

// `node examples/bible/server.ts` serves by itself, at the pace of the real one.
if (import.meta.main) console.log(`Verses at ${(await BibleServer.listen()).origin}/John+3:16`)
