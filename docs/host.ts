// The host that the programs of the documents reach, whatever they call it: on loopback, with TLS and without.
import { once } from 'node:events'
import { createServer, type RequestListener, type Server } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { generate } from 'selfsigned'

/** A host that is up. */
export interface Host {
  /** What tells a program under `tools/loopback.ts` where it is. */
  readonly env: Readonly<Record<string, string>>
  close(): void
}

/**
 * Starts it. It says 503 where it is called by a name that begins with `down.`, 429 at `limited.`, 404 for `/missing`, nothing at `hung.`;
 * and otherwise a verse, as JSON.
 */
export async function startHost(): Promise<Host> {
  const { private: key, cert } = await generate([{ name: 'commonName', value: 'the host of the documents' }])
  const servers = [createServer(answer), createSecureServer({ key, cert }, answer)]
  const [http, https] = await Promise.all(servers.map(portOf))
  return {
    env: {
      DOCS_HTTP_PORT: `${http}`,
      DOCS_HTTPS_PORT: `${https}`,
      NODE_NO_WARNINGS: '1',
    },
    close() {
      for (const server of servers) server.close().closeAllConnections()
    },
  }
}

async function portOf(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}

const answer: RequestListener = ({ headers: { host = '' }, url }, response) => {
  if (host.startsWith('hung.')) return
  if (host.startsWith('down.')) response.writeHead(503).end()
  else if (host.startsWith('limited.')) response.writeHead(429, { 'retry-after': '7' }).end()
  else if (url === '/missing') response.writeHead(404).end()
  else response.setHeader('content-type', 'application/json').end(JSON.stringify(VERSE))
}

const VERSE = { reference: 'John 3:16', text: 'For God so loved the world' }
