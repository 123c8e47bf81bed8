// Keeps count of what the board and the outbox did, so that the end can be compared with the server's own record.
import type { Answer, Billing } from './billing.ts'

export class Tally {
  /** The last answer that each customer got, by the number of the order. */
  readonly answers = new Map<string, Answer>()
  /** Customers who were ever told "pending" because there was no token. */
  readonly byHand = new Set<string>()
  readonly queued = new Set<string>()
  readonly sent = new Set<string>()
  readonly dead = new Set<string>()
  /** How often the circuit opened. */
  opened = 0
  /** Calls that were refused, and calls that were let through. */
  refused = 0
  letThrough = 0

  constructor({ board, outbox }: Billing) {
    board.on('transition', ({ to }) => {
      if (to === 'open') this.opened++
    })
    board.on('refused', () => this.refused++)
    board.on('settled', ({ amended }) => {
      if (!amended) this.letThrough++
    })
    outbox.on('queued', ({ idempotencyKey }) => this.queued.add(idempotencyKey))
    outbox.on('sent', ({ idempotencyKey }) => this.sent.add(idempotencyKey))
    outbox.on('dead', ({ idempotencyKey }) => this.dead.add(idempotencyKey))
  }

  /** How many wait in the outbox. */
  get waiting(): number {
    return this.queued.size - this.sent.size - this.dead.size
  }
}
