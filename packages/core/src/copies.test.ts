// Two copies of the core in one process, as a program has them that imports it here and requires it there.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { beforeAll, expect, onTestFinished, test, vi } from 'vitest'
import * as one from './index.ts'

let other: typeof one

beforeAll(async () => {
  vi.resetModules()
  other = await import('./index.ts')
})

test('they are two, and have one default board', () => {
  expect(other.Board).not.toBe(one.Board)
  expect(other.defaultBoard()).toBe(one.defaultBoard())
})

test('a fetch that both guard counts once', async () => {
  const { url, host } = await serve()
  const board = one.createBoard()
  const fetch = one.guardFetch(board, { fetch: other.guardFetch(board) })
  await (await fetch(url)).text()
  expect(board.circuit(host).counters.successes).toBe(1)
})

test('each refuses by the board of the other, and knows its refusals', async () => {
  const { url, host } = await serve()
  const board = one.createBoard()
  board.circuit(host).isolate()
  const error: unknown = await other
    .guardFetch(board)(url)
    .catch((thrown: unknown) => thrown)
  expect(other.circuitOpen(error)).toBe(error)
  expect(one.circuitOpen(new Error('wrapped', { cause: error }))).toBe(error)
})

test('the stand-ins of each serve in the board of the other, and are known as such', async () => {
  const { url, host } = await serve()
  const board = one.createBoard({ fallback: [other.staleIfError({ keepFor: '1h' }), other.reply({ text: 'made' })] })
  const fetch = other.guardFetch(board)
  board.circuit(host).isolate()
  const made = await fetch(url)
  expect([await made.text(), one.isFallback(made)?.source]).toEqual(['made', 'made'])
  board.reset()
  await (await fetch(url)).text()
  board.circuit(host).isolate()
  const stored = await fetch(url)
  expect([await stored.text(), other.isFallback(stored)?.source]).toEqual(['hello', 'stored'])
})

test('what one says was no answer counts where the other let it through', async () => {
  const { url, host } = await serve()
  const board = one.createBoard()
  const watched = await other.guardFetch(board)(url)
  one.fail(watched)
  expect(board.circuit(host).counters.failures).toBe(1)

  const bodiless = await other.guardFetch(board, { fetch: async () => new Response(null, { status: 204 }) })(url)
  one.fail(bodiless)
  expect(board.circuit(host).counters.failures).toBe(2)
})

test('functions of one name that they guard have a circuit each', () => {
  const download = (): void => {}
  expect(one.guard()(download).circuit.key).not.toBe(other.guard()(download).circuit.key)
})

test('where the global object takes nothing each has its own', () => {
  const spy = vi.spyOn(Reflect, 'set').mockReturnValue(false)
  onTestFinished(() => spy.mockRestore())
  expect(one.common('copies.test', () => ({}))).not.toBe(other.common('copies.test', () => ({})))
  spy.mockRestore()
  expect(one.common('copies.test', () => ({}))).toBe(other.common('copies.test', () => ({})))
})

test('a board shares by the fleet of the other', async () => {
  const store = (await import('./testing.ts')).memoryStore()
  const boards = [one, other].map(({ createBoard }) => createBoard({ fleet: other.fleet(store, { trust: 'follow' }) }))
  boards[0]?.circuit('api.test').trip()
  await boards[0]?.flush()
  boards[1]?.circuit('api.test')
  await boards[1]?.ready()
  expect(boards[1]?.circuit('api.test').state).toBe('open')
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
