// BullMQ: against a real redis-server.
import { Redis } from 'ioredis'
import { afterAll, afterEach, beforeAll, describe, vi } from 'vitest'
import { hasRedis, redisServer, type RedisServer } from '../../stores/test/redis-server.ts'
import { outboxSuite } from '../test/suite.ts'
import { bullmqOutbox } from './bullmq.ts'

describe.skipIf(!hasRedis)('BullMQ', () => {
  let server: RedisServer
  let connection: Redis
  beforeAll(async () => {
    server = await redisServer()
    connection = new Redis(server.port, '127.0.0.1')
  })
  afterEach(() => {
    vi.useRealTimers()
  })
  afterAll(async () => {
    connection.disconnect()
    await server[Symbol.asyncDispose]()
  })

  /** BullMQ reads the clock of the process; Redis lets locks run out by its own, so here they are kept, and taken off in time. */
  const ends = new Map<string, number>()
  let last = 0
  const at = async (now: number): Promise<void> => {
    vi.useFakeTimers({ toFake: ['Date'], now })
    for (const key of await connection.keys('bull:*:lock')) {
      const left = await connection.pttl(key)
      // Some milliseconds of it have passed.
      if (left >= 0) {
        ends.set(key, last + Math.ceil(left / 1_000) * 1_000)
        await connection.persist(key)
      }
      if ((ends.get(key) ?? Infinity) <= now) await connection.del(key)
    }
    last = now
    // How long BullMQ leaves alone what has stalled: a millisecond.
    for (const key of await connection.keys('bull:*:stalled-check')) await connection.del(key)
  }

  outboxSuite('bullmq', () => bullmqOutbox('outbox', { connection }), { at })
})
