// Two copies of the adapter in one process, one over the other: as a program has them that is started with --import of one,
// and requires the other.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createBoard } from '@fuseboard/core'
import { Agent, request } from 'undici'
import { beforeAll, expect, onTestFinished, test, vi } from 'vitest'
import * as one from './index.ts'

let other: typeof one

beforeAll(async () => {
  vi.resetModules()
  other = await import('./index.ts')
})

test('a dispatcher that both guard by one board counts once', async () => {
  const { url, host } = await serve()
  const board = createBoard()
  const dispatcher = new Agent().compose(other.breaker(board), one.breaker(board))
  await (await request(url, { dispatcher })).body.text()
  expect(board.circuit(host).counters.successes).toBe(1)
})

test('the fetch of the process, guarded by both, counts once', async () => {
  const { url, host } = await serve()
  const board = createBoard({ hosts: { '127.0.0.1': {} } })
  for (const undo of [one.guardGlobalFetch(board), other.guardGlobalFetch(board)]) onTestFinished(undo)
  await (await fetch(url)).text()
  expect(board.circuit(host).counters.successes).toBe(1)
})

test('two boards, one by each, are both asked, and repeated headers stay apart', async () => {
  const { url, host } = await serve()
  const [near, far] = [createBoard(), createBoard()]
  const dispatcher = new Agent().compose(other.breaker(near), one.breaker(far))
  const { headers, body } = await request(url, { dispatcher })
  await body.text()
  expect([near, far].map((board) => board.circuit(host).counters.successes)).toEqual([1, 1])
  expect(headers['set-cookie']).toEqual(['a=1', 'b=2'])
})

async function serve(): Promise<{ url: string; host: string }> {
  const server = createServer((_request, response) => void response.end('hello')).listen(0, '127.0.0.1')
  server.prependListener('request', (_request, response) => response.setHeader('set-cookie', ['a=1', 'b=2']))
  await new Promise((listening) => server.once('listening', listening))
  onTestFinished(() => {
    server.close()
    server.closeAllConnections()
  })
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`
  return { url: `http://${host}/`, host }
}
