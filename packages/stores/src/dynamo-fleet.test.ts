// A fleet in DynamoDB: the AWS SDK against dynalite, and what dynalite does not show against a stand-in.
import { createServer } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import {
  ConditionalCheckFailedException,
  CreateTableCommand,
  DynamoDB,
  DynamoDBClient,
  GetItemCommand,
  ProvisionedThroughputExceededException,
  UpdateItemCommand,
  type UpdateItemCommandInput,
} from '@aws-sdk/client-dynamodb'
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { configOf, dynamoClient, dynamoServer, TABLE, type DynamoServer } from '../test/dynamo-server.ts'
import { fleetFaultSuite } from '../test/fleet-faults.ts'
import { FLEET_PLACES } from '../test/fleet-places.ts'
import { fleetSuite, freshHost, patient, swap } from '../test/fleet-suite.ts'
import { dynamoFleet } from './dynamodb.ts'
import { hashOf } from './names.ts'

let server: DynamoServer
beforeAll(async () => {
  server = await dynamoServer()
})
afterAll(() => server[Symbol.asyncDispose]())

const shop = { table: TABLE, namespace: 'shop' }
const HOUR = 3_600_000

fleetSuite({ name: 'dynamodb', open: () => FLEET_PLACES.dynamodb(server.port), others: true })
fleetFaultSuite({ name: 'dynamodb', open: FLEET_PLACES.dynamodb, port: () => server.port })

function client(): DynamoDBClient {
  const made = dynamoClient(server.port)
  onTestFinished(() => made.destroy())
  return made
}

async function itemOf(name: string, table = TABLE, keyName = 'k') {
  const { Item } = await client().send(new GetItemCommand({ TableName: table, Key: { [keyName]: { S: name } } }))
  return Item
}

describe('an item', () => {
  test('has the name of the host, the version, the value, and the second when the table may delete it', async () => {
    const { store } = dynamoFleet(client(), shop)
    const made = await swap(store, 'bible-api.com', 0, '{}')
    const item = await itemOf('fuseboard:shop:{bible-api.com}')
    expect(item).toEqual({
      k: { S: 'fuseboard:shop:{bible-api.com}' },
      n: { N: `${made.version}` },
      v: { S: '{}' },
      x: { N: expect.any(String) },
    })
    expect(Math.abs(Number(item?.['x']?.N) - (made.now + HOUR) / 1_000)).toBeLessThan(5)
  })

  test('has a short name where the key is long', async () => {
    const key = freshHost('é'.repeat(3_000))
    await swap(dynamoFleet(client(), shop).store, key, 0, 'x')
    expect(await itemOf(`fuseboard:shop:{${hashOf(key)}}`)).toMatchObject({ v: { S: 'x' } })
  })

  test('that should have been deleted long ago counts while it is there', async () => {
    const { store } = dynamoFleet(client(), shop)
    const key = freshHost()
    const { version } = await store.swap(key, 0, 'x', { ttl: 1, notAfter: 9e15, signal: patient })
    const name = { k: { S: `fuseboard:shop:{${key}}` } }
    await client().send(
      new UpdateItemCommand({
        TableName: TABLE,
        Key: name,
        UpdateExpression: 'SET #x = :x',
        ExpressionAttributeNames: { '#x': 'x' },
        ExpressionAttributeValues: { ':x': { N: '1' } },
      }),
    )
    expect(await store.read(key, patient)).toMatchObject({ version, value: 'x' })
  })

  test('keeps what others have put beside', async () => {
    const { store } = dynamoFleet(client(), shop)
    const key = freshHost()
    await new DynamoDB(configOf(server.port)).putItem({
      TableName: TABLE,
      Item: { k: { S: `fuseboard:shop:{${key}}` }, note: { S: 'ours' } },
    })
    expect((await swap(store, key, 0, 'x')).won).toBe(true)
    expect(await itemOf(`fuseboard:shop:{${key}}`)).toMatchObject({ note: { S: 'ours' }, v: { S: 'x' } })
  })

  test('of one namespace is none of another', async () => {
    const key = freshHost()
    await swap(dynamoFleet(client(), shop).store, key, 0, 'x')
    const { store } = dynamoFleet(client(), { ...shop, namespace: 'stock' })
    expect((await store.read(key, patient)).version).toBe(0)
  })

  test('is under the key that the table has', async () => {
    const table = 'circuits'
    await client().send(
      new CreateTableCommand({
        TableName: table,
        AttributeDefinitions: [{ AttributeName: 'service_name', AttributeType: 'S' }],
        KeySchema: [{ AttributeName: 'service_name', KeyType: 'HASH' }],
        BillingMode: 'PAY_PER_REQUEST',
      }),
    )
    const { store } = dynamoFleet(client(), { table, namespace: 'shop', keyName: 'service_name' })
    const { version } = await swap(store, 'a', 0, 'x')
    expect(await store.read('a', patient)).toMatchObject({ version, value: 'x' })
    expect(await itemOf('fuseboard:shop:{a}', table, 'service_name')).toMatchObject({ v: { S: 'x' } })
  })

  test.each([
    ['DynamoDB', () => new DynamoDB(configOf(server.port))],
    ['DynamoDBDocumentClient', () => DynamoDBDocumentClient.from(client())],
  ])('is the same through a client of the kind %s', async (_name, make) => {
    const { store } = dynamoFleet(make(), shop)
    const key = freshHost()
    const { version } = await swap(store, key, 0, 'x')
    expect(await swap(store, key, 0, 'y')).toMatchObject({ version, value: 'x', won: false })
    expect(await store.read(key, patient)).toMatchObject({ version, value: 'x' })
  })
})

test('a table that is not there fails each call', async () => {
  const { store } = dynamoFleet(client(), { ...shop, table: 'nowhere' })
  await expect(store.read('a', patient)).rejects.toThrow('resource not found')
  await expect(swap(store, 'a', 0, 'x')).rejects.toThrow('resource not found')
})

/** Answers every call with a status and a body, and notes what it was sent. */
async function standIn(...answers: readonly { status: number; body: object; date?: string }[]) {
  const asked: { target: string; body: UpdateItemCommandInput & { ConsistentRead?: boolean } }[] = []
  const http = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const { status, body, date } = answers[Math.min(asked.length, answers.length - 1)]!
      const target = String(request.headers['x-amz-target']).replace('DynamoDB_20120810.', '')
      asked.push({ target, body: JSON.parse(Buffer.concat(chunks).toString()) as UpdateItemCommandInput })
      if (date !== undefined) response.setHeader('date', date)
      response.writeHead(status, { 'content-type': 'application/x-amz-json-1.0' }).end(JSON.stringify(body))
    })
  }).listen(0, '127.0.0.1')
  await once(http, 'listening')
  const { port } = http.address() as AddressInfo
  const standing = new DynamoDBClient({ ...configOf(port), maxAttempts: 3 })
  onTestFinished(async () => {
    standing.destroy()
    http.closeAllConnections()
    http.close()
    await once(http, 'close')
  })
  return { asked, client: standing }
}

const refused = (type: string, more: object = {}) => ({
  status: 400,
  body: { __type: `com.amazonaws.dynamodb.v20120810#${type}`, message: type, ...more },
})

describe('what dynalite does not show', () => {
  test('a lost race is answered with the item that came with the refusal, without a read', async () => {
    const Item = { k: { S: 'a' }, n: { N: '17' }, v: { S: 'theirs' }, x: { N: '1' } }
    const { asked, client } = await standIn(refused('ConditionalCheckFailedException', { Item }))
    const lost = await swap(dynamoFleet(client, shop).store, 'a', 3, 'ours')
    expect(lost).toMatchObject({ won: false, version: 17, value: 'theirs' })
    expect(asked.map(({ target }) => target)).toEqual(['UpdateItem'])
    expect(asked[0]?.body.ReturnValuesOnConditionCheckFailure).toBe('ALL_OLD')
  })

  test('where none came it is read, consistently', async () => {
    const { asked, client } = await standIn(refused('ConditionalCheckFailedException'), { status: 200, body: {} })
    const lost = await swap(dynamoFleet(client, shop).store, 'a', 3, 'ours')
    expect(lost).toMatchObject({ won: false, version: 0 })
    expect(asked.map(({ target, body }) => [target, body.ConsistentRead])).toEqual([
      ['UpdateItem', undefined],
      ['GetItem', true],
    ])
  })

  test('a refusal from another copy of the SDK is known by its name', async () => {
    const error = Object.assign(new Error('lost'), {
      name: 'ConditionalCheckFailedException',
      Item: { n: { N: '17' }, v: { S: 'theirs' } },
    })
    const send = async () => {
      throw error
    }
    const { store } = dynamoFleet({ send, middlewareStack: { add() {} } } as never, shop)
    expect(await swap(store, 'a', 3, 'ours')).toMatchObject({ won: false, version: 17, value: 'theirs' })
  })

  test('being throttled rejects', async () => {
    const { client } = await standIn(refused('ProvisionedThroughputExceededException'))
    const { store } = dynamoFleet(client, shop)
    await expect(store.read('a', patient)).rejects.toBeInstanceOf(ProvisionedThroughputExceededException)
    await expect(swap(store, 'a', 0, 'x')).rejects.toBeInstanceOf(ProvisionedThroughputExceededException)
  })

  test('a refusal is nothing that this throws', async () => {
    const { client } = await standIn(refused('ConditionalCheckFailedException'), { status: 500, body: {} })
    await expect(swap(dynamoFleet(client, shop).store, 'a', 3, 'x')).rejects.not.toBeInstanceOf(
      ConditionalCheckFailedException,
    )
  })

  test('reads are eventually consistent, and ask for no more than they need', async () => {
    const { asked, client } = await standIn({ status: 200, body: {} })
    await dynamoFleet(client, shop).store.read('a', patient)
    expect(asked[0]?.body).toMatchObject({ ConsistentRead: false, ProjectionExpression: '#n, #v' })
  })
})

describe('the time', () => {
  // From 5 minutes on the SDK tries again by itself.
  const AHEAD = 200_000
  const dateAhead = (): string => new Date(Date.now() + AHEAD).toUTCString()

  test('is that of the store, from its first answer on, whatever it answers', async () => {
    const { client } = await standIn(
      { ...refused('ResourceNotFoundException'), date: dateAhead() },
      { status: 200, body: {}, date: dateAhead() },
    )
    const { store } = dynamoFleet(client, shop)
    await expect(store.read('a', patient)).rejects.toThrow('ResourceNotFoundException')
    const made = await swap(store, 'a', 0, 'x')
    expect(Math.abs(made.version - Date.now() - AHEAD)).toBeLessThan(5_000)
    expect(Math.abs((await store.read('a', patient)).now - Date.now() - AHEAD)).toBeLessThan(5_000)
  })

  test('is heard once for a client, and for the document client made of it', async () => {
    const { client } = await standIn({ status: 200, body: {} })
    const before = client.middlewareStack.identify().length
    dynamoFleet(client, shop)
    dynamoFleet(client, { ...shop, namespace: 'stock' })
    dynamoFleet(DynamoDBDocumentClient.from(client), shop)
    expect(client.middlewareStack.identify().filter((name) => name.includes('fuseboard'))).toHaveLength(1)
    expect(client.middlewareStack.identify().length).toBeGreaterThan(before)
  })

  test('is looked at as a write is sent: one that became too old meanwhile is held back, and what is there is read', async () => {
    const { asked, client } = await standIn({ status: 200, body: {} })
    const { store } = dynamoFleet(client, shop)
    const { now } = await store.read('a', patient)
    client.middlewareStack.add(
      (next) => async (given) => {
        // Credentials that take their time.
        while (Date.now() <= now + 50) await new Promise((resolve) => setImmediate(resolve))
        return next(given)
      },
      { step: 'build' },
    )
    const late = { ttl: HOUR, notAfter: now + 50, signal: patient }
    expect(await store.swap('a', 0, 'late', late)).toMatchObject({ won: false, version: 0 })
    expect(asked.map(({ target }) => target)).toEqual(['GetItem', 'GetItem'])
    expect(asked[1]?.body.ConsistentRead).toBe(true)
  })

  test('holds for each try of the SDK', async () => {
    // The first answer tells that the time is up.
    const { asked, client } = await standIn({ status: 500, body: {}, date: dateAhead() }, { status: 200, body: {} })
    const { store } = dynamoFleet(client, shop)
    const late = { ttl: HOUR, notAfter: Date.now() + AHEAD / 2, signal: patient }
    expect(await store.swap('a', 0, 'late', late)).toMatchObject({ won: false, version: 0 })
    expect(asked.map(({ target }) => target)).toEqual(['UpdateItem', 'GetItem'])
  })
})

test('the signal goes on to the client', async () => {
  const given: unknown[] = []
  const send = async (_command: unknown, options: { abortSignal?: AbortSignal }) => {
    given.push(options.abortSignal)
    return {}
  }
  const { store } = dynamoFleet({ send, middlewareStack: { add() {} } } as never, shop)
  const { signal } = new AbortController()
  await store.read('a', signal)
  await store.swap('a', 0, 'x', { ttl: HOUR, notAfter: 9e15, signal })
  expect(given).toEqual([signal, signal])
})

test('a client that never ends a call is given up when the signal aborts', async () => {
  const send = () => new Promise(() => {})
  const { store } = dynamoFleet({ send, middlewareStack: { add() {} } } as never, shop)
  const controller = new AbortController()
  const calls = Promise.allSettled([
    store.read('a', controller.signal),
    store.swap('a', 0, 'x', { ttl: HOUR, notAfter: 9e15, signal: controller.signal }),
  ])
  const reason = new Error('nobody waits')
  controller.abort(reason)
  expect(await calls).toEqual([
    { status: 'rejected', reason },
    { status: 'rejected', reason },
  ])
})

const fine = { send() {}, middlewareStack: { add() {} } }
test.each([
  [undefined, shop, /^dynamoFleet needs a DynamoDBClient of the AWS SDK v3, got one without send\(\)$/],
  [{}, shop, /without send\(\)$/],
  [{ send() {} }, shop, /with a middlewareStack, got one without add\(\)$/],
  [fine, undefined, /^the options of dynamoFleet must be an object, got undefined$/],
  [fine, { namespace: 'b' }, /^dynamoFleet\.table must be a name/],
  [fine, { table: 'a' }, /^dynamoFleet\.namespace must be 1 to 64 letters/],
  [fine, { ...shop, keyName: '' }, /^dynamoFleet\.keyName must be a name/],
  [fine, { ...shop, ttl: 1 }, /^fleet\.ttl is not an option/],
  [fine, { ...shop, trust: 'all' }, /^fleet\.trust must be one of/],
])('bad input is told: %j %j', (wrong, options, message) => {
  expect(() => dynamoFleet(wrong as never, options as never)).toThrow(message)
})
