// A drain that does not stay: what a Lambda does that is called once a minute.
import { createBoard, guardFetch } from '@fuseboard/core'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { startApi, type Api } from '../test/api.ts'
import { dynamoServer, TABLE } from '../test/dynamo-server.ts'
import { HEADER, NOON, openShop, sign, type Shop } from '../test/shop.ts'
import { sqsServer } from '../test/sqs-server.ts'
import { dynamoOutbox } from './dynamodb.ts'
import { createOutbox, defer, memoryOutbox, type Drained, type OutboxStore } from './index.ts'
import { sqsOutbox } from './sqs.ts'

async function enqueueAll({ outbox, api }: Shop, count: number): Promise<void> {
  for (let n = 0; n < count; n++)
    await outbox.enqueue({ url: api.url, body: `${n}`, idempotencyHeader: HEADER, idempotencyKey: `k${n}` })
}

describe('drain', () => {
  test('sends what waits, and tells how much that was', async () => {
    await using shop = await openShop()
    await enqueueAll(shop, 9)
    expect(await shop.outbox.drain(shop.board)).toEqual({ sent: 9, dead: 0, waiting: 0 })
    expect(shop.api.made.size).toBe(9)
    expect(await shop.outbox.drain(shop.board)).toEqual({ sent: 0, dead: 0, waiting: 0 })
  })

  test('tells of what was given up', async () => {
    await using shop = await openShop()
    await enqueueAll(shop, 3)
    shop.api.trouble = 422
    expect(await shop.outbox.drain(shop.board)).toEqual({ sent: 0, dead: 3, waiting: 0 })
  })

  test('leaves what waits for a circuit that is open, or that opens', async () => {
    await using shop = await openShop({ concurrency: 1 })
    const { api, board, outbox } = shop
    await enqueueAll(shop, 9)
    board.circuit(api.host).trip('60s')
    expect(await outbox.drain(board)).toEqual({ sent: 0, dead: 0, waiting: 9 })
    expect(api.asked).toEqual([])
    board.circuit(api.host).reset()
    api.trouble = 503
    expect(await outbox.drain(board)).toEqual({ sent: 0, dead: 0, waiting: 9 })
    expect([api.asked.length, board.circuit(api.host).state]).toEqual([3, 'open'])
  })

  test('is the probe of a circuit that is half-open, since it cannot wait for another', async () => {
    await using shop = await openShop()
    const { api, board, clock, outbox } = shop
    board.circuit(api.host).trip('60s')
    await enqueueAll(shop, 9)
    clock.advance(60_000)
    api.trouble = 503
    expect(await outbox.drain(board)).toEqual({ sent: 0, dead: 0, waiting: 9 })
    expect([api.asked.length, board.circuit(api.host).state]).toEqual([1, 'open'])
    api.trouble = undefined
    clock.advance(600_000)
    expect(await outbox.drain(board)).toEqual({ sent: 9, dead: 0, waiting: 0 })
  })

  test('is never the probe where that is not allowed', async () => {
    await using shop = await openShop({ probeAfter: false })
    shop.board.circuit(shop.api.host).trip('60s')
    await enqueueAll(shop, 1)
    shop.clock.advance(60_000)
    expect(await shop.outbox.drain(shop.board)).toEqual({ sent: 0, dead: 0, waiting: 1 })
    expect(shop.api.asked).toEqual([])
  })

  test('begins nothing after its time, and waits for what is under way', async () => {
    let shop: Shop | undefined
    await using own = await openShop({
      concurrency: 1,
      send: async (...given) => {
        shop?.clock.advance(10_000)
        return fetch(...given)
      },
    })
    shop = own
    await enqueueAll(own, 9)
    expect(await own.outbox.drain(own.board, { within: '25s' })).toEqual({ sent: 3, dead: 0, waiting: 6 })
  })

  test('leaves to the next what is queued meanwhile for another host', async () => {
    await using other = await startApi()
    let shop: Shop | undefined
    await using own = await openShop({
      send: async (...given) => {
        await shop?.outbox.enqueue({ url: other.url, idempotencyHeader: HEADER, idempotencyKey: 'other' })
        return fetch(...given)
      },
    })
    shop = own
    await enqueueAll(own, 1)
    expect(await own.outbox.drain(own.board)).toEqual({ sent: 1, dead: 0, waiting: 1 })
    expect(other.asked).toEqual([])
    expect(await own.outbox.drain(own.board)).toEqual({ sent: 1, dead: 0, waiting: 0 })
  })

  test('rejects with what the store throws, once the other circuits are through', async () => {
    const store = memoryOutbox()
    const claim = store.claim.bind(store)
    let other: Api | undefined
    const broken: OutboxStore = Object.assign(store, {
      claim: (...given: Parameters<OutboxStore['claim']>) => {
        if (given[0] === other?.host) throw new Error('throttled')
        return claim(...given)
      },
    })
    await using shop = await openShop({ store: broken })
    await using api = (other = await startApi())
    await shop.outbox.enqueue({ url: api.url, idempotencyHeader: HEADER })
    await enqueueAll(shop, 5)
    await expect(shop.outbox.drain(shop.board)).rejects.toThrow('throttled')
    expect(shop.api.made.size).toBe(5)
    vi.spyOn(store, 'depth').mockRejectedValueOnce(new Error('no table'))
    await expect(shop.outbox.drain(shop.board)).rejects.toThrow('no table')
  })

  test('is one at a time, beside one that stays as well', async () => {
    await using shop = await openShop()
    await enqueueAll(shop, 1)
    const first = shop.outbox.drain(shop.board)
    await expect(shop.outbox.drain(shop.board)).rejects.toThrow('This outbox drains on a board already')
    await first
    const stop = shop.outbox.drainOn(shop.board)
    await expect(shop.outbox.drain(shop.board)).rejects.toThrow('This outbox drains on a board already')
    await stop()
    expect(await shop.outbox.drain(shop.board)).toMatchObject({ waiting: 0 })
  })

  test('is waited for where the outbox is closed', async () => {
    let arrived = (): void => {}
    const underWay = new Promise<void>((resolve) => (arrived = resolve))
    const send: typeof fetch = async (...given) => {
      arrived()
      return fetch(...given)
    }
    await using shop = await openShop({ send, concurrency: 1 })
    await enqueueAll(shop, 9)
    const drained = shop.outbox.drain(shop.board)
    await underWay
    await shop.outbox[Symbol.asyncDispose]()
    expect(shop.api.made.size).toBe(1)
    expect(await drained).toEqual({ sent: 1, dead: 0, waiting: 8 })
  })

  test.each([
    [{ until: 5 }, TypeError, 'drain has no option until; there are within'],
    [{ within: 0 }, RangeError, 'drain.within must be longer than 0, got 0'],
    [{ within: 'soon' }, TypeError, 'drain.within must be milliseconds or text such as \'30s\', got "soon"'],
  ])('says what is wrong with %j', async (options, Kind, message) => {
    const outbox = createOutbox({ store: memoryOutbox() })
    await expect(outbox.drain(createBoard(), options as object)).rejects.toThrow(new Kind(message))
  })
})

describe('a write that one Lambda defers another sends', () => {
  /** An instance of a function: with a board, an outbox and a client of its own, and nothing that it remembers. */
  function instance(store: OutboxStore): {
    subscribe: (url: string, body: string) => Promise<number>
    drain: () => Promise<Drained>
  } {
    const outbox = createOutbox({ store, prepare: sign, backoff: { from: 1 } })
    const board = createBoard({
      consecutiveFailures: 1,
      fallback: defer({ outbox, when: ({ method }) => method === 'POST', idempotencyHeader: HEADER }),
    })
    const send = guardFetch(board)
    return {
      subscribe: async (url, body) => {
        const headers = { authorization: 'Bearer good' }
        return (await send(url, { method: 'POST', body, headers })).status
      },
      drain: () => outbox.drain(board),
    }
  }

  /** @returns what lets five seconds pass */
  function stopClock(): () => void {
    vi.useFakeTimers({ toFake: ['Date'], now: NOON })
    onTestFinished(() => void vi.useRealTimers())
    return () => void vi.setSystemTime(NOON + 5_000)
  }

  async function story(api: Api, open: () => OutboxStore, later: () => void): Promise<void> {
    api.trouble = 'hang'
    const first = instance(open())
    const hung = first.subscribe(api.url, 'of a customer whose answer is lost')
    await vi.waitFor(() => expect(api.made.size).toBe(1))
    api.trouble = 'reset'
    api.hangUp()
    expect(await hung).toBe(202)
    expect(await first.subscribe(api.url, 'refused')).toBe(202)
    later()
    expect(await first.drain()).toEqual({ sent: 0, dead: 0, waiting: 2 })
    api.trouble = undefined
    expect(await instance(open()).drain()).toEqual({ sent: 2, dead: 0, waiting: 0 })
    expect([...api.made.values()]).toEqual(['of a customer whose answer is lost', 'refused'])
  }

  test('over DynamoDB', async () => {
    await using api = await startApi()
    await using server = await dynamoServer()
    const { client } = server
    const pass = stopClock()
    await story(api, () => dynamoOutbox({ client, table: TABLE, namespace: 'shop' }), pass)
  })

  test('over SQS', async () => {
    await using api = await startApi()
    await using server = await sqsServer()
    server.at(NOON)
    const pass = stopClock()
    const queues = { [api.host]: server.urlOf('api.fifo') }
    const deadLetterUrl = server.urlOf('dead.fifo')
    await story(
      api,
      () => sqsOutbox({ client: server.client, queues, deadLetterUrl }),
      () => {
        server.at(NOON + 5_000)
        pass()
      },
    )
  })
})
