// Keyv 5 and 6: in memory, and in a real Redis.
import { Keyv } from 'keyv'
import { Keyv as Keyv6 } from 'keyv-6'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { faultSuite } from '../test/faults.ts'
import { inKeyv, PLACES } from '../test/places.ts'
import { hasRedis, redisServer, type RedisServer } from '../test/redis-server.ts'
import { restartSuite, storeSuite } from '../test/suite.ts'
import { keyvReplies } from './keyv.ts'
import { hashOf } from './names.ts'

for (const [name, make] of [
  ['keyv 5 in memory', (store = new Map<string, unknown>()) => new Keyv({ store })],
  ['keyv 6 in memory', (store = new Map<string, unknown>()) => new Keyv6({ store })],
] as const) {
  // A Map outlives the Keyv that is made over it, like a database.
  const memory = new Map<string, unknown>()
  storeSuite({ name, open: async () => inKeyv(make(memory)), roomFor: 4 << 20 })

  describe(`${name}: a Keyv`, () => {
    const failing = (): never => {
      throw new Error('disk full')
    }
    const broken = (method: string): ReturnType<typeof keyvReplies> =>
      keyvReplies(make(Object.assign(new Map<string, unknown>(), { [method]: failing })))

    test('a write that fails is told, though Keyv only says so beside', async () => {
      await expect(broken('set').set('k', [], { ttlMs: 1, bytes: 1 })).rejects.toThrow('disk full')
      await expect(broken('delete').delete('k')).rejects.toThrow('disk full')
    })

    test('a deletion of what is not there is none that failed', async () => {
      await keyvReplies(make()).delete('k')
    })

    test('a value of another make is a miss', async () => {
      const keyv = make()
      const store = keyvReplies(keyv)
      await keyv.set(`reply-${hashOf('k')}`, { a: 1 })
      await expect(store.get('k')).rejects.toThrow('malformed')
    })
  })
}

let server: RedisServer
beforeAll(async () => {
  if (hasRedis) server = await redisServer()
})
afterAll(() => server?.[Symbol.asyncDispose]())

describe.skipIf(!hasRedis)('over a server', () => {
  for (const name of ['keyv 5 in redis', 'keyv 6 in redis'] as const) {
    storeSuite({ name, open: () => PLACES[name](server.port), roomFor: 4 << 20 })
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
})

test.each([
  [undefined, /^keyvReplies needs a Keyv 5 or 6, got one without get\(\)$/],
  [new Map(), /without on\(\)$/],
  [new Keyv({ emitErrors: false }), /emitErrors: false$/],
])('bad input is told: %j', (keyv, message) => {
  expect(() => keyvReplies(keyv as never)).toThrow(message)
})
