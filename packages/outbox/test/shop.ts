// A service that subscribes customers: a board that defers, an outbox, and the API that both talk to.
import { createBoard, type Board, type BoardOptions } from '@fuseboard/core'
import { manualClock, type ManualClock } from '@fuseboard/core/testing'
import { createOutbox, defer, memoryOutbox, type DeferOptions, type Outbox, type OutboxOptions } from '../src/index.ts'
import { startApi, type Api } from './api.ts'

export interface Shop extends AsyncDisposable {
  readonly api: Api
  readonly board: Board
  readonly clock: ManualClock
  readonly outbox: Outbox
  readonly warnings: string[]
}

export const NOON = 1_800_000_000_000
export const HEADER = 'PayPal-Request-Id'

/** Signs as a service does that has a token already. */
export const sign = (request: Request): void => request.headers.set('authorization', 'Bearer good')

export async function openShop(
  options: Partial<OutboxOptions> = {},
  deferred: Partial<DeferOptions> = {},
  policy: BoardOptions = {},
): Promise<Shop> {
  const api = await startApi()
  const clock = manualClock(NOON)
  const outbox = createOutbox({ store: memoryOutbox(), prepare: sign, clock, ...options })
  const board = createBoard({
    clock,
    consecutiveFailures: 3,
    openFor: '60s',
    ...policy,
    fallback: defer({
      outbox,
      when: ({ method, url }) => method === 'POST' && new URL(url).pathname === '/v1/billing/subscriptions',
      idempotencyHeader: HEADER,
      ...deferred,
    }),
  })
  const warnings: string[] = []
  board.on('warning', ({ message }) => warnings.push(message))
  return {
    api,
    board,
    clock,
    outbox,
    warnings,
    async [Symbol.asyncDispose]() {
      await outbox[Symbol.asyncDispose]()
      await api[Symbol.asyncDispose]()
    },
  }
}
