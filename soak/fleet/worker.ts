// A process with several instances of a fleet, each with a board and a connection of its own, that call a service at a steady rate.
import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { Agent, request } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { circuitOpen, createBoard, type Board, type Fleet } from '@fuseboard/core'
import { dynamoFleet } from '@fuseboard/stores/dynamodb'
import { redisFleet } from '@fuseboard/stores/redis'
import { createClient } from 'redis'
import type { CallSeen, Orders, Seen } from './messages.ts'

const orders = JSON.parse(process.argv[2] ?? '') as Orders
const { instances, rate, service, mode, store } = orders
const KEY = 'service'

/** An answer that was none. */
class ServiceError extends Error {}

const agent = new Agent({ keepAlive: true })
const seen = { calls: [] as CallSeen[], turns: [] as Seen['turns'][number][], probes: [] as Seen['probes'][number][] }
const errors: string[] = []
let faults = 0
const stop = new AbortController()
const closing: (() => unknown)[] = []

process.on('message', () => stop.abort())
process.on('disconnect', () => process.exit())
process.on('unhandledRejection', (error) => errors.push(`unhandled: ${String(error)}`))

const nameOf = (i: number): string => `${process.pid}-${i}`
const boards = await Promise.all(Array.from({ length: instances }, (_, i) => join(nameOf(i))))
process.send?.('ready')
await Promise.all(boards.map((board, i) => call(board, i)))
await Promise.all(boards.map((board) => board.flush()))
const told: Seen = { ...seen, faults, errors }
process.send?.(told, () => {
  for (const close of closing) close()
  process.disconnect()
})

async function join(instance: string): Promise<Board> {
  const fleet = mode.store === undefined ? undefined : await fleetOf(mode.store)
  const board = createBoard({
    window: '2s',
    minimumCalls: 5,
    consecutiveFailures: false,
    openFor: '2s',
    probes: { permits: 1, need: 2, within: '1s' },
    ...(fleet && { fleet }),
  })
  board.on('transition', ({ to, at }) => seen.turns.push({ instance, at, to }))
  board.on('store', () => faults++)
  board.on('warning', () => {})
  board.on('settled', ({ probe, durationMs }) => {
    const ended = Date.now()
    if (probe) seen.probes.push({ begun: ended - durationMs, ended })
  })
  board.circuit(KEY)
  await board.ready()
  await warmUp(board)
  return board
}

// What is compared is a program that has run for a while, not its first seconds in the interpreter.
async function warmUp(board: Board): Promise<void> {
  for (let i = 0; i < 5_000; i++) await board.run('warm', () => undefined)
}

async function fleetOf(kind: 'redis' | 'dynamodb'): Promise<Fleet> {
  const { trust, reads, refresh, wait } = mode
  const terms = { namespace: 'soak', trust, reads, refresh, wait, jitter: 200 } as const
  if (kind === 'dynamodb') {
    const client = new DynamoDBClient({
      endpoint: `http://127.0.0.1:${store}`,
      region: 'local',
      credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
      maxAttempts: 1,
    })
    closing.push(() => client.destroy())
    return dynamoFleet(client, { table: 'fuseboard', ...terms })
  }
  const client = await connected()
  return redisFleet(client, mode.push ? { subscriber: await connected(), ...terms, refresh: 10_000 } : terms)
}

async function connected() {
  const client = createClient({
    socket: { host: '127.0.0.1', port: store, reconnectStrategy: 50 },
    disableOfflineQueue: true,
  })
  client.on('error', () => {})
  await client.connect()
  closing.push(() => client.destroy())
  return client
}

async function call(board: Board, i: number): Promise<void> {
  const every = 1_000 / rate
  const begin = performance.now() + (i * every) / instances
  for (let n = 0; !stop.signal.aborted; n++) {
    await sleep(Math.max(0, begin + n * every - performance.now()), undefined, { signal: stop.signal }).catch(() => {})
    if (!stop.signal.aborted) void once(board, nameOf(i))
  }
}

async function once(board: Board, instance: string): Promise<void> {
  const at = Date.now()
  const asked = performance.now()
  let sent = 0
  const end = await board
    .run(KEY, () => {
      sent = performance.now()
      return get()
    })
    .then(
      () => 'good' as const,
      (error: unknown) => {
        if (circuitOpen(error)) sent = performance.now()
        else if (!(error instanceof ServiceError)) errors.push(String(error))
        return circuitOpen(error) ? 'refused' : error instanceof ServiceError ? 'bad' : 'broken'
      },
    )
  seen.calls.push({ instance, at, end, overhead: sent - asked })
}

function get(): Promise<void> {
  return new Promise((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', port: service, agent }, (response) => {
      response.resume()
      response.on('end', () => (response.statusCode === 200 ? resolve() : reject(new ServiceError())))
    })
    sent.on('error', () => reject(new ServiceError()))
    sent.end()
  })
}
