// A host on 127.0.0.1 that the service asks: it answers in a few milliseconds, or, where it is dead, takes every request and answers none.
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'

/** Milliseconds that an answer takes. */
const TAKES = 5

export class Host {
  readonly origin: string
  /** Requests that came. */
  asked = 0
  dead = false
  readonly #server: Server

  private constructor(server: Server, name: string) {
    this.origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    this.#server = server
    server.on('request', ({ method, url }, response) => {
      // By hand, as with curl: a name of its own that no id has.
      if (method === 'POST') this.dead = url === '/die'
      else this.asked++
      if (method === 'POST') return void response.end(`${name} is ${this.dead ? 'dead' : 'well'}\n`)
      if (this.dead) return
      const body = JSON.stringify({ from: name, id: decodeURIComponent(url!.slice(1)) })
      setTimeout(() => response.setHeader('content-type', 'application/json').end(body), TAKES)
    })
  }

  static async listen(name: string): Promise<Host> {
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    return new Host(server, name)
  }

  async close(): Promise<void> {
    if (!this.#server.listening) return
    const closed = once(this.#server, 'close')
    this.#server.close()
    this.#server.closeAllConnections()
    await closed
  }
}
