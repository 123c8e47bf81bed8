// A store behind a socket, a line a question: what one writes who has neither Redis nor DynamoDB.
import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { createInterface } from 'node:readline'
import type { SharedStore, Snapshot, Swapped } from '@fuseboard/core'
import { memoryStore } from '@fuseboard/core/testing'

type Question =
  | { readonly id: number; readonly ask: 'read' | 'watch'; readonly key: string }
  | {
      readonly id: number
      readonly ask: 'swap'
      readonly key: string
      readonly expected: number
      readonly value: string
      readonly ttl: number
      readonly notAfter: number
    }

type Line =
  | { readonly id: number; readonly answer: Snapshot | Swapped }
  | { readonly changed: string; readonly snapshot: Snapshot }

export async function serveStore(): Promise<{ readonly port: number; close(): void }> {
  const store = memoryStore()
  const server = createServer((socket) => {
    socket.on('error', () => socket.destroy())
    createInterface(socket).on('line', (line) => void answer(store, JSON.parse(line) as Question, socket))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return { port: (server.address() as AddressInfo).port, close: () => server.close() }
}

async function answer(store: SharedStore, question: Question, socket: Socket): Promise<void> {
  const { signal } = new AbortController()
  const say = (line: Line): void => void (socket.writable && socket.write(`${JSON.stringify(line)}\n`))
  const { id, key } = question
  switch (question.ask) {
    case 'read':
      return say({ id, answer: await store.read(key, signal) })
    case 'swap':
      return say({ id, answer: await store.swap(key, question.expected, question.value, { ...question, signal }) })
    case 'watch': {
      const end = await store.watch?.(key, (snapshot) => say({ changed: key, snapshot }))
      socket.on('close', () => end?.())
    }
  }
}

export async function socketStore(port: number): Promise<SharedStore & { close(): void }> {
  const socket = connect(port, '127.0.0.1')
  await once(socket, 'connect')
  const waiting = new Map<number, (answer: never) => void>()
  const watched = new Map<string, (snapshot: Snapshot) => void>()
  let last = 0
  createInterface(socket).on('line', (text) => {
    const line = JSON.parse(text) as Line
    if ('changed' in line) return watched.get(line.changed)?.(line.snapshot)
    waiting.get(line.id)?.(line.answer as never)
    waiting.delete(line.id)
  })
  const put = (question: object): number => {
    socket.write(`${JSON.stringify({ id: ++last, ...question })}\n`)
    return last
  }
  const ask = <T>(question: object, signal: AbortSignal): Promise<T> =>
    new Promise((resolve, reject) => {
      waiting.set(put(question), resolve)
      signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true })
    })
  return {
    read: (key, signal) => ask({ ask: 'read', key }, signal),
    swap: (key, expected, value, { ttl, notAfter, signal }) =>
      ask({ ask: 'swap', key, expected, value, ttl, notAfter }, signal),
    watch(key, changed) {
      watched.set(key, changed)
      put({ ask: 'watch', key })
      return () => void watched.delete(key)
    },
    close: () => void socket.destroy(),
  }
}
