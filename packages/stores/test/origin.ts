// A host on loopback that answers well or with a 503, and says nothing of caches.
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

/** A body in which every byte occurs. */
export const BODY: Buffer = Buffer.from(Array.from({ length: 2_048 }, (_, at) => at % 256))

export interface Origin extends AsyncDisposable {
  readonly url: string
  status: number
}

export async function startOrigin(): Promise<Origin> {
  const server = createServer((_request, response) => {
    const { status } = origin
    response.sendDate = false
    response.writeHead(status, { 'content-type': 'application/octet-stream', 'x-name': ['one', 'two'] })
    response.end(status === 200 ? BODY : 'sorry')
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const origin: Origin = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/John+3:16`,
    status: 200,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
  return origin
}
