// Where a local server listens that goes away and comes back on the same port.
import { once } from 'node:events'
import type { Server } from 'node:http'

/** Takes a port below those that systems hand out by themselves: while the server is down, nobody else may get it. */
export async function listenSomewhere(server: Server): Promise<number> {
  for (let attempts = 1; ; attempts++) {
    const port = 20_000 + Math.floor(Math.random() * 10_000)
    try {
      await listenOn(server, port)
      return port
    } catch (error) {
      if (attempts === 20) throw error
    }
  }
}

/** Takes that port. */
export async function listenOn(server: Server, port: number): Promise<void> {
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
}
