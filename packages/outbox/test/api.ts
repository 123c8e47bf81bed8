// A payment API on loopback: a token that expires, subscriptions that are made once for each key, and outages on command.
import { createServer, type IncomingMessage } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'

interface Asked {
  readonly method: string
  readonly url: string
  readonly key: string
  readonly authorization: string
  readonly contentType: string
  readonly body: string
}

export interface Api extends AsyncDisposable {
  readonly url: string
  readonly host: string
  /** What it answers instead, for as long as it is set; `hang` takes the request, does it, and does not answer. */
  trouble: number | 'reset' | 'hang' | undefined
  headers: Record<string, string>
  /** Breaks what is under way. */
  hangUp(): void
  /** Every request for a subscription that came. */
  readonly asked: Asked[]
  /** How often each key took effect: never twice, since the API knows its keys. */
  readonly made: ReadonlyMap<string, string>
  /** Tokens that it takes. */
  readonly tokens: Set<string>
}

export async function startApi(): Promise<Api> {
  const asked: Asked[] = []
  const made = new Map<string, string>()
  const tokens = new Set(['good'])
  const server = createServer((request, response) => {
    void (async () => {
      const one = await read(request)
      if (one.url === '/health') return response.end('well')
      asked.push(one)
      const answer = (status: number, body: object): unknown =>
        response.writeHead(status, { 'content-type': 'application/json', ...api.headers }).end(JSON.stringify(body))
      if (typeof api.trouble === 'number') return answer(api.trouble, { name: 'TROUBLE' })
      if (api.trouble === 'reset') return request.socket.destroy()
      if (!tokens.has(one.authorization.replace('Bearer ', ''))) return answer(401, { name: 'UNAUTHORIZED' })
      if (!made.has(one.key)) made.set(one.key, one.body)
      if (api.trouble === 'hang') return undefined
      return answer(201, { id: `I-${one.key}` })
    })()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`
  const api: Api = {
    url: `http://${host}/v1/billing/subscriptions`,
    host,
    trouble: undefined,
    headers: {},
    hangUp: () => server.closeAllConnections(),
    asked,
    made,
    tokens,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
  return api
}

async function read(request: IncomingMessage): Promise<Asked> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  const { method = '', url = '', headers } = request
  return {
    method,
    url,
    key: String(headers['paypal-request-id'] ?? ''),
    authorization: headers.authorization ?? '',
    contentType: headers['content-type'] ?? '',
    body: Buffer.concat(chunks).toString(),
  }
}
