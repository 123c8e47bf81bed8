// What is required under Jest, whose tests have a global object and errors of their own.
const events = require('node:events')
const { readFileSync } = require('node:fs')
const { readFile } = require('node:fs/promises')
const { createServer } = require('node:http')
const { DatabaseSync } = require('node:sqlite')
const { default: fuseboardAxios, breaker: axiosBreaker } = require('@fuseboard/axios')
const { circuitOpen, createBoard, guardFetch, isFallback, reply, staleIfError } = require('@fuseboard/core')
const { createOutbox, defer, memoryOutbox } = require('@fuseboard/outbox')
const { sqliteReplies } = require('@fuseboard/stores/sqlite')
const { breaker: undiciBreaker, guardGlobalFetch } = require('@fuseboard/undici')
const axios = require('axios')
const { Agent, request } = require('undici')

const NOBODY = 'http://127.0.0.1:1/'
const hello = (_request, response) => response.end('"hello"')
const broken = (_request, response) => response.writeHead(503).end()
let answer, server, url, host

beforeAll(async () => {
  server = createServer((request, response) => answer(request, response)).listen(0, '127.0.0.1')
  await events.once(server, 'listening')
  host = `127.0.0.1:${server.address().port}`
  url = `http://${host}/`
})
beforeEach(() => (answer = hello))
afterAll(() => {
  server.close()
  server.closeAllConnections()
})

test('fetch is refused after failures', async () => {
  const fetch = guardFetch(createBoard({ consecutiveFailures: 2 }))
  for (const refused of [false, false, true]) {
    const error = await fetch(NOBODY).catch((thrown) => thrown)
    expect(circuitOpen(error) !== undefined).toBe(refused)
  }
})

test.each([
  ['json', (response) => response.json()],
  ['text', async (response) => JSON.parse(await response.text())],
  ['bytes', async (response) => JSON.parse(Buffer.from(await response.arrayBuffer()).toString())],
  ['a blob', async (response) => JSON.parse(await (await response.blob()).text())],
  ['a stream', async (response) => JSON.parse(Buffer.concat(await Array.fromAsync(response.body)).toString())],
])('a body that was read as %s is stored', async (_name, read) => {
  const board = createBoard({ fallback: staleIfError({ keepFor: '1h' }) })
  const fetch = guardFetch(board)
  expect(await read(await fetch(url))).toBe('hello')
  answer = broken
  const response = await fetch(url)
  expect(isFallback(response)?.source).toBe('stored')
  expect(await read(response)).toBe('hello')
})

test('axios, both the own and the one of this package', async () => {
  const board = createBoard({ fallback: staleIfError({ keepFor: '1h' }) })
  for (const http of [axiosBreaker(board)(axios.create()), fuseboardAxios.create().use(axiosBreaker(board))]) {
    answer = hello
    expect((await http.get(url)).data).toBe('hello')
    answer = broken
    expect((await http.get(url)).data).toBe('hello')
  }
  board.circuit(host).isolate()
  await expect(axiosBreaker(board)(axios.create()).get(`${url}other`)).rejects.toBeInstanceOf(axios.AxiosError)
})

test('undici', async () => {
  const dispatcher = new Agent().compose(undiciBreaker(createBoard({ fallback: staleIfError({ keepFor: '1h' }) })))
  for (const each of [hello, broken]) {
    answer = each
    expect(await (await request(url, { dispatcher })).body.json()).toBe('hello')
  }
  await dispatcher.close()
})

test('the fetch of the process is out of reach, which is said', () => {
  const board = createBoard()
  const warned = jest.fn()
  board.on('warning', warned)
  guardGlobalFetch(board)()
  expect(warned).toHaveBeenCalledWith(expect.objectContaining({ code: 'global-fetch' }))
})

test.each([
  ['of the test', () => Promise.reject(new Error('no'))],
  ['of fetch', () => fetch(NOBODY)],
  ['of Node', () => readFile('/none')],
  ['that Node throws', () => readFileSync('/none')],
])('errors %s count', async (_name, fail) => {
  const guarded = createBoard().guard('guarded', fail, { consecutiveFailures: 2 })
  for (const call of [guarded, guarded]) await expect(async () => call()).rejects.toBeDefined()
  expect(guarded.circuit.state).toBe('open')
})

test('a time-out is a failure, an abort is none', async () => {
  answer = () => {}
  const board = createBoard()
  const fetch = guardFetch(board)
  await expect(fetch(url, { signal: AbortSignal.timeout(100) })).rejects.toMatchObject({ name: 'TimeoutError' })
  await expect(fetch(url, { signal: AbortSignal.abort() })).rejects.toMatchObject({ name: 'AbortError' })
  expect(board.circuit(host).counters).toMatchObject({ failures: 1, ignored: 1 })
})

test('replies in SQLite', async () => {
  const board = createBoard({ fallback: staleIfError(), replies: sqliteReplies(new DatabaseSync(':memory:')) })
  const fault = jest.fn()
  board.on('store', fault)
  answer = (_request, response) => response.setHeader('cache-control', 'max-age=0, stale-if-error=60').end('kept')
  await (await guardFetch(board)(url)).text()
  answer = broken
  expect(await (await guardFetch(board)(url)).text()).toBe('kept')
  expect(fault).not.toHaveBeenCalled()
})

test('writes of every kind of body wait in an outbox', async () => {
  const outbox = createOutbox({ store: memoryOutbox() })
  const board = createBoard({
    fallback: defer({
      outbox,
      when: ({ method }) => method === 'POST',
      idempotencyHeader: 'idempotency-key',
      reply: () => reply({ status: 202, text: 'later' }),
    }),
  })
  board.circuit(host).isolate()
  const bytes = new TextEncoder().encode('x')
  for (const body of ['x', new URLSearchParams('x=1'), bytes, bytes.buffer, Buffer.from('x'), new Blob(['x'])])
    expect((await guardFetch(board)(url, { method: 'POST', body })).status).toBe(202)
})

test('fake timers move the clock of a board', () => {
  jest.useFakeTimers()
  const board = createBoard({ openFor: '30s' })
  board.circuit(host).trip('30s')
  jest.advanceTimersByTime(31_000)
  expect(board.circuit(host).state).toBe('half-open')
  jest.useRealTimers()
})
