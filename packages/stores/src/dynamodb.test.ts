// DynamoDB: the AWS SDK against dynalite.
import { DynamoDB, GetItemCommand } from '@aws-sdk/client-dynamodb'
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb'
import type { StoredReply } from '@fuseboard/core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { configOf, dynamoClient, dynamoServer, TABLE, type DynamoServer } from '../test/dynamo-server.ts'
import { faultSuite } from '../test/faults.ts'
import { PLACES } from '../test/places.ts'
import { Proxy } from '../test/proxy.ts'
import { restartSuite, storeSuite } from '../test/suite.ts'
import { dynamoReplies } from './dynamodb.ts'
import { hashOf } from './names.ts'

let server: DynamoServer
beforeAll(async () => {
  server = await dynamoServer()
})
afterAll(() => server[Symbol.asyncDispose]())

storeSuite({
  name: 'dynamodb',
  open: () => PLACES.dynamodb(server.port),
  roomFor: 400 * 1_024 - 1_024,
})

restartSuite('dynamodb', () => server.port)

const late = /^get no answer within 100 ms$/
faultSuite({
  name: 'dynamodb',
  open: PLACES.dynamodb,
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

describe('an item', () => {
  const KEY = 'GET\nhttps://bible-api.com/john+3:16'
  const entry = (bytes: number, accept = ''): StoredReply => ({
    v: 1,
    key: KEY,
    vary: { accept },
    status: 200,
    statusText: 'OK',
    headers: [],
    body: new Uint8Array(bytes),
    decoded: true,
    storedAt: 0,
    ageAtStore: 0,
    staleAt: 0,
    expiresAt: 9e15,
  })
  const make = (): ReturnType<typeof dynamoReplies> =>
    dynamoReplies(dynamoClient(server.port), { table: TABLE, namespace: 'shop' })

  test('has a short name, the second when the table may delete it, and the bytes', async () => {
    const before = Math.floor(Date.now() / 1_000)
    await make().set(KEY, [entry(3)], { ttlMs: 60_000, bytes: 3 })
    const Key = { k: { S: `fuseboard:shop:reply:${hashOf(KEY)}` } }
    const { Item } = await dynamoClient(server.port).send(new GetItemCommand({ TableName: TABLE, Key }))
    expect(Object.keys(Item ?? {}).toSorted()).toEqual(['k', 'r', 'x'])
    expect(Number(Item?.['x']?.N) - before).toBeGreaterThanOrEqual(60)
    expect(Number(Item?.['x']?.N) - before).toBeLessThan(90)
  })

  test('that would be larger than 400 KB is not kept, and what it supersedes goes', async () => {
    const store = make()
    await store.set(KEY, [entry(3)], { ttlMs: 60_000, bytes: 3 })
    await expect(store.set(KEY, [entry(400 * 1_024)], { ttlMs: 60_000, bytes: 3 })).rejects.toThrow(
      /^not kept, with a body of 409600 bytes it takes more than an item of DynamoDB may \(400 KB\)$/,
    )
    expect(await store.get(KEY)).toBeUndefined()
  })

  test('keeps as many of the newest variants as there is room for', async () => {
    const store = make()
    const variants = ['a', 'b', 'c', 'd'].map((accept) => entry(150 * 1_024, accept))
    await store.set(KEY, variants, { ttlMs: 60_000, bytes: 3 })
    expect((await store.get(KEY))?.map(({ vary }) => vary['accept'])).toEqual(['a', 'b'])
  })

  test('that is deleted while it is on its way is gone, though the deletion has a faster connection', async () => {
    await using proxy = await new Proxy(server.port).listen()
    const store = dynamoReplies(dynamoClient(proxy.port), { table: TABLE, namespace: 'shop' })
    proxy.holdNext()
    await Promise.all([store.set(KEY, [entry(3)], { ttlMs: 60_000, bytes: 3 }), store.delete(KEY)])
    expect(await store.get(KEY)).toBeUndefined()
  })

  test('of another make is a miss', async () => {
    const client = new DynamoDB(configOf(server.port))
    const k = { S: `fuseboard:shop:reply:${hashOf(KEY)}` }
    await client.putItem({ TableName: TABLE, Item: { k, r: { S: 'text' } } })
    await expect(dynamoReplies(client, { table: TABLE, namespace: 'shop' }).get(KEY)).rejects.toThrow('malformed')
  })

  test('is the same through a document client', async () => {
    const client = DynamoDBDocumentClient.from(dynamoClient(server.port))
    await dynamoReplies(client, { table: TABLE, namespace: 'shop' }).set(KEY, [entry(3)], { ttlMs: 60_000, bytes: 3 })
    expect(await make().get(KEY)).toEqual([entry(3)])
  })

  test('of one namespace is none of another', async () => {
    await make().set(KEY, [entry(3)], { ttlMs: 60_000, bytes: 3 })
    const other = dynamoReplies(dynamoClient(server.port), { table: TABLE, namespace: 'stock' })
    expect(await other.get(KEY)).toBeUndefined()
  })
})

test('a table that is not there fails each call', async () => {
  const store = dynamoReplies(dynamoClient(server.port), { table: 'nowhere', namespace: 'shop' })
  await expect(store.get('k')).rejects.toThrow('resource not found')
  await expect(store.delete('k')).rejects.toThrow('resource not found')
})

test.each([
  [undefined, { table: 'a', namespace: 'b' }, /^dynamoReplies needs a DynamoDBClient/],
  [{}, { table: 'a', namespace: 'b' }, /without send\(\)$/],
  [{ send() {} }, undefined, /^the options of dynamoReplies must be an object, got undefined$/],
  [{ send() {} }, { namespace: 'b' }, /^dynamoReplies\.table must be/],
  [{ send() {} }, { table: 'a' }, /^dynamoReplies\.namespace must be/],
  [
    { send() {} },
    { table: 'a', namespace: 'b', ttl: 1 },
    /^dynamoReplies has no option ttl; there are table, namespace$/,
  ],
])('bad input is told: %j %j', (client, options, message) => {
  expect(() => dynamoReplies(client as never, options as never)).toThrow(message)
})
