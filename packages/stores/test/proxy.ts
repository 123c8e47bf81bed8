// A proxy on loopback that does to the bytes between a client and its server what networks do.
import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'

/** What becomes of the bytes. The server answers all the same, but where the client cannot reach it. */
export type Weather =
  | 'fair'
  /** Answers come after 300 ms. */
  | 'slow'
  /** Nothing comes back, and nobody is told: the other end of a half-open connection. */
  | 'half-open'
  /** The connection is reset at the first byte of the client. */
  | 'cut'
  /** It is reset within an answer. */
  | 'cut answer'
  /** Answers are as long as they were, and mean nothing. */
  | 'garbage'
  /** One byte in the middle of each answer is another. */
  | 'bit rot'
  /** Nobody listens, and open connections are reset. */
  | 'down'

export class Proxy implements AsyncDisposable {
  readonly #target: number
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  #weather: Weather = 'fair'
  #port = 0
  #holds = false

  constructor(target: number) {
    this.#target = target
    this.#server = createServer((client) => this.#join(client))
  }

  get port(): number {
    return this.#port
  }

  get weather(): Weather {
    return this.#weather
  }

  async listen(): Promise<this> {
    this.#server.listen(this.#port, '127.0.0.1')
    await once(this.#server, 'listening')
    this.#port = (this.#server.address() as AddressInfo).port
    return this
  }

  /** Holds for open connections, too. */
  async turn(weather: Weather): Promise<void> {
    const was = this.#weather
    this.#weather = weather
    if (weather === 'down') await this[Symbol.asyncDispose]()
    else if (was === 'down') await this.listen()
  }

  /** The next thing that a client sends, and what its connection brings after it, comes 300 ms later. */
  holdNext(): void {
    this.#holds = true
  }

  /** Fair weather again, for new connections: those of before are lost. */
  async clear(): Promise<void> {
    await this.turn('fair')
    this.#reset()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#reset()
    if (!this.#server.listening) return
    this.#server.close()
    await once(this.#server, 'close')
  }

  #reset(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy()
  }

  #join(client: Socket): void {
    const server = connect(this.#target, '127.0.0.1')
    for (const [socket, other] of [
      [client, server],
      [server, client],
    ] as const) {
      this.#sockets.add(socket)
      socket.on('error', () => other.destroy())
      socket.on('close', () => {
        this.#sockets.delete(socket)
        if (this.#weather !== 'half-open') other.destroy()
      })
    }
    client.on('data', (bytes) => {
      if (this.#weather === 'cut') client.resetAndDestroy()
      else if (this.#holds) {
        this.#holds = false
        client.pause()
        setTimeout(() => {
          server.write(bytes)
          client.resume()
        }, 300)
      } else server.write(bytes)
    })
    server.on('data', (bytes) => this.#answer(client, bytes))
  }

  #answer(client: Socket, bytes: Buffer): void {
    const middle = bytes.length >> 1
    switch (this.#weather) {
      case 'fair':
        client.write(bytes)
        break
      case 'slow':
        setTimeout(() => client.write(bytes), 300)
        break
      case 'cut answer':
        client.write(bytes.subarray(0, middle), () => client.resetAndDestroy())
        break
      case 'garbage':
        client.write(bytes.map((byte) => byte ^ 0xa5))
        break
      case 'bit rot':
        bytes[middle] = bytes[middle]! ^ 1
        client.write(bytes)
        break
      case 'half-open':
      case 'cut':
      case 'down':
        break
    }
  }
}
