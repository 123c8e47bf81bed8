// The types of the outbox, as who uses it meets them.
import type { DatabaseSync } from 'node:sqlite'
import { DynamoDB, DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { SQS, SQSClient } from '@aws-sdk/client-sqs'
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb'
import { createBoard, reply, type Fallback, type HttpRequest } from '@fuseboard/core'
import type { OutboxLike } from '@fuseboard/telemetry/alerts'
import { describe, expectTypeOf, test } from 'vitest'
import { dynamoOutbox } from './dynamodb.ts'
import {
  createOutbox,
  defer,
  memoryOutbox,
  type Drained,
  type OutboxStore,
  type Queued,
  type Receipt,
  type Result,
} from './index.ts'
import { sqliteOutbox } from './sqlite.ts'
import { sqsOutbox } from './sqs.ts'

const outbox = createOutbox({ store: memoryOutbox() })

describe('an outbox', () => {
  test('takes an engine, and what sends and signs', () => {
    expectTypeOf(createOutbox).toBeCallableWith({ store: sqliteOutbox('outbox.db') })
    expectTypeOf(createOutbox).toBeCallableWith({
      store: sqliteOutbox({} as DatabaseSync),
      send: fetch,
      expires: '71h',
    })
    expectTypeOf(createOutbox).toBeCallableWith({
      store: memoryOutbox(),
      prepare: async (request, { renew }) => request.headers.set('authorization', String(renew)),
    })
    // @ts-expect-error there must be a store
    createOutbox({})
    // @ts-expect-error a duration has a unit
    createOutbox({ store: memoryOutbox(), lease: '2' })
  })

  test('is what telemetry asks', () => {
    expectTypeOf(outbox).toExtend<OutboxLike>()
  })

  test('takes requests that it can keep', () => {
    const known = { url: 'https://a.test', idempotencyHeader: 'Idempotency-Key' }
    expectTypeOf(outbox.enqueue({ ...known, body: 'a' })).resolves.toEqualTypeOf<Queued>()
    // @ts-expect-error a stream is none
    void outbox.enqueue({ ...known, body: new ReadableStream() })
    // @ts-expect-error the API must know it again
    void outbox.enqueue({ url: 'https://a.test' })
  })

  test('tells how each request ended', () => {
    outbox.on('sent', ({ receipt }) => expectTypeOf(receipt).toEqualTypeOf<Receipt>())
    outbox.on('dead', ({ error }) => expectTypeOf(error).toBeString())
    expectTypeOf(outbox.result('id')).resolves.toEqualTypeOf<Result | undefined>()
    expectTypeOf(outbox.drainOn(createBoard())).toEqualTypeOf<() => Promise<void>>()
    expectTypeOf(outbox.drain(createBoard(), { within: '30s' })).resolves.toEqualTypeOf<Drained>()
  })
})

test('defer is a fallback of a policy', () => {
  const fallback = defer({
    outbox,
    idempotencyHeader: 'PayPal-Request-Id',
    when: (request) => {
      expectTypeOf(request).toEqualTypeOf<HttpRequest>()
      return request.method === 'POST'
    },
    reply: ({ id, duplicate }) => reply({ status: duplicate ? 200 : 202, json: { id } }),
  })
  expectTypeOf(fallback).toEqualTypeOf<Fallback>()
  expectTypeOf(createBoard).toBeCallableWith({ fallback })
})

test('an engine may answer at once or later', () => {
  expectTypeOf(memoryOutbox()).toEqualTypeOf<OutboxStore>()
  expectTypeOf<() => Promise<'queued'>>().toExtend<OutboxStore['put']>()
})

test('an engine takes the clients that users have', () => {
  const where = { table: 'a', namespace: 'b' }
  expectTypeOf(dynamoOutbox({ client: new DynamoDBClient(), ...where })).toEqualTypeOf<OutboxStore>()
  dynamoOutbox({ client: new DynamoDB(), keyName: 'service_name', ...where })
  dynamoOutbox({ client: DynamoDBDocumentClient.from(new DynamoDBClient()), ...where })
  // @ts-expect-error a table is needed
  dynamoOutbox({ client: new DynamoDBClient(), namespace: 'b' })
  const queues = { 'a.test': 'https://sqs.test/a' }
  expectTypeOf(sqsOutbox({ client: new SQSClient(), queues, deadLetterUrl: 'b' })).toEqualTypeOf<OutboxStore>()
  sqsOutbox({ client: new SQS(), queues, deadLetterUrl: 'b' })
  // @ts-expect-error what is given up must go somewhere
  sqsOutbox({ client: new SQS(), queues })
})
