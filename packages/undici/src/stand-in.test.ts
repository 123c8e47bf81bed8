// Stand-ins as answers of undici.
import { once } from 'node:events'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { PassThrough, Writable } from 'node:stream'
import { gzipSync } from 'node:zlib'
import {
  createBoard,
  isFallback,
  reply,
  staleIfError,
  type Board,
  type BoardOptions,
  type FallbackOption,
} from '@fuseboard/core'
import { Agent, fetch, interceptors, MockAgent, type Dispatcher } from 'undici'
import { describe, expect, onTestFinished, test } from 'vitest'
import { breaker } from './breaker.ts'

const down: RequestListener = (_request, response) => {
  response.writeHead(503)
  response.end('down')
}

const large: RequestListener = (_request, response) => {
  response.writeHead(
    503,
    [
      ['trailer', 'x-sum'],
      ['set-cookie', 'a=1'],
      ['set-cookie', 'b=2'],
    ].flat(),
  )
  response.write('x'.repeat(200_000))
  response.addTrailers({ 'x-sum': '5' })
  response.end()
}

const neverAnswers = async (): Promise<undefined> => new Promise(() => {})

const made = reply({
  status: 203,
  statusText: 'Made',
  headers: [
    ['x-multi', '1'],
    ['x-multi', '2'],
  ],
  json: { made: true },
})

describe('a stand-in', () => {
  test('answers in place of a refusal, and nothing is sent', async () => {
    const { dispatcher, origin, board, requests } = await guarded(down, made)
    trip(board, origin)
    const data = await dispatcher.request({ origin, path: '/', method: 'GET' })
    expect([data.statusCode, data.statusText, await data.body.json()]).toEqual([203, 'Made', { made: true }])
    expect(data.headers).toMatchObject({ 'x-multi': ['1', '2'], 'content-type': 'application/json' })
    expect(isFallback(data)).toMatchObject({ source: 'made', reason: 'refused' })
    expect([data.trailers, requests()]).toEqual([{}, 0])
  })

  test('answers in place of a failing answer, and of none', async () => {
    const { dispatcher, origin, server, board } = await guarded(down, made)
    const failing = await dispatcher.request({ origin, path: '/', method: 'GET' })
    expect(await failing.body.json()).toEqual({ made: true })
    expect(isFallback(failing)).toMatchObject({ reason: 'failed', masked: { status: 503 } })
    await close(server)
    const none = await dispatcher.request({ origin, path: '/', method: 'GET' })
    expect(await none.body.json()).toEqual({ made: true })
    expect(isFallback(none)).toMatchObject({ reason: 'failed', masked: { error: { code: 'ECONNREFUSED' } } })
    expect(board.circuit(hostOf(origin)).counters.inFlight).toBe(0)
  })

  test('comes through fetch with its repeated headers, and as raw headers where those are asked for', async () => {
    const { dispatcher, origin } = await guarded(down, cookies)
    const response = await fetch(origin, { dispatcher })
    expect([response.status, response.statusText, await response.text()]).toEqual([200, 'Stood in', 'hello'])
    expect(response.headers.getSetCookie()).toEqual(['a=1', 'b=2'])
    expect(isFallback(response)).toMatchObject({ source: 'made' })
    const { headers, body } = await dispatcher.request({ origin, path: '/', method: 'GET', responseHeaders: 'raw' })
    await body.dump()
    expect(headers).toEqual(['Set-Cookie', 'a=1', 'Set-Cookie', 'b=2', 'cache-status', 'Fuseboard; detail=made'])
  })

  test('has no body where the method or the status has none', async () => {
    const { dispatcher, origin } = await guarded(down, ({ request }) =>
      request.method === 'HEAD' ? { ...answer, headers: [['content-length', '5']] } : { ...answer, status: 204 },
    )
    const head = await dispatcher.request({ origin, path: '/', method: 'HEAD' })
    expect([head.statusCode, head.headers['content-length'], await head.body.text()]).toEqual([200, '5', ''])
    const empty = await dispatcher.request({ origin, path: '/', method: 'DELETE' })
    expect([empty.statusCode, await empty.body.text()]).toEqual([204, ''])
  })

  test('is whole where its reader comes late', async () => {
    const { dispatcher, origin } = await guarded(down, reply({ text: 'x'.repeat(300_000) }))
    const { body } = await dispatcher.request({ origin, path: '/', method: 'GET' })
    await new Promise((done) => setTimeout(done, 50))
    expect(await body.text()).toHaveLength(300_000)
    expect(await (await fetch(origin, { dispatcher })).text()).toHaveLength(300_000)
  })

  test('goes no faster than it is read, and ends where the reader gives up', async () => {
    const { dispatcher, origin, board } = await guarded(down, reply({ text: 'x'.repeat(300_000) }))
    trip(board, origin)
    const seen: string[] = []
    const handler: Dispatcher.DispatchHandler & { controller?: Dispatcher.DispatchController } = {
      onRequestStart(controller) {
        handler.controller = controller
      },
      onResponseStart: (controller) => controller.pause(),
      onResponseData(controller, chunk) {
        seen.push(`${chunk.length}`)
        controller.pause()
      },
      onResponseEnd: () => void seen.push('end'),
      onResponseError: (_controller, error) => void seen.push(error.message),
    }
    dispatcher.dispatch({ origin, path: '/', method: 'GET' }, handler)
    await expect.poll(() => handler.controller?.paused).toBe(true)
    expect(seen).toEqual([])
    handler.controller?.resume()
    handler.controller?.resume()
    expect(seen).toEqual(['65536', '65536'])
    handler.controller?.abort(new Error('enough'))
    handler.controller?.resume()
    expect(seen).toEqual(['65536', '65536', 'enough'])
  })

  test('waits for the stream that it is written to', async () => {
    const { dispatcher, origin } = await guarded(down, reply({ text: 'x'.repeat(300_000) }))
    let written = 0
    const slow = new Writable({
      highWaterMark: 1,
      write(chunk: Buffer, _encoding, done) {
        written += chunk.length
        setImmediate(done)
      },
    })
    await dispatcher.stream({ origin, path: '/', method: 'GET' }, () => slow)
    expect(written).toBe(300_000)
  })

  test('is not asked for what asks for a socket', async () => {
    const { dispatcher, origin, board } = await guarded(down, made)
    trip(board, origin)
    await expect(dispatcher.upgrade({ origin, path: '/' } as Dispatcher.UpgradeOptions)).rejects.toThrow('is open')
    await expect(dispatcher.connect({ origin, path: 'a.test:443' })).rejects.toThrow('is open')
  })

  test('lets go of the body of a request that is never sent', async () => {
    const { dispatcher, origin, board } = await guarded(down, reply({ text: 'queued', methods: ['POST'] }))
    trip(board, origin)
    const sent = new PassThrough()
    const { body } = await dispatcher.request({ origin, path: '/', method: 'POST', body: sent })
    expect([await body.text(), sent.destroyed]).toEqual(['queued', true])
  })

  test('ends the retries of a failing host', async () => {
    const { dispatcher, origin, requests } = await guarded(down, made)
    const retrying = dispatcher.compose(interceptors.retry({ minTimeout: 1 }))
    const { body } = await retrying.request({ origin, path: '/', method: 'GET' })
    expect([await body.json(), requests()]).toEqual([{ made: true }, 1])
  })

  test('that is a failure itself is judged by the client, as the answer of a host', async () => {
    const { dispatcher, origin, board } = await guarded(down, reply({ status: 503, text: 'sorry' }))
    trip(board, origin)
    const strict = dispatcher.compose(interceptors.responseError())
    await expect(strict.request({ origin, path: '/', method: 'GET' })).rejects.toMatchObject({ statusCode: 503 })
    const retrying = dispatcher.compose(interceptors.retry({ minTimeout: 1, maxRetries: 2 }))
    await expect(retrying.request({ origin, path: '/', method: 'GET' })).rejects.toMatchObject({ statusCode: 503 })
  })

  test('takes the place of a mock, which hears no pause', async () => {
    const mock = new MockAgent()
    onTestFinished(() => mock.close())
    const pool = mock.get('http://verses.test')
    pool.intercept({ path: '/' }).reply(503, 'down').persist()
    const ask = (fallback: FallbackOption): Promise<Dispatcher.ResponseData> =>
      mock
        .compose(breaker(createBoard({ fallback })))
        .request({ origin: 'http://verses.test', path: '/', method: 'GET' })
    expect(await (await ask(made)).body.json()).toEqual({ made: true })
    const original = await ask(async () => undefined)
    expect([original.statusCode, await original.body.text()]).toEqual([503, 'down'])
  })
})

describe('where nothing stands in', () => {
  test('the answer is handed on as it came: body, repeats, trailers', async () => {
    const { dispatcher, origin } = await guarded(large, async () => undefined)
    const { statusCode, headers, body, trailers } = await dispatcher.request({ origin, path: '/', method: 'GET' })
    expect([statusCode, headers['set-cookie']]).toEqual([503, ['a=1', 'b=2']])
    expect([(await body.text()).length, trailers]).toEqual([200_000, { 'x-sum': '5' }])
    expect(isFallback({ headers })).toBeUndefined()
  })

  test('a HEAD and an empty answer are handed on too', async () => {
    const { dispatcher, origin } = await guarded(
      (_request, response) => {
        response.writeHead(503, { 'content-length': 0 })
        response.end()
      },
      async () => undefined,
    )
    for (const method of ['HEAD', 'GET'] as const) {
      const { statusCode, body } = await dispatcher.request({ origin, path: '/', method })
      expect([statusCode, await body.text()]).toEqual([503, ''])
    }
  })

  test('the refusal, or the error, is handed on', async () => {
    const { dispatcher, origin, board, server } = await guarded(down, async () => undefined)
    await close(server)
    await expect(dispatcher.request({ origin, path: '/', method: 'GET' })).rejects.toMatchObject({
      code: 'ECONNREFUSED',
    })
    trip(board, origin)
    await expect(dispatcher.request({ origin, path: '/', method: 'GET' })).rejects.toMatchObject({
      code: 'EOPENBREAKER',
    })
  })

  test('a failing answer is retried as without a fallback', async () => {
    let calls = 0
    const { dispatcher, origin } = await guarded(
      (request, response) => (calls++ < 2 ? down(request, response) : void response.end('well')),
      async () => undefined,
    )
    const retrying = dispatcher.compose(interceptors.retry({ minTimeout: 1 }))
    const { body } = await retrying.request({ origin, path: '/', method: 'GET' })
    expect([await body.text(), calls]).toEqual(['well', 3])
  })

  test('a body that broke meanwhile breaks for the caller', async () => {
    const { dispatcher, origin, sockets } = await guarded(
      (_request, response) => {
        response.writeHead(503, { 'content-length': 100 })
        response.write('0123456789')
      },
      async () => {
        for (const socket of sockets) socket.destroy()
        await new Promise((done) => setTimeout(done, 50))
        return undefined
      },
    )
    const { statusCode, body } = await dispatcher.request({ origin, path: '/', method: 'GET' })
    expect(statusCode).toBe(503)
    await expect(body.text()).rejects.toThrow('other side closed')
  })

  test('what the handler below throws then is told to it', async () => {
    const { dispatcher, origin } = await guarded(down, async () => undefined)
    const stream = dispatcher.stream({ origin, path: '/', method: 'GET' }, () => {
      throw new Error('no disk')
    })
    await expect(stream).rejects.toThrow('no disk')
  })

  test('a fallback that fails is no stand-in', async () => {
    const { dispatcher, origin } = await guarded(down, async () => Promise.reject(new Error('broken fallback')))
    const { statusCode, body } = await dispatcher.request({ origin, path: '/', method: 'GET' })
    expect([statusCode, await body.text()]).toEqual([503, 'down'])
  })
})

describe('while a stand-in is asked for', () => {
  test.each([
    ['refused', true],
    ['failed', false],
  ])('the caller of a request that was %s may give up', async (_name, open) => {
    const { dispatcher, origin, board, sockets } = await guarded(down, neverAnswers)
    if (open) trip(board, origin)
    const request = { origin, path: '/', method: 'GET', signal: AbortSignal.timeout(50) } as const
    await expect(dispatcher.request(request)).rejects.toThrow('timeout')
    await expect(fetch(origin, { dispatcher, signal: AbortSignal.timeout(50) })).rejects.toThrow('timeout')
    await expect.poll(() => sockets.size).toBe(0)
  })

  test('and so may the caller of a host that is not there', async () => {
    const { dispatcher, origin, server } = await guarded(down, neverAnswers)
    await close(server)
    const request = { origin, path: '/', method: 'GET', signal: AbortSignal.timeout(50) } as const
    await expect(dispatcher.request(request)).rejects.toThrow('timeout')
  })
})

describe('a masked answer', () => {
  test('gives its connection back: a hundred of them need two at most', async () => {
    const { dispatcher, origin, connections, requests } = await guarded(down, made, {
      failureRate: false,
      consecutiveFailures: false,
    })
    for (let i = 0; i < 100; i++) {
      const { body } = await dispatcher.request({ origin, path: '/', method: 'GET' })
      await body.dump()
    }
    expect(requests()).toBe(100)
    expect(connections()).toBeLessThanOrEqual(2)
  })

  test.each([
    ['that says so', { 'content-length': '10000000' }],
    ['that does not', {}],
  ])('is not read to its end where it is large: one %s', async (_name, headers) => {
    let sent = 0
    const { dispatcher, origin, sockets } = await guarded((_request, response) => {
      response.writeHead(503, headers)
      const more = (): unknown =>
        sent >= 10_000_000
          ? response.end()
          : response.write(Buffer.alloc(100_000), () => void (sent += 100_000)) || undefined
      response.on('drain', more)
      const timer = setInterval(more, 1)
      response.on('close', () => clearInterval(timer))
    }, made)
    const { body } = await dispatcher.request({ origin, path: '/', method: 'GET' })
    expect(await body.json()).toEqual({ made: true })
    await expect.poll(() => sockets.size).toBe(0)
    expect(sent).toBeLessThan(10_000_000)
  })

  test('is not waited for for ever', async () => {
    const { dispatcher, origin, sockets } = await guarded((_request, response) => {
      response.writeHead(503)
      response.write('and then')
    }, made)
    const { body } = await dispatcher.request({ origin, path: '/', method: 'GET' })
    expect(await body.json()).toEqual({ made: true })
    await expect.poll(() => sockets.size, { timeout: 5_000 }).toBe(0)
  })
})

describe('a stored answer', () => {
  test('is captured as it passes, bytes as on the wire, and stands in with them', async () => {
    const zipped = gzipSync('In the beginning')
    let well = true
    const { dispatcher, origin } = await guarded(
      (request, response) => {
        if (!well) return down(request, response)
        response.writeHead(200, {
          'content-type': 'text/plain',
          'content-encoding': 'gzip',
          'content-length': zipped.length,
        })
        response.end(zipped)
      },
      staleIfError({ keepFor: '1d' }),
    )
    expect(await (await fetch(origin, { dispatcher })).text()).toBe('In the beginning')
    well = false
    const response = await fetch(origin, { dispatcher })
    expect(await response.text()).toBe('In the beginning')
    expect(isFallback(response)).toMatchObject({ source: 'stored', reason: 'failed', masked: { status: 503 } })
    const { headers, body } = await dispatcher.request({ origin, path: '/', method: 'GET' })
    expect(headers['content-encoding']).toBe('gzip')
    expect(Buffer.from(await body.arrayBuffer())).toEqual(zipped)
  })

  test('is none where it came after a redirect that was followed below', async () => {
    let well = true
    const { dispatcher, origin, board } = await guarded(
      ({ url }, response) => {
        if (!well) response.writeHead(503)
        else if (url === '/me') response.writeHead(302, { location: '/u/alice' })
        else response.setHeader('cache-control', 'public, max-age=60')
        response.end('of alice')
      },
      staleIfError(),
      {},
      [interceptors.redirect({ maxRedirections: 1 })],
    )
    const ask = async (path: string): Promise<number> => {
      const headers = { authorization: 'Bearer alice' }
      const { statusCode, body } = await dispatcher.request({ origin, path, method: 'GET', headers })
      await body.dump()
      return statusCode
    }
    expect([await ask('/me'), await ask('/u/alice')]).toEqual([200, 200])
    well = false
    expect([await ask('/me'), await ask('/u/alice')]).toEqual([503, 200])
    expect(board.replyCounters.unkept).toEqual({ redirected: 1 })
  })

  test.each([
    ['breaks', (response: { destroy: () => void }) => response.destroy()],
    ['is given up', (_response: unknown, body: Dispatcher.ResponseData['body']) => body.destroy()],
  ])('is none where its body %s', async (_name, end) => {
    let well = true
    const answers: { destroy: () => void }[] = []
    const { dispatcher, origin } = await guarded(
      (request, response) => {
        if (!well) return down(request, response)
        answers.push(response)
        response.write('half')
      },
      staleIfError({ keepFor: '1d' }),
    )
    const { body } = await dispatcher.request({ origin, path: '/', method: 'GET' })
    const closed = new Promise((done) => body.on('error', () => {}).once('close', done))
    body.resume()
    end(answers[0] as { destroy: () => void }, body)
    await closed
    well = false
    const after = await dispatcher.request({ origin, path: '/', method: 'GET' })
    expect([after.statusCode, await after.body.text()]).toEqual([503, 'down'])
  })
})

const answer = {
  status: 200,
  statusText: 'Stood in',
  headers: [
    ['Set-Cookie', 'a=1'],
    ['Set-Cookie', 'b=2'],
    ['cache-status', 'Fuseboard; detail=made'],
  ],
  body: Buffer.from('hello'),
  decoded: true,
  mark: { source: 'made', reason: 'failed' },
} as const

function cookies(): typeof answer {
  return answer
}

interface Guarded {
  readonly server: Server
  readonly origin: string
  readonly requests: () => number
  readonly connections: () => number
  readonly sockets: ReadonlySet<Socket>
  readonly board: Board
  readonly dispatcher: Dispatcher
}

async function guarded(
  listener: RequestListener,
  fallback: FallbackOption,
  options: BoardOptions = {},
  below: Dispatcher.DispatcherComposeInterceptor[] = [],
): Promise<Guarded> {
  let requests = 0
  let connections = 0
  const sockets = new Set<Socket>()
  const server = createServer((request, response) => {
    requests++
    listener(request, response)
  }).listen(0, '127.0.0.1')
  server.on('connection', (socket) => {
    connections++
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  await once(server, 'listening')
  onTestFinished(() => close(server))
  const { port } = server.address() as AddressInfo
  const board = createBoard({ ...options, fallback })
  const dispatcher = new Agent().compose(...below, breaker(board))
  onTestFinished(() => dispatcher.destroy())
  return {
    server,
    origin: `http://127.0.0.1:${port}`,
    requests: () => requests,
    connections: () => connections,
    sockets,
    board,
    dispatcher,
  }
}

async function close(server: Server): Promise<void> {
  server.closeAllConnections()
  await new Promise((done) => server.close(done))
}

const hostOf = (origin: string): string => new URL(origin).host
const trip = (board: Board, origin: string): void => board.circuit(hostOf(origin)).trip('60s')
