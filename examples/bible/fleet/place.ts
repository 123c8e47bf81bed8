// Where the fleet shares what it finds: a redis-server of its own, or a store in the parent where there is none.
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { fleet, type Fleet } from '@fuseboard/core'
import { redisFleet } from '@fuseboard/stores/redis'
import { createClient } from 'redis'
import { serveStore, socketStore } from './socket-store.ts'

/** How a process gets there. */
export interface Place {
  readonly kind: 'redis' | 'socket'
  readonly port: number
}

export interface OpenPlace extends AsyncDisposable {
  readonly place: Place
  readonly says: string
}

const TRUST = { trust: 'follow' } as const
const COMMAND = 'redis-server'

export async function openPlace(): Promise<OpenPlace> {
  return spawnSync(COMMAND, ['--version']).status === 0 ? startRedis() : startSocket()
}

/** A process's own way to the store, and its fleet. */
export async function joinStore({ kind, port }: Place): Promise<AsyncDisposable & { readonly fleet: Fleet }> {
  if (kind === 'socket') {
    const store = await socketStore(port)
    return { fleet: fleet(store, TRUST), [Symbol.asyncDispose]: async () => store.close() }
  }
  const client = createClient({ url: `redis://127.0.0.1:${port}`, disableOfflineQueue: true })
  client.on('error', () => {}) // a store that is lost is told by the board
  await client.connect()
  const subscriber = client.duplicate()
  subscriber.on('error', () => {})
  await subscriber.connect()
  return {
    fleet: redisFleet(client, { namespace: 'demo', subscriber, ...TRUST }),
    async [Symbol.asyncDispose]() {
      client.destroy()
      subscriber.destroy()
    },
  }
}

async function startRedis(): Promise<OpenPlace> {
  const port = await freePort()
  const keepsNothing = ['--save', '', '--appendonly', 'no']
  const server = spawn(COMMAND, ['--bind', '127.0.0.1', '--port', `${port}`, ...keepsNothing])
  const gone = once(server, 'exit')
  let said = ''
  for await (const text of server.stdout) {
    said += String(text)
    if (said.includes('Ready to accept connections')) break
  }
  if (server.exitCode !== null) throw new Error(`${COMMAND} ended as soon as it began: ${said}`)
  return {
    place: { kind: 'redis', port },
    says: `${COMMAND} on port ${port}`,
    async [Symbol.asyncDispose]() {
      server.kill()
      await gone
    },
  }
}

async function startSocket(): Promise<OpenPlace> {
  const server = await serveStore()
  return {
    place: { kind: 'socket', port: server.port },
    says: `a store in memory behind port ${server.port}, since ${COMMAND} is not installed`,
    [Symbol.asyncDispose]: async () => server.close(),
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}
