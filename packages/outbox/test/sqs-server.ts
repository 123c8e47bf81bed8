// SQS on a free port of 127.0.0.1, as far as an outbox needs it: standard and FIFO queues, with a clock that can be set.
import { createHash, randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { SQSClient } from '@aws-sdk/client-sqs'

export interface SqsServer extends AsyncDisposable {
  readonly host: string
  readonly client: SQSClient
  /** A queue of this name, which is made when it is first used; FIFO where it ends with `.fifo`. */
  urlOf(name: string): string
  /** What is in a queue, in the order in which it came. */
  messagesIn(name: string): readonly Message[]
  /** Stops its clock, at milliseconds since the epoch. @default that of the machine, which goes on */
  at(now: number): void
  /** Every call that came, in order. */
  readonly calls: { readonly action: string; readonly input: Input }[]
  /** The next call of this action is done, and its answer lost. */
  lose(action: string): void
}

interface Message {
  readonly id: string
  readonly body: string
  readonly group: string | undefined
  visibleAt: number
  receivedAt: number
  handle: string | undefined
}

type Input = Record<string, unknown>

interface Queue {
  readonly messages: Message[]
  readonly handles: Map<string, Message>
  /** What was given to an attempt to receive, which may be made once more. */
  readonly attempts: Map<string, object>
  /** By deduplication id, for five minutes. */
  readonly sent: Map<string, { readonly id: string; readonly at: number }>
}

export async function sqsServer(): Promise<SqsServer> {
  let now = (): number => Date.now()
  let lost = ''
  const calls: SqsServer['calls'] = []
  const queues = new Map<string, Queue>()
  const queueOf = (name: string): Queue => {
    const queue = queues.get(name) ?? { messages: [], handles: new Map(), attempts: new Map(), sent: new Map() }
    queues.set(name, queue)
    return queue
  }
  const server = createServer((request, response) => {
    void (async () => {
      const action = String(request.headers['x-amz-target']).replace('AmazonSQS.', '')
      const input = JSON.parse(await text(request)) as Input
      calls.push({ action, input })
      const name = String(input['QueueUrl']).split('/').at(-1) ?? ''
      try {
        const answer = perform(action, input, queueOf(name), name.endsWith('.fifo'), now())
        if (lost === action) {
          lost = ''
          return response.destroy()
        }
        return response.setHeader('content-type', 'application/x-amz-json-1.0').end(JSON.stringify(answer))
      } catch (error) {
        if (!(error instanceof Refusal)) throw error
        const headers = { 'content-type': 'application/x-amz-json-1.0', 'x-amzn-query-error': `${error.code};Sender` }
        const told = { __type: `com.amazonaws.sqs#${error.code}`, message: error.message }
        return response.writeHead(400, headers).end(JSON.stringify(told))
      }
    })()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`
  const endpoint = `http://${host}`
  const client = new SQSClient({ endpoint, region: 'local', credentials: { accessKeyId: 'a', secretAccessKey: 'b' } })
  return {
    host,
    client,
    calls,
    urlOf: (name) => `${endpoint}/123456789012/${name}`,
    messagesIn: (name) => queueOf(name).messages,
    at: (time) => void (now = () => time),
    lose: (action) => void (lost = action),
    async [Symbol.asyncDispose]() {
      client.destroy()
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

class Refusal extends Error {
  readonly code: string

  constructor(code: string, message: string) {
    super(message)
    this.code = code
  }
}

const invalid = (message: string): Refusal => new Refusal('InvalidParameterValue', message)

function perform(action: string, input: Input, queue: Queue, fifo: boolean, now: number): object {
  switch (action) {
    case 'SendMessage':
      return send(input, queue, fifo, now)
    case 'ReceiveMessage':
      return receive(input, queue, fifo, now)
    case 'DeleteMessage':
      return remove(String(input['ReceiptHandle']), queue, fifo, now)
    case 'ChangeMessageVisibility':
      return change(String(input['ReceiptHandle']), Number(input['VisibilityTimeout']), queue, now)
    case 'GetQueueAttributes':
      return attributes(queue, now)
    default:
      throw new Refusal('UnsupportedOperation', action)
  }
}

function send(input: Input, { messages, sent }: Queue, fifo: boolean, now: number): object {
  const body = String(input['MessageBody'])
  const delay = input['DelaySeconds'] as number | undefined
  const dedup = input['MessageDeduplicationId'] as string | undefined
  if (Buffer.byteLength(body) > 1_048_576) throw invalid('Message must be shorter than 1048576 bytes.')
  if (/[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/u.test(body))
    throw new Refusal('InvalidMessageContents', 'Invalid characters found')
  if (fifo && (dedup === undefined || input['MessageGroupId'] === undefined))
    throw invalid('The queue should have MessageDeduplicationId and MessageGroupId')
  if (fifo && delay !== undefined) throw invalid('The request include parameter that is not valid for this queue type')
  if ((delay ?? 0) > 900) throw invalid('DelaySeconds must be <= 900')
  const known = dedup === undefined ? undefined : sent.get(dedup)
  const twice = known !== undefined && now - known.at < 300_000
  const id = twice ? known.id : randomUUID()
  if (!twice) {
    if (dedup !== undefined) sent.set(dedup, { id, at: now })
    const group = input['MessageGroupId'] as string | undefined
    messages.push({ id, body, group, visibleAt: now + (delay ?? 0) * 1_000, receivedAt: NaN, handle: undefined })
  }
  return { MessageId: id, MD5OfMessageBody: createHash('md5').update(body).digest('hex') }
}

function receive(input: Input, { messages, handles, attempts }: Queue, fifo: boolean, now: number): object {
  const most = Number(input['MaxNumberOfMessages'] ?? 1)
  if (most < 1 || most > 10) throw invalid('MaxNumberOfMessages must be between 1 and 10')
  const attempt = input['ReceiveRequestAttemptId'] as string | undefined
  if (attempt !== undefined && !fifo)
    throw invalid('The request include parameter that is not valid for this queue type')
  const before = attempts.get(attempt ?? '')
  if (before !== undefined) return before
  const hidden = new Set(fifo ? messages.filter(({ visibleAt }) => visibleAt > now).map(({ group }) => group) : [])
  const due = messages.filter(({ visibleAt, group }) => visibleAt <= now && !(fifo && hidden.has(group))).slice(0, most)
  const given = due.map((message) => {
    const handle = randomUUID()
    handles.set(handle, message)
    Object.assign(message, { handle, receivedAt: now, visibleAt: now + Number(input['VisibilityTimeout']) * 1_000 })
    const { id, body } = message
    return { MessageId: id, ReceiptHandle: handle, Body: body, MD5OfBody: createHash('md5').update(body).digest('hex') }
  })
  const answer = given.length === 0 ? {} : { Messages: given }
  if (attempt !== undefined) attempts.set(attempt, answer)
  return answer
}

function remove(handle: string, { messages, handles }: Queue, fifo: boolean, now: number): object {
  const message = handles.get(handle)
  const over = message === undefined || message.handle !== handle || (fifo && message.visibleAt <= now)
  if (over && fifo) {
    const words = `Value ${handle} for parameter ReceiptHandle is invalid. Reason: The receipt handle has expired.`
    throw invalid(words)
  }
  if (!over && messages.includes(message)) messages.splice(messages.indexOf(message), 1)
  return {}
}

function change(handle: string, seconds: number, { messages, handles }: Queue, now: number): object {
  const message = handles.get(handle)
  if (message === undefined || message.handle !== handle || message.visibleAt <= now || !messages.includes(message))
    throw new Refusal('MessageNotInflight', 'The message is not in flight')
  if (!(seconds >= 0 && (now - message.receivedAt) / 1_000 + seconds <= 43_200))
    throw invalid(`Total VisibilityTimeout for the message is beyond the limit [43200 seconds]`)
  message.visibleAt = now + seconds * 1_000
  return {}
}

function attributes({ messages }: Queue, now: number): object {
  const hidden = messages.filter(({ visibleAt }) => visibleAt > now)
  const delayed = hidden.filter(({ handle }) => handle === undefined).length
  return {
    Attributes: {
      ApproximateNumberOfMessages: String(messages.length - hidden.length),
      ApproximateNumberOfMessagesNotVisible: String(hidden.length - delayed),
      ApproximateNumberOfMessagesDelayed: String(delayed),
    },
  }
}
