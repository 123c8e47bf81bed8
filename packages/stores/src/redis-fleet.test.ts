// A fleet in Redis: node-redis and ioredis, against a real server, and a cluster of one node.
import { EventEmitter } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Cluster, Redis } from 'ioredis'
import { createClient, createClientPool, createCluster } from 'redis'
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest'
import { fleetFaultSuite, until } from '../test/fleet-faults.ts'
import { channelOf, FLEET_PLACES } from '../test/fleet-places.ts'
import { fleetSuite, freshHost, patient, swap } from '../test/fleet-suite.ts'
import { Proxy } from '../test/proxy.ts'
import { pushSuite, watch } from '../test/push-suite.ts'
import { hasRedis, redisServer, type RedisServer } from '../test/redis-server.ts'
import { redisFleet } from './redis.ts'

let server: RedisServer
beforeAll(async () => {
  if (hasRedis) server = await redisServer()
})
afterAll(() => server?.[Symbol.asyncDispose]())

const urlOf = (port: number): string => `redis://127.0.0.1:${port}`
const shop = { namespace: 'shop' }

async function nodeRedis(port = server.port) {
  const client = createClient({ url: urlOf(port), socket: { reconnectStrategy: 20 } })
  client.on('error', () => {})
  onTestFinished(() => client.destroy())
  return client.connect()
}

function ioRedis(port = server.port, more: object = {}): Redis {
  const client = new Redis({ host: '127.0.0.1', port, retryStrategy: () => 20, ...more })
  client.on('error', () => {})
  onTestFinished(() => client.disconnect())
  return client
}

describe.skipIf(!hasRedis)('with a server', () => {
  for (const name of ['redis (node-redis)', 'redis (ioredis)'] as const) {
    const setting = { name, open: () => FLEET_PLACES[name](server.port), others: true }
    fleetSuite(setting)
    pushSuite(setting)
    fleetFaultSuite({ name, open: FLEET_PLACES[name], port: () => server.port })
  }

  test('names, fields and lifetimes are as the README says, and namespaces are apart', async () => {
    const client = await nodeRedis()
    const { version } = await swap(redisFleet(client, shop).store, 'bible-api.com', 0, '{}')
    expect(await client.hGetAll('fuseboard:shop:{bible-api.com}')).toEqual({ n: `${version}`, v: '{}' })
    expect(await client.pTTL('fuseboard:shop:{bible-api.com}')).toBeGreaterThan(3_500_000)
    const { store } = redisFleet(client, { namespace: 'stock' })
    expect((await store.read('bible-api.com', patient)).version).toBe(0)
  })

  test('a read writes nothing', async () => {
    const client = await nodeRedis()
    const key = freshHost()
    await redisFleet(client, shop).store.read(key, patient)
    expect(await client.exists(`fuseboard:shop:{${key}}`)).toBe(0)
  })

  test('the time is that of the server', async () => {
    const client = await nodeRedis()
    const before = await client.time()
    const { now } = await redisFleet(client, shop).store.read(freshHost(), patient)
    const after = await client.time()
    const ms = ([seconds, micros]: readonly [string, string]) =>
      Number(seconds) * 1_000 + Math.floor(Number(micros) / 1_000)
    expect(now).toBeGreaterThanOrEqual(ms(before as never))
    expect(now).toBeLessThanOrEqual(ms(after as never))
  })

  test('a key that has expired is gone, and its next version is greater', async () => {
    const { store } = redisFleet(await nodeRedis(), shop)
    const key = freshHost()
    const brief = await store.swap(key, 0, 'x', { ttl: 1, notAfter: 9e15, signal: patient })
    await until(async () => (await store.read(key, patient)).version === 0)
    await until(async () => (await store.read(key, patient)).now > brief.version)
    expect((await swap(store, key, 0, 'y')).version).toBeGreaterThan(brief.version)
  })

  test('the script comes back after the server has forgotten it', async () => {
    for (const [client, forget] of [
      await nodeRedis().then((client) => [client, () => client.scriptFlush()] as const),
      ...[ioRedis()].map((client) => [client, () => client.script('FLUSH')] as const),
    ]) {
      const { store } = redisFleet(client, shop)
      const key = freshHost()
      const { version } = await swap(store, key, 0, 'x')
      await forget()
      expect((await swap(store, key, version, 'y')).won).toBe(true)
      expect((await store.read(key, patient)).value).toBe('y')
    }
  })

  test('what is no hash fails each call', async () => {
    const client = await nodeRedis()
    const key = freshHost()
    await client.set(`fuseboard:shop:{${key}}`, 'text')
    const { store } = redisFleet(client, shop)
    await expect(store.read(key, patient)).rejects.toThrow('WRONGTYPE')
    await expect(swap(store, key, 0, 'x')).rejects.toThrow('WRONGTYPE')
  })

  test('a client that is set to give bytes will do', async () => {
    const client = await nodeRedis()
    const { store } = redisFleet(client.withTypeMapping({ 36: Buffer }), shop)
    const key = freshHost()
    const made = await swap(store, key, 0, 'é')
    expect(await store.read(key, patient)).toMatchObject({ version: made.version, value: 'é' })
  })

  test('a client of ioredis that connects lazily does so at the first call', async () => {
    const { store } = redisFleet(ioRedis(server.port, { lazyConnect: true }), shop)
    expect((await store.read(freshHost(), patient)).version).toBe(0)
  })

  test('the rights that the README names are enough', async () => {
    const readme = await readFile(new URL('../README.md', import.meta.url), 'utf8')
    const [rights = ''] = /~fuseboard:shop:[^`]+/.exec(readme) ?? []
    const admin = await nodeRedis()
    const own = ['+hello', '+client', '+ping']
    await admin.sendCommand(['ACL', 'SETUSER', 'least', 'on', '>pw', ...own, ...rights.split(/\s+/)])
    const login = { url: urlOf(server.port), username: 'least', password: 'pw' }
    const [client, subscriber] = [createClient(login), createClient(login)]
    onTestFinished(() => {
      client.destroy()
      subscriber.destroy()
    })
    await Promise.all([client.connect(), subscriber.connect()])
    const { store } = redisFleet(client, { ...shop, subscriber })
    const key = freshHost()
    const watcher = await watch(store, key)
    await swap(store, key, 0, 'x')
    expect(await watcher.told(1)).toMatchObject([{ value: 'x' }])
    watcher.stop()
    await expect(client.get('fuseboard:stock:{a}')).rejects.toThrow('NOPERM')
  })

  test('who may not publish may still write', async () => {
    const admin = await nodeRedis()
    await admin.sendCommand(['ACL', 'SETUSER', 'mute', 'on', '>pw', '~*', '+@all', 'resetchannels'])
    const client = createClient({ url: urlOf(server.port), username: 'mute', password: 'pw' })
    onTestFinished(() => client.destroy())
    await client.connect()
    const { store } = redisFleet(client, shop)
    const key = freshHost()
    expect((await swap(store, key, 0, 'x')).won).toBe(true)
    expect((await store.read(key, patient)).value).toBe('x')
  })
})

describe.skipIf(!hasRedis)('a write that is late', () => {
  test('on its way is void', async () => {
    await using proxy = await new Proxy(server.port).listen()
    const { store } = redisFleet(await nodeRedis(proxy.port), shop)
    const key = freshHost()
    const { now } = await store.read(key, patient)
    proxy.holdNext()
    const late = await store.swap(key, 0, 'late', { ttl: 3_600_000, notAfter: now + 100, signal: patient })
    expect(late).toMatchObject({ won: false, version: 0 })
  })

  test('in the queue of a pool, which is asked though its server is gone, is void', async () => {
    const first = await redisServer()
    const pool = createClientPool({ url: urlOf(first.port), socket: { reconnectStrategy: 20 } })
    pool.on('error', () => {})
    await pool.connect()
    onTestFinished(() => pool.destroy())
    const { store } = redisFleet(pool, shop)
    const key = freshHost()
    const { now } = await store.read(key, patient)
    await first[Symbol.asyncDispose]()

    // Who hangs until it is given up is in the queue.
    const hangs = (): Promise<boolean> =>
      store.read(key, AbortSignal.timeout(50)).then(
        () => false,
        (error: Error) => error.name === 'TimeoutError',
      )
    await until(hangs)
    const queued = store.swap(key, 0, 'late', { ttl: 3_600_000, notAfter: now, signal: patient })
    const second = await redisServer({ again: first.port })
    onTestFinished(() => second[Symbol.asyncDispose]())
    expect(await queued).toMatchObject({ won: false, version: 0 })
    expect((await store.read(key, patient)).version).toBe(0)
  })
})

describe.skipIf(!hasRedis)('a subscriber', () => {
  const subscribed = async (client: Awaited<ReturnType<typeof nodeRedis>>, namespace: string): Promise<number> => {
    const channels = await client.pubSubNumSub(channelOf(namespace))
    return Object.values(channels)[0] ?? 0
  }
  const MAKERS = { 'node-redis': nodeRedis, ioredis: async (port?: number) => ioRedis(port) }

  for (const [name, make] of Object.entries(MAKERS)) {
    const fleetOf = async (namespace: string, port?: number) => {
      const [client, subscriber] = [await nodeRedis(), await make(port)]
      return { client, subscriber, store: redisFleet(client, { namespace, subscriber }).store }
    }

    test(`${name}: has one subscription for all keys, begun with the first, ended with the last`, async () => {
      const { client, store } = await fleetOf('one')
      expect(await subscribed(client, 'one')).toBe(0)
      const key = freshHost()
      const watchers = [await watch(store, freshHost()), await watch(store, key), await watch(store, key)]
      expect(await subscribed(client, 'one')).toBe(1)
      watchers[0]?.stop()
      watchers[1]?.stop()
      const { version } = await swap(store, key, 0, 'x')
      expect(await watchers[2]?.told(1)).toMatchObject([{ version }])
      watchers[2]?.stop()
      await until(async () => (await subscribed(client, 'one')) === 0)
    })

    test(`${name}: hears nothing of other namespaces, nor of the channels that its owner has joined`, async () => {
      const { client, subscriber, store } = await fleetOf('mine')
      if (subscriber instanceof Redis) await subscriber.subscribe('else')
      else await subscriber.subscribe('else', () => {})
      const key = freshHost()
      const watcher = await watch(store, key)
      await swap(redisFleet(client, { namespace: 'theirs' }).store, key, 0, 'theirs')
      await client.publish('else', JSON.stringify([key, '5', 'else', '5']))
      await swap(store, key, 0, 'mine')
      expect(await watcher.told(1)).toMatchObject([{ value: 'mine' }])
    })

    test(`${name}: a message that is none of the script's is ignored`, async () => {
      const { client, store } = await fleetOf('malformed')
      const key = freshHost()
      const watcher = await watch(store, key)
      for (const told of [
        '',
        '{',
        'null',
        '5',
        '{}',
        '[]',
        [key],
        [key, 'x', 'v', '5'],
        [key, '0', 'v', '5'],
        [key, '5', 5, '5'],
        [key, '5', 'v', 'x'],
        [key, '1e300', 'v', '5'],
        [key, '5.5', 'v', '5'],
        [5, '5', 'v', '5'],
        [key, '5', 'v'],
      ]) {
        await client.publish(channelOf('malformed'), typeof told === 'string' ? told : JSON.stringify(told))
      }
      await swap(store, key, 0, 'sound')
      expect(await watcher.told(1)).toMatchObject([{ value: 'sound' }])
    })

    test(`${name}: goes on once it has connected again`, async () => {
      await using proxy = await new Proxy(server.port).listen()
      const { client, store } = await fleetOf('again', proxy.port)
      const key = freshHost()
      const watcher = await watch(store, key)
      await proxy.turn('down')
      await until(async () => (await subscribed(client, 'again')) === 0)
      const missed = await swap(store, key, 0, 'missed')
      await proxy.clear()
      await until(async () => (await subscribed(client, 'again')) === 1)
      await swap(store, key, missed.version, 'heard')
      expect(await watcher.told(1)).toMatchObject([{ value: 'heard' }])
      const other = await watch(store, freshHost())
      other.stop()
      watcher.stop()
      await until(async () => (await subscribed(client, 'again')) === 0)
    })
  }

  test('that is still connecting, and queues nothing up, is waited for', async () => {
    const client = await nodeRedis()
    const key = freshHost()
    const io = ioRedis(server.port, { enableOfflineQueue: false })
    const node = createClient({ url: urlOf(server.port), disableOfflineQueue: true })
    onTestFinished(() => node.destroy())
    const stores = [io, node].map((subscriber) => redisFleet(client, { ...shop, subscriber }).store)
    const watching = Promise.all([...stores, ...stores].map((store) => watch(store, key)))
    await node.connect()
    const watchers = await watching
    await swap(stores[0]!, key, 0, 'x')
    for (const watcher of watchers) expect(await watcher.told(1)).toMatchObject([{ value: 'x' }])
  })

  test('that speaks RESP 2 will do', async () => {
    const client = await nodeRedis()
    const node = createClient({ url: urlOf(server.port), RESP: 2 })
    onTestFinished(() => node.destroy())
    await node.connect()
    for (const subscriber of [node, ioRedis(server.port, { protocol: 2 })]) {
      const { store } = redisFleet(client, { ...shop, subscriber })
      const key = freshHost()
      const watcher = await watch(store, key)
      await swap(store, key, 0, 'x')
      expect(await watcher.told(1)).toMatchObject([{ value: 'x' }])
    }
  })

  test('that may not subscribe is told to who watches, and may later', async () => {
    const admin = await nodeRedis()
    const allow = (...rules: string[]) =>
      admin.sendCommand(['ACL', 'SETUSER', 'deaf', 'on', '>pw', '~*', '+@all', ...rules])
    await allow('resetchannels')
    const subscriber = createClient({ url: urlOf(server.port), username: 'deaf', password: 'pw' })
    onTestFinished(() => subscriber.destroy())
    await subscriber.connect()
    const { store } = redisFleet(admin, { ...shop, subscriber })
    const key = freshHost()
    const refused: unknown[] = []
    await expect(store.watch!(key, (snapshot) => refused.push(snapshot))).rejects.toThrow('NOPERM')
    await allow('allchannels')
    const watcher = await watch(store, key)
    await swap(store, key, 0, 'x')
    expect(await watcher.told(1)).toMatchObject([{ value: 'x' }])
    expect(refused).toEqual([])
  })

  test('there is one or there is no push, and the refresh is as long', async () => {
    const client = await nodeRedis()
    const polled = redisFleet(client, shop)
    expect(polled.terms.refresh).toBe(1_000)
    expect('watch' in polled.store).toBe(false)
    const pushed = redisFleet(client, { ...shop, subscriber: await nodeRedis() })
    expect(pushed.terms.refresh).toBe(10_000)
    expect(redisFleet(client, { ...shop, subscriber: await nodeRedis(), refresh: '3s' }).terms.refresh).toBe(3_000)
  })
})

describe.skipIf(!hasRedis)('a cluster', () => {
  let node: RedisServer
  let folder: string
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'fuseboard-'))
    node = await redisServer({
      more: ['--cluster-enabled', 'yes', '--cluster-announce-ip', '127.0.0.1', '--dir', folder],
    })
    const client = createClient({ url: urlOf(node.port) })
    await client.connect()
    await client.sendCommand(['CLUSTER', 'ADDSLOTSRANGE', '0', '16383'])
    await until(async () => (await client.clusterInfo()).includes('cluster_state:ok'))
    client.destroy()
  })
  afterAll(async () => {
    await node?.[Symbol.asyncDispose]()
    if (folder) await rm(folder, { recursive: true })
  })

  const trial = async (client: Parameters<typeof redisFleet>[0], subscriber: Subscriber): Promise<void> => {
    const { store } = redisFleet(client, { ...shop, subscriber })
    for (const key of [freshHost(), freshHost('}'), freshHost('{x}')]) {
      const watcher = await watch(store, key)
      const { version } = await swap(store, key, 0, 'x')
      expect(await watcher.told(1)).toMatchObject([{ version, value: 'x' }])
      expect(await store.read(key, patient)).toMatchObject({ version, value: 'x' })
    }
  }

  test('of node-redis will do, as a client and as a subscriber', async () => {
    const [client, subscriber] = [0, 0].map(() => createCluster({ rootNodes: [{ url: urlOf(node.port) }] }))
    onTestFinished(() => {
      client?.destroy()
      subscriber?.destroy()
    })
    await client!.connect()
    void subscriber!.connect()
    await trial(client!, subscriber!)
  })

  test('of ioredis will do, as a client and as a subscriber', async () => {
    const [client, subscriber] = [0, 0].map(() => new Cluster([{ host: '127.0.0.1', port: node.port }]))
    onTestFinished(() => {
      client?.disconnect()
      subscriber?.disconnect()
    })
    await until(async () => client?.status === 'ready')
    await trial(client!, subscriber!)
  })
})

/** A client of node-redis that fails as it is told to. */
class Failing extends EventEmitter {
  isReady = true
  readonly asked: string[] = []
  readonly faults: (() => Error)[] = []

  subscribe(): Promise<void> {
    return this.#answer('subscribe')
  }

  unsubscribe(): Promise<void> {
    return this.#answer('unsubscribe')
  }

  async #answer(command: string): Promise<void> {
    this.asked.push(command)
    const fault = this.faults.shift()
    if (fault) throw fault()
  }
}

describe('a subscriber that fails', () => {
  const asking = { isReady: true, eval: async () => [], evalSha: async () => [] }
  const gone = new Error('the socket has closed')

  test('by a loss of its connection subscribes once it has another', async () => {
    const subscriber = new Failing()
    subscriber.faults.push(() => {
      subscriber.isReady = false
      return gone
    })
    const { store } = redisFleet(asking, { ...shop, subscriber })
    const watching = store.watch!('a', () => {})
    await vi.waitUntil(() => !subscriber.isReady)
    subscriber.isReady = true
    subscriber.emit('ready')
    await watching
    expect(subscriber.asked).toEqual(['subscribe', 'subscribe'])
  })

  test('to leave joins again', async () => {
    const subscriber = new Failing()
    const { store } = redisFleet(asking, { ...shop, subscriber })
    const stop = await store.watch!('a', () => {})
    subscriber.faults.push(() => gone)
    stop()
    await vi.waitUntil(() => subscriber.asked.length === 2)
    await store.watch!('a', () => {})
    expect(subscriber.asked).toEqual(['subscribe', 'unsubscribe', 'subscribe'])
  })
})

test('a server that does not know the script is not sent it where nobody waits any more', async () => {
  const controller = new AbortController()
  const sent: string[] = []
  const client = {
    isReady: true,
    async evalSha() {
      sent.push('EVALSHA')
      controller.abort()
      throw new Error('NOSCRIPT No matching script. Please use EVAL.')
    },
    async eval() {
      sent.push('EVAL')
    },
  }
  await expect(redisFleet(client, shop).store.read('a', controller.signal)).rejects.toThrow('aborted')
  await new Promise((resolve) => setImmediate(resolve))
  expect(sent).toEqual(['EVALSHA'])
})

type Subscriber = NonNullable<Parameters<typeof redisFleet>[1]['subscriber']>

describe('a client that is not connected is not asked', () => {
  const late = { ttl: 1_000, notAfter: 9e15, signal: patient }

  test('node-redis, before and while it connects', async () => {
    const client = createClient({ url: urlOf(1), socket: { reconnectStrategy: 1_000 } })
    client.on('error', () => {})
    const { store } = redisFleet(client, shop)
    const fail = async (): Promise<void> => {
      await expect(store.read('a', patient)).rejects.toThrow('the client of redis is not connected')
      await expect(store.swap('a', 0, 'x', late)).rejects.toThrow('the client of redis is not connected')
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
    const { store } = redisFleet(client, shop)
    await expect(store.read('a', patient)).rejects.toThrow('the client of ioredis is not connected (connecting)')
    client.disconnect()
    await expect(store.swap('a', 0, 'x', late)).rejects.toThrow('the client of ioredis is not connected')
  })
})

test.each([[undefined], ['text'], [['1', '2']], [['1', 'x', 'v', '5']], [['1', '5', 'v', 'x']], [[]]])(
  'an answer that is not of the script is none: %j',
  async (answer) => {
    const client = { isReady: true, eval: async () => answer, evalSha: async () => answer }
    const { store } = redisFleet(client, shop)
    await expect(store.read('a', patient)).rejects.toThrow('an answer that is not of the script')
  },
)

const client = { evalSha() {}, eval() {} }
test.each([
  [undefined, shop, /^redisFleet needs a client of redis 5 or 6, or of ioredis 5 or 6, got one without evalSha\(\)$/],
  [{ evalsha() {} }, shop, /without eval\(\)$/],
  [client, undefined, /^the options of redisFleet must be an object, got undefined$/],
  [client, {}, /^redisFleet\.namespace must be 1 to 64 letters/],
  [client, { namespace: 'a:b' }, /got "a:b"$/],
  [client, { ...shop, prefix: 'b' }, /^fleet\.prefix is not an option/],
  [client, { ...shop, refresh: '0s' }, /^fleet\.refresh must be longer than 0/],
  [client, { ...shop, subscriber: client }, /^redisFleet\.subscriber must be a second client/],
  [
    client,
    { ...shop, subscriber: {} },
    /^redisFleet\.subscriber must be a client of redis 5 or 6.*without subscribe\(\)$/,
  ],
  [client, { ...shop, subscriber: null }, /^redisFleet\.subscriber must be a client/],
])('bad input is told: %j %j', (wrong, options, message) => {
  expect(() => redisFleet(wrong as never, options as never)).toThrow(message)
})
