// What a fleet shares in DynamoDB: an item for each host, written only where it is still the one that was read.
import {
  GetItemCommand,
  UpdateItemCommand,
  type AttributeValue,
  type ConditionalCheckFailedException,
  type DynamoDBClient,
} from '@aws-sdk/client-dynamodb'
import { fleet, type Fleet, type FleetOptions, type Snapshot, type SwapOptions, type Swapped } from '@fuseboard/core'
import { unlessAbandoned } from './abandoned.ts'
import { checkMethods, checkObject, hashOf, lifetimeOf, spaceOf } from './names.ts'
import { StoreClock } from './store-clock.ts'

/** What is needed of a client: a `DynamoDBClient`, a `DynamoDB` or a `DynamoDBDocumentClient`. */
export type DynamoFleetLike = Pick<DynamoDBClient, 'send'> & {
  readonly middlewareStack: Pick<DynamoDBClient['middlewareStack'], 'add'>
}

/** Where in DynamoDB a fleet shares, and how it shares. */
export interface DynamoFleetOptions extends FleetOptions {
  /** A table whose partition key is a string, and that has no sort key. */
  table: string
  /** Names the fleet: its instances share their verdicts. 1 to 64 letters, digits, dots, hyphens or underscores. */
  namespace: string
  /** The table's partition key. @default 'k' */
  keyName?: string
}

/**
 * A fleet that shares in a table of DynamoDB, an item for each host: the key is `fuseboard:<namespace>:{<host>}`, `n` the version,
 * `v` the record, and `x` the second from when on the table may delete the item (its TTL attribute).
 *
 * DynamoDB cannot compare with its own time. So the time is taken from the `Date` of its answers, and a write that has become
 * too old is held back as it is sent, each try of the SDK by itself; one that is on its way by then still counts.
 *
 * @param client the caller's own
 * @example createBoard({ fleet: dynamoFleet(client, { table: 'fuseboard', namespace: 'shop' }) })
 * @throws TypeError or RangeError where the client or an option is wrong
 */
export function dynamoFleet(client: DynamoFleetLike, options: DynamoFleetOptions): Fleet {
  checkMethods(client, CLIENT, ['send'])
  checkMethods(client.middlewareStack, `${CLIENT} with a middlewareStack`, ['add'])
  checkObject('dynamoFleet', options)
  const { table, namespace, keyName = 'k', ...terms } = options
  checkName('table', table)
  checkName('keyName', keyName)
  const items = new Items(client, table, keyName, spaceOf('dynamoFleet', namespace))
  const store = {
    read: (key: string, signal: AbortSignal) => unlessAbandoned(signal, () => items.read(key, false, signal)),
    swap: (key: string, expected: number, value: string, swap: SwapOptions) =>
      unlessAbandoned(swap.signal, () => items.swap(key, expected, value, swap)),
  }
  return fleet(store, terms)
}

const CLIENT = 'dynamoFleet needs a DynamoDBClient of the AWS SDK v3'

function checkName(name: string, value: unknown): void {
  if (typeof value !== 'string' || value === '') throw new TypeError(`dynamoFleet.${name} must be a name`)
}

/** A partition key is 2,048 bytes at most; a name that may take more is a hash. */
const MOST_LETTERS = 500
/** Versions that can be counted with. */
const FIRST = 1
const LAST = Number.MAX_SAFE_INTEGER - 1

type Item = Record<string, AttributeValue>

class Items {
  readonly #client: DynamoFleetLike
  readonly #table: string
  readonly #keyName: string
  readonly #space: string
  readonly #clock: StoreClock

  constructor(client: DynamoFleetLike, table: string, keyName: string, space: string) {
    this.#client = client
    this.#table = table
    this.#keyName = keyName
    this.#space = space
    this.#clock = clockOf(client)
  }

  async read(key: string, consistent: boolean, signal: AbortSignal): Promise<Snapshot> {
    const read = new GetItemCommand({
      ...this.#at(key),
      ConsistentRead: consistent,
      ProjectionExpression: '#n, #v',
      ExpressionAttributeNames: { '#n': 'n', '#v': 'v' },
    })
    const { Item } = await this.#client.send(read, { abortSignal: signal })
    return this.#snapshot(Item)
  }

  async swap(key: string, expected: number, value: string, { ttl, notAfter, signal }: SwapOptions): Promise<Swapped> {
    const version = Math.max(expected + 1, Math.floor(this.#now()))
    const write = this.#write(key, expected, version, value, Math.ceil((this.#now() + lifetimeOf(ttl)) / 1_000))
    const tooOld = new Error('not sent, it has become too old')
    // The innermost step: what comes before, such as credentials, may take its time, and a failed try comes here again.
    write.middlewareStack.add(
      (next) => (request) => {
        if (this.#now() > notAfter) throw tooOld
        return next(request)
      },
      { step: 'deserialize', priority: 'low' },
    )
    try {
      await this.#client.send(write, { abortSignal: signal })
      return { won: true, version, value, now: this.#now() }
    } catch (error) {
      if (error !== tooOld && !isLost(error)) throw error
      const there = error === tooOld ? undefined : (error as ConditionalCheckFailedException).Item
      return { ...(there ? this.#snapshot(there) : await this.read(key, true, signal)), won: false }
    }
  }

  #write(key: string, expected: number, version: number, value: string, x: number): UpdateItemCommand {
    const none = expected === 0
    return new UpdateItemCommand({
      ...this.#at(key),
      UpdateExpression: 'SET #n = :n, #v = :v, #x = :x',
      // What cannot be counted with was read as none, and is none.
      ConditionExpression: none ? 'attribute_not_exists(#n) OR NOT #n BETWEEN :first AND :last' : '#n = :expected',
      ExpressionAttributeNames: { '#n': 'n', '#v': 'v', '#x': 'x' },
      ExpressionAttributeValues: {
        ':n': { N: `${version}` },
        ':v': { S: value },
        ':x': { N: `${x}` },
        ...(none ? { ':first': { N: `${FIRST}` }, ':last': { N: `${LAST}` } } : { ':expected': { N: `${expected}` } }),
      },
      ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
    })
  }

  #at(key: string): { TableName: string; Key: Item } {
    const name = key.length > MOST_LETTERS ? hashOf(key) : key
    return { TableName: this.#table, Key: { [this.#keyName]: { S: `${this.#space}{${name}}` } } }
  }

  #snapshot(item: Item | undefined): Snapshot {
    const version = Number(item?.['n']?.N)
    const there = version >= FIRST && version <= LAST
    return there ? { version, value: item?.['v']?.S, now: this.#now() } : { version: 0, now: this.#now() }
  }

  #now(): number {
    return this.#clock.at(Date.now())
  }
}

/** By its name: there may be several copies of the SDK. */
function isLost(error: unknown): boolean {
  return error instanceof Error && error.name === 'ConditionalCheckFailedException'
}

/** A client and the document client made of it have one stack. */
const clocks = new WeakMap<object, StoreClock>()

function clockOf({ middlewareStack }: DynamoFleetLike): StoreClock {
  const known = clocks.get(middlewareStack)
  if (known) return known
  const clock = new StoreClock()
  clocks.set(middlewareStack, clock)
  middlewareStack.add(
    (next) => async (request) => {
      const sent = Date.now()
      const result = await next(request)
      clock.hear(dateOf(result.response), sent, Date.now())
      return result
    },
    // The innermost step sees the answers that tell of an error, too.
    { step: 'deserialize', priority: 'low', name: 'fuseboardStoreClock' },
  )
  return clock
}

function dateOf(response: unknown): unknown {
  const { headers } = Object(response) as { headers?: Record<string, unknown> }
  return headers?.['date']
}
