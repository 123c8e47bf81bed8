// The service and what belongs to it, listening: on two ports of 127.0.0.1, one for everybody and one for those who run it.
import { once } from 'node:events'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createBoard, type Board } from '@fuseboard/core'
import { operations } from './operations.ts'
import { hostsAt, NAMES, type Origins } from './policy.ts'
import { service } from './service.ts'

/** Where it listens. */
export interface Places {
  readonly service: string
  readonly operations: string
}

export interface Running extends AsyncDisposable {
  readonly board: Board
  readonly places: Places
}

export async function run(origins: Origins, operator: string): Promise<Running> {
  const board = createBoard({ hosts: hostsAt(origins) })
  // Known from the beginning, so that readiness, metrics and the admin show them before the first call.
  for (const name of NAMES) board.circuit(new URL(origins[name]).host)
  const [open, own] = await Promise.all([listen(service(board, origins)), listen(operations(board, operator))])
  return {
    board,
    places: { service: originOf(open), operations: originOf(own) },
    async [Symbol.asyncDispose]() {
      await Promise.all([open, own].map(close))
    },
  }
}

async function listen(app: RequestListener): Promise<Server> {
  const server = createServer(app).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return server
}

async function close(server: Server): Promise<void> {
  const closed = once(server, 'close')
  server.close()
  server.closeAllConnections()
  await closed
}

const originOf = (server: Server): string => `http://127.0.0.1:${(server.address() as AddressInfo).port}`
