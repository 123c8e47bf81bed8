// The stores as users set them up, by name: for the suite, and for a process of its own that keeps a reply and ends.
import { createHash } from 'node:crypto'
import { DatabaseSync } from 'node:sqlite'
import { GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb'
import type { ReplyStore } from '@fuseboard/core'
import KeyvRedis from '@keyv/redis'
import { Redis } from 'ioredis'
import { Keyv } from 'keyv'
import { Keyv as Keyv6 } from 'keyv-6'
import { createClient } from 'redis'
import { dynamoReplies } from '../src/dynamodb.ts'
import { keyvReplies } from '../src/keyv.ts'
import { redisReplies } from '../src/redis.ts'
import { sqliteReplies } from '../src/sqlite.ts'
import { dynamoClient, TABLE } from './dynamo-server.ts'

/** A store, and what reaches under it. */
export interface Place extends AsyncDisposable {
  readonly store: ReplyStore
  /** Puts bytes where the store keeps a key. */
  readonly plant: (key: string, bytes: Buffer) => Promise<void>
  /** The bytes that are there. */
  readonly dig: (key: string) => Promise<Buffer | undefined>
}

const NAMESPACE = 'tests'

/** A port of 127.0.0.1, or the path of a file. */
export type Target = number | string

export const PLACES = {
  'redis (node-redis)': async (port: Target): Promise<Place> => {
    const client = createClient({ url: `redis://127.0.0.1:${port}`, socket: { reconnectStrategy: 20 } })
    client.on('error', () => {})
    await client.connect()
    return {
      store: redisReplies(client, { namespace: NAMESPACE }),
      plant: async (key, bytes) => void (await client.set(redisName(key), bytes)),
      dig: async (key) => (await client.withTypeMapping({ 36: Buffer }).get(redisName(key))) ?? undefined,
      async [Symbol.asyncDispose]() {
        client.destroy()
      },
    }
  },

  'redis (ioredis)': async (port: Target): Promise<Place> => {
    const client = new Redis({ host: '127.0.0.1', port: Number(port), retryStrategy: () => 20 })
    client.on('error', () => {})
    await client.ping()
    return {
      store: redisReplies(client, { namespace: NAMESPACE }),
      plant: async (key, bytes) => void (await client.set(redisName(key), bytes)),
      dig: async (key) => (await client.getBuffer(redisName(key))) ?? undefined,
      async [Symbol.asyncDispose]() {
        client.disconnect()
      },
    }
  },

  'keyv 5 in redis': async (port: Target): Promise<Place> => {
    const adapter = new KeyvRedis({ url: `redis://127.0.0.1:${port}`, socket: { reconnectStrategy: 20 } })
    return inKeyv(new Keyv(adapter, { namespace: NAMESPACE }))
  },

  'keyv 6 in redis': async (port: Target): Promise<Place> => {
    const adapter = new KeyvRedis({ url: `redis://127.0.0.1:${port}`, socket: { reconnectStrategy: 20 } })
    return inKeyv(new Keyv6(adapter, { namespace: NAMESPACE }))
  },

  dynamodb: async (port: Target): Promise<Place> => {
    const client = dynamoClient(port)
    const keyOf = (key: string): { k: { S: string } } => ({ k: { S: `fuseboard:${NAMESPACE}:reply:${sha256(key)}` } })
    return {
      store: dynamoReplies(client, { table: TABLE, namespace: NAMESPACE }),
      plant: async (key, bytes) => {
        const Item = { ...keyOf(key), x: { N: '9999999999' }, r: { B: bytes } }
        await client.send(new PutItemCommand({ TableName: TABLE, Item }))
      },
      dig: async (key) => {
        const { Item } = await client.send(new GetItemCommand({ TableName: TABLE, Key: keyOf(key) }))
        return Item?.['r']?.B && Buffer.from(Item['r'].B)
      },
      async [Symbol.asyncDispose]() {
        client.destroy()
      },
    }
  },

  sqlite: async (path: Target): Promise<Place> => {
    const database = new DatabaseSync(String(path))
    return {
      store: sqliteReplies(database),
      plant: async (key, bytes) =>
        void database
          .prepare('INSERT OR REPLACE INTO fuseboard_replies (key, expires, value) VALUES (?, 9e15, ?)')
          .run(key, bytes),
      dig: async (key) => {
        const row = database.prepare('SELECT value FROM fuseboard_replies WHERE key = ?').get(key)
        return row && Buffer.from(row['value'] as Uint8Array)
      },
      async [Symbol.asyncDispose]() {
        database.close()
      },
    }
  },
} satisfies Record<string, (target: Target) => Promise<Place>>

/** A place in a Keyv. */
export function inKeyv(either: Keyv | Keyv6): Place {
  // As far as it is used here they are alike.
  const keyv = either as Keyv
  const nameOf = (key: string): string => `reply-${sha256(key)}`
  return {
    store: keyvReplies(either),
    plant: async (key, bytes) => void (await keyv.set(nameOf(key), bytes.toString('base64'))),
    dig: async (key) => {
      const text = await keyv.get<string>(nameOf(key))
      return text === undefined ? undefined : Buffer.from(text, 'base64')
    },
    async [Symbol.asyncDispose]() {
      await keyv.disconnect()
    },
  }
}

const redisName = (key: string): string => `fuseboard:${NAMESPACE}:reply:${key}`
const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')
