// Answers of axios in every form: streams on both adapters, over HTTP/2, and what becomes of their bodies.
import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import {
  constants,
  createServer as createHttp2Server,
  type Http2ServerRequest,
  type Http2ServerResponse,
} from 'node:http2'
import type { AddressInfo, Socket } from 'node:net'
import { Readable, Writable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { pipeline } from 'node:stream/promises'
import { gzipSync } from 'node:zlib'
import {
  createBoard,
  fail,
  isFallback,
  memoryReplies,
  reply,
  staleIfError,
  type BoardOptions,
  type Reply,
} from '@fuseboard/core'
import axios, { type AxiosRequestConfig, type AxiosResponse } from 'axios'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { breaker } from './index.ts'

const MADE = { text: '[temporarily unavailable]', list: [1, 2] }
const ADAPTERS = ['http', 'fetch'] as const
const cut: RequestListener = (_request, response) => {
  response.writeHead(200, { 'content-length': 100 }).write('0123456789', () => setTimeout(() => response.destroy(), 20))
}

describe('a stream on the http adapter', () => {
  const streamed = async (listener: RequestListener, how: AxiosRequestConfig = {}) => {
    const world = await guarded(listener, { adapter: 'http' })
    const response = await world.http.get<Readable>(world.url, { responseType: 'stream', ...how })
    return { ...world, response, body: response.data }
  }

  test('that the host cuts short is one failure, and tells its reader', async () => {
    const { body, log } = await streamed(cut)
    await expect(text(body)).rejects.toThrow('aborted')
    expect(log).toEqual(['success 200', 'failure amended'])
  })

  test('that is packed and cut short is one failure, too', async () => {
    const { body, log } = await streamed((_request, response) => {
      response.writeHead(200, { 'content-encoding': 'gzip' })
      response.write(gzipSync('x'.repeat(9_999)).subarray(0, 30), () => setTimeout(() => response.destroy(), 20))
    })
    await expect(text(body)).rejects.toThrow('aborted')
    expect(log).toEqual(['success 200', 'failure amended'])
  })

  test('that was packed wrong is no failure', async () => {
    const { body, log } = await streamed((_request, response) => {
      response.writeHead(200, { 'content-encoding': 'gzip' }).write('no gzip at all')
    })
    await expect(text(body)).rejects.toThrow('incorrect header')
    await idle(body)
    expect(log).toEqual(['success 200'])
  })

  test('whose reader goes, in whatever way, is no failure', async () => {
    const leave: ((body: Readable) => unknown)[] = [
      (body) => body.destroy(),
      (body) => body.on('error', () => {}).destroy(new Error('The disk is full')),
      (body) =>
        pipeline(body, new Writable({ write: (_chunk, _encoding, done) => done(new Error('Disk full')) })).catch(
          () => {},
        ),
      (body) =>
        pipeline(
          body,
          new Writable({
            write() {
              this.destroy()
            },
          }),
        ).catch(() => {}),
    ]
    for (const go of leave) {
      const { body, log } = await streamed(endless)
      await go(body)
      await idle(body)
      expect(log).toEqual(['success 200'])
    }
  })

  test('that nobody reads, or that came whole, is no failure', async () => {
    const { response, log } = await streamed((_request, response) => void response.end('hello'))
    expect(await text(response.data)).toBe('hello')
    expect(log).toEqual(['success 200'])
  })

  test('is left without a listener for errors: a careless caller hears of them', async () => {
    const { body } = await streamed(cut)
    expect(body.listenerCount('error')).toBe(
      (await axios.get<Readable>((await serve(cut)).url, { responseType: 'stream' })).data.listenerCount('error'),
    )
    await expect(text(body)).rejects.toThrow()
  })
})

describe('a stream over HTTP/2', () => {
  const streamed = async (listener: (request: Http2ServerRequest, response: Http2ServerResponse) => void) => {
    const server = createHttp2Server(listener).listen(0, '127.0.0.1')
    await once(server, 'listening')
    onTestFinished(() => void server.close())
    const world = await guarded(() => {}, { adapter: 'http', httpVersion: 2 })
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    return { ...world, body: (await world.http.get<Readable>(url, { responseType: 'stream' })).data }
  }

  test('that the host cuts short is one failure', async () => {
    const { body, log } = await streamed(({ stream }, response) => {
      stream.on('error', () => {})
      response.writeHead(200).write('half', () => setTimeout(() => stream.close(constants.NGHTTP2_INTERNAL_ERROR), 20))
    })
    await expect(text(body)).rejects.toThrow('NGHTTP2_INTERNAL_ERROR')
    expect(log).toEqual(['success 200', 'failure amended'])
  })

  test('whose reader goes is no failure', async () => {
    const { body, log } = await streamed((_request, response) => void response.writeHead(200).write('half'))
    body.on('error', () => {}).destroy(new Error('The disk is full'))
    await idle(body)
    expect(log).toEqual(['success 200'])
  })
})

describe('a stream on the fetch adapter', () => {
  test('that its reader cancels, or a CancelToken, is no failure', async () => {
    const { http, url, log } = await guarded(endless, { adapter: 'fetch' })
    const { data } = await http.get<ReadableStream>(url, { responseType: 'stream' })
    await data.cancel()
    const { token, cancel } = axios.CancelToken.source()
    const { data: other } = await http.get<ReadableStream>(url, { responseType: 'stream', cancelToken: token })
    cancel()
    await expect(text(Readable.fromWeb(other as never))).rejects.toThrow()
    expect(log).toEqual(['success 200', 'success 200'])
  })

  test('that runs into the time limit is one failure', async () => {
    const { http, url, log } = await guarded((_request, response) => void response.write('half'), {
      adapter: 'fetch',
      timeout: 100,
    })
    const { data } = await http.get<ReadableStream>(url, { responseType: 'stream' })
    await expect(text(Readable.fromWeb(data as never))).rejects.toThrow()
    expect(log).toEqual(['success 200', 'failure amended'])
  })
})

describe.each(ADAPTERS)('a stand-in on the %s adapter', (adapter) => {
  const made = (options: BoardOptions = {}) =>
    guarded(
      (_request, response) => void response.writeHead(503).end('x'.repeat(200_000)),
      { adapter },
      { fallback: reply({ json: MADE }), ...options },
    )

  test('is what the adapter gives for each response type', async () => {
    const { http, url, board, host } = await made()
    board.circuit(host).trip()
    const { url: well } = await serve((_request, response) => void response.end(JSON.stringify(MADE)))
    const types = ['json', 'text', 'arraybuffer', 'blob', 'stream'] as const
    for (const responseType of [undefined, ...types]) {
      const how = responseType && { responseType }
      const [answer, standIn] = await Promise.all([http.get<unknown>(well, how), http.get<unknown>(url, how)])
      expect(await read(standIn.data)).toEqual(await read(answer.data))
      expect([answer, standIn].map(isFallback)).toEqual([undefined, expect.anything()])
    }
  })

  test('is the client’s own response, with its config, and passes through its transforms afresh', async () => {
    const { http, url, board, host } = await made()
    board.circuit(host).trip()
    const first = await http.get<typeof MADE>(url, {
      transformResponse: [(data: string) => JSON.parse(data) as unknown],
    })
    first.data.list.length = 0
    const second = await http.get<typeof MADE>(url)
    expect(second).toMatchObject({
      status: 200,
      data: MADE,
      config: { url },
      headers: { 'content-type': 'application/json' },
    })
    expect(second.headers).toBeInstanceOf(axios.AxiosHeaders)
    expect(isFallback(second)).toMatchObject({ source: 'made', reason: 'refused' })
  })

  test('goes by the status rules of the call', async () => {
    const { http, url } = await made({ fallback: reply({ status: 404, json: MADE }) })
    const error = await caught(http.get(url))
    expect(error).toMatchObject({ code: 'ERR_BAD_REQUEST', status: 404, response: { data: MADE } })
    expect(isFallback((error as { response: object }).response)).toMatchObject({
      reason: 'failed',
      masked: { status: 503 },
    })
    expect((await http.get(url, { validateStatus: null })).status).toBe(404)
  })

  test('stands in for a body that breaks before the caller has any of it, which is one failure', async () => {
    const { http, url, log } = await guarded(cut, { adapter }, { fallback: reply({ json: MADE }) })
    expect((await http.get<unknown>(url)).data).toEqual(MADE)
    expect(log).toEqual(['failure'])
  })

  test('for a hundred streams leaves no busy socket', async () => {
    const { http, url, sockets, log } = await made()
    for (let call = 0; call < 100; call++) {
      const { data } = await http.get<Readable>(url, { responseType: 'stream' })
      expect(await text(data)).toBe(JSON.stringify(MADE))
    }
    expect(log).toHaveLength(100)
    await vi.waitFor(() => expect(sockets.size).toBeLessThanOrEqual(1))
  })

  test('ends where the caller gives up on a slow fallback', async () => {
    const { http, url } = await made({ fallback: () => new Promise(() => {}) })
    const controller = new AbortController()
    const call = caught(http.get(url, { signal: controller.signal }))
    setTimeout(() => controller.abort(), 50)
    expect(axios.isCancel(await call)).toBe(true)
  })

  test('that was stored as it came over the wire is unpacked', async () => {
    const { http, url, board, host } = await made({ fallback: { standIn: packed } })
    board.circuit(host).trip()
    const { data, headers } = await http.get<unknown>(url)
    expect([data, headers['content-encoding'], headers['content-length']]).toEqual([MADE, undefined, undefined])
  })
})

test('what the fetch adapter cannot be given gets no stand-in', async () => {
  const { http, url, board, host } = await guarded(endless, { adapter: 'fetch' }, { fallback: reply({ json: MADE }) })
  board.circuit(host).trip()
  expect(await caught(http.get(url, { responseType: 'formdata' }))).toMatchObject({ code: 'EOPENBREAKER' })
  expect(board.circuit(host).counters.fallbacks).toBe(0)
})

test('a stand-in is decoded as the caller says', async () => {
  const { http, url, board, host } = await guarded(
    endless,
    { adapter: 'http' },
    { fallback: reply({ body: new Uint8Array([0xe9]) }) },
  )
  board.circuit(host).trip()
  expect((await http.get(url, { responseEncoding: 'latin1' })).data).toBe('é')
})

describe.each(ADAPTERS)('a stored reply on the %s adapter', (adapter) => {
  const stored = (listener: RequestListener, options: AxiosRequestConfig = {}) =>
    guarded(listener, { adapter, ...options }, { fallback: staleIfError({ keepFor: '1h' }), replies: memoryReplies() })

  test('has the headers of the answer but for those of the wire', async () => {
    const { http, url, board, host } = await stored((_request, response) => {
      response.writeHead(200, { 'content-encoding': 'gzip', 'x-multi': ['one', 'two'] }).end(gzipSync('{"a":1}'))
    })
    await http.get(url)
    board.circuit(host).trip()
    const { data, headers } = await http.get<unknown>(url)
    expect([data, headers['x-multi'], headers['content-encoding']]).toEqual([{ a: 1 }, 'one, two', undefined])
  })

  test.each<[string, AxiosRequestConfig, AxiosRequestConfig]>([
    ['params apart', { params: { q: 'a' } }, { params: { q: 'b' } }],
    [
      'params written by the caller apart',
      { params: 1, paramsSerializer: () => 'x' },
      { params: 1, paramsSerializer: () => 'y' },
    ],
  ])('keeps %s', async (_name, one, other) => {
    const { http, url, board, host } = await stored((request, response) => void response.end(request.url))
    const { data } = await http.get<string>(url, one)
    board.circuit(host).trip()
    expect((await http.get<string>(url, one)).data).toBe(data)
    expect(await caught(http.get(url, other))).toMatchObject({ code: 'EOPENBREAKER' })
  })

  test.each([
    ['a user in the config', { auth: { username: 'ä', password: 'b' } }, ''],
    ['a user in the URL', {}, 'user:secret@'],
    ['credentials', { withCredentials: true }, ''],
    ['a cookie jar', { jar: {} } as AxiosRequestConfig, ''],
    ['a token', { headers: { authorization: 'Bearer x' } }, ''],
  ])('is never that of another user: not with %s', async (_name, how, user) => {
    const { http, url, board, host } = await stored((_request, response) => void response.end('mine'))
    const own = url.replace('//', `//${user}`)
    await http.get(own, how)
    board.circuit(host).trip()
    expect(await caught(http.get(own, how))).toMatchObject({ code: 'EOPENBREAKER' })
    expect(await caught(http.get(url))).toMatchObject({ code: 'EOPENBREAKER' })
  })

  test('is none where the text that axios made of bytes has lost them, and is where it was given the bytes', async () => {
    const { http, url, board, host } = await stored(
      (_request, response) => void response.end(Buffer.from([0xff, 0xd8])),
    )
    await http.get(url)
    await http.get(`${url}/2`, { responseType: 'arraybuffer' })
    board.circuit(host).trip()
    expect(await caught(http.get(url))).toMatchObject({ code: 'EOPENBREAKER' })
    const { data } = await http.get<ArrayBuffer>(`${url}/2`, { responseType: 'arraybuffer' })
    expect([...new Uint8Array(data)]).toEqual([0xff, 0xd8])
  })

  test('of an address is not what a redirect led to', async () => {
    const { http, url, board, host } = await stored((request, response) => {
      if (request.url === '/login') response.end('log in')
      else response.writeHead(302, { location: '/login' }).end()
    })
    expect((await http.get(`${url}/account`)).data).toBe('log in')
    board.circuit(host).trip()
    expect(await caught(http.get(`${url}/account`))).toMatchObject({ code: 'EOPENBREAKER' })
  })

  test('follows the URL rules of axios', async () => {
    const { http, url, board, host } = await stored((request, response) => void response.end(request.url), {})
    for (const how of [
      { baseURL: `${url}/v1/`, url: '/x' },
      { baseURL: url, url: '' },
      { baseURL: `${url}/proxy`, url: 'http://elsewhere.test/x', allowAbsoluteUrls: false },
      { baseURL: 'http://nowhere.test', url: `${url}/y#z` },
    ]) {
      const { data } = await http.request<string>(how)
      const { successes } = board.circuit(host).counters
      board.circuit(host).trip()
      expect((await http.request<string>(how)).data).toBe(data)
      board.circuit(host).reset()
      expect(successes).toBeGreaterThan(0)
    }
  })
})

test.each(ADAPTERS)('an answer that the caller says was none is a failure, on the %s adapter', async (adapter) => {
  const { http, url, log } = await guarded((_request, response) => void response.end('{"error":1}'), { adapter })
  fail(await http.get(url))
  expect(log).toEqual(['success 200', 'failure amended'])
})

/** A body with what it is. */
async function read(data: unknown): Promise<unknown> {
  if (data instanceof Readable) return ['Readable', await text(data)]
  if (data instanceof ReadableStream) return ['ReadableStream', await text(Readable.fromWeb(data as never))]
  if (data instanceof Blob) return ['Blob', await data.text()]
  return data
}

const packed = (): Reply => ({
  status: 200,
  statusText: 'OK',
  headers: [
    ['content-type', 'application/json'],
    ['content-encoding', 'gzip'],
    ['content-length', '9'],
  ],
  body: new Uint8Array(gzipSync(JSON.stringify(MADE))),
  decoded: false,
  mark: { source: 'stored', reason: 'refused' },
})

const endless: RequestListener = (_request, response) => {
  const more = (): void => void (response.write('x'.repeat(65_536)) ? setImmediate(more) : response.once('drain', more))
  more()
}

const idle = (body: Readable): Promise<unknown> =>
  body.closed ? Promise.resolve() : new Promise((resolve) => void body.once('close', resolve))

async function guarded(listener: RequestListener, config: AxiosRequestConfig, options: BoardOptions = {}) {
  const board = createBoard({ failureRate: false, consecutiveFailures: false, ...options })
  const log: string[] = []
  board.on('settled', ({ verdict, status, amended }) =>
    log.push(amended ? `${verdict} amended` : `${verdict} ${status ?? ''}`.trim()),
  )
  board.on('warning', () => {})
  const http = breaker(board)(axios.create(config as object))
  return { board, log, http, ...(await serve(listener)) }
}

async function serve(listener: RequestListener) {
  const sockets = new Set<Socket>()
  const server = createServer(listener)
    .on('connection', (socket: Socket) => {
      sockets.add(socket)
      socket.once('close', () => sockets.delete(socket))
    })
    .listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    server.close()
    server.closeAllConnections()
  })
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`
  return { host, url: `http://${host}`, sockets }
}

const caught = (promise: Promise<AxiosResponse>): Promise<unknown> =>
  promise.then(
    () => Promise.reject(new Error('This was to fail')),
    (error: unknown) => error,
  )
