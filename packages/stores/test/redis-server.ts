// The real redis-server on a free port of 127.0.0.1, which keeps nothing on disk.
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { connect, createServer, type AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

const SERVER = 'redis-server'

/** Whether it is installed. In CI it has to be. */
export const hasRedis: boolean = spawnSync(SERVER, ['--version']).status === 0
if (!hasRedis) {
  const what = `${SERVER} is not installed (Debian: apt-get install redis-server)`
  if (process.env['CI'] !== undefined) throw new Error(`${what}, and CI must not skip its tests`)
  console.warn(`The tests with Redis are skipped: ${what}`)
}

export interface RedisServer extends AsyncDisposable {
  readonly port: number
}

/** @param again the port of one that has ended, to take its place */
export async function redisServer({
  again,
  more = [],
}: { again?: number; more?: readonly string[] } = {}): Promise<RedisServer> {
  for (let tries = 0; ; tries++) {
    const port = again ?? (await freePort())
    const server = spawn(SERVER, [...ALONE, ...more, '--port', `${port}`], { stdio: 'ignore' })
    const gone = once(server, 'exit')
    const stop = async (): Promise<void> => {
      server.kill('SIGKILL')
      await gone
    }
    while (server.exitCode === null && server.signalCode === null) {
      if (await answers(port)) return { port, [Symbol.asyncDispose]: stop }
      await sleep(10)
    }
    if (tries > 4) throw new Error(`redis-server ends with ${server.exitCode} as soon as it starts`)
  }
}

const ALONE = ['--bind', '127.0.0.1', '--save', '', '--appendonly', 'no']

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

async function answers(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1')
  try {
    await once(socket, 'connect')
    socket.write('PING\r\n')
    const [answer] = (await once(socket, 'data')) as [Buffer]
    return answer.toString() === '+PONG\r\n'
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}
