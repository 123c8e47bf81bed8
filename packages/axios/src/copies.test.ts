// Two copies of the adapter in one process, on one instance of axios: as a program has them that imports one and requires the other.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createBoard } from '@fuseboard/core'
import axios, { type AxiosAdapter } from 'axios'
import { beforeAll, expect, onTestFinished, test, vi } from 'vitest'
import * as one from './index.ts'

let other: typeof one

beforeAll(async () => {
  vi.resetModules()
  other = await import('./index.ts')
})

test('an instance that both guard by one board counts once, and so does what is made from it', async () => {
  const { url, host } = await serve()
  const board = createBoard()
  const http = other.breaker(board)(one.breaker(board)(axios.create()))
  await http.get(url)
  await http.get(url, { adapter: 'fetch' })
  await other.breaker(board)(http.create()).get(url)
  expect(board.circuit(host).counters.successes).toBe(3)
})

test('a call that passes an adapter of each, with another between, counts once', async () => {
  const { url, host } = await serve()
  const board = createBoard()
  const inner = other.breaker(board)(axios.create()).defaults.adapter as AxiosAdapter
  await one
    .breaker(board)(axios.create({ adapter: (config) => inner(config) }))
    .get(url)
  expect(board.circuit(host).counters.successes).toBe(1)
})

test('one takes away what the other put on', async () => {
  const { url, host } = await serve()
  const board = createBoard()
  const http = other.pluggable(one.pluggable(axios.create()).use(one.breaker(board)))
  other.unguard(http)
  await http.get(url)
  await http.get(url, { adapter: 'fetch' })
  await http.create().get(url)
  expect(board.peek(host)).toBeUndefined()
})

async function serve(): Promise<{ url: string; host: string }> {
  const server = createServer((_request, response) => void response.end('hello')).listen(0, '127.0.0.1')
  await new Promise((listening) => server.once('listening', listening))
  onTestFinished(() => {
    server.close()
    server.closeAllConnections()
  })
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`
  return { url: `http://${host}/`, host }
}
