// A payment service that goes through an outage: tokens that run out, subscriptions that are made once for each key, answers that get lost.
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

export interface Service extends AsyncDisposable {
  readonly url: string
  down: boolean
  /** The customers of each key that took effect. */
  readonly made: ReadonlyMap<string, number>
  /** Requests with a key that had taken effect before. */
  readonly repeats: number
  /** Answers that got lost after the request had taken effect. */
  readonly unheard: number
}

const TOKEN_LIVES = 400

export async function startService(random: () => number): Promise<Service> {
  const made = new Map<string, number>()
  const atWork = new Set<string>()
  const tokens = new Map<string, number>()
  let [repeats, unheard] = [0, 0]

  const subscribe = async (request: IncomingMessage, response: ServerResponse): Promise<unknown> => {
    const body = await textOf(request)
    const token = request.headers.authorization?.replace('Bearer ', '') ?? ''
    if ((tokens.get(token) ?? 0) < Date.now()) return response.writeHead(401).end()
    const key = String(request.headers['paypal-request-id'])
    // As documented: of two at a time the second may fail.
    if (atWork.has(key)) return response.writeHead(409).end()
    atWork.add(key)
    await sleep(random() * 20)
    atWork.delete(key)
    if (made.has(key)) repeats++
    else made.set(key, (JSON.parse(body) as { customer: number }).customer)
    if (service.down) {
      unheard++
      return request.socket.destroy()
    }
    return response.writeHead(201, { 'content-type': 'application/json' }).end(JSON.stringify({ id: `I-${key}` }))
  }

  const server = createServer((request, response) => {
    const chance = random()
    if (service.down && chance < 0.4) return void response.writeHead(503).end()
    if (service.down && chance < 0.7) return void request.socket.destroy()
    if (request.url === '/v1/oauth2/token') {
      const token = crypto.randomUUID()
      tokens.set(token, Date.now() + TOKEN_LIVES)
      return void response.end(token)
    }
    void subscribe(request, response)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const service: Service = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    down: false,
    made,
    get repeats() {
      return repeats
    },
    get unheard() {
      return unheard
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
  return service
}

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString()
}
