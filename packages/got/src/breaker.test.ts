// The breaker of got: promises, streams and pages, retries, redirects, aborts and time limits.
import { once } from 'node:events'
import { createServer, request as httpRequest, type RequestListener } from 'node:http'
import { createServer as createTcpServer, type AddressInfo, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough, Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import {
  CircuitOpenError,
  circuitOpen,
  createBoard,
  defaultBoard,
  type Board,
  type BoardOptions,
  type Verdict,
} from '@fuseboard/core'
import { manualClock } from '@fuseboard/core/testing'
import got, { RequestError, TimeoutError, type ExtendOptions, type Response } from 'got'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { breaker } from './breaker.ts'
import { gotBreaker } from './index.ts'

const COUNTS: BoardOptions = { failureRate: false, consecutiveFailures: false }

test('without a board it is the board of the process', async () => {
  const { origin, host } = await serve((_request, response) => response.end('hello'))
  expect(gotBreaker).toBe(breaker)
  await got.extend(gotBreaker()).get(origin)
  expect(defaultBoard().circuit(host).counters.successes).toBe(1)
})

test('wrong options are told at once', () => {
  expect(() => breaker({ failureRate: 50 })).toThrow(RangeError)
})

describe('what counts', () => {
  test('each page of a pagination counts once', async () => {
    const { origin, url } = await serve((request, response) => {
      const page = Number(new URL(request.url ?? '/', origin).searchParams.get('page') ?? 1)
      response.setHeader('content-type', 'application/json')
      if (page < 3) response.setHeader('link', `<${url}?page=${page + 1}>; rel="next"`)
      response.end(JSON.stringify([page]))
    })
    const { client, log } = guarded()
    expect(await client.paginate.all<number>(url)).toEqual([1, 2, 3])
    expect(log).toEqual(['success', 'success', 'success'])
  })

  test('a page that is asked for with the options of the one before counts once', async () => {
    const { url } = await serve((_request, response) => void response.end('[1]'))
    const { client, log } = guarded()
    const paginate = ({ response }: { response: Response }): Response['request']['options'] => response.request.options
    const pagination = { requestLimit: 5, paginate: paginate as never }
    expect(await client.paginate.all(url, { responseType: 'json', pagination })).toHaveLength(5)
    expect(log).toHaveLength(5)
  })

  test('options of an earlier call bring no guard of their own along', async () => {
    const { url } = await serve((_request, response) => void response.end('hello'))
    const { client, log } = guarded()
    const onSend = vi.fn<() => undefined>()
    let response = await client(url, { request: onSend })
    for (const _ of [1, 2, 3]) {
      const { request, retry } = response.request.options
      response = await client(url, { request, retry })
    }
    expect([log.length, onSend.mock.calls.length]).toEqual([4, 4])
  })

  test('a body that stalls is one failure', async () => {
    const { origin } = await serve((_request, response) => response.writeHead(200).write('half'))
    const { client, log } = guarded()
    await expect(client(origin, { timeout: { read: 50 } })).rejects.toThrow(TimeoutError)
    expect(log).toEqual(['success', 'failure'])
  })

  test('a host that is silent when HTTP/2 is to be settled is a failure, within got’s limits', async () => {
    const server = createTcpServer().listen(0, '127.0.0.1')
    const sockets = new Set<Socket>()
    server.on('connection', (socket) => sockets.add(socket.on('error', () => {})))
    await once(server, 'listening')
    onTestFinished(() => {
      for (const socket of sockets) socket.destroy()
      server.close()
    })
    const { client, log } = guarded()
    const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`
    for (const timeout of [{ secureConnect: 50 }, { socket: 50 }, { request: 50 }]) {
      await expect(client(url, { http2: true, timeout })).rejects.toThrow(TimeoutError)
    }
    await vi.waitFor(() => expect(log).toEqual(['failure', 'failure', 'failure']))
  })

  test('a stream that its reader destroys before the head says nothing, and holds no place', async () => {
    const { origin, host, asked } = await serve(() => {})
    const { client, board, log } = guarded()
    const stream = client.stream(origin).on('error', () => {})
    await asked()
    stream.destroy()
    await once(stream, 'close')
    expect([log, board.circuit(host).counters.inFlight]).toEqual([['ignored'], 0])
  })

  test('a file that breaks while it is sent says nothing of the host, however late', async () => {
    const { origin, asked } = await serve(() => {})
    const clock = manualClock()
    const { client, log } = guarded({ clock })
    const body = new PassThrough()
    const call = client.post(origin, { body })
    body.write('half')
    await asked()
    clock.advance(60_000)
    body.destroy(new Error('The file broke'))
    await expect(call).rejects.toThrow('The file broke')
    expect(log).toEqual(['ignored'])
  })

  test('what got finds wrong itself is its own to tell', async () => {
    const { client, log } = guarded()
    await expect(client('no url')).rejects.toThrow(RequestError)
    await expect(client('http://127.0.0.1', { timeout: 'soon' as never })).rejects.toThrow(RequestError)
    expect(log).toEqual([])
  })

  test('a host that is left unguarded is not counted', async () => {
    const { origin } = await serve((_request, response) => response.end('hello'))
    const { client, board } = guarded({ hosts: { '127.0.0.1': false } })
    expect(await client(origin).text()).toBe('hello')
    expect([...board.circuits()]).toEqual([])
  })

  test('a Unix socket is no host, and is left unguarded', async () => {
    const path = join(tmpdir(), `fuseboard-got-${process.pid}.sock`)
    const server = createServer((_request, response) => response.end('hello')).listen(path)
    onTestFinished(() => void server.close())
    await once(server, 'listening')
    const { client, board } = guarded()
    expect(await client(`http://unix:${path}:/`, { enableUnixSockets: true }).text()).toBe('hello')
    expect([...board.circuits()]).toEqual([])
  })

  test('a board on both sides of a transport of the caller counts once', async () => {
    const { origin } = await serve((_request, response) => response.end('hello'))
    const { board, log } = guarded()
    const between: ExtendOptions = {
      handlers: [
        (options, next) => {
          const { request } = options
          options.request = (...args) => request?.(...args)
          return next(options)
        },
      ],
    }
    await got.extend(breaker(board), between, breaker(board))(origin)
    expect(log).toHaveLength(1)
  })

  test('two boards, one within the other, count each for itself', async () => {
    const { origin } = await serve((_request, response) => response.end('hello'))
    const one = guarded()
    const other = guarded()
    await got.extend(breaker(one.board), breaker(other.board))(origin)
    expect([one.log, other.log]).toEqual([['success'], ['success']])
  })
})

describe('a refusal', () => {
  test('is a RequestError, for a promise, its shortcuts, a stream and a piped upload', async () => {
    const { origin, host, requests } = await serve((_request, response) => response.end('hello'))
    const { client, board } = guarded({ clock: manualClock() })
    board.circuit(host).trip('10s')
    const calls = [
      client(origin),
      client(origin).json(),
      client.post(origin, { json: {} }),
      text(client.stream(origin)),
      text(Readable.from(['some']).pipe(client.stream.post(origin))),
    ]
    for (const call of calls) {
      const error = await caught(call)
      expect(error).toBeInstanceOf(RequestError)
      expect(error).toMatchObject({ code: 'EOPENBREAKER', cause: { host, retryAfterMs: 10_000 } })
      expect(circuitOpen(error)?.reason).toBe('open')
    }
    expect(requests()).toBe(0)
  })

  test('keeps its cause below got’s cache', async () => {
    const { origin, host } = await serve((_request, response) => response.end('hello'))
    const { client, board } = guarded({}, { cache: new Map() })
    board.circuit(host).trip()
    expect(circuitOpen(await caught(client(origin)))?.host).toBe(host)
  })

  test('is not retried, even by who retries everything', async () => {
    const { origin, host } = await serve((_request, response) => response.end('hello'))
    const { client, board } = guarded({}, { retry: { limit: 5, enforceRetryRules: false, calculateDelay: () => 1 } })
    let refusals = 0
    board.on('refused', () => refusals++)
    board.circuit(host).trip()
    await caught(client(origin))
    expect(refusals).toBe(1)
  })

  test('leaves the retries of other errors to got, and their delay to the caller', async () => {
    let calls = 0
    const { origin } = await serve((_request, response) => {
      calls++
      response.writeHead(calls < 3 ? 503 : 200).end('hello')
    })
    const delays: number[] = []
    const calculateDelay = ({ computedValue }: { computedValue: number }): number => {
      delays.push(computedValue)
      return computedValue && 1
    }
    const { client, log } = guarded({}, { retry: { limit: 5, noise: 0, calculateDelay } })
    expect(await client(origin).text()).toBe('hello')
    expect([log, delays]).toEqual([
      ['failure', 'failure', 'success'],
      [1_000, 2_000],
    ])
  })

  test('reaches beforeError, which may make of it what it wants', async () => {
    const { origin, host } = await serve((_request, response) => response.end('hello'))
    const { client, board } = guarded({}, { hooks: { beforeError: [(error) => circuitOpen(error) ?? error] } })
    board.circuit(host).trip()
    expect(await caught(client(origin))).toBeInstanceOf(CircuitOpenError)
  })
})

describe('a transport of the caller', () => {
  test('may leave a request to got', async () => {
    const { origin } = await serve((_request, response) => response.end('hello'))
    const { client, log } = guarded({}, { request: () => undefined })
    expect(await client(origin).text()).toBe('hello')
    await client(origin, { request: async () => undefined })
    expect(log).toEqual(['success', 'success'])
  })

  test('may give its request later, or an answer in place of one', async () => {
    const { origin } = await serve((_request, response) => response.writeHead(503).end('down'))
    const { client, log } = guarded()
    await client(origin, { throwHttpErrors: false, request: async (...args) => httpRequest(...args) })
    const request = (): never => Object.assign(Readable.from(['made']), { statusCode: 200, headers: {} }) as never
    expect(await client(origin, { request }).text()).toBe('made')
    expect(log).toEqual(['failure', 'success'])
  })

  test('that fails later counts as a host that gave no answer', async () => {
    const { client, log } = guarded()
    const request = async (): Promise<never> => {
      throw new Error('No way there')
    }
    await expect(client('http://a.test', { request })).rejects.toThrow('No way there')
    expect(log).toEqual(['failure'])
  })

  test('that throws at once sent nothing, and counts nothing', async () => {
    const { client, board, log } = guarded()
    const request = (): never => {
      throw new Error('No way there')
    }
    await expect(client('http://a.test', { request })).rejects.toThrow('No way there')
    expect([log, board.circuit('a.test').counters.inFlight]).toEqual([['ignored'], 0])
  })
})

type Extension = Pick<ExtendOptions, 'hooks' | 'request' | 'retry'> & { cache?: Map<string, unknown> }

function guarded(options: BoardOptions = {}, extension: Extension = {}) {
  const board: Board = createBoard({ ...COUNTS, ...options })
  const log: Verdict[] = []
  board.on('settled', ({ verdict }) => log.push(verdict))
  const retry = { limit: 0, ...extension.retry }
  return { board, log, client: got.extend(breaker(board), { ...extension, retry }) }
}

async function serve(listener: RequestListener) {
  let requests = 0
  const server = createServer((request, response) => {
    requests++
    server.emit('asked')
    listener(request, response)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    server.close()
    server.closeAllConnections()
  })
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    host,
    origin: `http://${host}`,
    url: `http://${host}/`,
    requests: () => requests,
    asked: () => once(server, 'asked'),
  }
}

async function caught(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => expect.unreachable('this was to fail'),
    (error: unknown) => error,
  )
}
