// The breaker beside what else people put on axios: another copy of it, axios-retry, axios-cache-interceptor, nock.
import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import { circuitOpen, createBoard, reply, type Board, type BoardOptions } from '@fuseboard/core'
import axios, { type AxiosInstance, type AxiosStatic } from 'axios'
import { setupCache } from 'axios-cache-interceptor'
import axiosRetry from 'axios-retry'
import nock from 'nock'
import { afterEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { breaker, pluggable } from './index.ts'

const never = { failureRate: false, consecutiveFailures: false } as const

describe('another copy of axios', () => {
  const theirs = createRequire(import.meta.url)('axios') as AxiosStatic

  test('is another', () => expect(theirs.AxiosError).not.toBe(axios.AxiosError))

  describe.each([
    ['an instance of it', () => theirs.create()],
    ['itself', () => Object.assign(theirs.create(), { getAdapter: theirs.getAdapter, AxiosError: theirs.AxiosError })],
    ['a pluggable instance of it', () => pluggable(theirs.create())],
  ])('%s', (_name, create) => {
    test.each(['http', 'fetch'] as const)('throws errors of its own on the %s adapter', async (adapter) => {
      const { url, host } = await serve((request, response) => {
        if (request.url === '/reset') request.socket.resetAndDestroy()
        else if (request.url === '/cut')
          response.writeHead(200, { 'content-length': 9 }).write('half', () => response.destroy())
        else response.writeHead(503, { 'x-multi': ['one', 'two'] }).end('{"down":true}')
      })
      const { board, log } = watched()
      const http = breaker(board)(create())
      const headers = { 'x-own': 'yes' }
      const failed = await caught(http.post(url, { a: 1 }, { adapter, headers }))
      const reset = await caught(http.get(`${url}/reset`, { adapter }))
      const broken = await caught(http.get(`${url}/cut`, { adapter }))
      board.circuit(host).trip()
      const refused = await caught(http.get(url, { adapter }))
      for (const error of [failed, reset, broken, refused]) {
        expect(error).toBeInstanceOf(theirs.AxiosError)
        expect((error as { config: object }).config).not.toHaveProperty('beforeRedirect')
      }
      expect(failed).toMatchObject({
        status: 503,
        response: { data: { down: true } },
        config: { headers, data: '{"a":1}' },
      })
      expect((failed as { response: { config: object } }).response.config).toBe((failed as { config: object }).config)
      expect(circuitOpen(refused)?.host).toBe(host)
      expect(log).toEqual(['failure 503', 'failure', 'failure'])
    })

    test('answers with headers and config of its own, streams and redirects included', async () => {
      const { url } = await serve((request, response) => {
        if (request.url === '/there') response.end(JSON.stringify(request.headers))
        else response.writeHead(302, { location: '/there' }).end()
      })
      const { board, log } = watched()
      const http = breaker(board)(create())
      http.defaults.headers.common['x-own'] = 'yes'
      http.interceptors.request.use((config) => {
        config.headers.delete('x-own')
        return config
      })
      const { data, headers, config } = await http.get<object>(url)
      expect(headers).toBeInstanceOf(theirs.AxiosHeaders)
      expect([data, config]).toEqual([
        expect.not.objectContaining({ 'x-own': 'yes' }),
        expect.objectContaining({ url }),
      ])
      expect(log).toEqual(['success 302', 'success 200'])
    })

    test('throws its own error for a stand-in whose status the caller does not want', async () => {
      const { url, host } = await serve(() => {})
      const { board } = watched({ fallback: reply({ status: 500, text: 'made' }) })
      board.circuit(host).trip()
      const error = await caught(breaker(board)(create()).get(url))
      expect(error).toBeInstanceOf(theirs.AxiosError)
      expect(error).toMatchObject({ code: 'ERR_BAD_RESPONSE', response: { data: 'made' } })
    })
  })
})

describe.each(['before', 'after'] as const)('axios-retry put on %s the breaker', (order) => {
  const both = (board: Board, options: Parameters<typeof axiosRetry>[1] = {}): AxiosInstance => {
    const http = axios.create()
    if (order === 'after') breaker(board)(http)
    axiosRetry(http, { retries: 3, ...options })
    return order === 'before' ? breaker(board)(http) : http
  }

  test('has each try counted, redirects included', async () => {
    let asked = 0
    const { url } = await serve((request, response) => {
      if (request.url === '/') response.writeHead(302, { location: '/there' }).end()
      else response.writeHead(asked++ < 2 ? 503 : 200).end()
    })
    const { board, log } = watched()
    await both(board).get(url)
    const hop = 'success 302'
    expect(log).toEqual([hop, 'failure 503', hop, 'failure 503', hop, 'success 200'])
  })

  test('does not try a refusal again, and ends where the circuit opens', async () => {
    const { url, requests } = await serve((_request, response) => void response.writeHead(503).end())
    const { board, refusals } = watched({ consecutiveFailures: 2 })
    const onRetry = vi.fn<() => void>()
    const http = both(board, { onRetry })
    expect(await caught(http.get(url))).toMatchObject({ code: 'EOPENBREAKER' })
    expect([requests(), refusals(), onRetry.mock.calls.length]).toEqual([2, 1, 2])
    await caught(http.get(url, { 'axios-retry': { retries: 5 } }))
    expect([requests(), refusals()]).toEqual([2, 2])
  })

  test('does not try a stand-in again, whatever its status', async () => {
    const { url, requests } = await serve((_request, response) => void response.writeHead(503).end())
    const { board } = watched({ fallback: reply({ status: 503, text: 'made' }) })
    expect(await caught(both(board).get(url))).toMatchObject({ response: { status: 503, data: 'made' } })
    expect(requests()).toBe(1)
  })
})

describe.each(['before', 'after'] as const)('axios-cache-interceptor put on %s the breaker', (order) => {
  const both = (board: Board): AxiosInstance => {
    const http = axios.create()
    if (order === 'after') breaker(board)(http)
    setupCache(http)
    return order === 'before' ? breaker(board)(http) : http
  }

  test('has misses counted and refused, and its hits are neither', async () => {
    const { url, host, requests } = await serve((_request, response) => void response.end('{"a":1}'))
    const { board, log, refusals } = watched()
    const http = both(board)
    await http.get(url)
    board.circuit(host).trip()
    expect((await http.get<unknown>(url)).data).toEqual({ a: 1 })
    expect(await caught(http.get(`${url}/other`))).toMatchObject({ code: 'EOPENBREAKER' })
    expect([log, refusals(), requests()]).toEqual([['success 200'], 1, 1])
  })

  test('keeps no reply that the policy made', async () => {
    const { url, host } = await serve((_request, response) => void response.end('the host’s own'))
    const { board } = watched({ fallback: reply({ text: 'made' }) })
    const http = both(board)
    board.circuit(host).trip()
    expect((await http.get(url)).data).toBe('made')
    board.circuit(host).reset()
    expect((await http.get(url)).data).toBe('the host’s own')
  })
})

describe('nock', () => {
  afterEach(() => nock.cleanAll())

  test.each(['http', 'fetch'] as const)('plays a host that is down, on the %s adapter', async (adapter) => {
    nock('https://bible-api.com').get('/John+3:16').times(2).reply(503)
    nock('https://bible-api.com').get('/John+3:16').replyWithError('down')
    const board = createBoard({ consecutiveFailures: 3, openFor: '30s' })
    const http = breaker(board)(axios.create({ adapter }))

    for (const _ of [1, 2, 3]) await expect(http.get('https://bible-api.com/John+3:16')).rejects.toThrow()
    const error = await caught(http.get('https://bible-api.com/John+3:16'))
    expect(circuitOpen(error)).toMatchObject({ host: 'bible-api.com', reason: 'open' })
    expect(nock.isDone()).toBe(true)
  })
})

async function serve(listener: RequestListener) {
  let requests = 0
  const server = createServer((request, response) => {
    requests++
    listener(request, response)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    server.close()
    server.closeAllConnections()
  })
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`
  return { host, url: `http://${host}`, requests: () => requests }
}

function watched(options: BoardOptions = {}) {
  const board = createBoard({ ...never, ...options })
  const log: string[] = []
  let refusals = 0
  board.on('settled', ({ verdict, status }) => log.push(`${verdict} ${status ?? ''}`.trim()))
  board.on('refused', () => refusals++)
  return { board, log, refusals: () => refusals }
}

const caught = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => Promise.reject(new Error('This was to fail')),
    (error: unknown) => error,
  )
