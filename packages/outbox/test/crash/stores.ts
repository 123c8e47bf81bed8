// The engines of the trial, by where they keep what waits: the path of a file of SQLite, `redis://host`, `dynamodb://host/table`, `sqs://host`.
import type { OutboxStore } from '../../src/index.ts'

export interface Opened extends Disposable {
  readonly store: OutboxStore
}

type Open = (place: string, circuit: string) => Promise<Opened>

/** Each loads what it needs: processes start again and again. */
const ENGINES: Readonly<Record<string, Open>> = { redis: inRedis, dynamodb: inDynamo, sqs: inSqs }

/** @param circuit the one that requests wait for */
export function openStore(place: string, circuit: string): Promise<Opened> {
  return (ENGINES[place.split('://', 1)[0] ?? ''] ?? inSqlite)(place, circuit)
}

async function inSqlite(path: string): Promise<Opened> {
  const { sqliteOutbox } = await import('../../src/sqlite.ts')
  const store = sqliteOutbox(path)
  return { store, [Symbol.dispose]: () => store[Symbol.dispose]() }
}

async function inRedis(url: string): Promise<Opened> {
  const [{ Redis }, { bullmqOutbox }] = await Promise.all([import('ioredis'), import('../../src/bullmq.ts')])
  const connection = new Redis(url, { autoResendUnfulfilledCommands: false, retryStrategy: () => 50 })
  // While it reconnects, its calls say so.
  connection.on('error', () => {})
  return { store: bullmqOutbox('outbox', { connection }), [Symbol.dispose]: () => connection.disconnect() }
}

async function inDynamo(url: string): Promise<Opened> {
  const [{ DynamoDBClient }, { dynamoOutbox }] = await Promise.all([
    import('@aws-sdk/client-dynamodb'),
    import('../../src/dynamodb.ts'),
  ])
  const { host, pathname } = new URL(url)
  const client = new DynamoDBClient({ ...LOCAL, endpoint: `http://${host}` })
  const store = dynamoOutbox({ client, table: pathname.slice(1), namespace: 'shop' })
  return { store, [Symbol.dispose]: () => client.destroy() }
}

async function inSqs(url: string, circuit: string): Promise<Opened> {
  const [{ SQSClient }, { sqsOutbox }] = await Promise.all([import('@aws-sdk/client-sqs'), import('../../src/sqs.ts')])
  const endpoint = `http://${new URL(url).host}`
  const client = new SQSClient({ ...LOCAL, endpoint })
  const queues = { [circuit]: `${endpoint}/1/waits.fifo` }
  const store = sqsOutbox({ client, queues, deadLetterUrl: `${endpoint}/1/given-up.fifo` })
  return { store, [Symbol.dispose]: () => client.destroy() }
}

const LOCAL = { region: 'local', credentials: { accessKeyId: 'a', secretAccessKey: 'b' } }
