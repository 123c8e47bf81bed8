// The clients that users have are taken as they are.
import { DatabaseSync } from 'node:sqlite'
import { DynamoDB, DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb'
import type { Fleet, ReplyStore } from '@fuseboard/core'
import { Cluster, Redis } from 'ioredis'
import { Keyv } from 'keyv'
import { Keyv as Keyv6 } from 'keyv-6'
import { createClient, createClientPool, createCluster, createSentinel } from 'redis'
import { expectTypeOf, test } from 'vitest'
import { dynamoFleet, dynamoReplies } from './dynamodb.ts'
import { keyvReplies } from './keyv.ts'
import { redisFleet, redisReplies } from './redis.ts'
import { sqliteReplies } from './sqlite.ts'

const options = { namespace: 'shop' }

test('redis', () => {
  expectTypeOf(redisReplies(createClient(), options)).toEqualTypeOf<ReplyStore>()
  redisReplies(createClient({ RESP: 3 }), options)
  redisReplies(createClientPool(), options)
  redisReplies(createCluster({ rootNodes: [] }), options)
  redisReplies(createSentinel({ name: 'a', sentinelRootNodes: [] }), options)
  redisReplies(new Redis(), options)
  redisReplies(new Cluster([]), options)
  // @ts-expect-error a namespace is needed
  redisReplies(new Redis(), {})
  // @ts-expect-error no client is made from a URL
  redisReplies('redis://127.0.0.1', options)
})

test('dynamodb', () => {
  expectTypeOf(dynamoReplies(new DynamoDBClient(), { table: 'a', ...options })).toEqualTypeOf<ReplyStore>()
  dynamoReplies(new DynamoDB(), { table: 'a', ...options })
  dynamoReplies(DynamoDBDocumentClient.from(new DynamoDBClient()), { table: 'a', ...options })
  // @ts-expect-error a table is needed
  dynamoReplies(new DynamoDBClient(), options)
})

test('redis, for a fleet', () => {
  expectTypeOf(redisFleet(createClient(), options)).toEqualTypeOf<Fleet>()
  redisFleet(createClient({ RESP: 2 }), { ...options, subscriber: createClient({ RESP: 2 }) })
  redisFleet(createClient({ RESP: 3 }), { ...options, subscriber: createClient({ RESP: 3 }), trust: 'follow' })
  redisFleet(createClientPool(), { ...options, subscriber: createClient().duplicate(), refresh: '5s' })
  const cluster = createCluster({ rootNodes: [] })
  redisFleet(cluster, { ...options, subscriber: cluster.duplicate() })
  redisFleet(createSentinel({ name: 'a', sentinelRootNodes: [] }), options)
  redisFleet(new Redis(), { ...options, subscriber: new Redis().duplicate() })
  redisFleet(new Cluster([]), { ...options, subscriber: new Cluster([]) })
  redisFleet(createClient(), { ...options, subscriber: new Redis() })
  // @ts-expect-error a namespace is needed
  redisFleet(new Redis(), {})
  // @ts-expect-error no client is made from a URL
  redisFleet('redis://127.0.0.1', options)
  // @ts-expect-error a pool cannot be subscribed
  redisFleet(createClientPool(), { ...options, subscriber: createClientPool() })
  // @ts-expect-error there is no such option
  redisFleet(new Redis(), { ...options, ttl: 5 })
})

test('dynamodb, for a fleet', () => {
  expectTypeOf(dynamoFleet(new DynamoDBClient(), { table: 'a', ...options })).toEqualTypeOf<Fleet>()
  dynamoFleet(new DynamoDB(), { table: 'a', keyName: 'service_name', trust: { quorum: 2 }, ...options })
  dynamoFleet(DynamoDBDocumentClient.from(new DynamoDBClient()), { table: 'a', ...options })
  // @ts-expect-error a table is needed
  dynamoFleet(new DynamoDBClient(), options)
})

test('keyv', () => {
  expectTypeOf(keyvReplies(new Keyv())).toEqualTypeOf<ReplyStore>()
  keyvReplies(new Keyv6())
  keyvReplies(new Keyv<string>())
  // @ts-expect-error a Map tells no errors
  keyvReplies(new Map())
})

test('sqlite', () => {
  expectTypeOf(sqliteReplies(new DatabaseSync(':memory:'), { maxBytes: 1 })).toExtend<ReplyStore>()
  // @ts-expect-error no database is opened for a path
  sqliteReplies('replies.db')
})
