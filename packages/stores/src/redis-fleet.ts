// What a fleet shares in Redis or Valkey: a hash for each host, which one script reads and swaps, and a channel that tells of changes.
import { createHash } from 'node:crypto'
import { fleet, type Fleet, type FleetOptions, type SharedStore, type Swapped } from '@fuseboard/core'
import { unlessAbandoned } from './abandoned.ts'
import { checkMethods, checkObject, lifetimeOf, spaceOf } from './names.ts'
import { Subscription, type IoRedisSubscriberLike, type NodeRedisSubscriberLike } from './subscription.ts'

/** What is needed of a client, cluster, sentinel or pool of `redis` 5 or 6. */
export interface NodeRedisEvalLike {
  readonly isReady?: boolean
  eval(script: string, given: { keys: string[]; arguments: string[] }): Promise<unknown>
  evalSha(sha: string, given: { keys: string[]; arguments: string[] }): Promise<unknown>
}

/** What is needed of a client or cluster of `ioredis` 5 or 6. */
export interface IoRedisEvalLike {
  readonly status: string
  eval(script: string, keys: number, ...given: string[]): Promise<unknown>
  evalsha(sha: string, keys: number, ...given: string[]): Promise<unknown>
}

/** Where in Redis a fleet shares, who tells of changes, and how it shares. */
export interface RedisFleetOptions extends FleetOptions {
  /** Names the fleet: its instances share their verdicts. 1 to 64 letters, digits, dots, hyphens or underscores. */
  namespace: string
  /**
   * A second client, for this alone, connected or connecting: changes come by it within milliseconds, and it is asked less
   * often. @default none: instances only look, once a `refresh`
   */
  subscriber?: NodeRedisSubscriberLike | IoRedisSubscriberLike
}

/**
 * A fleet that shares in Redis: for each host a hash `fuseboard:<namespace>:{<host>}`, with its lifetime. While the client is not
 * connected it is not asked, so that nothing queues up in it; what queues up all the same is void once it is too old.
 *
 * In a cluster a host is on one node, and `PUBLISH` reaches all. A fail-over of Redis may lose the last write, since replicas
 * follow behind: then there may be one probe, or one opening, too many.
 *
 * @param client the caller's own, which is neither connected nor closed here; a client or a cluster
 * @example createBoard({ fleet: redisFleet(client, { namespace: 'shop' }) })
 * @throws TypeError or RangeError where the client or an option is wrong
 */
export function redisFleet(client: NodeRedisEvalLike | IoRedisEvalLike, options: RedisFleetOptions): Fleet {
  checkObject('redisFleet', options)
  const { namespace, subscriber, ...terms } = options
  const space = spaceOf('redisFleet', namespace)
  const channel = `${space}changes`
  const script =
    'evalsha' in Object(client) ? ofIoRedis(client as IoRedisEvalLike) : ofNodeRedis(client as NodeRedisEvalLike)
  if ((subscriber as unknown) === client) {
    throw new TypeError(
      'redisFleet.subscriber must be a second client: with RESP 2 one that is subscribed takes no other commands',
    )
  }
  const ask = (key: string, signal: AbortSignal, ...given: readonly string[]): Promise<Swapped> =>
    unlessAbandoned(signal, async () => toSwapped(await script.run(`${space}{${key}}`, given, signal)))

  const store: SharedStore = {
    read: (key, signal) => ask(key, signal, '-1'),
    swap: (key, expected, value, { ttl, notAfter, signal }) =>
      ask(key, signal, `${expected}`, `${notAfter}`, value, `${lifetimeOf(ttl)}`, channel, key),
  }
  if (subscriber === undefined) return fleet(store, terms)
  const subscription = new Subscription(subscriber, channel)
  return fleet({ ...store, watch: (key, changed) => subscription.watch(key, changed) }, terms)
}

// KEYS: the hash, with n, the version, and v, the value.
// ARGV: the version expected (-1 reads), the time after which it is void, the value, its lifetime, the channel, the host.
// Answers whether it was swapped, and what there is now. A version that cannot be counted with is none.
const SCRIPT = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local held = redis.call('HMGET', KEYS[1], 'n', 'v')
local version, value, won = tonumber(held[1] or '') or 0, held[2], '0'
if not (version >= 1 and version < 2 ^ 53 - 1) then
  version, value = 0, false
end
local function whole(number)
  return string.format('%.0f', number)
end
if version == tonumber(ARGV[1]) and now <= tonumber(ARGV[2]) then
  version, value, won = math.max(version + 1, now), ARGV[3], '1'
  redis.call('HSET', KEYS[1], 'n', whole(version), 'v', value)
  redis.call('PEXPIRE', KEYS[1], ARGV[4])
  -- Who may not publish may still write.
  redis.pcall('PUBLISH', ARGV[5], cjson.encode({ARGV[6], whole(version), value, whole(now)}))
end
return {won, whole(version), value, whole(now)}
`
const SHA = createHash('sha1').update(SCRIPT).digest('hex')

interface Script {
  run(key: string, given: readonly string[], signal: AbortSignal): Promise<unknown>
}

const CLIENT = 'redisFleet needs a client of redis 5 or 6, or of ioredis 5 or 6'

function ofNodeRedis(client: NodeRedisEvalLike): Script {
  checkMethods(client, CLIENT, ['evalSha', 'eval'])
  return scriptOf(
    () => {
      if (client.isReady === false) throw new Error('the client of redis is not connected')
    },
    (key, given) => client.evalSha(SHA, { keys: [key], arguments: [...given] }),
    (key, given) => client.eval(SCRIPT, { keys: [key], arguments: [...given] }),
  )
}

function ofIoRedis(client: IoRedisEvalLike): Script {
  checkMethods(client, CLIENT, ['evalsha', 'eval'])
  return scriptOf(
    () => {
      // One that connects lazily waits for its first command.
      if (client.status !== 'ready' && client.status !== 'wait') {
        throw new Error(`the client of ioredis is not connected (${client.status})`)
      }
    },
    (key, given) => client.evalsha(SHA, 1, key, ...given),
    (key, given) => client.eval(SCRIPT, 1, key, ...given),
  )
}

type Send = (key: string, given: readonly string[]) => Promise<unknown>

/** @param check throws where a command would only queue up */
function scriptOf(check: () => void, byName: Send, byText: Send): Script {
  return {
    async run(key, given, signal) {
      check()
      try {
        return await byName(key, given)
      } catch (error) {
        // The server has restarted, or has never seen it.
        if (!(error instanceof Error && error.message.startsWith('NOSCRIPT'))) throw error
      }
      signal.throwIfAborted()
      check()
      return byText(key, given)
    },
  }
}

function toSwapped(answer: unknown): Swapped {
  const [won, version, value, now] = Array.isArray(answer) ? answer.map(toText) : []
  const swapped = { won: won === '1', version: Number(version), value, now: Number(now) }
  if (Number.isSafeInteger(swapped.version) && swapped.now > 0) return swapped
  throw new Error('an answer that is not of the script')
}

/** A client may be set to give bytes for text. */
function toText(part: unknown): string | undefined {
  return part instanceof Uint8Array ? Buffer.from(part).toString() : typeof part === 'string' ? part : undefined
}
