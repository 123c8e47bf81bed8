// DynamoDB: the AWS SDK against dynalite.
import {
  DynamoDB,
  GetItemCommand,
  ScanCommand,
  type AttributeValue,
  type DynamoDBClient,
  type QueryCommandOutput,
} from '@aws-sdk/client-dynamodb'
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb'
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { dynamoServer, TABLE, type DynamoServer } from '../test/dynamo-server.ts'
import { entryOf, outboxSuite } from '../test/suite.ts'
import { dynamoOutbox, type DynamoOutboxLike, type DynamoOutboxOptions } from './dynamodb.ts'
import type { Claim, Entry, OutboxStore } from './store.ts'

let server: DynamoServer
beforeAll(async () => {
  server = await dynamoServer()
  vi.useFakeTimers({ toFake: ['Date'] })
})
afterAll(async () => {
  vi.useRealTimers()
  await server[Symbol.asyncDispose]()
})

const open = (more: Partial<DynamoOutboxOptions> = {}): OutboxStore =>
  dynamoOutbox({ client: server.client, table: TABLE, namespace: 'shop', ...more })

outboxSuite('dynamodb', () => open(), { at: (now) => vi.setSystemTime(now) })

const NOW = 1_800_000_000_000
const HOUR = 3_600_000
const receipt = { status: 201, headers: [['a', 'b']], body: 'made' } as const

const itemOf = async ({ id }: Entry, namespace = 'shop'): Promise<Record<string, AttributeValue> | undefined> => {
  const Key = { k: { S: `fuseboard:${namespace}:outbox:${id}` } }
  return (await server.client.send(new GetItemCommand({ TableName: TABLE, Key, ConsistentRead: true }))).Item
}
const claim = (store: OutboxStore, { circuit }: Entry, now = NOW, most = 10): Promise<readonly Claim[]> =>
  Promise.resolve(store.claim(circuit, most, now, now + 60_000))
const claimed = async (store: OutboxStore, entry: Entry, now = NOW): Promise<Claim> => {
  const [first] = await claim(store, entry, now, 1)
  if (first === undefined) throw new Error('nothing was given out')
  return first
}
const idsOf = (claims: readonly Claim[]): readonly string[] => claims.map(({ id }) => id)

beforeEach(() => void vi.setSystemTime(NOW))

/** A client whose calls go through a function. */
const through = (make: (send: DynamoOutboxLike['send'], command: object) => unknown): DynamoOutboxLike => {
  const send: DynamoOutboxLike['send'] = server.client.send.bind<DynamoOutboxLike['send']>(server.client)
  return { send: ((command: object) => make(send, command)) as DynamoOutboxLike['send'] }
}
type Any = Parameters<DynamoDBClient['send']>[0]

describe('an item', () => {
  test('is in the index while it waits, and without its body once it was sent, until the table may delete it', async () => {
    const store = open()
    const entry = entryOf()
    await store.put(entry)
    expect(await itemOf(entry)).toMatchObject({ o: { S: 'fuseboard:shop:outbox' }, b: { B: entry.request.body } })
    await store.settle(await claimed(store, entry), { state: 'sent', at: NOW, receipt })
    const item = await itemOf(entry)
    expect(Object.keys(item ?? {}).toSorted()).toEqual(['a', 'c', 'k', 'q', 'r', 'x'])
    expect(item?.['x']).toEqual({ N: `${(NOW + HOUR) / 1_000}` })
  })

  test('of what was given up stays: nothing deletes it, and it has its body', async () => {
    const store = open()
    const entry = entryOf()
    await store.put(entry)
    await store.settle(await claimed(store, entry), { state: 'dead', at: NOW, error: 'no', receipt })
    const item = await itemOf(entry)
    expect(item).toMatchObject({ o: { S: 'fuseboard:shop:outbox:dead' }, b: { B: entry.request.body } })
    expect(item?.['x']).toBeUndefined()
  })

  test('of what was sent counts for nothing once it has expired, although the table has not deleted it yet', async () => {
    const store = open()
    const entry = entryOf()
    await store.put(entry)
    await store.settle(await claimed(store, entry), { state: 'sent', at: NOW, receipt })
    expect(await store.put({ ...entry, queuedAt: NOW + HOUR - 1 })).toBe('duplicate')
    const again = { ...entry, queuedAt: NOW + HOUR + 5_000, expiresAt: NOW + 2 * HOUR }
    expect(await store.put(again)).toBe('queued')
    expect((await itemOf(entry))?.['x']).toBeUndefined()
    expect(await claim(store, entry, NOW + HOUR)).toHaveLength(1)
  })

  test('is written by the key that the table has, with each client of the SDK', async () => {
    await using other = await dynamoServer('service_name')
    const { config } = other.client
    const clients = [
      other.client,
      new DynamoDB({ endpoint: config.endpoint!, region: 'local', credentials: config.credentials }),
      DynamoDBDocumentClient.from(other.client),
    ]
    for (const client of clients) {
      const store = open({ client, keyName: 'service_name' })
      const entry = entryOf()
      await store.put(entry)
      expect(new Uint8Array((await claimed(store, entry)).request.body ?? [])).toEqual(entry.request.body)
    }
    const { Items } = await other.client.send(new ScanCommand({ TableName: TABLE }))
    expect(Items).toHaveLength(3)
  })

  test('that is empty comes back empty, and one without a body without', async () => {
    const store = open()
    const entry = entryOf()
    await store.put({ ...entry, request: { ...entry.request, body: new Uint8Array() } })
    expect((await claimed(store, entry)).request.body).toEqual(new Uint8Array())
  })

  test('that would be larger than 400 KB is not taken', async () => {
    const store = open()
    const entry = entryOf()
    const large = { ...entry, request: { ...entry.request, body: new Uint8Array(400 * 1_024) } }
    await expect(store.put(large)).rejects.toThrow(
      /^a request with a body of 409600 bytes takes \d+ bytes, and an item of DynamoDB has room for 393216 \(400 KB, less the answer\)$/,
    )
    expect(await itemOf(entry)).toBeUndefined()
  })

  test('as large as may be still has room for how it ended, if not for all of the answer', async () => {
    const store = open()
    const [entry, sent] = [entryOf(), entryOf()]
    const body = new Uint8Array(380 * 1_024)
    for (const one of [entry, sent]) await store.put({ ...one, request: { ...one.request, body } })
    const error = 'é'.repeat(20_000)
    const long = { status: 422, headers: [['x', 'x'.repeat(14_000)]], body: '\u0001'.repeat(64 << 10) } as const
    await store.retry(await claimed(store, entry), { at: NOW, attempts: 1, error })
    await store.settle(await claimed(store, entry), { state: 'dead', at: NOW, error, receipt: long })
    expect(await store.result(entry.id)).toEqual({
      state: 'dead',
      at: NOW,
      error: error.slice(0, 1_024),
      receipt: { status: 422, headers: [], body: '' },
    })
    await store.settle(await claimed(store, sent), { state: 'sent', at: NOW, receipt: { ...long, status: 201 } })
    const short = { state: 'sent', receipt: { status: 201, headers: long.headers, body: '' } }
    expect(await store.result(sent.id)).toMatchObject(short)
  })
})

describe('workers', () => {
  test('that claim at the same time get each entry once', async () => {
    const { circuit } = entryOf()
    await Promise.all(Array.from({ length: 20 }, async () => open().put(entryOf({ circuit }))))
    const given = await Promise.all(Array.from({ length: 6 }, async () => open().claim(circuit, 5, NOW, NOW + 1)))
    const ids = idsOf(given.flat())
    expect([ids.length, new Set(ids).size]).toEqual([20, 20])
  })

  test('whose index is behind get nothing twice, and nothing that has ended', async () => {
    const store = open()
    const first = entryOf()
    const { circuit, idempotencyKey } = first
    const [second, other] = [entryOf({ circuit, idempotencyKey }), entryOf({ circuit })]
    for (const one of [first, second, other]) await store.put(one)
    let seen: Promise<QueryCommandOutput> | undefined
    const behind = open({
      client: through((send, command) =>
        command.constructor.name === 'QueryCommand'
          ? (seen ??= send(command as Any) as Promise<QueryCommandOutput>)
          : send(command as Any),
      ),
    })
    const [own] = await claim(behind, first, NOW, 1)
    expect([own?.id, await claim(behind, first, NOW, 1)]).toMatchObject([first.id, [{ id: other.id }]])
    expect(await claim(behind, first)).toEqual([])
    await behind.settle(own as Claim, { state: 'sent', at: NOW, receipt })
    expect(await claim(behind, first)).toEqual([])
    // It was not lost: the index is up to date in the end.
    expect(idsOf(await claim(store, first))).toEqual([second.id])
  })

  test('whose index is behind do not get what was given up', async () => {
    const store = open()
    const entry = entryOf()
    await store.put(entry)
    let seen: Promise<QueryCommandOutput> | undefined
    const behind = open({
      client: through((send, command) =>
        command.constructor.name === 'QueryCommand'
          ? (seen ??= send(command as Any) as Promise<QueryCommandOutput>)
          : send(command as Any),
      ),
    })
    await store.settle(await claimed(behind, entry), { state: 'dead', at: NOW, error: 'no' })
    expect(await claim(behind, entry, NOW + 60_000)).toEqual([])
  })

  test('do not get what was given up and queued again by what the index says of it before', async () => {
    const store = open()
    const entry = entryOf()
    await store.put(entry)
    const seen = vi.fn<() => unknown>()
    const behind = open({
      client: through(async (send, command) => {
        const answer = await send(command as Any)
        if (command.constructor.name === 'QueryCommand') await seen()
        return answer
      }),
    })
    seen.mockImplementationOnce(async () => {
      await store.settle(await claimed(store, entry), { state: 'dead', at: NOW, error: 'no' })
      await store.put({ ...entry, queuedAt: NOW + 1, notBefore: NOW + 5_000 })
    })
    expect(await claim(behind, entry)).toEqual([])
    expect(await claim(behind, entry, NOW + 5_000)).toHaveLength(1)
  })

  test('get what is due behind a long row of what is not', async () => {
    const store = open()
    const due = entryOf({ queuedAt: NOW + 1 })
    const { circuit } = due
    await Promise.all(Array.from({ length: 230 }, async () => store.put(entryOf({ circuit, notBefore: NOW + HOUR }))))
    await store.put(due)
    expect(idsOf(await claim(store, due))).toEqual([due.id])
    expect((await store.depth()).circuits).toContain(circuit)
  })

  test('get the circuit that they ask for, however its name begins or how long it is', async () => {
    const store = open()
    const name = `https://a.test/${'x'.repeat(3_000)}`
    const [one, other] = [entryOf({ circuit: name }), entryOf({ circuit: `${name}y` })]
    for (const entry of [one, other]) await store.put(entry)
    expect([await claim(store, one), await claim(store, other)]).toMatchObject([[{ id: one.id }], [{ id: other.id }]])
  })

  test('keep what they have got where one of several could not be leased', async () => {
    const { circuit } = entryOf()
    const entries = [entryOf({ circuit }), entryOf({ circuit })]
    const store = open()
    for (const one of entries) await store.put(one)
    let updates = 0
    const client = through((send, command) =>
      command.constructor.name === 'UpdateItemCommand' && ++updates > 1
        ? Promise.reject(new Error('throttled'))
        : send(command as Any),
    )
    expect(idsOf(await claim(open({ client }), entries[0] as Entry))).toEqual([entries[0]?.id])
    await expect(claim(open({ client }), entries[0] as Entry)).rejects.toThrow('throttled')
  })
})

test('a call whose answer was lost, and which the SDK made again, is told as the one that it is', async () => {
  const twice = through(async (send, command) => {
    await send(command as Any)
    return send(command as Any)
  })
  const store = open({ client: twice })
  const [sent, dead] = [entryOf(), entryOf()]
  expect([await store.put(sent), await store.put(dead), await store.put(sent)]).toEqual([
    'queued',
    'queued',
    'duplicate',
  ])
  await store.retry(await claimed(store, sent), { at: NOW, attempts: 1, error: 'reset' })
  expect(await store.result(sent.id)).toEqual({ state: 'pending', attempts: 1, error: 'reset' })
  await store.settle(await claimed(store, sent), { state: 'sent', at: NOW, receipt })
  await store.settle(await claimed(store, dead), { state: 'dead', at: NOW, error: 'no' })
  expect([await store.result(sent.id), await store.result(dead.id)]).toMatchObject([
    { state: 'sent' },
    { state: 'dead' },
  ])
})

test('what was sent is not taken in by a worker that comes late', async () => {
  const store = open()
  const entry = entryOf()
  await store.put(entry)
  const own = await claimed(store, entry)
  const { id } = entryOf()
  await store.settle({ ...own, id }, { state: 'sent', at: NOW, receipt })
  expect(await itemOf({ ...entry, id })).toBeUndefined()
})

test('services that share a table do not share their outbox', async () => {
  const [own, other] = [open({ namespace: 'own' }), open({ namespace: 'other' })]
  const entry = entryOf()
  expect([await own.put(entry), await other.put(entry)]).toEqual(['queued', 'queued'])
  await own.settle(await claimed(own, entry), { state: 'dead', at: NOW, error: 'no' })
  expect([await own.depth(), await other.depth()]).toEqual([
    { pending: 0, oldest: undefined, dead: 1, circuits: [] },
    { pending: 1, oldest: NOW, dead: 0, circuits: [entry.circuit] },
  ])
})

test('what DynamoDB says is thrown', async () => {
  const store = open({ table: 'another' })
  const entry = entryOf()
  for (const call of [() => store.put(entry), () => claim(store, entry), () => store.result('a'), () => store.depth()])
    await expect(async () => call()).rejects.toThrow(/resource/i)
})

const client = { send: () => undefined } as unknown as DynamoOutboxLike
test.each([
  [undefined, 'the options of dynamoOutbox must be an object, got undefined'],
  [{ table: 'a', namespace: 'b' }, 'dynamoOutbox.client must be a DynamoDBClient of the AWS SDK v3, got undefined'],
  [
    { client: {}, table: 'a', namespace: 'b' },
    'dynamoOutbox.client must be a DynamoDBClient of the AWS SDK v3, got an object without send()',
  ],
  [{ client, namespace: 'b' }, 'dynamoOutbox.table must be the name of a table, got undefined'],
  [
    { client, table: 'a', namespace: 'b c' },
    'dynamoOutbox.namespace must be 1 to 64 letters, digits, dots, hyphens or underscores, got "b c"',
  ],
  [
    { client, table: 'a', namespace: 'b', keyName: '' },
    'dynamoOutbox.keyName must be the name of an attribute, got ""',
  ],
  [
    { client, table: 'a', namespace: 'b', ttl: 1 },
    'dynamoOutbox has no option ttl; there are client, table, namespace, keyName',
  ],
])('of options %j it says what is wrong', (options, message) => {
  expect(() => dynamoOutbox(options as DynamoOutboxOptions)).toThrow(new TypeError(message))
})
