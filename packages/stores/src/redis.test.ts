// Redis: node-redis and ioredis, against a real server.
import { Redis } from 'ioredis'
import { createClient, createClientPool } from 'redis'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { faultSuite } from '../test/faults.ts'
import { PLACES } from '../test/places.ts'
import { hasRedis, redisServer, type RedisServer } from '../test/redis-server.ts'
import { restartSuite, storeSuite } from '../test/suite.ts'
import { redisReplies } from './redis.ts'

let server: RedisServer
beforeAll(async () => {
  if (hasRedis) server = await redisServer()
})
afterAll(() => server?.[Symbol.asyncDispose]())

const urlOf = (port: number): string => `redis://127.0.0.1:${port}`
const KEY = 'GET\nhttps://bible-api.com/john+3:16'
const SIZE = { ttlMs: 60_000, bytes: 1 }
const shop = { namespace: 'shop' }

describe.skipIf(!hasRedis)('with a server', () => {
  for (const name of ['redis (node-redis)', 'redis (ioredis)'] as const) {
    storeSuite({ name, open: () => PLACES[name](server.port), roomFor: 8 << 20 })
    restartSuite(name, () => server.port)
    const late = /^get no answer within 100 ms$/
    faultSuite({
      name,
      open: PLACES[name],
      port: () => server.port,
      told: {
        slow: late,
        'half-open': late,
        cut: /^get /,
        'cut answer': /^get /,
        garbage: /^get /,
        'bit rot': /^get /,
        down: /^get /,
      },
    })
  }

  test('a pool will do', async () => {
    const pool = createClientPool({ url: urlOf(server.port) })
    await pool.connect()
    const store = redisReplies(pool, shop)
    await store.set(KEY, [], SIZE)
    expect(await store.get(KEY)).toEqual([])
    pool.destroy()
  })

  test('names and lifetimes are as the README says, and namespaces are apart', async () => {
    const client = createClient({ url: urlOf(server.port) })
    await client.connect()
    await redisReplies(client, shop).set(KEY, [], SIZE)
    expect(await client.pTTL(`fuseboard:shop:reply:${KEY}`)).toBeGreaterThan(30_000)
    expect(await redisReplies(client, { namespace: 'stock' }).get(KEY)).toBeUndefined()
    client.destroy()
  })

  test('what is no string in Redis is a miss', async () => {
    const client = createClient({ url: urlOf(server.port) })
    await client.connect()
    await client.rPush(`fuseboard:shop:reply:${KEY}list`, 'x')
    await expect(redisReplies(client, shop).get(`${KEY}list`)).rejects.toThrow('WRONGTYPE')
    client.destroy()
  })

  test('a client of ioredis that connects lazily does so at the first call', async () => {
    const client = new Redis({ host: '127.0.0.1', port: server.port, lazyConnect: true })
    expect(await redisReplies(client, shop).get('nothing')).toBeUndefined()
    client.disconnect()
  })
})

describe('a client that is not connected is not asked', () => {
  test('node-redis, before and while it connects', async () => {
    const client = createClient({ url: urlOf(1), socket: { reconnectStrategy: 1_000 } })
    client.on('error', () => {})
    const store = redisReplies(client, shop)
    const fail = async (): Promise<void> => {
      await expect(store.get(KEY)).rejects.toThrow('the client of redis is not connected')
      await expect(store.set(KEY, [], SIZE)).rejects.toThrow('the client of redis is not connected')
      await expect(store.delete(KEY)).rejects.toThrow('the client of redis is not connected')
    }
    await fail()
    const connecting = client.connect().catch(() => {})
    await fail()
    client.destroy()
    await connecting
    await fail()
  })

  test('ioredis, while it connects and after its end', async () => {
    const client = new Redis({ host: '127.0.0.1', port: 1, retryStrategy: () => 1_000 })
    client.on('error', () => {})
    const store = redisReplies(client, shop)
    await expect(store.get(KEY)).rejects.toThrow('the client of ioredis is not connected (connecting)')
    client.disconnect()
    await expect(store.delete(KEY)).rejects.toThrow('the client of ioredis is not connected')
  })
})

test.each([
  [undefined, shop, /^redisReplies needs a client of redis 5 or 6, or of ioredis 5 or 6, got one without/],
  [{}, shop, /without withTypeMapping\(\)$/],
  [{ getBuffer() {} }, shop, /without psetex\(\)$/],
  [{}, undefined, /^the options of redisReplies must be an object, got undefined$/],
  [{}, {}, /^redisReplies\.namespace must be 1 to 64 letters/],
  [{}, { namespace: 'a:b' }, /got "a:b"$/],
  [{}, { namespace: '' }, /got ""$/],
  [{}, { namespace: 'a', prefix: 'b' }, /^redisReplies has no option prefix; there are namespace$/],
])('bad input is told: %j %j', (client, options, message) => {
  expect(() => redisReplies(client as never, options as never)).toThrow(message)
})
