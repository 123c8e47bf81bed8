// A PayPal on 127.0.0.1: tokens that run out, subscriptions that are made once for each PayPal-Request-Id, and outages on command.
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'

/**
 * What can befall a request. `unavailable`: it is answered with a 503; `reset`: its connection is torn; neither does anything. `lost`:
 * the subscription is made, and the connection is torn before the answer; `silent`: it is made, and no answer comes.
 */
export type Trouble = 'unavailable' | 'reset' | 'lost' | 'silent'

export interface Subscription {
  readonly id: string
  readonly plan: string
  readonly email: string
  /** What it was asked for with; undefined where that was nothing. */
  readonly key: string | undefined
  status: 'APPROVAL_PENDING' | 'ACTIVE'
}

/** What came of a request. */
export type Outcome = 'token' | 'made' | 'again' | 'conflict' | 'unauthorized' | 'bad' | 'down'

export interface Asked {
  readonly key: string | undefined
  readonly outcome: Outcome
}

export interface PayPalOptions {
  /** Seconds that a token lives. @default 32_400, nine hours, as PayPal's own */
  readonly tokenLives?: number
  /** Milliseconds that a subscription takes. @default 20 */
  readonly takes?: number
}

/**
 * A PayPal on loopback.
 *
 * @example
 * const server = await PayPalServer.listen()
 * server.befall('lost')
 * await fetch(`${server.origin}/v1/billing/subscriptions`, { method: 'POST', headers, body })
 */
export class PayPalServer {
  readonly port: number
  readonly subscriptions: Subscription[] = []
  /** All requests, in the order in which it was clear what comes of them. */
  readonly asked: Asked[] = []
  /** Subscriptions that were made, or asked for again, without anybody hearing of it. */
  unheard = 0
  readonly #server: Server
  readonly #tokenLives: number
  readonly #takes: number
  readonly #tokens = new Map<string, number>()
  readonly #atWork = new Set<string>()
  readonly #troubles: Trouble[] = []
  #down = false

  private constructor(server: Server, { tokenLives = 32_400, takes = 20 }: PayPalOptions) {
    this.port = (server.address() as AddressInfo).port
    this.#server = server
    this.#tokenLives = tokenLives
    this.#takes = takes
    server.on('request', (request, response) => void this.#receive(request, response))
  }

  static async listen(options: PayPalOptions = {}): Promise<PayPalServer> {
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    return new PayPalServer(server, options)
  }

  /** Host and port, as a policy names it. */
  get host(): string {
    return `127.0.0.1:${this.port}`
  }

  get origin(): string {
    return `http://${this.host}`
  }

  /** These befall the next requests for subscriptions, one each. */
  befall(...troubles: readonly Trouble[]): void {
    this.#troubles.push(...troubles)
  }

  /**
   * Nothing goes well any more, until it is to {@link recover}: after the troubles that are still to befall, everything is answered
   * with a 503, or its connection is torn, by turns.
   */
  goDown(): void {
    this.#down = true
  }

  recover(): void {
    this.#down = false
  }

  /** No token that it gave is good any more, whatever it said of how long it lives. */
  revokeTokens(): void {
    this.#tokens.clear()
  }

  /** The customer has approved: from now on the subscription is active. */
  approve(id: string): void {
    this.subscriptions.find((one) => one.id === id)!.status = 'ACTIVE'
  }

  /** Keys that it is at work for. */
  get underWay(): number {
    return this.#atWork.size
  }

  /** How many requests ended so. */
  count(outcome: Outcome): number {
    return this.asked.filter((one) => one.outcome === outcome).length
  }

  /** Tears all connections. */
  async close(): Promise<void> {
    if (!this.#server.listening) return
    const closed = once(this.#server, 'close')
    this.#server.close()
    this.#server.closeAllConnections()
    await closed
  }

  async #receive(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const key = request.headers['paypal-request-id']?.toString()
    const route = `${request.method} ${request.url}`
    if (this.#down && (route !== SUBSCRIBE || this.#troubles.length === 0)) {
      this.#note(key, 'down')
      return refuse(this.count('down') % 2 === 0 ? 'reset' : 'unavailable', response)
    }
    const body = await text(request).catch(() => undefined)
    if (body === undefined) return
    if (route === 'POST /v1/oauth2/token') return this.#giveToken(request, body, response)
    if (route === SUBSCRIBE) return this.#subscribe(request, key, body, response)
    this.#note(key, 'bad')
    answer(response, 404, { name: 'RESOURCE_NOT_FOUND' })
  }

  #giveToken({ headers }: IncomingMessage, body: string, response: ServerResponse): void {
    if (!headers.authorization?.startsWith('Basic ') || body !== 'grant_type=client_credentials') {
      this.#note(undefined, 'unauthorized')
      return answer(response, 401, { error: 'invalid_client' })
    }
    this.#note(undefined, 'token')
    const token = crypto.randomUUID()
    this.#tokens.set(token, performance.now() + this.#tokenLives * 1_000)
    answer(response, 200, { access_token: token, token_type: 'Bearer', expires_in: this.#tokenLives })
  }

  async #subscribe({ headers }: IncomingMessage, key: string | undefined, body: string, response: ServerResponse) {
    const token = headers.authorization?.replace(/^Bearer /, '') ?? ''
    if ((this.#tokens.get(token) ?? 0) <= performance.now()) {
      this.#note(key, 'unauthorized')
      return answer(response, 401, { error: 'invalid_token' })
    }
    if (headers['content-type'] !== 'application/json') {
      this.#note(key, 'bad')
      return answer(response, 415, { name: 'UNSUPPORTED_MEDIA_TYPE' })
    }
    const wanted = read(body)
    if (wanted === undefined) {
      this.#note(key, 'bad')
      return answer(response, 400, { name: 'INVALID_REQUEST' })
    }
    // Of two at a time the second may fail. How, its documentation does not say.
    if (key !== undefined && this.#atWork.has(key)) {
      this.#note(key, 'conflict')
      return answer(response, 409, { name: 'RESOURCE_CONFLICT' })
    }
    const trouble = this.#troubles.shift()
    if (trouble === 'unavailable' || trouble === 'reset') {
      this.#note(key, 'down')
      return refuse(trouble, response)
    }
    if (key !== undefined) this.#atWork.add(key)
    await sleep(this.#takes)
    if (key !== undefined) this.#atWork.delete(key)
    const { id, plan, status } = this.#make(wanted, key)
    if (trouble !== undefined) {
      this.unheard++
      if (trouble === 'lost') response.socket?.resetAndDestroy()
      return
    }
    answer(response, 201, { id, status, plan_id: plan })
  }

  /** The subscription of that key, as it is by now; without a key another one each time. */
  #make(wanted: Wanted, key: string | undefined): Subscription {
    const known = key === undefined ? undefined : this.subscriptions.find((one) => one.key === key)
    this.#note(key, known === undefined ? 'made' : 'again')
    if (known !== undefined) return known
    const id = `I-${crypto.randomUUID().slice(-12).toUpperCase()}`
    const made: Subscription = { id, ...wanted, key, status: 'APPROVAL_PENDING' }
    this.subscriptions.push(made)
    return made
  }

  #note(key: string | undefined, outcome: Outcome): void {
    this.asked.push({ key, outcome })
  }
}

const SUBSCRIBE = 'POST /v1/billing/subscriptions'

interface Wanted {
  readonly plan: string
  readonly email: string
}

function read(body: string): Wanted | undefined {
  try {
    const { plan_id, subscriber } = JSON.parse(body) as { plan_id?: string; subscriber?: { email_address?: string } }
    return plan_id && subscriber?.email_address ? { plan: plan_id, email: subscriber.email_address } : undefined
  } catch {
    return undefined
  }
}

function refuse(trouble: 'unavailable' | 'reset', response: ServerResponse): void {
  if (trouble === 'reset') response.socket?.resetAndDestroy()
  else answer(response, 503, { name: 'SERVICE_UNAVAILABLE' })
}

function answer(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}
