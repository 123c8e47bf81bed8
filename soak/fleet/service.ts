// The service that the fleet calls: it answers after 10 ms, well or not.
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface Service extends AsyncDisposable {
  readonly port: number
  well: boolean
}

const TAKES = 10

export async function startService(): Promise<Service> {
  const server = createServer((_request, response) => {
    setTimeout(() => {
      response.statusCode = service.well ? 200 : 503
      response.end()
    }, TAKES)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const service: Service = {
    port: (server.address() as AddressInfo).port,
    well: true,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
  return service
}
