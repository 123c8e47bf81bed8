// Where the admin's alerts arrive: a webhook on 127.0.0.1 that takes only what is signed, where it has a secret.
import { createHmac, timingSafeEqual } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import type { Alert } from '@fuseboard/telemetry/alerts'

export class Inbox {
  readonly url: string
  readonly alerts: Alert[] = []
  readonly #server: Server

  private constructor(server: Server) {
    this.#server = server
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/alerts`
  }

  /**
   * @param heard is told of each alert once
   * @param secret that they must be signed with; by default they need not be
   */
  static async listen(heard: (alert: Alert) => void = () => {}, secret?: string): Promise<Inbox> {
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const inbox = new Inbox(server)
    server.on('request', (request, response) => void inbox.#receive(request, response, heard, secret))
    return inbox
  }

  async #receive(
    request: IncomingMessage,
    response: ServerResponse,
    heard: (alert: Alert) => void,
    secret: string | undefined,
  ): Promise<void> {
    const body = await text(request).catch(() => '')
    if (secret !== undefined && !isOurs(request.headers, body, secret)) return void response.writeHead(401).end()
    response.end()
    const { alert } = JSON.parse(body) as { alert: Alert }
    // A delivery whose answer got lost comes again.
    if (this.alerts.some(({ id }) => id === alert.id)) return
    this.alerts.push(alert)
    heard(alert)
  }

  async close(): Promise<void> {
    const closed = once(this.#server, 'close')
    this.#server.close()
    this.#server.closeAllConnections()
    await closed
  }
}

function isOurs(headers: NodeJS.Dict<string | string[]>, body: string, secret: string): boolean {
  const signed = `${String(headers['fuseboard-timestamp'])}.${body}`
  const expected = Buffer.from(`v1=${createHmac('sha256', secret).update(signed).digest('hex')}`)
  const given = Buffer.from(String(headers['fuseboard-signature']))
  return given.length === expected.length && timingSafeEqual(given, expected)
}
