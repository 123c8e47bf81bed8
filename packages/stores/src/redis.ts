// Replies in Redis or Valkey, through a client of redis (node-redis) or ioredis; and what a fleet shares there.
import type { ReplyStore, StoredReply } from '@fuseboard/core'
import { decode, encode } from './encoding.ts'
import { checkMethods, checkOptions, lifetimeOf, prefixOf } from './names.ts'
import { Turns } from './turns.ts'

export { redisFleet, type RedisFleetOptions } from './redis-fleet.ts'

/** What is needed of a client, cluster, sentinel or pool of `redis` 5 or 6. */
export interface NodeRedisLike {
  readonly isReady?: boolean
  withTypeMapping(types: { 36: typeof Buffer }): { get(key: string): Promise<unknown> }
  pSetEx(key: string, ms: number, value: Buffer): Promise<unknown>
  del(key: string): Promise<unknown>
}

/** What is needed of a client or cluster of `ioredis` 5 or 6. */
export interface IoRedisLike {
  readonly status: string
  getBuffer(key: string): Promise<Buffer | null>
  psetex(key: string, ms: number, value: Buffer): Promise<unknown>
  del(key: string): Promise<unknown>
}

/** Where in Redis replies are kept. */
export interface RedisRepliesOptions {
  /** Names the service: those that share it share their replies. 1 to 64 letters, digits, dots, hyphens or underscores. */
  namespace: string
}

/**
 * Keeps replies in Redis, each under `fuseboard:<namespace>:reply:<key>`, with its lifetime. While the client is not
 * connected it is not asked, so that nothing queues up in it.
 *
 * @param client the caller's own, which is neither connected nor closed here
 * @example createBoard({ fallback: staleIfError(), replies: redisReplies(client, { namespace: 'shop' }) })
 * @throws TypeError where the client or an option is wrong
 */
export function redisReplies(client: NodeRedisLike | IoRedisLike, options: RedisRepliesOptions): ReplyStore {
  checkOptions('redisReplies', options, ['namespace'])
  const prefix = prefixOf('redisReplies', options.namespace)
  const redis = 'getBuffer' in Object(client) ? ofIoRedis(client as IoRedisLike) : ofNodeRedis(client as NodeRedisLike)
  const turns = new Turns()

  return {
    async get(key: string): Promise<readonly StoredReply[] | undefined> {
      redis.check()
      const value = await turns.read(() => redis.get(prefix + key))
      if (value === null || value === undefined) return undefined
      if (!(value instanceof Uint8Array)) throw new Error('an answer that is no bytes')
      return decode(value)
    },
    async set(key, replies, { ttlMs }) {
      redis.check()
      const value = encode(replies)
      await turns.write(key, () => redis.set(prefix + key, lifetimeOf(ttlMs), value))
    },
    async delete(key) {
      redis.check()
      await turns.write(key, () => redis.del(prefix + key))
    },
  }
}

interface Commands {
  /** @throws Error where a command would only queue up */
  check(): void
  get(key: string): Promise<unknown>
  set(key: string, ms: number, value: Buffer): Promise<unknown>
  del(key: string): Promise<unknown>
}

const CLIENT = 'redisReplies needs a client of redis 5 or 6, or of ioredis 5 or 6'

function ofNodeRedis(client: NodeRedisLike): Commands {
  checkMethods(client, CLIENT, ['withTypeMapping', 'pSetEx', 'del'])
  // 36 is a string of Redis (RESP_TYPES.BLOB_STRING).
  const inBytes = client.withTypeMapping({ 36: Buffer })
  return {
    check() {
      if (client.isReady === false) throw new Error('the client of redis is not connected')
    },
    get: (key) => inBytes.get(key),
    set: (key, ms, value) => client.pSetEx(key, ms, value),
    del: (key) => client.del(key),
  }
}

function ofIoRedis(client: IoRedisLike): Commands {
  checkMethods(client, CLIENT, ['getBuffer', 'psetex', 'del'])
  return {
    check() {
      // One that connects lazily waits for its first command.
      if (client.status !== 'ready' && client.status !== 'wait') {
        throw new Error(`the client of ioredis is not connected (${client.status})`)
      }
    },
    get: (key) => client.getBuffer(key),
    set: (key, ms, value) => client.psetex(key, ms, value),
    del: (key) => client.del(key),
  }
}
