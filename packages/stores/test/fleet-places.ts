// The stores that fleets share, as users set them up, by name, and what reaches under them.
import { DeleteItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb'
import type { SharedStore } from '@fuseboard/core'
import { memoryStore } from '@fuseboard/core/testing'
import { Redis } from 'ioredis'
import { createClient } from 'redis'
import { dynamoFleet } from '../src/dynamodb.ts'
import { redisFleet } from '../src/redis.ts'
import { dynamoClient, TABLE } from './dynamo-server.ts'

/** The store of a fleet. */
export interface FleetPlace extends AsyncDisposable {
  readonly store: SharedStore
  /** Takes a key away, as an eviction, a restart or the end of its lifetime does. */
  readonly lose: (key: string) => Promise<void>
  /** Puts a version and a value under a key. */
  readonly plant: (key: string, version: string, value: string) => Promise<void>
}

const NAMESPACE = 'fleets'

export const channelOf = (namespace: string): string => `fuseboard:${namespace}:changes`
const nameOf = (key: string): string => `fuseboard:${NAMESPACE}:{${key}}`

/** What all who are given it share. */
export function memoryPlace(): FleetPlace {
  const LIFETIME = 3_600_000
  let skipped = 0
  const store = memoryStore(() => Date.now() + skipped)
  return {
    store,
    async lose() {
      skipped += LIFETIME
    },
    async plant() {},
    async [Symbol.asyncDispose]() {},
  }
}

export const FLEET_PLACES = {
  'redis (node-redis)': async (port: number): Promise<FleetPlace> => {
    const client = createClient({ url: `redis://127.0.0.1:${port}`, socket: { reconnectStrategy: 20 } })
    client.on('error', () => {})
    const subscriber = client.duplicate()
    subscriber.on('error', () => {})
    await Promise.all([client.connect(), subscriber.connect()])
    return {
      store: redisFleet(client, { namespace: NAMESPACE, subscriber }).store,
      lose: async (key) => void (await client.del(nameOf(key))),
      plant: async (key, n, v) => void (await client.hSet(nameOf(key), { n, v })),
      async [Symbol.asyncDispose]() {
        client.destroy()
        subscriber.destroy()
      },
    }
  },

  'redis (ioredis)': async (port: number): Promise<FleetPlace> => {
    const client = new Redis({ host: '127.0.0.1', port, retryStrategy: () => 20 })
    const subscriber = client.duplicate()
    for (const each of [client, subscriber]) each.on('error', () => {})
    await client.ping()
    return {
      store: redisFleet(client, { namespace: NAMESPACE, subscriber }).store,
      lose: async (key) => void (await client.del(nameOf(key))),
      plant: async (key, n, v) => void (await client.hset(nameOf(key), { n, v })),
      async [Symbol.asyncDispose]() {
        client.disconnect()
        subscriber.disconnect()
      },
    }
  },

  dynamodb: async (port: number): Promise<FleetPlace> => {
    const client = dynamoClient(port)
    const keyOf = (key: string) => ({ k: { S: nameOf(key) } })
    return {
      store: dynamoFleet(client, { table: TABLE, namespace: NAMESPACE }).store,
      lose: async (key) => void (await client.send(new DeleteItemCommand({ TableName: TABLE, Key: keyOf(key) }))),
      plant: async (key, n, v) => {
        const Item = { ...keyOf(key), n: Number.isFinite(Number(n)) ? { N: n } : { S: n }, v: { S: v } }
        await client.send(new PutItemCommand({ TableName: TABLE, Item }))
      },
      async [Symbol.asyncDispose]() {
        client.destroy()
      },
    }
  },
} satisfies Record<string, (port: number) => Promise<FleetPlace>>
