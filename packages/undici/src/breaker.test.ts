// The interceptor of undici: verdicts, refusals, and its order with others.
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { once } from 'node:events'
import { PassThrough, Readable } from 'node:stream'
import { ATTEMPT, circuitOpen, createBoard, type Board, type BoardOptions } from '@fuseboard/core'
import { Agent, cacheStores, errors, interceptors, MockAgent, RetryAgent, type Dispatcher } from 'undici'
import { describe, expect, onTestFinished, test } from 'vitest'
import { breaker } from './breaker.ts'

const never = { failureRate: false, consecutiveFailures: false } as const

const flaky = (fails: number): RequestListener => {
  let calls = 0
  return (_request, response) => {
    response.writeHead(calls++ < fails ? 503 : 200)
    response.end('hello')
  }
}

const accept = (_request: unknown, socket: Socket, head: string): void => {
  socket.on('error', () => {}).write(head)
  socket.on('data', (chunk) => socket.write(chunk))
  socket.on('end', () => socket.end())
}

const lookup = (_origin: unknown, _options: unknown, done: (error: null, records: object[]) => void): void =>
  done(null, [{ address: '127.0.0.1', family: 4, ttl: 1_000 }])

describe('verdicts', () => {
  test('an answer is judged by its head, once, and passes as it came', async () => {
    const { dispatcher, log, origin } = await guarded((_request, response) => {
      response.setHeader('set-cookie', ['a=1', 'b=2'])
      response.setHeader('trailer', 'x-sum')
      response.write('hello')
      response.addTrailers({ 'x-sum': '5' })
      response.end()
    })
    const { statusCode, statusText, headers, body, trailers } = await dispatcher.request({
      origin,
      path: '/',
      method: 'GET',
    })
    expect([statusCode, statusText, await body.text()]).toEqual([200, 'OK', 'hello'])
    expect(headers['set-cookie']).toEqual(['a=1', 'b=2'])
    expect(trailers).toEqual({ 'x-sum': '5' })
    expect(log).toEqual(['success 200'])
  })

  test('the names and values of raw headers keep their order and case', async () => {
    const { dispatcher, origin } = await guarded((_request, response) => {
      response.writeHead(200, ['X-Multi', '1', 'x-multi', '2'])
      response.end()
    })
    const { headers, body } = await dispatcher.request({ origin, path: '/', method: 'GET', responseHeaders: 'raw' })
    await body.dump()
    expect((headers as unknown as string[]).slice(0, 4)).toEqual(['X-Multi', '1', 'x-multi', '2'])
  })

  test.each([
    [503, 'failure'],
    [408, 'failure'],
    [501, 'success'],
    [404, 'success'],
    [429, 'ignored'],
  ])('%i is a %s', async (status, verdict) => {
    const { dispatcher, log, origin } = await guarded((_request, response) => {
      response.writeHead(status)
      response.end('why')
    })
    const { statusCode, body } = await dispatcher.request({ origin, path: '/', method: 'GET' })
    expect([statusCode, await body.text()]).toEqual([status, 'why'])
    expect(log).toEqual([`${verdict} ${status}`])
  })

  test('a HEAD is answered without a body', async () => {
    const { dispatcher, log, origin } = await guarded((_request, response) => {
      response.writeHead(200, { 'content-length': 5 })
      response.end()
    })
    const { headers, body } = await dispatcher.request({ origin, path: '/', method: 'HEAD' })
    expect([headers['content-length'], await body.text()]).toEqual(['5', ''])
    expect(log).toEqual(['success 200'])
  })

  test('a 103 is no answer yet', async () => {
    const { dispatcher, log, origin } = await guarded((_request, response) => {
      response.writeEarlyHints({ link: '</style.css>; rel=preload' })
      response.writeHead(503)
      response.end()
    })
    const seen: number[] = []
    const onInfo = ({ statusCode }: { statusCode: number }): unknown => seen.push(statusCode)
    const { body } = await dispatcher.request({ origin, path: '/', method: 'GET', onInfo })
    await body.dump()
    expect(seen).toEqual([103])
    expect(log).toEqual(['failure 503'])
  })

  test('a refused connection and a reset are failures', async () => {
    const { dispatcher, log, origin, server } = await guarded((request) => request.socket.resetAndDestroy())
    await expect(dispatcher.request({ origin, path: '/', method: 'GET' })).rejects.toThrow('ECONNRESET')
    await close(server)
    await expect(dispatcher.request({ origin, path: '/', method: 'GET' })).rejects.toThrow('ECONNREFUSED')
    expect(log).toEqual(['failure ECONNRESET', 'failure ECONNREFUSED'])
  })

  test('a body that breaks makes a failure of a success, once', async () => {
    const { dispatcher, log, origin } = await guarded((_request, response) => {
      response.writeHead(200, { 'content-length': 100 })
      response.write('0123456789')
      setTimeout(() => response.destroy(), 20)
    })
    const { body } = await dispatcher.request({ origin, path: '/', method: 'GET' })
    await expect(body.text()).rejects.toThrow('other side closed')
    expect(log).toEqual(['success 200', 'amended: failure UND_ERR_SOCKET'])
  })

  test('a caller who gives up says nothing of the host: before the head, and in the body', async () => {
    const { dispatcher, log, origin, board } = await guarded((request, response) => {
      if (request.url === '/body') response.write('half')
    })
    const controller = new AbortController()
    setTimeout(() => controller.abort(), 20)
    const call = dispatcher.request({ origin, path: '/', method: 'GET', signal: controller.signal })
    await expect(call).rejects.toThrow('This operation was aborted')
    const { body } = await dispatcher.request({ origin, path: '/body', method: 'GET' })
    const closed = new Promise((done) => body.on('error', () => {}).once('close', done))
    body.destroy()
    await closed
    expect(log).toEqual(['ignored AbortError', 'success 200'])
    expect(inFlight(board, origin)).toBe(0)
  })

  test('a time-out is a failure: before the head, and in the body', async () => {
    const { dispatcher, log, origin } = await guarded((request, response) => {
      if (request.url === '/body') response.write('half')
    })
    const before = dispatcher.request({ origin, path: '/', method: 'GET', signal: AbortSignal.timeout(20) })
    await expect(before).rejects.toThrow('timeout')
    const { body } = await dispatcher.request({ origin, path: '/body', method: 'GET', signal: AbortSignal.timeout(60) })
    await expect(body.text()).rejects.toThrow('timeout')
    await expect.poll(() => log).toEqual(['failure TimeoutError', 'success 200', 'amended: failure UND_ERR_ABORTED'])
  })

  test("undici's own time-outs are deadlines", async () => {
    const causes: unknown[] = []
    const { dispatcher, origin } = await guarded(() => {}, {
      classify: (outcome) => void ('cause' in outcome && causes.push(outcome.cause)),
    })
    const call = dispatcher.request({ origin, path: '/', method: 'GET', headersTimeout: 100 })
    await expect(call).rejects.toThrow(errors.HeadersTimeoutError)
    expect(causes).toEqual(['deadline'])
  })

  test("the caller's mistakes say nothing of the host, and hold no place", async () => {
    const { dispatcher, log, origin, board } = await guarded((_request, response) => response.end())
    const wrong: [Partial<Dispatcher.RequestOptions>, string][] = [
      [{ headers: { 'bad name': 'x' } }, 'UND_ERR_INVALID_ARG'],
      [{ headers: { expect: '100-continue' } }, 'UND_ERR_NOT_SUPPORTED'],
      [{ method: 'POST', headers: { 'content-length': '5' }, body: 'abc' }, 'UND_ERR_REQ_CONTENT_LENGTH_MISMATCH'],
    ]
    for (const [options, code] of wrong) {
      const call = dispatcher.request({ origin, path: '/', method: 'GET', ...options })
      await expect(call).rejects.toMatchObject({ code })
    }
    expect(log.filter((entry) => !entry.startsWith('ignored'))).toEqual([])
    expect(inFlight(board, origin)).toBe(0)
  })

  test("a request body that breaks by itself is the caller's affair", async () => {
    const { dispatcher, log, origin, board } = await guarded((request) => void request.resume())
    const body = new Readable({ read() {} })
    setTimeout(() => body.destroy(new Error('no such file')), 20)
    const call = dispatcher.request({ origin, path: '/', method: 'POST', body })
    await expect(call).rejects.toThrow('no such file')
    expect(log).toEqual(['ignored none'])
    expect(inFlight(board, origin)).toBe(0)
  })

  test('what the handler below throws says nothing of the host', async () => {
    const { dispatcher, log, origin, board } = await guarded((_request, response) => response.end('hello'))
    const stream = dispatcher.stream({ origin, path: '/', method: 'GET' }, () => {
      throw new Error('no disk')
    })
    await expect(stream).rejects.toThrow('no disk')
    expect(log).toEqual(['success 200'])
    expect(inFlight(board, origin)).toBe(0)
  })

  test('an upgrade and a CONNECT are settled when the socket is handed over', async () => {
    const { dispatcher, log, origin, server } = await guarded((_request, response) => response.end())
    server.on('upgrade', (request, socket) =>
      accept(
        request,
        socket as Socket,
        'HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: echo\r\n\r\n',
      ),
    )
    server.on('connect', (request, socket) => accept(request, socket as Socket, 'HTTP/1.1 200 OK\r\n\r\n'))
    const upgraded = await dispatcher.upgrade({ origin, path: '/', protocol: 'echo' } as Dispatcher.UpgradeOptions)
    expect(upgraded.headers.upgrade).toBe('echo')
    const connected = await dispatcher.connect({ origin, path: 'a.test:443' })
    for (const { socket } of [upgraded, connected]) {
      socket.write('hello')
      expect(String((await once(socket, 'data'))[0])).toBe('hello')
      socket.destroy()
    }
    expect(log).toEqual(['success 101', 'success 200'])
  })

  test('an unread body holds no place', async () => {
    const { dispatcher, origin, board } = await guarded((_request, response) => response.end(Buffer.alloc(1_000_000)))
    const { body } = await dispatcher.request({ origin, path: '/', method: 'GET' })
    expect(inFlight(board, origin)).toBe(0)
    body.on('error', () => {}).destroy()
  })

  test('a reader who waits slows the host down, and gets all of it', async () => {
    let sent = 0
    const { dispatcher, origin } = await guarded((_request, response) => {
      const chunk = Buffer.alloc(65_536, 'x')
      const more = (): unknown => (++sent > 300 ? response.end() : response.write(chunk, more))
      more()
    })
    const { body } = await dispatcher.request({ origin, path: '/', method: 'GET' })
    await new Promise((done) => setTimeout(done, 200))
    expect(sent).toBeLessThan(300)
    expect((await body.arrayBuffer()).byteLength).toBe(300 * 65_536)
  })
})

describe('a refusal', () => {
  test('is the error itself in request, stream, upgrade and connect, and nothing is sent', async () => {
    const { dispatcher, origin, board, requests } = await guarded((_request, response) => response.end())
    trip(board, origin)
    const options = { origin, path: '/', method: 'GET' } as const
    const calls = [
      dispatcher.request(options),
      dispatcher.stream(options, () => new PassThrough()),
      dispatcher.upgrade(options),
      dispatcher.connect(options),
    ]
    for (const call of calls) {
      const error: unknown = await call.then(
        () => undefined,
        (error: unknown) => error,
      )
      expect(circuitOpen(error)).toBe(error)
      expect(error).toMatchObject({ code: 'EOPENBREAKER', reason: 'open', host: new URL(origin).host })
    }
    expect(requests()).toBe(0)
  })

  test('comes after the caller could listen: a pipeline has an error event', async () => {
    const { dispatcher, origin, board } = await guarded((_request, response) => response.end())
    trip(board, origin)
    const pipeline = dispatcher.pipeline({ origin, path: '/', method: 'POST' }, ({ body }) => body)
    const [error] = (await once(pipeline, 'error')) as [unknown]
    expect(circuitOpen(error)).toBeDefined()
  })

  test('destroys the stream of a body, as every failed request of undici does', async () => {
    const { dispatcher, origin, board } = await guarded((_request, response) => response.end())
    trip(board, origin)
    const body = new PassThrough()
    await expect(dispatcher.request({ origin, path: '/', method: 'POST', body })).rejects.toThrow('is open')
    expect(body.destroyed).toBe(true)
  })

  test('is not retried', async () => {
    const { dispatcher, origin, board } = await guarded((_request, response) => response.end())
    const refused: unknown[] = []
    board.on('refused', (event) => refused.push(event))
    trip(board, origin)
    const retrying = dispatcher.compose(interceptors.retry({ minTimeout: 1 }))
    await expect(retrying.request({ origin, path: '/', method: 'GET' })).rejects.toThrow('is open')
    expect(refused).toHaveLength(1)
  })
})

describe('among other interceptors', () => {
  test('inside retry each attempt counts, and what RetryHandler throws does not', async () => {
    const { dispatcher, log, origin, board } = await guarded(flaky(2))
    const retrying = dispatcher.compose(interceptors.retry({ minTimeout: 1 }))
    const { body } = await retrying.request({ origin, path: '/', method: 'GET' })
    expect(await body.text()).toBe('hello')
    expect(log).toEqual(['failure 503', 'failure 503', 'success 200'])
    expect(inFlight(board, origin)).toBe(0)
  })

  test('inside a RetryAgent too', async () => {
    const { dispatcher, log, origin } = await guarded(flaky(1))
    const retrying = new RetryAgent(dispatcher, { minTimeout: 1 })
    const { body } = await retrying.request({ origin, path: '/', method: 'GET' })
    expect(await body.text()).toBe('hello')
    expect(log).toEqual(['failure 503', 'success 200'])
  })

  test('inside retry, a circuit that opens ends the retries', async () => {
    const { dispatcher, log, origin, requests } = await guarded(flaky(9), { consecutiveFailures: 2 })
    const retrying = dispatcher.compose(interceptors.retry({ minTimeout: 1, maxRetries: 5 }))
    await expect(retrying.request({ origin, path: '/', method: 'GET' })).rejects.toMatchObject({ code: 'EOPENBREAKER' })
    expect([log, requests()]).toEqual([['failure 503', 'failure 503'], 2])
  })

  test('outside retry a call counts once, by its last status', async () => {
    const retry = interceptors.retry({ minTimeout: 1, maxRetries: 1 })
    const once = await guarded(flaky(1), never, [retry])
    await (await once.dispatcher.request({ origin: once.origin, path: '/', method: 'GET' })).body.dump()
    expect(once.log).toEqual(['success 200'])
    const all = await guarded(flaky(9), never, [retry])
    const call = all.dispatcher.request({ origin: all.origin, path: '/', method: 'GET' })
    await expect(call).rejects.toThrow('Request failed')
    expect(all.log).toEqual(['failure 503'])
  })

  test('on either side of responseError an error status counts by its status', async () => {
    const inside = await guarded(flaky(9))
    const call = inside.dispatcher.compose(interceptors.responseError())
    await expect(call.request({ origin: inside.origin, path: '/', method: 'GET' })).rejects.toThrow('Response Error')
    expect(inside.log).toEqual(['failure 503'])

    const outside = await guarded(flaky(9), never, [interceptors.responseError()])
    const options = { origin: outside.origin, path: '/', method: 'GET' } as const
    await expect(outside.dispatcher.request(options)).rejects.toThrow('Response Error')
    expect(outside.log).toEqual(['failure 503'])
  })

  test('inside redirect each hop counts on its own host', async () => {
    const target = await serve((_request, response) => response.end('there'))
    const { dispatcher, log, origin } = await guarded((_request, response) => {
      response.writeHead(302, { location: `${target.origin}/x` })
      response.end()
    })
    const following = dispatcher.compose(interceptors.redirect({ maxRedirections: 3 }))
    const { body } = await following.request({ origin, path: '/', method: 'GET' })
    expect(await body.text()).toBe('there')
    expect(log).toEqual(['success 302', 'success 200'])
  })

  test('inside redirect too many hops are nobody but the caller to blame', async () => {
    const { dispatcher, log, origin, board } = await guarded((request, response) => {
      response.writeHead(302, { location: `${request.url}x` })
      response.end()
    })
    const following = dispatcher.compose(interceptors.redirect({ maxRedirections: 2, throwOnMaxRedirect: true }))
    await expect(following.request({ origin, path: '/', method: 'GET' })).rejects.toThrow('max redirects')
    expect(log).toEqual(['success 302', 'success 302', 'success 302'])
    expect(inFlight(board, origin)).toBe(0)
  })

  test('inside cache a hit is free, and is served while the circuit is open', async () => {
    const { dispatcher, log, origin, board, requests } = await guarded((_request, response) => {
      response.setHeader('cache-control', 'max-age=60')
      response.end('hello')
    })
    const cached = dispatcher.compose(interceptors.cache({ store: new cacheStores.MemoryCacheStore() }))
    const options = { origin, path: '/', method: 'GET' } as const
    for (let i = 0; i < 3; i++) {
      const { body } = await cached.request(options)
      expect(await body.text()).toBe('hello')
      if (i === 1) trip(board, origin)
    }
    expect([log, requests()]).toEqual([['success 200'], 1])
    await expect(cached.request({ ...options, path: '/other' })).rejects.toMatchObject({ code: 'EOPENBREAKER' })
  })

  test("inside cache a refusal is an error that the origin's own stale-if-error covers", async () => {
    const { dispatcher, origin, board, requests } = await guarded((_request, response) => {
      response.setHeader('cache-control', 'max-age=0, stale-if-error=600')
      response.setHeader('etag', '"1"')
      response.end('hello')
    })
    const cached = dispatcher.compose(interceptors.cache({ store: new cacheStores.MemoryCacheStore() }))
    const options = { origin, path: '/', method: 'GET' } as const
    await (await cached.request(options)).body.dump()
    trip(board, origin)
    const { headers, body } = await cached.request(options)
    expect([await body.text(), headers.warning]).toEqual(['hello', '110 - "response is stale"'])
    expect(requests()).toBe(1)
  })

  test('outside dns the circuit is that of the name', async () => {
    const { server, origin } = await serve((_request, response) => response.end('hello'))
    const board = createBoard(never)
    const log = logOf(board)
    const dns = interceptors.dns({ lookup: lookup as never })
    const agent = new Agent().compose(dns, breaker(board))
    onTestFinished(() => agent.destroy())
    const { port } = server.address() as AddressInfo
    const { body } = await agent.request({ origin: `http://verses.test:${port}`, path: '/', method: 'GET' })
    expect([await body.text(), log]).toEqual(['hello', ['success 200']])
    expect(board.peek(`verses.test:${port}`)).toBeDefined()
    expect(board.peek(new URL(origin).host)).toBeUndefined()
  })

  test('twice in a row it counts once; of two boards each counts', async () => {
    const { dispatcher, log, origin, board } = await guarded((_request, response) => response.end('hello'))
    const other = createBoard(never)
    const otherLog = logOf(other)
    const twice = dispatcher.compose(breaker(board), breaker(other))
    const { headers, body } = await twice.request({ origin, path: '/', method: 'GET' })
    expect([await body.text(), headers['content-length']]).toEqual(['hello', '5'])
    expect([log, otherLog]).toEqual([['success 200'], ['success 200']])
  })

  test('over a MockAgent replies and errors of mocks are judged', async () => {
    const mock = new MockAgent()
    mock.disableNetConnect()
    onTestFinished(() => mock.close())
    const board = createBoard(never)
    const log = logOf(board)
    const dispatcher = mock.compose(breaker(board))
    const pool = mock.get('http://verses.test')
    pool.intercept({ path: '/ok' }).reply(200, { a: 1 })
    pool.intercept({ path: '/down' }).replyWithError(Object.assign(new Error('reset'), { code: 'ECONNRESET' }))
    const ask = (path: string): Promise<Dispatcher.ResponseData> =>
      dispatcher.request({ origin: 'http://verses.test', path, method: 'GET' })
    expect(await (await ask('/ok')).body.json()).toEqual({ a: 1 })
    await expect(ask('/down')).rejects.toThrow('reset')
    await expect(ask('/none')).rejects.toMatchObject({ code: 'UND_MOCK_ERR_MOCK_NOT_MATCHED' })
    expect(log.slice(0, 2)).toEqual(['success 200', 'failure ECONNRESET'])
    expect(log.slice(2).filter((entry) => !entry.startsWith('ignored'))).toEqual([])
  })
})

describe('the seam', () => {
  test('an attempt that an outer layer handed down is settled here, and counts once', async () => {
    const { dispatcher, log, origin, board } = await guarded((_request, response) => {
      response.writeHead(503)
      response.end()
    })
    const attempt = board.attempt({ method: 'GET', url: `${origin}/` })
    const options = { origin, path: '/', method: 'GET', [ATTEMPT]: attempt } as const
    await (await dispatcher.request(options)).body.dump()
    expect(attempt.settle({ status: 200 })).toBe('failure')
    expect(log).toEqual(['failure 503'])
    await (await dispatcher.request(options)).body.dump()
    expect(log).toEqual(['failure 503', 'failure 503'])
  })

  test('headers that a fallback wants on the wire are added, and the options of the caller are as they were', async () => {
    const { dispatcher, origin } = await guarded(
      (request, response) => response.end(request.headers['idempotency-key']),
      {
        fallback: { prepare: () => [['idempotency-key', 'k1']], standIn: () => undefined },
      },
    )
    const headers = { a: '1' }
    const { body } = await dispatcher.request({ origin, path: '/', method: 'POST', headers })
    expect([await body.text(), headers]).toEqual(['k1', { a: '1' }])
  })

  test('what is no request at all is for undici to complain of', async () => {
    const { dispatcher } = await guarded((_request, response) => response.end())
    const dispatch = dispatcher.dispatch.bind(dispatcher) as (options: unknown, handler: unknown) => boolean
    expect(() => dispatch({}, null)).toThrow('handler must be an object')
    expect(() => dispatch(null, {})).toThrow('opts must be an object')
    await expect(dispatcher.request({ origin: 'no url', path: '/', method: 'GET' })).rejects.toThrow('Invalid URL')
  })

  test('wrong options are told when the interceptor is made', () => {
    expect(() => breaker({ failureRate: 50 })).toThrow('failureRate must be')
  })

  test('a dispatcher that is to be guarded without compose is told how', () => {
    const agent = new Agent()
    const message = 'breaker() is for compose: agent.compose(breaker()), got object'
    expect(() => breaker()(agent as never)).toThrow(new TypeError(message))
  })
})

interface Served {
  readonly server: Server
  readonly origin: string
  readonly requests: () => number
}

async function serve(listener: RequestListener): Promise<Served> {
  let requests = 0
  const server = createServer((request, response) => {
    requests++
    listener(request, response)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => close(server))
  const { port } = server.address() as AddressInfo
  return { server, origin: `http://127.0.0.1:${port}`, requests: () => requests }
}

async function close(server: Server): Promise<void> {
  server.closeAllConnections()
  await new Promise((done) => server.close(done))
}

interface Guarded extends Served {
  readonly board: Board
  readonly dispatcher: Dispatcher
  readonly log: string[]
}

async function guarded(
  listener: RequestListener,
  options: BoardOptions = never,
  inner: Dispatcher.DispatcherComposeInterceptor[] = [],
): Promise<Guarded> {
  const served = await serve(listener)
  const board = createBoard(options)
  const dispatcher = new Agent().compose(...inner, breaker(board))
  onTestFinished(() => dispatcher.destroy())
  return { ...served, board, dispatcher, log: logOf(board) }
}

function logOf(board: Board): string[] {
  const log: string[] = []
  board.on('settled', ({ verdict, status, error, amended }) =>
    log.push(`${amended ? 'amended: ' : ''}${verdict} ${amended ? nameOf(error) : (status ?? nameOf(error))}`),
  )
  return log
}

function nameOf(error: unknown): string {
  const { name, code } = (error ?? {}) as { name?: string; code?: unknown }
  return typeof code === 'string' ? code : (name ?? 'none')
}

const hostOf = (origin: string): string => new URL(origin).host
const trip = (board: Board, origin: string): void => board.circuit(hostOf(origin)).trip('60s')
const inFlight = (board: Board, origin: string): number => board.circuit(hostOf(origin)).counters.inFlight
