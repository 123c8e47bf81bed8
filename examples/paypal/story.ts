// The story: customers subscribe while PayPal is well, fails five times in a row, stays away, and is back.
import { setTimeout as sleep } from 'node:timers/promises'
import { shuffle } from '../random.ts'
import type { Billing, Order } from './billing.ts'
import type { Tell } from './events.ts'
import type { PayPalServer, Trouble } from './server.ts'
import type { Tally } from './tally.ts'

/** Who plays. */
export interface Cast {
  readonly billing: Billing
  readonly server: PayPalServer
  readonly tally: Tally
  readonly scale: number
  /** Numbers from 0 to 1. */
  readonly random: () => number
  readonly tell: Tell
  readonly signal: AbortSignal
}

/** Milliseconds by the policy's clock: between two customers. */
const PACE = 9_000
/** Customers who come while PayPal is well. */
const EARLY = 5
/** Who must have come while there was no token to be had. */
const BY_HAND = 3

export class Story {
  readonly orders: Order[] = []
  readonly #cast: Cast

  constructor(cast: Cast) {
    this.#cast = cast
    const { billing, server, tell } = cast
    billing.outbox.on('sent', ({ idempotencyKey: key, receipt }) => {
      const { id } = JSON.parse(receipt.body) as { id: string }
      const known = server.asked.findLast((one) => one.key === key)?.outcome === 'again'
      tell({ event: 'sent', customer: customerOf(key), id, known, waiting: this.#waiting })
    })
    billing.outbox.on('retry', ({ idempotencyKey: key, error: why }) => {
      tell({ event: 'again', customer: customerOf(key), why, waiting: this.#waiting })
    })
  }

  /** @throws the reason of the signal, and what a customer was thrown */
  async play(): Promise<void> {
    await this.#well()
    await this.#fails()
    await this.#staysAway()
    await this.#isBack()
  }

  async #well(): Promise<void> {
    const { server, random, tell } = this.#cast
    tell({ event: 'scene', title: 'PayPal is well: each customer has a subscription at once, and one clicks twice' })
    const twice = 1 + Math.floor(random() * (EARLY - 1))
    for (let n = 0; n < EARLY; n++) {
      const order = this.#nextOrder()
      await Promise.all(n === twice ? [this.#subscribe(order), this.#subscribe(order)] : [this.#subscribe(order)])
      await this.#pause()
      if (n !== twice) continue
      tell({ event: 'note', well: true, says: `${customerOf(order.number)} approves it, and clicks again` })
      server.approve(server.subscriptions.at(-1)!.id)
      await this.#subscribe(order)
      await this.#pause()
    }
  }

  async #fails(): Promise<void> {
    const { server, tally, random, tell } = this.#cast
    tell({ event: 'scene', title: 'PayPal fails: five in a row open its circuit, and nobody is turned away' })
    const troubles = shuffle<Trouble>(['lost', 'silent', 'unavailable', 'reset', 'unavailable'], random)
    tell({ event: 'note', well: false, says: `it will ${troubles.map((one) => WORDS[one]).join(', then ')}` })
    server.befall(...troubles)
    server.goDown()
    while (tally.opened === 0) {
      await this.#subscribe(this.#nextOrder())
      await this.#pause()
    }
  }

  async #staysAway(): Promise<void> {
    const { tally, tell } = this.#cast
    tell({ event: 'scene', title: 'PayPal stays away: customers wait, also when the token has run out' })
    tell({ event: 'note', well: false, says: 'it answers everything with 503, or tears the connection' })
    while (tally.opened < 2 || tally.byHand.size < BY_HAND) {
      await this.#subscribe(this.#nextOrder())
      await this.#pause()
    }
  }

  async #isBack(): Promise<void> {
    const { billing, server, tally, tell } = this.#cast
    tell({ event: 'scene', title: 'PayPal is back: what waited goes out, though tokens and an answer get lost' })
    server.recover()
    tell({ event: 'note', well: true, says: 'it answers again' })
    const unlisten = billing.outbox.on('sent', () => {
      if (tally.sent.size === 2) {
        server.revokeTokens()
        tell({ event: 'note', well: false, says: 'it takes no token any more that it has given' })
      }
      if (tally.sent.size === 5) {
        server.befall('lost')
        tell({ event: 'note', well: false, says: 'it makes one more, and tears the connection' })
      }
    })
    while (tally.waiting > 0 || billing.board.circuit(server.host).state !== 'closed') {
      await this.#subscribe(this.#nextOrder())
      await this.#pause()
    }
    unlisten()
  }

  async #subscribe(order: Order): Promise<void> {
    const { billing, tally, tell } = this.#cast
    const answer = await billing.subscribe(order)
    tally.answers.set(order.number, answer)
    if (answer.status === 'pending' && answer.why.startsWith('no token')) tally.byHand.add(order.number)
    tell({ event: 'answer', customer: customerOf(order.number), answer, waiting: this.#waiting })
  }

  #nextOrder(): Order {
    const n = this.orders.length + 1
    const order = { number: `order-${n}`, plan: 'P-MONTHLY', email: `customer-${n}@example.org` }
    this.orders.push(order)
    return order
  }

  get #waiting(): number {
    return this.#cast.tally.waiting
  }

  #pause(): Promise<void> {
    return sleep(PACE / this.#cast.scale, undefined, { signal: this.#cast.signal })
  }
}

const WORDS: Record<Trouble, string> = {
  unavailable: 'answer 503',
  reset: 'tear a connection',
  lost: 'make a subscription and tear the connection',
  silent: 'make one and never answer',
}

const customerOf = (order: string): string => order.replace('order-', 'customer ')
