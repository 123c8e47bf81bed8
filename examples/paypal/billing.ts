// How a shop subscribes its customers: at once where PayPal takes it, else when it is back; once, and never not at all.
import { breaker } from '@fuseboard/axios'
import { circuitOpen, createBoard, isFallback, type Board } from '@fuseboard/core'
import { createOutbox, defer, type Outbox } from '@fuseboard/outbox'
import { sqliteOutbox } from '@fuseboard/outbox/sqlite'
import axios, { type AxiosInstance, type AxiosResponse } from 'axios'
import { limitAt, paypalPolicy } from './policy.ts'
import { Tokens } from './tokens.ts'

export interface Order {
  /** PayPal knows a request again by it: a customer who clicks twice has one subscription. */
  readonly number: string
  readonly plan: string
  readonly email: string
}

/** What a customer is told. */
export type Answer =
  | { readonly status: 'subscribed'; readonly id: string }
  | {
      readonly status: 'pending'
      readonly retry: true
      /** What the outbox knows it by; undefined where another request for the same order is under way. */
      readonly id: string | undefined
      /** For the log. */
      readonly why: string
    }

export interface BillingOptions {
  readonly origin: string
  /** Where what waits is kept. */
  readonly file: string
  /** All its times are divided by it. */
  readonly scale: number
}

const PATH = '/v1/billing/subscriptions'
const idempotencyHeader = 'PayPal-Request-Id'

/**
 * @example
 * await using billing = new Billing({ origin: 'https://api-m.paypal.com', file: 'outbox.db', scale: 1 })
 * await billing.subscribe({ number: 'order-4711', plan: 'P-MONTHLY', email: 'ruth@example.org' })
 */
export class Billing implements AsyncDisposable {
  readonly board: Board
  readonly outbox: Outbox
  readonly #url: string
  readonly #http: AxiosInstance
  readonly #tokens: Tokens

  constructor({ origin, file, scale }: BillingOptions) {
    const limit = limitAt(scale)
    this.#url = origin + PATH
    this.outbox = createOutbox({
      store: sqliteOutbox(file),
      prepare: async (request, { renew }) => {
        request.headers.set('authorization', `Bearer ${await this.#tokens.get(renew)}`)
      },
      backoff: { from: 5_000 / scale, to: 3_600_000 / scale },
      lease: 2 * limit,
    })
    const wait = defer({
      outbox: this.outbox,
      when: ({ method, url }) => method === 'POST' && new URL(url).pathname === PATH,
      idempotencyHeader,
    })
    this.board = createBoard({ hosts: { [new URL(origin).host]: paypalPolicy(scale, wait) } })
    this.#http = breaker(this.board)(axios.create({ baseURL: origin, timeout: limit }))
    this.#tokens = new Tokens(this.#http)
    this.outbox.drainOn(this.board)
  }

  /** @throws where PayPal does not want it; not where it cannot take it */
  async subscribe(order: Order): Promise<Answer> {
    try {
      const response = await this.#post(order, await this.#tokens.get())
      // The token is not good although it should be. Nothing was done yet.
      return answerOf(response.status === 401 ? await this.#post(order, await this.#tokens.get(true)) : response)
    } catch (error) {
      // What a subscription meets is deferred, so this is of a token. Under its own key it may wait whatever was sent.
      if (isOutage(error)) return this.#queue(order, `no token (${wordsOf(error)})`)
      throw error
    }
  }

  /** Stops sending, and closes the file. What waits is sent by the next process that opens it. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.outbox[Symbol.asyncDispose]()
  }

  #post(order: Order, token: string): Promise<AxiosResponse<{ id: string }>> {
    const headers = { [idempotencyHeader]: order.number, authorization: `Bearer ${token}` }
    return this.#http.post(this.#url, bodyOf(order), { headers, validateStatus: (status) => status < 500 })
  }

  async #queue(order: Order, why: string): Promise<Answer> {
    const { id } = await this.outbox.enqueue({
      url: this.#url,
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(bodyOf(order)),
      idempotencyHeader,
      idempotencyKey: order.number,
    })
    return { status: 'pending', retry: true, id, why: `${why}: queued by hand` }
  }
}

function bodyOf({ plan, email }: Order): object {
  return { plan_id: plan, subscriber: { email_address: email } }
}

function answerOf(response: AxiosResponse<{ id: string }>): Answer {
  const { status, data } = response
  const { reason, masked } = isFallback(response) ?? {}
  if (reason === 'refused')
    return { status: 'pending', retry: true, id: data.id, why: 'not sent, paypal is open: it waits' }
  if (reason === 'failed')
    return { status: 'pending', retry: true, id: data.id, why: `sent, ${wordsOf(masked)}: it waits` }
  if (status === 409) return { status: 'pending', retry: true, id: undefined, why: '409, it is being made just now' }
  if (status >= 400) throw new Error(`PayPal answered ${status}`)
  return { status: 'subscribed', id: data.id }
}

/** No answer, or one that says that PayPal cannot; an open circuit gives none, either. */
function isOutage(error: unknown): boolean {
  return axios.isAxiosError(error) && (error.response?.status ?? 503) >= 500
}

const WORDS: Record<string, string> = { ECONNABORTED: 'no answer in time', ECONNRESET: 'connection torn' }

function wordsOf(met: unknown): string {
  const open = circuitOpen(met)
  if (open !== undefined) return `paypal is ${open.reason}`
  const { status, error = met } = met as { status?: number; error?: unknown }
  const code = String(status ?? (error as NodeJS.ErrnoException).code)
  return WORDS[code] ?? code
}
