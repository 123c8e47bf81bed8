// The engines of the trial, by where they keep what waits: the path of a file of SQLite, or the URL of a Redis.
import { Redis } from 'ioredis'
import { bullmqOutbox } from '../../src/bullmq.ts'
import type { OutboxStore } from '../../src/index.ts'
import { sqliteOutbox } from '../../src/sqlite.ts'

export interface Opened extends Disposable {
  readonly store: OutboxStore
}

export function openStore(place: string): Opened {
  if (!place.startsWith('redis:')) {
    const store = sqliteOutbox(place)
    return { store, [Symbol.dispose]: () => store[Symbol.dispose]() }
  }
  const connection = new Redis(place, { autoResendUnfulfilledCommands: false, retryStrategy: () => 50 })
  // While it reconnects, its calls say so.
  connection.on('error', () => {})
  return { store: bullmqOutbox('outbox', { connection }), [Symbol.dispose]: () => connection.disconnect() }
}
