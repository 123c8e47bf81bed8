// Replies in DynamoDB, through a client of the AWS SDK v3; and what a fleet shares there.
import {
  DeleteItemCommand,
  GetItemCommand,
  PutItemCommand,
  type DynamoDBClient,
  type GetItemCommandOutput,
} from '@aws-sdk/client-dynamodb'
import type { ReplyStore, StoredReply } from '@fuseboard/core'
import { decode, encodeWithin } from './encoding.ts'
import { checkMethods, checkOptions, hashOf, lifetimeOf, prefixOf } from './names.ts'
import { Turns } from './turns.ts'

export { dynamoFleet, type DynamoFleetOptions } from './dynamo-fleet.ts'

/** An item of DynamoDB is 400 KB at most, names included; ours take less than 256 bytes. */
const MOST_BYTES = 400 * 1_024 - 256

/** What is needed of a client: a `DynamoDBClient`, a `DynamoDB` or a `DynamoDBDocumentClient`. */
export type DynamoLike = Pick<DynamoDBClient, 'send'>

/** Where in DynamoDB replies are kept. */
export interface DynamoRepliesOptions {
  /** A table whose partition key is `k`, a string, and that has no sort key. */
  table: string
  /** Names the service: those that share it share their replies. 1 to 64 letters, digits, dots, hyphens or underscores. */
  namespace: string
}

/**
 * Keeps replies in a table of DynamoDB: `k` is the name, `r` the replies, and `x` the second from when on the table may
 * delete the item (its TTL attribute). What takes more than 400 KB is not kept, and a `store` event tells so.
 *
 * @param client the caller's own
 * @example createBoard({ fallback: staleIfError(), replies: dynamoReplies(client, { table: 'fuseboard', namespace: 'shop' }) })
 * @throws TypeError where the client or an option is wrong
 */
export function dynamoReplies(client: DynamoLike, options: DynamoRepliesOptions): ReplyStore {
  checkMethods(client, 'dynamoReplies needs a DynamoDBClient of the AWS SDK v3', ['send'])
  checkOptions('dynamoReplies', options, ['table', 'namespace'])
  const { table, namespace } = options
  if (typeof table !== 'string' || table === '') throw new TypeError('dynamoReplies.table must be the name of a table')
  const prefix = prefixOf('dynamoReplies', namespace)
  const turns = new Turns()
  // A partition key is 2,048 bytes at most.
  const keyOf = (key: string): { k: { S: string } } => ({ k: { S: prefix + hashOf(key) } })
  const remove = (key: string): Promise<unknown> =>
    client.send(new DeleteItemCommand({ TableName: table, Key: keyOf(key) }))

  return {
    async get(key: string): Promise<readonly StoredReply[] | undefined> {
      // An answer that was taken back must not come again.
      const read = new GetItemCommand({ TableName: table, Key: keyOf(key), ConsistentRead: true })
      const { Item } = await turns.read((): Promise<GetItemCommandOutput> => client.send(read))
      if (Item === undefined) return undefined
      if (!(Item['r']?.B instanceof Uint8Array)) throw new Error('a malformed entry')
      return decode(Item['r'].B)
    },
    async set(key, replies, { ttlMs }) {
      const value = encodeWithin(MOST_BYTES, replies)
      if (value === undefined) {
        // What it supersedes goes all the same.
        await turns.write(key, () => remove(key))
        const size = `with a body of ${replies[0]?.body.byteLength} bytes`
        throw new Error(`not kept, ${size} it takes more than an item of DynamoDB may (400 KB)`)
      }
      const x = { N: `${Math.ceil((Date.now() + lifetimeOf(ttlMs)) / 1_000)}` }
      const Item = { ...keyOf(key), x, r: { B: value } }
      await turns.write(key, () => client.send(new PutItemCommand({ TableName: table, Item })))
    },
    delete(key) {
      return turns.write(key, () => remove(key))
    },
  }
}
