// The stores that are put to the test: redis-server and dynalite as processes of their own, which can be killed, frozen and emptied.
import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { CreateTableCommand, DynamoDBClient, waitUntilTableExists } from '@aws-sdk/client-dynamodb'
import { createClient } from 'redis'
import type { StoreKind } from './messages.ts'

const REDIS = 'redis-server'
export const TABLE = 'fuseboard'
export const hasRedis: boolean = spawnSync(REDIS, ['--version']).status === 0

/** A store in a process of its own. */
export class Store implements AsyncDisposable {
  readonly kind: StoreKind
  readonly port: number
  #process: ChildProcess | undefined

  private constructor(kind: StoreKind, port: number) {
    this.kind = kind
    this.port = port
  }

  static async start(kind: StoreKind): Promise<Store> {
    const store = new Store(kind, await freePort())
    await store.begin()
    return store
  }

  /** Begins with nothing in it. */
  async begin(): Promise<void> {
    const [command, args] =
      this.kind === 'redis'
        ? [REDIS, ['--bind', '127.0.0.1', '--port', `${this.port}`, '--save', '', '--appendonly', 'no']]
        : [process.execPath, [join(import.meta.dirname, 'dynamo-server.ts'), `${this.port}`]]
    this.#process = spawn(command, args, { stdio: 'ignore' })
    while (!(await listens(this.port))) await sleep(20)
    if (this.kind === 'dynamodb') await makeTable(this.port)
  }

  async kill(): Promise<void> {
    const gone = this.#process && this.#process.exitCode === null ? once(this.#process, 'exit') : undefined
    this.#process?.kill('SIGKILL')
    await gone
  }

  freeze(): void {
    this.#process?.kill('SIGSTOP')
  }

  thaw(): void {
    this.#process?.kill('SIGCONT')
  }

  /** Redis: forgets everything. */
  async empty(): Promise<void> {
    await this.#ask((client) => client.flushAll())
  }

  /** Redis: how many scripts have been run. */
  async commands(): Promise<number> {
    const stats = await this.#ask((client) => client.info('commandstats'))
    return [...stats.matchAll(/cmdstat_eval(?:sha)?:calls=(\d+)/g)].reduce((sum, [, n]) => sum + Number(n), 0)
  }

  async #ask<T>(ask: (client: ReturnType<typeof createClient>) => Promise<T>): Promise<T> {
    const client = createClient({ socket: { host: '127.0.0.1', port: this.port } })
    client.on('error', () => {})
    await client.connect()
    try {
      return await ask(client as ReturnType<typeof createClient>)
    } finally {
      client.destroy()
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.thaw()
    await this.kill()
  }
}

/** Before a store: what comes back comes later. */
export async function delay(port: number, ms: number): Promise<AsyncDisposable & { readonly port: number }> {
  const open = new Set<Socket>()
  const server = createServer((near) => {
    const far = connect(port, '127.0.0.1')
    for (const socket of [near, far]) {
      open.add(socket)
      socket.setNoDelay().on('error', () => socket.destroy())
      socket.on('close', () => {
        open.delete(socket)
        near.destroy()
        far.destroy()
      })
    }
    near.pipe(far)
    far.on('data', (data) => setTimeout(() => void (near.writable && near.write(data)), ms))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      for (const socket of open) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}

async function makeTable(port: number): Promise<void> {
  const client = new DynamoDBClient({
    endpoint: `http://127.0.0.1:${port}`,
    region: 'local',
    credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
  })
  await client.send(
    new CreateTableCommand({
      TableName: TABLE,
      AttributeDefinitions: [{ AttributeName: 'k', AttributeType: 'S' }],
      KeySchema: [{ AttributeName: 'k', KeyType: 'HASH' }],
      BillingMode: 'PAY_PER_REQUEST',
    }),
  )
  await waitUntilTableExists({ client, maxWaitTime: 10, minDelay: 0.05 }, { TableName: TABLE })
  client.destroy()
}

async function listens(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1')
  try {
    await once(socket, 'connect')
    return true
  } catch {
    return false
  } finally {
    socket.destroy()
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
