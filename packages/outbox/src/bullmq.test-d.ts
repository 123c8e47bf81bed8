// The types of the engine in BullMQ, for the clients that a program may have.
import { Redis, type Cluster } from 'ioredis'
import type { createClient } from 'redis'
import { expectTypeOf, test } from 'vitest'
import { bullmqOutbox } from './bullmq.ts'
import type { OutboxStore } from './index.ts'

test('bullmqOutbox takes a client, and no options of one', () => {
  expectTypeOf(bullmqOutbox('outbox', { connection: new Redis({ lazyConnect: true }) })).toEqualTypeOf<OutboxStore>()
  expectTypeOf(bullmqOutbox).toBeCallableWith('outbox', { connection: {} as Cluster, prefix: '{shop}' })
  expectTypeOf(bullmqOutbox).toBeCallableWith('outbox', { connection: {} as ReturnType<typeof createClient> })
  // @ts-expect-error the connection is made elsewhere
  bullmqOutbox('outbox', { connection: { host: '127.0.0.1' } })
  // @ts-expect-error there must be one
  bullmqOutbox('outbox', {})
})
