// BullMQ: against a real redis-server.
import { Queue } from 'bullmq'
import { Redis } from 'ioredis'
import { createClient } from 'redis'
import { afterAll, afterEach, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest'
import { hasRedis, redisServer, type RedisServer } from '../../stores/test/redis-server.ts'
import { entryOf, outboxSuite } from '../test/suite.ts'
import { bullmqOutbox } from './bullmq.ts'
import type { Claim, Entry, OutboxStore } from './store.ts'

const HOUR = 3_600_000
const SENT = { state: 'sent', at: 1, receipt: { status: 201, headers: [], body: '' } } as const

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

  describe('with a client of redis', () => {
    let store: OutboxStore
    let own: ReturnType<typeof createClient>
    beforeAll(async () => {
      own = createClient({ url: `redis://127.0.0.1:${server.port}` })
      await own.connect()
      store = bullmqOutbox('other', { connection: own })
    })
    afterAll(() => own.destroy())

    outboxSuite('bullmq', () => store, { at })
  })

  /** Entries of now, since the clock is not held here. */
  const now = Date.now()
  const fresh = (more: Partial<Entry> = {}): Entry =>
    entryOf({ queuedAt: now, notBefore: now, expiresAt: now + HOUR, ...more })
  const take = (store: OutboxStore, { circuit }: Entry, most = 1): Promise<readonly Claim[]> =>
    Promise.resolve(store.claim(circuit, most, Date.now(), Date.now() + 60_000))
  const takeOne = async (store: OutboxStore, entry: Entry): Promise<Claim> => {
    const [first] = await take(store, entry)
    if (first === undefined) throw new Error('nothing was given out')
    return first
  }
  const keyOf = ({ circuit, id }: Entry): string => `bull:outbox@${circuit}:${id}`
  const client = (port = server.port): Redis => {
    const own = new Redis(port, '127.0.0.1', { retryStrategy: () => 10 })
    own.on('error', () => {})
    onTestFinished(() => own.disconnect())
    return own
  }

  describe('an outbox that processes share', () => {
    test('gives each entry to one of them', async () => {
      const stores = [bullmqOutbox('outbox', { connection }), bullmqOutbox('outbox', { connection: client() })]
      const first = fresh()
      for (let n = 0; n < 20; n++) await stores[n % 2]?.put(fresh({ circuit: first.circuit }))
      const given = await Promise.all(
        Array.from({ length: 12 }, (_, n) => take(stores[n % 2] as OutboxStore, first, 2)),
      )
      const ids = given.flat().map(({ id }) => id)
      expect([ids.length, new Set(ids).size]).toEqual([20, 20])
    })

    test('takes in once what two of them put at the same time', async () => {
      const stores = [bullmqOutbox('outbox', { connection }), bullmqOutbox('outbox', { connection: client() })]
      const entry = fresh()
      await Promise.all(stores.map(async (store) => store.put(entry)))
      const given = await Promise.all(stores.map((store) => take(store, entry, 2)))
      expect(given.flat()).toHaveLength(1)
    })

    test('is known to one that starts later, whatever its circuits are called', async () => {
      const entry = fresh({ circuit: `127.0.0.1:8080 tenant é/${process.pid}` })
      await bullmqOutbox('outbox', { connection }).put(entry)
      const later = bullmqOutbox('outbox', { connection: client() })
      expect((await later.depth()).circuits).toContain(entry.circuit)
      expect(await takeOne(later, entry)).toMatchObject({ id: entry.id, circuit: entry.circuit })
    })

    test('takes a request in once, though it be of another circuit, and queues it again where it was', async () => {
      const store = bullmqOutbox('outbox', { connection })
      const entry = fresh()
      const moved = { ...entry, circuit: `${entry.circuit}:other` }
      await store.put(entry)
      expect(await store.put(moved)).toBe('duplicate')
      await store.settle(await takeOne(store, entry), { state: 'dead', at: 1, error: 'no' })
      expect(await store.put(moved)).toBe('queued')
      expect(await takeOne(store, entry)).toMatchObject({ id: entry.id, circuit: entry.circuit })
    })
  })

  describe('a request', () => {
    const store = (): OutboxStore => bullmqOutbox('outbox', { connection })

    test('that was sent leaves its body', async () => {
      const [own, entry] = [store(), fresh()]
      await own.put(entry)
      const body = Buffer.from(entry.request.body as Uint8Array).toString('base64')
      expect(await connection.hget(keyOf(entry), 'data')).toContain(body)
      await own.settle(await takeOne(own, entry), SENT)
      expect(await connection.hget(keyOf(entry), 'data')).not.toContain(body)
    })

    test('that was sent goes with the next that is, once it has expired, and may then be queued anew', async () => {
      const [own, entry] = [store(), fresh()]
      await own.put(entry)
      await own.settle(await takeOne(own, entry), SENT)
      const later = now + HOUR + 60_000
      vi.useFakeTimers({ toFake: ['Date'], now: later })
      const next = fresh({ circuit: entry.circuit, queuedAt: later, notBefore: later, expiresAt: later + HOUR })
      await own.put(next)
      await own.settle(await takeOne(own, next), SENT)
      expect([await connection.exists(keyOf(entry)), await connection.exists(keyOf(next))]).toEqual([0, 1])
      const much = later + HOUR + 60_000
      expect(await own.put({ ...next, queuedAt: much, notBefore: much, expiresAt: much + HOUR })).toBe('queued')
    })

    test('that was sent by one who had lost it is not sent again, though it waits', async () => {
      const [own, entry] = [store(), fresh()]
      await own.put(entry)
      const lost = await takeOne(own, entry)
      await own.retry(lost, { at: Date.now(), attempts: 0, error: undefined })
      await own.settle(lost, SENT)
      expect(await own.result(entry.id)).toEqual(SENT)
      expect(await take(own, entry)).toEqual([])
      expect(await own.result(entry.id)).toEqual(SENT)
      expect((await own.depth()).circuits).not.toContain(entry.circuit)
    })

    test('that was sent by one who had lost it is not dead, though another gave it up', async () => {
      const [own, entry] = [store(), fresh()]
      const before = await own.depth()
      await own.put(entry)
      const claim = await takeOne(own, entry)
      await own.settle(claim, { state: 'dead', at: 1, error: 'no' })
      await own.settle(claim, SENT)
      expect(await own.result(entry.id)).toEqual(SENT)
      expect(await take(own, entry)).toEqual([])
      const { circuits, dead } = await own.depth()
      expect([circuits.includes(entry.circuit), dead]).toEqual([false, before.dead])
    })

    test('that was not tried keeps its place in the line', async () => {
      const [own, entry] = [store(), fresh()]
      const next = fresh({ circuit: entry.circuit })
      for (const one of [entry, next]) await own.put(one)
      await own.retry(await takeOne(own, entry), { at: Date.now(), attempts: 0, error: 'It could not be signed' })
      expect(await own.result(entry.id)).toEqual({ state: 'pending', attempts: 0, error: 'It could not be signed' })
      expect((await take(own, entry, 2)).map(({ id }) => id)).toEqual([entry.id, next.id])
    })

    test('that waits for another with its key keeps its place among those that do', async () => {
      const [own, first] = [store(), fresh()]
      const [other, { circuit }] = [fresh({ circuit: first.circuit }), first]
      const behind = [first, other].map(({ idempotencyKey }) => fresh({ circuit, idempotencyKey }))
      for (const one of [first, other, ...behind]) await own.put(one)
      for (const claim of await take(own, first, 9)) await own.settle(claim, SENT)
      expect((await take(own, first, 9)).map(({ id }) => id)).toEqual(behind.map(({ id }) => id))
    })

    test('whose workers die again and again is given out again and again', async () => {
      const [own, entry] = [store(), fresh()]
      await own.put(entry)
      for (let n = 0; n < 4; n++) {
        // BullMQ looks twice: whether it is under way, and a millisecond later whether it still is, without a lock.
        let claims = await take(own, entry)
        while (claims.length === 0) claims = await take(own, entry)
        expect(claims).toMatchObject([{ id: entry.id, attempts: 0 }])
        await connection.del(`${keyOf(entry)}:lock`)
      }
      const job = await new Queue(`outbox@${entry.circuit}`, { connection }).getJob(entry.id)
      expect([job?.stalledCounter, job?.deferredFailure]).toEqual([3, undefined])
    })

    test('that was given up and is queued again waits for its time', async () => {
      const [own, entry] = [store(), fresh()]
      await own.put(entry)
      await own.settle(await takeOne(own, entry), { state: 'dead', at: 1, error: 'no' })
      await own.put({ ...entry, notBefore: now + HOUR })
      expect(await take(own, entry)).toEqual([])
      expect((await own.depth()).circuits).toContain(entry.circuit)
    })
  })

  test('its oldest request is known, whether it waits, is under way, or failed', async () => {
    const own = bullmqOutbox('heads', { connection })
    const entry = fresh({ queuedAt: 5, notBefore: 5 })
    for (const one of [entry, fresh({ circuit: entry.circuit })]) await own.put(one)
    expect((await own.depth()).oldest).toBe(5)
    const claim = await takeOne(own, entry)
    expect((await own.depth()).oldest).toBe(5)
    await own.retry(claim, { at: now + HOUR, attempts: 1, error: 'reset' })
    expect((await own.depth()).oldest).toBe(5)
    await own.settle(claim, SENT)
    for (const one of await take(own, entry, 9)) await own.settle(one, SENT)
  })

  describe('its queues', () => {
    test('are of BullMQ: others see them, and a pause holds them', async () => {
      const own = bullmqOutbox('outbox', { connection, prefix: '{shop}' })
      const entry = fresh()
      await own.put(entry)
      const queue = new Queue(`outbox@${entry.circuit}`, { connection, prefix: '{shop}' })
      expect(await queue.getJobCounts('waiting', 'delayed')).toEqual({ waiting: 1, delayed: 0 })
      expect((await queue.getJob(entry.id))?.name).toBe(`POST ${entry.request.url}`)
      await queue.pause()
      expect(await take(own, entry)).toEqual([])
      await queue.resume()
      expect(await take(own, entry)).toHaveLength(1)
    })

    test('keep few events, since answers are in them', async () => {
      const entry = fresh()
      await bullmqOutbox('outbox', { connection }).put(entry)
      expect(await connection.hget(`bull:outbox@${entry.circuit}:meta`, 'opts.maxLenEvents')).toBe('100')
    })

    test('need no connection but the one that is given', async () => {
      const before = await connection.client('LIST')
      const own = bullmqOutbox('outbox', { connection })
      const entry = fresh()
      await own.put(entry)
      await own.settle(await takeOne(own, entry), SENT)
      const lines = (list: unknown): number => String(list).trim().split('\n').length
      expect(lines(await connection.client('LIST'))).toBe(lines(before))
    })
  })

  describe('a Redis that fails', () => {
    test('fails the call at once while it is away, and is used again once it is back', async () => {
      const first = await redisServer()
      const own = client(first.port)
      const outbox = bullmqOutbox('outbox', { connection: own })
      // It may be connecting yet.
      expect(await outbox.put(fresh())).toBe('queued')
      const closed = new Promise((resolve) => own.once('close', resolve))
      await first[Symbol.asyncDispose]()
      await closed
      await expect(outbox.put(fresh())).rejects.toThrow(/^the client of Redis is not connected \(\w+\)$/)
      await expect(outbox.depth()).rejects.toThrow('the client of Redis is not connected')
      const ready = new Promise((resolve) => own.once('ready', resolve))
      await using second = await redisServer({ again: first.port })
      await ready
      expect([second.port, await outbox.put(fresh())]).toEqual([first.port, 'queued'])
    })

    test('fails the call that it does not answer in time, and has not taken what it was asked too late', async () => {
      await using silent = await redisServer()
      const own = client(silent.port)
      const outbox = bullmqOutbox('outbox', { connection: own })
      const entry = fresh()
      await outbox.depth()
      const pid = Number(/process_id:(\d+)/.exec(await own.info('server'))?.[1])
      const limit = new AbortController()
      vi.spyOn(AbortSignal, 'timeout').mockReturnValueOnce(limit.signal)
      process.kill(pid, 'SIGSTOP')
      const put = outbox.put(entry)
      limit.abort()
      await expect(put).rejects.toThrow('Redis has not answered for 5000 ms')
      process.kill(pid, 'SIGCONT')
      // More often than it would need.
      for (let n = 0; n < 20; n++) expect((await outbox.depth()).pending).toBe(0)
    })

    test('is not asked for what nobody waits for any more when it comes up', async () => {
      const gone = await redisServer()
      await gone[Symbol.asyncDispose]()
      const own = client(gone.port)
      const outbox = bullmqOutbox('outbox', { connection: own })
      const limit = new AbortController()
      vi.spyOn(AbortSignal, 'timeout').mockReturnValueOnce(limit.signal)
      const put = outbox.put(fresh())
      limit.abort()
      await expect(put).rejects.toThrow('Redis has not answered')
      const ready = new Promise((resolve) => own.once('ready', resolve))
      await using server = await redisServer({ again: gone.port })
      await ready
      for (let n = 0; n < 20; n++) expect([server.port, (await outbox.depth()).pending]).toEqual([gone.port, 0])
    })
  })
})

test.each([
  ['', {}, /^the name of bullmqOutbox must be 1 to 64 letters, digits, dots, hyphens or underscores, got ""$/],
  ['a:b', {}, /^the name of bullmqOutbox must be/],
  ['a', undefined, /^the options of bullmqOutbox must be an object, got undefined$/],
  ['a', { connection: { host: '127.0.0.1' } }, /^bullmqOutbox.connection must be a client of Redis, got an object$/],
  ['a', { connection: undefined, host: 1 }, /^bullmqOutbox has no option host; there are connection, prefix$/],
] as const)('%j with %j is no place', (name, options, message) => {
  expect(() => bullmqOutbox(name, options as never)).toThrow(message)
})
