// An outbox in queues of SQS, a queue for each circuit, through a client of the AWS SDK v3.
import { createHash, randomUUID } from 'node:crypto'
import {
  ChangeMessageVisibilityCommand,
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
  type Message,
  type SQSClient,
} from '@aws-sdk/client-sqs'
import { briefEnding, LONGEST_ERROR } from './brief-ending.ts'
import { checkKnown, checkMethod, checkText, show } from './options.ts'
import type { Claim, Depth, Ending, Entry, OutboxStore, Result } from './store.ts'

/** What is needed of a client: an `SQSClient` or an `SQS`. */
export type SqsLike = Pick<SQSClient, 'send'>

/** The queues in which requests wait. */
export interface SqsOutboxOptions {
  /**
   * The caller's own. Give it a `requestTimeout`, longer than the second that a look for messages takes: the SDK has none, and
   * who defers a request waits for the answer.
   */
  client: SqsLike
  /**
   * The URL of the queue of each circuit, by the circuit's key: by default the host. One for each, since what waits for a host that
   * is down would stand before what another could take. FIFO queues (`.fifo`) send one at a time of what has the same idempotency
   * key. They must keep messages for longer than the outbox's `expires`.
   */
  queues: Readonly<Record<string, string>>
  /** The URL of the queue that takes what was given up. */
  deadLetterUrl: string
}

/**
 * Keeps requests in queues of SQS. A message is leased by its visibility timeout, waits for its next try by another, and is sent
 * anew with one more attempt where it failed, since messages cannot be changed.
 *
 * SQS is no place to look things up: `result` knows what this process queued or sent, the last 1,000; a request that is queued
 * twice is sent twice, with the same idempotency key; `depth` does not tell since when the oldest waits, and counts roughly.
 *
 * @example createOutbox({ store: sqsOutbox({ client, queues: { 'api-m.paypal.com': queueUrl }, deadLetterUrl }) })
 * @throws TypeError where an option is wrong
 */
export function sqsOutbox(options: SqsOutboxOptions): OutboxStore {
  checkKnown('sqsOutbox', options, ['client', 'queues', 'deadLetterUrl'])
  const { client, queues, deadLetterUrl } = options
  checkMethod('sqsOutbox.client must be an SQSClient of the AWS SDK v3', client, 'send')
  if (typeof queues !== 'object' || queues === null || Object.keys(queues).length === 0)
    throw new TypeError(`sqsOutbox.queues must have the URL of a queue for each circuit, got ${show(queues)}`)
  for (const [circuit, url] of Object.entries(queues))
    checkText(`sqsOutbox.queues[${show(circuit)}] must be the URL of a queue`, url)
  checkText('sqsOutbox.deadLetterUrl must be the URL of a queue', deadLetterUrl)
  const urls = [...Object.values(queues), deadLetterUrl]
  const twice = urls.find((url, nth) => urls.indexOf(url) !== nth)
  if (twice !== undefined)
    throw new TypeError(`sqsOutbox.queues and sqsOutbox.deadLetterUrl must be a queue each, got ${show(twice)} twice`)
  return new Queues(client, new Map(Object.entries(queues)), deadLetterUrl)
}

/** A message holds 1 MiB, and some of it is for how its request ended. */
const MOST_BYTES = 1_048_576
const RESERVED = 16_384

/** As long as SQS keeps anything, in milliseconds. */
const RETENTION = 14 * 24 * 3_600_000

/** SQS counts in seconds, and gives these many of them. */
const LONGEST_DELAY = 900
/** An hour less than it allows: a lease that went before counts as well. */
const LONGEST_HIDDEN = 39_600

/** So often it asks for one claim, ten messages at most each time. */
const MOST_ROUNDS = 10

/** Of so many requests it knows in this process what became of them. */
const MOST_KNOWN = 1_000

/** What a message says: the entry, and what has changed since it was queued. */
interface Said {
  readonly entry: Entry
  readonly due: number
  readonly error: string | undefined
}

class Queues implements OutboxStore {
  readonly #client: SqsLike
  readonly #queues: ReadonlyMap<string, string>
  readonly #deadLetterUrl: string
  /** By their leases, the receipt handles. */
  readonly #held = new Map<string, { readonly key: string; readonly until: number }>()
  readonly #known = new Map<string, { readonly result: Result; readonly expiresAt: number }>()

  constructor(client: SqsLike, queues: ReadonlyMap<string, string>, deadLetterUrl: string) {
    this.#client = client
    this.#queues = queues
    this.#deadLetterUrl = deadLetterUrl
  }

  async put(entry: Entry): Promise<'queued' | 'duplicate'> {
    const { id, circuit, queuedAt, notBefore, expiresAt, attempts } = entry
    const url = this.#urlOf(circuit)
    if (expiresAt - queuedAt > RETENTION) {
      const hours = Math.round((expiresAt - queuedAt) / 3_600_000)
      throw new RangeError(
        `a request that waits for up to ${hours} hours is not for SQS, which keeps messages for 14 days`,
      )
    }
    // Nothing else is a duplicate for sure: what waited here may have been given up by another process.
    if (this.#wasSent(id)) return 'duplicate'
    const text = textOf({ entry, due: notBefore, error: undefined })
    const bytes = Buffer.byteLength(text)
    if (bytes > MOST_BYTES - RESERVED) {
      const whole = `a request with a body of ${entry.request.body?.byteLength ?? 0} bytes takes ${bytes} bytes`
      throw new Error(`${whole}, and a message of SQS has room for ${MOST_BYTES - RESERVED} (1 MiB, less the answer)`)
    }
    // Known before it is there: it may be sent before SQS has answered.
    const pending = { state: 'pending', attempts, error: undefined } as const
    this.#know(id, pending, expiresAt)
    try {
      await this.#send(url, text, entry.idempotencyKey, notBefore)
    } catch (error) {
      if (this.#known.get(id)?.result === pending) this.#known.delete(id)
      throw error
    }
    return 'queued'
  }

  async claim(circuit: string, most: number, now: number, leasedUntil: number): Promise<readonly Claim[]> {
    const url = this.#queues.get(circuit)
    if (url === undefined) return []
    for (const [lease, { until }] of this.#held) if (until <= now) this.#held.delete(lease)
    const claims: Claim[] = []
    try {
      for (let round = 0; round < MOST_ROUNDS && claims.length < most; round++) {
        const receive = new ReceiveMessageCommand({
          QueueUrl: url,
          MaxNumberOfMessages: Math.min(most - claims.length, 10),
          VisibilityTimeout: secondsOf(leasedUntil - now),
          // To wait is to ask all servers of the queue; otherwise it says that there is nothing where there is something.
          WaitTimeSeconds: claims.length === 0 ? 1 : 0,
          // So that the SDK, which tries again where an answer is lost, is given the same messages.
          ...(isFifo(url) && { ReceiveRequestAttemptId: randomUUID() }),
        })
        const { Messages = [] } = await this.#client.send(receive)
        if (Messages.length === 0) break
        const keys = new Set<string>()
        for (const message of Messages)
          claims.push(...(await this.#take(message, { circuit, url, now, leasedUntil, keys })))
      }
    } catch (error) {
      // What was leased by then is worth more than the error, which comes again.
      if (claims.length === 0) throw error
    }
    return claims
  }

  async retry(claim: Claim, again: { at: number; attempts: number; error: string | undefined }): Promise<void> {
    if (!this.#letGo(claim)) return
    const { lease, ...entry } = claim
    const url = this.#urlOf(claim.circuit)
    if (this.#wasSent(claim.id)) return this.#delete(url, lease)
    const { attempts, at } = again
    const error = again.error?.slice(0, LONGEST_ERROR) ?? this.#errorOf(claim.id)
    if (attempts === claim.attempts) await this.#hide(url, lease, at - Date.now())
    else {
      // In this order: a crash in between makes two of it, which have the same idempotency key, and not none.
      await this.#send(url, textOf({ entry: { ...entry, attempts }, due: at, error }), claim.idempotencyKey, at)
      await this.#delete(url, lease)
    }
    this.#know(claim.id, { state: 'pending', attempts, error }, claim.expiresAt)
  }

  async settle(claim: Claim, ending: Ending): Promise<void> {
    const { lease, ...entry } = claim
    const url = this.#urlOf(claim.circuit)
    const own = this.#letGo(claim)
    if (ending.state === 'dead') {
      if (!own) return
      if (this.#wasSent(claim.id)) return this.#delete(url, lease)
      const said = { entry, due: entry.notBefore, error: undefined }
      const room = (MOST_BYTES - Buffer.byteLength(textOf(said))) / 2
      await this.#send(this.#deadLetterUrl, textOf(said, briefEnding(ending, room)), claim.idempotencyKey)
    }
    this.#know(claim.id, ending, claim.expiresAt)
    await this.#delete(url, lease)
  }

  result(id: string): Result | undefined {
    const known = this.#known.get(id)
    const forgotten = known?.result.state === 'sent' && known.expiresAt <= Date.now()
    return forgotten ? undefined : known?.result
  }

  async depth(): Promise<Depth> {
    const [dead, ...counts] = await Promise.all(
      [this.#deadLetterUrl, ...this.#queues.values()].map((url) => this.#count(url)),
    )
    return {
      pending: counts.reduce((sum, count) => sum + count, 0),
      oldest: undefined,
      dead: dead ?? 0,
      circuits: [...this.#queues.keys()].filter((_, nth) => counts[nth] !== 0),
    }
  }

  /** Gives a message out, unless it is not its turn: then it goes back. */
  async #take(
    { Body = '', ReceiptHandle: lease = '' }: Message,
    to: { circuit: string; url: string; now: number; leasedUntil: number; keys: Set<string> },
  ): Promise<readonly Claim[]> {
    const { circuit, url, now, leasedUntil, keys } = to
    const said = saidIn(Body)
    if (said === undefined) {
      await this.#send(this.#deadLetterUrl, Body, Body)
      await this.#delete(url, lease)
      return []
    }
    const { entry, due, error } = said
    const { id, idempotencyKey, attempts, expiresAt } = entry
    if (this.#wasSent(id)) {
      await this.#delete(url, lease)
      return []
    }
    const key = `${circuit}\n${idempotencyKey}`
    const busy = keys.has(key) || [...this.#held.values()].some((one) => one.key === key)
    keys.add(key)
    if (busy || due > now) {
      // A FIFO queue gives it out after the one before it; another would at once.
      await this.#hide(url, lease, busy ? (isFifo(url) ? 0 : leasedUntil - now) : due - now)
      return []
    }
    this.#held.set(lease, { key, until: leasedUntil })
    this.#know(id, { state: 'pending', attempts, error: error ?? this.#errorOf(id) }, expiresAt)
    return [{ ...entry, circuit, lease }]
  }

  /** @returns whether the claim was still the latest: by this clock, which is not later than that of SQS, since it began before */
  #letGo({ lease }: Claim): boolean {
    const held = this.#held.get(lease)
    this.#held.delete(lease)
    return held !== undefined && Date.now() < held.until
  }

  async #send(url: string, text: string, key: string, due = 0): Promise<void> {
    await this.#client.send(
      new SendMessageCommand({
        QueueUrl: url,
        MessageBody: text,
        ...(isFifo(url)
          ? // Unique, so that it makes one of what the SDK sends twice, and of nothing else.
            { MessageGroupId: createHash('sha256').update(key).digest('hex'), MessageDeduplicationId: randomUUID() }
          : { DelaySeconds: Math.min(secondsOf(due - Date.now()), LONGEST_DELAY) }),
      }),
    )
  }

  async #hide(url: string, lease: string, ms: number): Promise<void> {
    const seconds = Math.min(secondsOf(ms), LONGEST_HIDDEN)
    const change = { QueueUrl: url, ReceiptHandle: lease, VisibilityTimeout: seconds }
    await unlessOver(this.#client.send(new ChangeMessageVisibilityCommand(change)))
  }

  async #delete(url: string, lease: string): Promise<void> {
    await unlessOver(this.#client.send(new DeleteMessageCommand({ QueueUrl: url, ReceiptHandle: lease })))
  }

  async #count(url: string): Promise<number> {
    const { Attributes = {} } = await this.#client.send(
      new GetQueueAttributesCommand({
        QueueUrl: url,
        AttributeNames: [
          'ApproximateNumberOfMessages',
          'ApproximateNumberOfMessagesNotVisible',
          'ApproximateNumberOfMessagesDelayed',
        ],
      }),
    )
    return Object.values(Attributes).reduce((sum, count) => sum + Number(count), 0)
  }

  #urlOf(circuit: string): string {
    const url = this.#queues.get(circuit)
    if (url === undefined) throw new Error(`sqsOutbox.queues has no queue for ${circuit}`)
    return url
  }

  #wasSent(id: string): boolean {
    return this.result(id)?.state === 'sent'
  }

  #errorOf(id: string): string | undefined {
    const result = this.result(id)
    return result?.state === 'pending' ? result.error : undefined
  }

  #know(id: string, result: Result, expiresAt: number): void {
    this.#known.delete(id)
    this.#known.set(id, { result, expiresAt })
    const [oldest = id] = this.#known.keys()
    if (this.#known.size > MOST_KNOWN) this.#known.delete(oldest)
  }
}

const isFifo = (url: string): boolean => url.endsWith('.fifo')

const secondsOf = (ms: number): number => Math.max(Math.ceil(ms / 1_000), 0)

/** @param ending how it ended, as JSON */
function textOf({ entry, due, error }: Said, ending?: string): string {
  const { request, ...rest } = entry
  const { body, ...head } = request
  const bytes = body && Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('base64')
  const text = JSON.stringify({ entry: { ...rest, request: head }, body: bytes, due, error })
  const whole = ending === undefined ? text : `${text.slice(0, -1)},"ending":${ending}}`
  // The two characters that JSON may have and a message may not.
  return whole.replace(/[\uFFFE\uFFFF]/g, (one) => `\\u${one.charCodeAt(0).toString(16)}`)
}

/** @returns undefined where it is no message of an outbox */
function saidIn(text: string): Said | undefined {
  try {
    const { entry, body, due, error } = JSON.parse(text) as Said & { body?: string }
    const bytes = body === undefined ? undefined : new Uint8Array(Buffer.from(body, 'base64'))
    if (typeof entry.id !== 'string' || typeof due !== 'number') return undefined
    return { entry: { ...entry, request: { ...entry.request, body: bytes } }, due, error }
  } catch {
    return undefined
  }
}

/** Who has lost its message has no say in it any more. */
async function unlessOver(call: Promise<unknown>): Promise<void> {
  try {
    await call
  } catch (error) {
    const { name, message } = error as Error
    // By their names: there may be several copies of the SDK. That of a FIFO queue has one that says little.
    if (['MessageNotInflight', 'ReceiptHandleIsInvalid'].includes(name)) return
    if (name.startsWith('InvalidParameterValue') && message.includes('parameter ReceiptHandle')) return
    throw error
  }
}
