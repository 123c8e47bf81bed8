// An outbox in a table of DynamoDB, through a client of the AWS SDK v3: it may be the table that a fleet and replies are in.
import { randomUUID } from 'node:crypto'
import {
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  UpdateItemCommand,
  type AttributeValue,
  type DynamoDBClient,
  type QueryCommandInput,
} from '@aws-sdk/client-dynamodb'
import { briefEnding, LONGEST_ERROR } from './brief-ending.ts'
import { checkKnown, checkMethod, checkText, show } from './options.ts'
import type { Claim, Depth, Ending, Entry, OutboxStore, Result } from './store.ts'

/** What is needed of a client: a `DynamoDBClient`, a `DynamoDB` or a `DynamoDBDocumentClient`. */
export type DynamoOutboxLike = Pick<DynamoDBClient, 'send'>

/** Where in DynamoDB requests wait. */
export interface DynamoOutboxOptions {
  /** The caller's own. Give it a `requestTimeout`: the SDK has none, and who defers a request waits for the answer. */
  client: DynamoOutboxLike
  /**
   * A table whose partition key is a string, and that has no sort key; with a global secondary index `outbox` of the partition
   * key `o` and the sort key `s`, both strings, that includes `c`, `d`, `i` and `q`.
   */
  table: string
  /** Names the service: those that share it share their outbox. 1 to 64 letters, digits, dots, hyphens or underscores. */
  namespace: string
  /** The table's partition key. @default 'k' */
  keyName?: string
}

/**
 * Keeps requests in a table of DynamoDB, an item for each: the key is `fuseboard:<namespace>:outbox:<id>`. Only what waits and what
 * was given up is in the index. What was sent has in `x` the second from when on the table may delete it (its TTL attribute).
 *
 * A request that does not fit into an item, 400 KB with all that is kept of it, is not taken: its caller gets the failure.
 *
 * @example createOutbox({ store: dynamoOutbox({ client, table: 'fuseboard', namespace: 'shop' }) })
 * @throws TypeError where an option is wrong
 */
export function dynamoOutbox(options: DynamoOutboxOptions): OutboxStore {
  checkKnown('dynamoOutbox', options, ['client', 'table', 'namespace', 'keyName'])
  const { client, table, namespace, keyName = 'k' } = options
  checkMethod('dynamoOutbox.client must be a DynamoDBClient of the AWS SDK v3', client, 'send')
  checkText('dynamoOutbox.table must be the name of a table', table)
  if (typeof namespace !== 'string' || !/^[\w.-]{1,64}$/.test(namespace)) {
    const rule = 'must be 1 to 64 letters, digits, dots, hyphens or underscores'
    throw new TypeError(`dynamoOutbox.namespace ${rule}, got ${show(namespace)}`)
  }
  checkText('dynamoOutbox.keyName must be the name of an attribute', keyName)
  return new Items(client, table, keyName, `fuseboard:${namespace}:outbox`)
}

type Item = Record<string, AttributeValue>

const INDEX = 'outbox'

/** How many entries of the index are read at once: about two read units. */
const PAGE = 100

/** An item of DynamoDB is 400 KB at most, names included. */
const MOST_BYTES = 400 * 1_024
/** For what comes to an item later: a lease, errors, and an ending without its receipt. */
const RESERVED = 16 * 1_024

/** A sort key is 1,024 bytes at most; the name of a circuit that may take more is cut: each entry has it whole as well. */
const MOST_LETTERS = 200

class Items implements OutboxStore {
  readonly #client: DynamoOutboxLike
  readonly #table: string
  readonly #keyName: string
  readonly #pending: string
  readonly #dead: string
  #nth = 0

  constructor(client: DynamoOutboxLike, table: string, keyName: string, space: string) {
    this.#client = client
    this.#table = table
    this.#keyName = keyName
    this.#pending = space
    this.#dead = `${space}:dead`
  }

  async put(entry: Entry): Promise<'queued' | 'duplicate'> {
    const item = this.#itemOf(entry)
    const bytes = sizeOf(item)
    if (bytes > MOST_BYTES - RESERVED) {
      const whole = `a request with a body of ${entry.request.body?.byteLength ?? 0} bytes takes ${bytes} bytes`
      throw new Error(
        `${whole}, and an item of DynamoDB has room for ${MOST_BYTES - RESERVED} (400 KB, less the answer)`,
      )
    }
    const write = new PutItemCommand({
      TableName: this.#table,
      Item: item,
      // What was sent is remembered for as long as the API remembers it, which may be shorter than the table does.
      ConditionExpression: 'attribute_not_exists(q) OR o = :dead OR x <= :now',
      ExpressionAttributeValues: { ':dead': { S: this.#dead }, ':now': { N: `${Math.floor(entry.queuedAt / 1_000)}` } },
    })
    if (await won(this.#client.send(write))) return 'queued'
    // The SDK tries again where an answer is lost: then it is this very entry that is there.
    const there = await this.#read(entry.id, 's')
    return there?.['s']?.S === item['s']?.S ? 'queued' : 'duplicate'
  }

  /** The index may be behind, so it only proposes: each entry goes to whoever writes its lease to the item first. */
  async claim(circuit: string, most: number, now: number, leasedUntil: number): Promise<readonly Claim[]> {
    const claims: Claim[] = []
    const keys = new Set<string | undefined>()
    try {
      for await (const page of this.#query(this.#pending, { c: circuit })) {
        const due = page.filter(({ i, d, c }) => {
          if (c?.S !== circuit) return false
          const first = !keys.has(i?.S)
          keys.add(i?.S)
          return first && Number(d?.N) <= now
        })
        while (due.length > 0 && claims.length < most) {
          const wave = due.splice(0, most - claims.length)
          const took = await Promise.allSettled(wave.map((item) => this.#lease(item, now, leasedUntil)))
          claims.push(...took.flatMap((one) => (one.status === 'fulfilled' ? one.value : [])))
          for (const one of took) if (one.status === 'rejected') throw one.reason
        }
        if (claims.length >= most) break
      }
    } catch (error) {
      // What was leased by then is worth more than the error, which comes again.
      if (claims.length === 0) throw error
    }
    return claims
  }

  async retry({ id, lease }: Claim, again: { at: number; attempts: number; error: string | undefined }): Promise<void> {
    const error = again.error?.slice(0, LONGEST_ERROR)
    await this.#update(id, {
      UpdateExpression: `SET d = :due, a = :attempts${error === undefined ? '' : ', f = :error'} REMOVE l`,
      ConditionExpression: 'l = :lease',
      ExpressionAttributeValues: {
        ':due': { N: `${again.at}` },
        ':attempts': { N: `${again.attempts}` },
        ':lease': { S: lease },
        ...(error !== undefined && { ':error': { S: error } }),
      },
    })
  }

  async settle(claim: Claim, ending: Ending): Promise<void> {
    const { id, lease, expiresAt } = claim
    if (ending.state === 'sent') {
      await this.#update(id, {
        UpdateExpression: 'SET r = :ending, x = :expires REMOVE o, s, d, i, l, e, b',
        ConditionExpression: 'attribute_exists(q)',
        ExpressionAttributeValues: {
          ':ending': { S: briefEnding(ending, MOST_BYTES - RESERVED) },
          ':expires': { N: `${Math.ceil(expiresAt / 1_000)}` },
        },
      })
      return
    }
    await this.#update(id, {
      UpdateExpression: 'SET r = :ending, o = :dead REMOVE l',
      ConditionExpression: 'l = :lease',
      ExpressionAttributeValues: {
        ':ending': { S: briefEnding(ending, MOST_BYTES - LONGEST_ERROR * 4 - sizeOf(this.#itemOf(claim))) },
        ':dead': { S: this.#dead },
        ':lease': { S: lease },
      },
    })
  }

  async result(id: string): Promise<Result | undefined> {
    const item = await this.#read(id, 'o, r, x, a, f')
    // The table deletes it when it comes to it: up to some days later.
    if (item === undefined || Number(item['x']?.N) * 1_000 <= Date.now()) return undefined
    const { r, a, f } = item
    if (r?.S !== undefined) return JSON.parse(r.S) as Ending
    return { state: 'pending', attempts: Number(a?.N), error: f?.S }
  }

  async depth(): Promise<Depth> {
    const circuits = new Set<string>()
    let [pending, oldest, dead] = [0, Infinity, 0]
    for await (const page of this.#query(this.#pending)) {
      pending += page.length
      for (const { c, q } of page) {
        circuits.add(c?.S ?? '')
        oldest = Math.min(oldest, Number(q?.N))
      }
    }
    for await (const page of this.#query(this.#dead)) dead += page.length
    return { pending, oldest: pending === 0 ? undefined : oldest, dead, circuits: [...circuits] }
  }

  #itemOf({ request: { body, ...head }, ...rest }: Entry): Item {
    const { circuit, idempotencyKey, queuedAt, notBefore, attempts } = rest
    return {
      ...this.#keyOf(rest.id),
      o: { S: this.#pending },
      s: { S: orderOf(circuit) + placeOf(queuedAt, this.#nth++) },
      c: { S: circuit },
      d: { N: `${notBefore}` },
      i: { S: idempotencyKey },
      q: { N: `${queuedAt}` },
      a: { N: `${attempts}` },
      e: { S: JSON.stringify({ ...rest, request: head }) },
      ...(body !== undefined && { b: { B: body } }),
    }
  }

  async #lease(entry: Item, now: number, leasedUntil: number): Promise<readonly Claim[]> {
    const lease = randomUUID()
    const write = new UpdateItemCommand({
      TableName: this.#table,
      Key: { [this.#keyName]: entry[this.#keyName] as AttributeValue },
      UpdateExpression: 'SET l = :lease, d = :until',
      // The SDK tries again where an answer is lost: what has this lease already is leased.
      ConditionExpression: 'o = :pending AND s = :place AND (d <= :now OR l = :lease)',
      ExpressionAttributeValues: {
        ':lease': { S: lease },
        ':until': { N: `${leasedUntil}` },
        ':pending': { S: this.#pending },
        ':place': entry['s'] as AttributeValue,
        ':now': { N: `${now}` },
      },
      ReturnValues: 'ALL_NEW',
    })
    const answer = await won(this.#client.send(write))
    return answer === undefined ? [] : [{ ...entryOf(answer.Attributes ?? {}), lease }]
  }

  /** It does nothing where the condition does not hold. */
  async #update(
    id: string,
    update: Pick<UpdateItemCommand['input'], 'UpdateExpression' | 'ConditionExpression' | 'ExpressionAttributeValues'>,
  ): Promise<void> {
    await won(this.#client.send(new UpdateItemCommand({ TableName: this.#table, Key: this.#keyOf(id), ...update })))
  }

  async #read(id: string, attributes: string): Promise<Item | undefined> {
    const read = {
      TableName: this.#table,
      Key: this.#keyOf(id),
      ProjectionExpression: attributes,
      ConsistentRead: true,
    }
    return (await this.#client.send(new GetItemCommand(read))).Item
  }

  /** What the index has, the oldest first: of one circuit, or of all. */
  async *#query(of: string, only?: { c: string }): AsyncGenerator<readonly Item[], void, undefined> {
    const query: QueryCommandInput = {
      TableName: this.#table,
      IndexName: INDEX,
      KeyConditionExpression: `o = :of${only === undefined ? '' : ' AND begins_with(s, :circuit)'}`,
      ExpressionAttributeValues: { ':of': { S: of }, ...(only && { ':circuit': { S: orderOf(only.c) } }) },
      ...(only && { Limit: PAGE }),
    }
    let from: Item | undefined
    do {
      const page = await this.#client.send(new QueryCommand({ ...query, ExclusiveStartKey: from }))
      yield page.Items ?? []
      from = page.LastEvaluatedKey
    } while (from !== undefined)
  }

  #keyOf(id: string): Item {
    return { [this.#keyName]: { S: `${this.#pending}:${id}` } }
  }
}

const orderOf = (circuit: string): string => `${circuit.slice(0, MOST_LETTERS)}\n`

/** By the time, then by the order in which one process queued; never the same twice. */
const placeOf = (time: number, nth: number): string =>
  [String(Math.floor(time)).padStart(15, '0'), String(nth).padStart(9, '0'), randomUUID()].join('-')

function entryOf({ e, b, a }: Item): Entry {
  const { request, ...rest } = JSON.parse(e?.S ?? '') as Entry
  return { ...rest, attempts: Number(a?.N), request: { ...request, body: b?.B } }
}

/** @returns what it answered; undefined where its condition did not hold */
async function won<T>(write: Promise<T>): Promise<T | undefined> {
  try {
    return await write
  } catch (error) {
    // By its name: there may be several copies of the SDK.
    if (error instanceof Error && error.name === 'ConditionalCheckFailedException') return undefined
    throw error
  }
}

const bytesIn = (text: string): number => Buffer.byteLength(text)

/** As DynamoDB counts: names, texts in UTF-8, bytes, and at most 21 bytes for a number. */
function sizeOf(item: Item): number {
  return Object.entries(item).reduce(
    (sum, [name, { S, B }]) => sum + bytesIn(name) + (B?.byteLength ?? (S === undefined ? 21 : bytesIn(S))),
    0,
  )
}
