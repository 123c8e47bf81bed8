// SQS: the AWS SDK against the queues of test/sqs-server.ts.
import { SendMessageCommand } from '@aws-sdk/client-sqs'
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { sqsServer, type SqsServer } from '../test/sqs-server.ts'
import { entryOf, outboxSuite } from '../test/suite.ts'
import type { Claim, Entry, OutboxStore } from './store.ts'
import { sqsOutbox, type SqsLike, type SqsOutboxOptions } from './sqs.ts'

let server: SqsServer
beforeAll(async () => {
  server = await sqsServer()
  vi.useFakeTimers({ toFake: ['Date'] })
})
afterAll(async () => {
  vi.useRealTimers()
  await server[Symbol.asyncDispose]()
})

const at = (now: number): void => {
  vi.setSystemTime(now)
  server.at(now)
}
/** Queues for the circuits of the suite. */
const open = (fifo = '.fifo', client: SqsLike = server.client): OutboxStore => {
  const circuits = Array.from({ length: 120 }, (_, n) => `api${n}.test`)
  const queues = Object.fromEntries(circuits.map((circuit) => [circuit, server.urlOf(`${circuit}${fifo}`)]))
  return sqsOutbox({ client, queues, deadLetterUrl: server.urlOf(`dead${fifo}`) })
}

const traits = { at, remembers: false, keepsPlaces: false, tellsOldest: false }
outboxSuite('sqs, FIFO', open, traits)
outboxSuite('sqs, standard', () => open(''), traits)

const NOW = 1_800_000_000_000
const HOUR = 3_600_000
const receipt = { status: 201, headers: [['a', 'b']], body: 'made' } as const
const sent = { state: 'sent', at: NOW, receipt } as const

beforeEach(() => at(NOW))

const claim = async (store: OutboxStore, { circuit }: Entry, now = NOW, most = 10): Promise<readonly Claim[]> => {
  at(now)
  return store.claim(circuit, most, now, now + 60_000)
}
const claimed = async (store: OutboxStore, entry: Entry, now = NOW): Promise<Claim> => {
  const [first] = await claim(store, entry, now, 1)
  if (first === undefined) throw new Error('nothing was given out')
  return first
}
const idsOf = (claims: readonly Claim[]): readonly string[] => claims.map(({ id }) => id)
/** What a queue of an entry's circuit has. */
const inQueueOf = ({ circuit }: Entry, fifo = '.fifo'): readonly string[] =>
  server.messagesIn(`${circuit}${fifo}`).map(({ body }) => body)
const deadLetters = (fifo = '.fifo'): readonly string[] => server.messagesIn(`dead${fifo}`).map(({ body }) => body)
const withBody = (entry: Entry, bytes: number): Entry => ({
  ...entry,
  request: { ...entry.request, body: new Uint8Array(bytes) },
})
/** Entries that wait for the same host. */
const manyOf = (entry: Entry, count: number): readonly Entry[] =>
  Array.from({ length: count }, (_, n) => ({ ...entry, id: `${entry.id}-${n}`, idempotencyKey: `${n}` }))
type Command = Parameters<SqsLike['send']>[0]
/** A client whose calls go through a function. */
const through = (make: (name: string, send: () => Promise<unknown>) => unknown): SqsLike => ({
  send: ((command: Command) => make(command.constructor.name, () => server.client.send(command))) as SqsLike['send'],
})
const failing = (action: string, nth = 1): SqsLike => {
  let calls = 0
  return through((name, send) => (name === action && ++calls >= nth ? Promise.reject(new Error('throttled')) : send()))
}

describe('a request that failed', () => {
  test('is queued anew, with how often it was sent and why in vain, for whichever process has it next', async () => {
    const entry = entryOf()
    const [one, other] = [open(), open()]
    await one.put(entry)
    await one.retry(await claimed(one, entry), { at: NOW + 10_000, attempts: 3, error: 'The host answered 503' })
    expect(await claim(other, entry, NOW + 9_000)).toEqual([])
    expect(await claim(other, entry, NOW + 10_000)).toMatchObject([{ id: entry.id, attempts: 3 }])
    const result = { state: 'pending', attempts: 3, error: 'The host answered 503' }
    expect(await other.result(entry.id)).toEqual(result)
    expect(inQueueOf(entry)).toHaveLength(1)
  })

  test('goes behind what has the same idempotency key', async () => {
    const store = open()
    const first = entryOf()
    const second = entryOf({ circuit: first.circuit, idempotencyKey: first.idempotencyKey })
    for (const one of [first, second]) await store.put(one)
    await store.retry(await claimed(store, first), { at: NOW, attempts: 1, error: 'reset' })
    expect(idsOf(await claim(store, first))).toEqual([second.id])
  })

  test('is there twice, and not lost, where the process ends before the old message is gone', async () => {
    const entry = entryOf()
    const store = open('.fifo', failing('DeleteMessageCommand'))
    await store.put(entry)
    const own = await claimed(store, entry)
    await expect(async () => store.retry(own, { at: NOW, attempts: 1, error: 'reset' })).rejects.toThrow('throttled')
    expect(inQueueOf(entry)).toHaveLength(2)
    expect(await claim(open(), entry, NOW + 60_000)).toMatchObject([{ id: entry.id }])
  })

  test('that was not tried stays where it is', async () => {
    const entry = entryOf()
    const store = open()
    await store.put(entry)
    await store.retry(await claimed(store, entry), { at: NOW + 5_000, attempts: 0, error: 'no token' })
    expect(inQueueOf(entry)).toHaveLength(1)
    const result = { state: 'pending', attempts: 0, error: 'no token' }
    expect(await store.result(entry.id)).toEqual(result)
    expect(idsOf(await claim(store, entry, NOW + 5_000))).toEqual([entry.id])
    expect(await store.result(entry.id)).toEqual(result)
    expect(idsOf(await claim(open(), entry, NOW + 65_000))).toEqual([entry.id])
  })

  test.each(['.fifo', ''])('waits for longer than SQS can hide it (%j)', async (fifo) => {
    const entry = entryOf()
    const store = open(fifo)
    await store.put(entry)
    await store.retry(await claimed(store, entry), { at: NOW + 30 * HOUR, attempts: 1, error: 'busy' })
    for (let hour = 0; hour < 30; hour++) expect(await claim(store, entry, NOW + hour * HOUR)).toEqual([])
    expect(idsOf(await claim(store, entry, NOW + 30 * HOUR))).toEqual([entry.id])
    const kept = await claimed(store, entry, NOW + 31 * HOUR)
    await store.retry(kept, { at: NOW + 61 * HOUR, attempts: 1, error: 'no token' })
    expect(await claim(store, entry, NOW + 41 * HOUR)).toEqual([])
  })
})

describe('a worker that is late', () => {
  test('queues nothing anew of what another has', async () => {
    const entry = entryOf()
    const [late, own] = [open(), open()]
    await late.put(entry)
    const lost = await claimed(late, entry)
    await claimed(own, entry, NOW + 60_000)
    await late.retry(lost, { at: NOW, attempts: 1, error: 'late' })
    expect([inQueueOf(entry).length, await late.result(entry.id)]).toMatchObject([1, { attempts: 0 }])
  })

  test('by a clock that SQS does not have changes nothing either', async () => {
    const entry = entryOf()
    const [late, own] = [open(), open()]
    await late.put(entry)
    const lost = await claimed(late, entry)
    server.at(NOW + 60_000)
    await late.retry(lost, { at: NOW, attempts: 0, error: 'late' })
    expect(await own.claim(entry.circuit, 1, NOW + 60_000, NOW + 120_000)).toHaveLength(1)
    expect(inQueueOf(entry)).toHaveLength(1)
  })

  test('has sent it all the same: it is not given up any more', async () => {
    const entry = entryOf()
    const store = open()
    await store.put(entry)
    const late = await claimed(store, entry)
    const own = await claimed(store, entry, NOW + 60_000)
    await store.settle(late, sent)
    await store.settle(own, { state: 'dead', at: NOW, error: 'no' })
    expect([inQueueOf(entry), await store.result(entry.id)]).toEqual([[], sent])
    expect(deadLetters().filter((text) => text.includes(entry.id))).toEqual([])
  })
})

describe('a request that was queued twice', () => {
  test('goes once where one process has both', async () => {
    const entry = entryOf()
    const store = open()
    for (const one of [entry, entry]) expect(await store.put(one)).toBe('queued')
    const [own, ...others] = await claim(store, entry)
    expect(others).toEqual([])
    await store.settle(own as Claim, sent)
    expect(await claim(store, entry, NOW + 1)).toEqual([])
    expect([inQueueOf(entry), await store.put(entry)]).toEqual([[], 'duplicate'])
  })

  test('goes one after the other where two have it', async () => {
    const entry = entryOf()
    const [one, other] = [open(), open()]
    await one.put(entry)
    await other.put(entry)
    const own = await claimed(one, entry)
    expect(await claim(other, entry)).toEqual([])
    await one.settle(own, sent)
    expect(idsOf(await claim(other, entry))).toEqual([entry.id])
  })

  test('goes one after the other from one process where the queue is none of FIFO', async () => {
    const entry = entryOf()
    const store = open('')
    for (const one of [entry, entry]) await store.put(one)
    const own = await claimed(store, entry)
    expect(await claim(store, entry)).toEqual([])
    await store.retry(own, { at: NOW + 50_000, attempts: 1, error: 'reset' })
    expect(idsOf(await claim(store, entry, NOW + 60_000))).toEqual([entry.id])
  })
})

describe('what was given up', () => {
  test.each(['.fifo', ''])('is in the queue for it, whole and with how it ended (%j)', async (fifo) => {
    const entry = entryOf()
    const store = open(fifo)
    const { dead } = await store.depth()
    await store.put(entry)
    await store.settle(await claimed(store, entry), { state: 'dead', at: NOW, error: 'no', receipt })
    expect(inQueueOf(entry, fifo)).toEqual([])
    const { entry: kept, body, ending } = JSON.parse(deadLetters(fifo).at(-1) ?? '') as Record<string, unknown>
    expect(kept).toMatchObject({ id: entry.id, idempotencyKey: entry.idempotencyKey })
    expect(body).toBe(Buffer.from(entry.request.body ?? []).toString('base64'))
    expect(ending).toEqual({ state: 'dead', at: NOW, error: 'no', receipt })
    expect((await store.depth()).dead).toBe(dead + 1)
  })

  test('is taken in once more, at once and by SQS as well', async () => {
    const entry = entryOf()
    const store = open()
    for (const _ of [1, 2]) {
      expect(await store.put(entry)).toBe('queued')
      await store.settle(await claimed(store, entry), { state: 'dead', at: NOW, error: 'no' })
    }
    expect(deadLetters().filter((text) => text.includes(entry.id))).toHaveLength(2)
  })

  test('stays in its queue where the other cannot take it', async () => {
    const entry = entryOf()
    const store = open('.fifo', failing('SendMessageCommand', 2))
    await store.put(entry)
    const own = await claimed(store, entry)
    await expect(async () => store.settle(own, { state: 'dead', at: NOW, error: 'no' })).rejects.toThrow('throttled')
    expect(await store.result(entry.id)).toMatchObject({ state: 'pending' })
    expect(idsOf(await claim(store, entry, NOW + 60_000))).toEqual([entry.id])
  })

  test('has room for how it ended, if not for all of the answer, as large as it is', async () => {
    const entry = withBody(entryOf(), 773_000)
    const store = open()
    await store.put(entry)
    const long = { status: 422, headers: [['x', 'y']], body: '\uFFFE'.repeat(20_000) } as const
    await store.settle(await claimed(store, entry), {
      state: 'dead',
      at: NOW,
      error: '\uFFFF'.repeat(9_000),
      receipt: long,
    })
    const { ending } = JSON.parse(deadLetters().at(-1) ?? '') as Record<string, unknown>
    const bodiless = { ...long, body: '' }
    expect(ending).toEqual({ state: 'dead', at: NOW, error: '\uFFFF'.repeat(1_024), receipt: bodiless })
  })

  test('may be what is no request at all', async () => {
    const { circuit, ...entry } = entryOf()
    const QueueUrl = server.urlOf(`${circuit}.fifo`)
    for (const body of ['hello', '{"entry":{}}']) {
      const group = { MessageGroupId: 'a', MessageDeduplicationId: body }
      await server.client.send(new SendMessageCommand({ QueueUrl, MessageBody: body, ...group }))
    }
    expect(await claim(open(), { ...entry, circuit })).toEqual([])
    expect([inQueueOf({ ...entry, circuit }), deadLetters().slice(-2)]).toEqual([[], ['hello', '{"entry":{}}']])
  })
})

describe('a call whose answer is lost, and which the SDK makes again,', () => {
  test('puts one message in a FIFO queue', async () => {
    const entry = entryOf()
    server.lose('SendMessage')
    expect(await open().put(entry)).toBe('queued')
    expect(inQueueOf(entry)).toHaveLength(1)
  })

  test('gives out what it took, at once', async () => {
    const entry = entryOf()
    const store = open()
    await store.put(entry)
    server.lose('ReceiveMessage')
    expect(idsOf(await claim(store, entry))).toEqual([entry.id])
  })

  test('ends what it ended', async () => {
    const entry = entryOf()
    const store = open()
    await store.put(entry)
    server.lose('DeleteMessage')
    await store.settle(await claimed(store, entry), sent)
    expect([inQueueOf(entry), await store.result(entry.id)]).toEqual([[], sent])
  })
})

describe('a request', () => {
  test('waits in a standard queue before it is given out at all, and in a FIFO queue from then on', async () => {
    const [standard, fifo] = [entryOf({ notBefore: NOW + 5_000 }), entryOf({ notBefore: NOW + 5_000 })]
    await open('').put(standard)
    await open().put(fifo)
    const inputs = server.calls.filter(({ action }) => action === 'SendMessage').map(({ input }) => input)
    expect(inputs.at(-2)).toMatchObject({ DelaySeconds: 5 })
    const group = {
      MessageGroupId: expect.stringMatching(/^[0-9a-f]{64}$/),
      MessageDeduplicationId: expect.any(String),
    }
    expect(inputs.at(-1)).toEqual({ QueueUrl: expect.any(String), MessageBody: expect.any(String), ...group })
    expect([await claim(open(''), standard), await claim(open(), fifo)]).toEqual([[], []])
    expect(await claim(open(), fifo, NOW + 4_999)).toEqual([])
    expect(idsOf(await claim(open(''), standard, NOW + 5_000))).toEqual([standard.id])
    expect(idsOf(await claim(open(), fifo, NOW + 5_000))).toEqual([fifo.id])
  })

  test('may say what a message must not', async () => {
    const entry = entryOf({ idempotencyKey: 'a\u0000\uFFFE\uFFFF\uD800' })
    const store = open()
    await store.put(entry)
    expect((await claimed(store, entry)).idempotencyKey).toBe(entry.idempotencyKey)
  })

  test('that would be larger than 1 MiB is not taken, and is not known', async () => {
    const entry = withBody(entryOf(), 1 << 20)
    const store = open()
    await expect(async () => store.put(entry)).rejects.toThrow(
      /^a request with a body of 1048576 bytes takes 1398\d{3} bytes, and a message of SQS has room for 1032192 \(1 MiB, less the answer\)$/,
    )
    expect([await store.result(entry.id), inQueueOf(entry)]).toEqual([undefined, []])
  })

  test('that SQS did not take is not known', async () => {
    const entry = entryOf()
    const store = open('.fifo', failing('SendMessageCommand'))
    await expect(async () => store.put(entry)).rejects.toThrow('throttled')
    expect(await store.result(entry.id)).toBeUndefined()
  })

  test('that would outlive its message is not taken', async () => {
    const entry = entryOf({ expiresAt: NOW + 15 * 24 * HOUR })
    await expect(async () => open().put(entry)).rejects.toThrow(
      new RangeError('a request that waits for up to 360 hours is not for SQS, which keeps messages for 14 days'),
    )
  })

  test('for a circuit that has no queue is not taken', async () => {
    const entry = entryOf({ circuit: 'other.test' })
    await expect(async () => open().put(entry)).rejects.toThrow(
      new Error('sqsOutbox.queues has no queue for other.test'),
    )
    expect(await claim(open(), entry)).toEqual([])
  })

  test('that is sent before SQS has said that it took it is known as sent', async () => {
    const entry = entryOf()
    let meanwhile = async (): Promise<void> => {}
    const store = open(
      '.fifo',
      through(async (name, send) => {
        const answer = await send()
        if (name === 'SendMessageCommand') await meanwhile()
        return answer
      }),
    )
    meanwhile = async () => store.settle(await claimed(store, entry), sent)
    await store.put(entry)
    expect(await store.result(entry.id)).toEqual(sent)
  })

  test('is known until a thousand others were', async () => {
    const store = open()
    const first = entryOf()
    await store.put(first)
    await Promise.all(Array.from({ length: 999 }, async (_, n) => store.put({ ...first, id: `n${n}` })))
    expect(await store.result(first.id)).toMatchObject({ state: 'pending' })
    await store.put({ ...first, id: 'n999' })
    expect(await store.result(first.id)).toBeUndefined()
  })
})

describe('a claim', () => {
  test('takes more than ten, in so many calls', async () => {
    const store = open()
    const all = manyOf(entryOf(), 23)
    for (const one of all) await store.put(one)
    const ids = idsOf(await claim(store, all[0] as Entry, NOW, 21))
    expect(ids).toEqual(all.slice(0, 21).map(({ id }) => id))
  })

  test('does not let a request go before one with the same idempotency key that is not due', async () => {
    const store = open()
    const first = entryOf({ notBefore: NOW + 5_000 })
    const second = entryOf({ circuit: first.circuit, idempotencyKey: first.idempotencyKey })
    for (const one of [first, second]) await store.put(one)
    expect(await claim(store, first)).toEqual([])
    expect(idsOf(await claim(store, first, NOW + 5_000))).toEqual([first.id])
  })

  test('ends, however much there is that is not due', async () => {
    const store = open()
    const all = manyOf(entryOf({ notBefore: NOW + HOUR }), 130)
    await Promise.all(all.map(async (one) => store.put(one)))
    const before = server.calls.length
    expect(await claim(store, all[0] as Entry)).toEqual([])
    expect(server.calls.slice(before).filter(({ action }) => action === 'ReceiveMessage')).toHaveLength(10)
  })

  test('asks all servers of a queue before it says that nothing is due', async () => {
    const entry = entryOf()
    await claim(open(), entry)
    const { action, input } = server.calls.at(-1) ?? {}
    expect([action, input]).toMatchObject(['ReceiveMessage', { WaitTimeSeconds: 1, VisibilityTimeout: 60 }])
  })

  test('has what it got where a later call failed', async () => {
    const [first, second] = [entryOf(), entryOf()]
    await open().put(first)
    const store = open('.fifo', failing('ReceiveMessageCommand', 2))
    expect(idsOf(await claim(store, first))).toEqual([first.id])
    await expect(claim(store, second)).rejects.toThrow('throttled')
  })
})

const client = { send: () => undefined } as unknown as SqsLike
const queues = { 'a.test': 'https://sqs.test/a' }
const deadLetterUrl = 'https://sqs.test/dead'
test.each([
  [undefined, 'the options of sqsOutbox must be an object, got undefined'],
  [{ queues, deadLetterUrl }, 'sqsOutbox.client must be an SQSClient of the AWS SDK v3, got undefined'],
  [{ client, deadLetterUrl }, 'sqsOutbox.queues must have the URL of a queue for each circuit, got undefined'],
  [
    { client, queues: {}, deadLetterUrl },
    'sqsOutbox.queues must have the URL of a queue for each circuit, got an object',
  ],
  [
    { client, queues: { 'a.test': '' }, deadLetterUrl },
    'sqsOutbox.queues["a.test"] must be the URL of a queue, got ""',
  ],
  [{ client, queues }, 'sqsOutbox.deadLetterUrl must be the URL of a queue, got undefined'],
  [
    { client, queues: { ...queues, 'b.test': deadLetterUrl }, deadLetterUrl },
    'sqsOutbox.queues and sqsOutbox.deadLetterUrl must be a queue each, got "https://sqs.test/dead" twice',
  ],
  [
    { client, queues, deadLetterUrl, queueUrl: 'a' },
    'sqsOutbox has no option queueUrl; there are client, queues, deadLetterUrl',
  ],
])('of options %j it says what is wrong', (options, message) => {
  expect(() => sqsOutbox(options as SqsOutboxOptions)).toThrow(new TypeError(message))
})
