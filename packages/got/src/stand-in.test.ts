// Stand-ins as responses of got.
import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { PassThrough, Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { setImmediate, setTimeout as sleep } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'
import {
  createBoard,
  isFallback,
  reply,
  staleIfError,
  type BoardOptions,
  type Fallback,
  type FallbackOption,
  type Verdict,
} from '@fuseboard/core'
import got, { HTTPError, RequestError, TimeoutError, type Response } from 'got'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { breaker } from './breaker.ts'

const down: RequestListener = (_request, response) => void response.writeHead(503).end('down')
const hangs: RequestListener = () => {}
const resets: RequestListener = (request) => request.socket.resetAndDestroy()
const made = reply({ json: { made: true } })

describe('a stand-in', () => {
  test('is what a hook, a promise and a stream see as the answer', async () => {
    const { client, origin } = await guarded(down, made)
    const seen: unknown[] = []
    const hooks = { afterResponse: [(response: Response) => (seen.push(isFallback(response)?.source), response)] }
    const response = await client(origin, { responseType: 'json', hooks })
    expect([response.body, response.statusCode, response.statusMessage]).toEqual([{ made: true }, 200, 'OK'])
    expect([response.ok, response.retryCount, response.url, response.isFromCache, seen]).toEqual([
      true,
      0,
      `${origin}/`,
      false,
      ['made'],
    ])
    expect(response.timings?.phases.total).toBeTypeOf('number')
  })

  test('comes for a time-out of got’s own, and for a connection that is reset', async () => {
    for (const listener of [hangs, resets]) {
      const { client, origin, log } = await guarded(listener, made)
      expect(await client(origin, { timeout: { response: 50 } }).json()).toEqual({ made: true })
      expect(await text(client.stream(origin, { timeout: { request: 50 } }))).toBe('{"made":true}')
      expect(log).toEqual(['failure', 'failure'])
    }
  })

  test('comes for an upload, of which the rest is taken in', async () => {
    const { client, origin, board } = await guarded(down, ({ request }) =>
      request.method === 'POST' ? made : undefined,
    )
    for (const _ of ['failed', 'refused']) {
      const upload = client.stream.post(origin)
      Readable.from(['some ', 'text']).pipe(upload)
      expect(await text(upload)).toBe('{"made":true}')
      expect(await client.post(origin, { json: { some: 'text' } }).json()).toEqual({ made: true })
      expect(await client.post(origin, { body: Readable.from(['some']) }).json()).toEqual({ made: true })
      for (const circuit of board.circuits()) circuit.trip()
    }
  })

  test('follows the status rules of got, and is not retried', async () => {
    const { client, origin, log, requests } = await guarded(down, reply({ status: 503, text: 'made' }))
    const retry = { limit: 2, backoffLimit: 1, noise: 0 }
    const error = await client(origin, { retry }).catch((error: unknown) => error)
    expect(error).toBeInstanceOf(HTTPError)
    expect(isFallback((error as HTTPError).response)).toMatchObject({ source: 'made' })
    expect([log, requests()]).toEqual([['failure'], 1])
  })

  test('leaves the caller’s own wish to try again', async () => {
    const { client, origin, requests } = await guarded(down, reply({ status: 401, text: 'made' }))
    const again = vi.fn<(response: Response, retry: (options: object) => never) => Response>((response, retry) =>
      response.statusCode === 401 ? retry({ headers: { token: 'new' } }) : response,
    )
    await client(origin, { throwHttpErrors: false, hooks: { afterResponse: [again as never] } })
    expect([again.mock.calls.length, requests()]).toEqual([1, 2])
  })

  test('of a page is a page', async () => {
    const { client, origin } = await guarded(down, reply({ json: [1, 2] }))
    expect(await client.paginate.all(origin)).toEqual([1, 2])
  })

  test('lets a small masked answer be drained, so that its connection is used again', async () => {
    const { client, origin, connections, requests } = await guarded(
      (_request, response) => void response.writeHead(503).end('x'.repeat(60_000)),
      made,
    )
    for (let call = 0; call < 5; call++) await client(origin)
    expect([connections(), requests()]).toEqual([1, 5])
  })

  test('hangs up on a masked answer that does not end, and on an upload that nobody wants', async () => {
    const { client, origin, sockets } = await guarded(
      (_request, response) => {
        response.writeHead(503).write('x')
      },
      ({ request }) => (request.method === 'GET' || request.method === 'POST' ? made : undefined),
    )
    expect(await client(origin).json()).toEqual({ made: true })
    const body = new PassThrough()
    body.write('some')
    expect(await client.post(origin, { body }).json()).toEqual({ made: true })
    await vi.waitFor(() => expect(sockets()).toBe(0), { timeout: 5_000 })
  })
})

describe('while a stand-in is asked for', () => {
  test('got waits, and has the answer where there is none', async () => {
    const { client, origin, log } = await guarded(down, later(undefined))
    await expect(client(origin)).rejects.toMatchObject({ response: { statusCode: 503, body: 'down' } })
    expect(log).toEqual(['failure'])
  })

  test('got waits, and has the error where there is none', async () => {
    const { client, origin } = await guarded(resets, later(undefined))
    await expect(client(origin)).rejects.toMatchObject({ code: 'ECONNRESET' })
    await expect(text(client.stream(origin))).rejects.toMatchObject({ code: 'ECONNRESET' })
  })

  test('an answer may break: got hears of it where there is none', async () => {
    const { client, origin, log } = await guarded((_request, response) => {
      response.writeHead(503, { 'content-length': 100 }).write('half', () => setTimeout(() => response.destroy(), 10))
    }, later(undefined))
    for (const call of [client(origin), text(client.stream(origin))]) {
      await expect(call).rejects.toBeInstanceOf(RequestError)
    }
    expect(log).toEqual(['failure', 'failure'])
  })

  test('a fallback that fails is none', async () => {
    const { client, origin, board } = await guarded(down, () => Promise.reject(new Error('No')))
    board.on('warning', () => {})
    await expect(client(origin)).rejects.toMatchObject({ response: { statusCode: 503 } })
  })

  test('a caller who gives up waits no longer', async () => {
    for (const listener of [down, resets]) {
      const { client, origin, asked } = await guarded(listener, () => new Promise(() => {}))
      const controller = new AbortController()
      const promise = client(origin, { signal: controller.signal })
      const stream = client.stream(origin).on('error', () => {})
      await asked(2)
      await sleep(20)
      controller.abort()
      await expect(promise).rejects.toThrow('aborted')
      stream.destroy()
      await once(stream, 'close')
    }
  })

  test('a reply that comes after the caller gave up reaches nobody', async () => {
    let give = (_reply: Fallback): void => {}
    const { client, origin } = await guarded(down, () => new Promise((resolve) => (give = resolve)))
    const seen = vi.fn<() => void>()
    const stream = client
      .stream(origin)
      .on('error', () => {})
      .on('response', seen)
    await vi.waitFor(() => give(made))
    stream.destroy()
    await setImmediate()
    expect(seen).not.toHaveBeenCalled()
  })

  test('got’s own time limit ends the wait', async () => {
    const { client, origin, board, host } = await guarded(down, () => new Promise(() => {}))
    await expect(client(origin, { timeout: { request: 50 } })).rejects.toThrow(TimeoutError)
    board.circuit(host).trip()
    await expect(client(origin, { timeout: { request: 50 } })).rejects.toThrow(TimeoutError)
  })
})

describe('a stored answer', () => {
  const body = JSON.stringify({ text: 'In the beginning '.repeat(500) })

  test('that was packed on the wire is unpacked again, for promises and streams', async () => {
    let well = true
    const { client, origin } = await guarded(
      (_request, response) => {
        if (!well) return void response.writeHead(503).end()
        response.writeHead(200, {
          'content-encoding': 'gzip',
          'content-type': 'application/json',
          'x-multi': ['1', '2'],
        })
        response.end(gzipSync(body))
      },
      staleIfError({ keepFor: '1h' }),
    )
    expect(await client(origin).text()).toBe(body)
    well = false
    const response = await client(origin)
    expect([response.body, response.headers['content-encoding']]).toEqual([body, undefined])
    expect([response.headers['x-multi'], isFallback(response)?.source]).toEqual(['1, 2', 'stored'])
    const stream = client.stream(origin)
    const [head] = (await once(stream, 'response')) as [Response]
    expect([isFallback(head)?.source, await text(stream)]).toEqual(['stored', body])
  })

  test('is kept of a body that came whole, not of one that its reader left', async () => {
    let well = true
    const { client, origin } = await guarded(
      (_request, response) => {
        response.writeHead(well ? 200 : 503).end(well ? body.repeat(50) : 'down')
      },
      staleIfError({ keepFor: '1h' }),
    )
    const stream = client.stream(origin).on('error', () => {})
    await once(stream, 'data')
    stream.destroy()
    well = false
    await expect(client(origin)).rejects.toThrow('503')
    well = true
    await text(client.stream(origin))
    well = false
    expect(await client(origin).text()).toBe(body.repeat(50))
  })

  test('is not shown to a caller with credentials in the URL', async () => {
    let well = true
    const { client, origin, board } = await guarded(
      (_request, response) => {
        response.writeHead(well ? 200 : 503).end(well ? 'hers' : 'down')
      },
      staleIfError({ keepFor: '1h' }),
    )
    board.on('warning', () => {})
    await client(origin.replace('//', '//her:secret@'))
    well = false
    await expect(client(origin)).rejects.toThrow('503')
  })
})

describe('below got’s cache', () => {
  test('a stand-in is an answer that is not kept', async () => {
    let well = false
    const { client, origin, requests } = await guarded(
      (_request, response) => {
        if (!well) return void response.writeHead(503).end()
        response.writeHead(200, { 'cache-control': 'max-age=60' }).end('"well"')
      },
      made,
      { cache: new Map() },
    )
    const response = await client(origin, { responseType: 'json' })
    expect([response.body, isFallback(response)?.source]).toEqual([{ made: true }, 'made'])
    well = true
    expect([await client(origin).json(), await client(origin).json(), requests()]).toEqual(['well', 'well', 2])
  })

  test('a stand-in comes for a refusal and for a host that gives no answer', async () => {
    const { client, origin, board, host } = await guarded(resets, made, { cache: new Map() })
    expect(await client(origin).json()).toEqual({ made: true })
    board.circuit(host).trip()
    expect(await client(origin).json()).toEqual({ made: true })
    expect(await text(client.stream(origin))).toBe('{"made":true}')
  })

  test('a stale entry is revalidated, and a stand-in takes its place while the host is down', async () => {
    let status = 200
    const { client, origin, log } = await guarded(
      (_request, response) => void response.writeHead(status, { etag: '"1"', 'cache-control': 'no-cache' }).end('"1"'),
      made,
      { cache: new Map() },
    )
    expect(await client(origin).json()).toBe('1')
    status = 304
    expect(await client(origin).json()).toBe('1')
    status = 503
    expect(await client(origin).json()).toEqual({ made: true })
    expect(log).toEqual(['success', 'success', 'failure'])
  })
})

test('what a fallback wants on the wire is sent', async () => {
  const keyed: Fallback = { prepare: () => [['idempotency-key', 'k1']], standIn: () => undefined }
  const { client, origin } = await guarded(
    (request, response) => void response.end([request.headers['idempotency-key'], request.headers['own']].join(' ')),
    keyed,
  )
  expect(await client(origin, { headers: { own: '1' } }).text()).toBe('k1 1')
})

/** A fallback that takes a while. */
const later =
  (answer: Fallback | undefined): FallbackOption =>
  async () => {
    await sleep(40)
    return answer
  }

async function guarded(
  listener: RequestListener,
  fallback: FallbackOption,
  extension: { cache?: Map<string, unknown> } = {},
) {
  let requests = 0
  let connections = 0
  const sockets = new Set<unknown>()
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
  onTestFinished(() => {
    server.close()
    server.closeAllConnections()
  })
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`
  const policy: BoardOptions = { failureRate: false, consecutiveFailures: false, fallback }
  const board = createBoard(policy)
  const log: Verdict[] = []
  board.on('settled', ({ verdict }) => log.push(verdict))
  return {
    client: got.extend({ retry: { limit: 0 }, ...extension }, breaker(board)),
    origin: `http://${host}`,
    host,
    board,
    log,
    requests: () => requests,
    connections: () => connections,
    sockets: () => sockets.size,
    asked: (times: number) => vi.waitFor(() => expect(requests).toBe(times)),
  }
}
