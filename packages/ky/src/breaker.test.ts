// The breaker of ky, against a real host: what counts, what a refusal is, and what of ky stays as it was.
import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import {
  circuitOpen,
  CircuitOpenError,
  createBoard,
  defaultBoard,
  fail,
  isFallback,
  reply,
  staleIfError,
  type BoardOptions,
} from '@fuseboard/core'
import ky, { HTTPError, isKyError, isTimeoutError, KyError, TimeoutError, type Options } from 'ky'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { breaker, kyBreaker } from './index.ts'

const QUICK = 60

describe('a call', () => {
  test('passes as it came, and counts by its head', async () => {
    const { api, log } = await guarded(async (request, response) => {
      response.writeHead(201, { 'content-type': 'application/json', 'set-cookie': ['a=1', 'b=2'] })
      response.end(JSON.stringify({ url: request.url, method: request.method, body: await text(request) }))
    })
    const answer = await api.post('path', { json: { a: 1 }, searchParams: { q: 'x' } })
    expect([answer.status, answer.headers.getSetCookie()]).toEqual([201, ['a=1', 'b=2']])
    expect(new URL(answer.url).pathname).toBe('/path')
    expect(await answer.json()).toEqual({ url: '/path?q=x', method: 'POST', body: '{"a":1}' })
    expect(log).toEqual(['success 201'])
  })

  test('that fails is an HTTPError with its data, as ever', async () => {
    const { api, log } = await guarded(answering(404, 503))
    for (const status of [404, 503]) {
      const error = await caught(api(''))
      expect(error).toBeInstanceOf(HTTPError)
      expect(error).toMatchObject({ response: { status }, data: { status } })
    }
    expect(log).toEqual(['success 404', 'failure 503'])
  })

  test('counts each of its attempts', async () => {
    const { api, log } = await guarded(answering(503, 503, 200))
    expect(await api('', { retry: { limit: 2, delay: () => 0 } }).json()).toEqual({ status: 200 })
    expect(log).toEqual(['failure 503', 'failure 503', 'success 200'])
  })

  test('counts each attempt that an afterResponse hook asks for', async () => {
    const { api, log } = await guarded(answering(200, 200))
    const hooks: Options['hooks'] = {
      afterResponse: [({ retryCount }) => (retryCount === 0 ? ky.retry({ delay: 0 }) : undefined)],
    }
    expect((await api('', { hooks, retry: 1 })).status).toBe(200)
    expect(log).toEqual(['success 200', 'success 200'])
  })

  test('whose body breaks is a failure once, whoever reads it', async () => {
    const { api, log } = await guarded((_request, response) => {
      response.writeHead(200, { 'content-length': 100 }).write('half', () => response.destroy())
    })
    await expect(api('').text()).rejects.toThrow('terminated')
    await expect(
      api('', { hooks: { afterResponse: [async ({ response }) => void (await response.arrayBuffer())] } }),
    ).rejects.toThrow('terminated')
    expect(log).toEqual(['success 200', 'failure amended', 'success 200', 'failure amended'])
  })

  test('can be said to have failed after all', async () => {
    const { api, log } = await guarded(answering(200))
    const response = await api('')
    fail(response, new Error('quota'))
    expect(log).toEqual(['success 200', 'failure amended'])
  })

  test('of a relative URL that ky cannot read, of a header that is none: these never were attempts', async () => {
    const { board } = await guarded(answering(200))
    const api = ky.extend(breaker(board))
    expect(() => api('/relative')).toThrow(TypeError)
    expect(() => api('http://127.0.0.1', { headers: { 'not a name': 'x' } })).toThrow(TypeError)
    expect([...board.circuits()]).toEqual([])
  })
})

describe('a refusal', () => {
  test('is of ky’s own kind, and tells what it is', async () => {
    const seen = vi.fn<(error: unknown) => void>()
    const { api, board, host, requests } = await guarded(answering(200))
    board.circuit(host).trip('10s')
    const error = await caught(
      api('path', { hooks: { beforeError: [({ error }) => (seen(error), error)] } }) as Promise<unknown>,
    )
    expect(error).toBeInstanceOf(KyError)
    expect(isKyError(error)).toBe(true)
    expect(error).toMatchObject({
      name: 'CircuitOpenError',
      message: `${host} is open, retry in 10 s`,
      code: 'EOPENBREAKER',
      request: { url: `http://${host}/path` },
    })
    expect(circuitOpen(error)).toBeInstanceOf(CircuitOpenError)
    expect(seen).toHaveBeenCalledExactlyOnceWith(error)
    expect(requests()).toBe(0)
  })

  test('ends retries without a delay, also where the caller would have everything retried', async () => {
    const { api, board, host, log } = await guarded(answering(200))
    board.circuit(host).trip()
    const delay = vi.fn<() => number>()
    const shouldRetry = vi.fn<() => boolean>(() => true)
    for (const retry of [5, { limit: 5, delay, shouldRetry }]) {
      expect(circuitOpen(await caught(api('', { retry })))).toMatchObject({ key: host })
    }
    expect([delay.mock.calls, shouldRetry.mock.calls, log]).toEqual([[], [], ['refused', 'refused']])
  })

  test('leaves other retries to the caller', async () => {
    const { api, log } = await guarded(answering(404, 404, 503, 503, 200))
    const retry = { limit: 2, delay: () => 0 }
    await caught(api('', { retry: { ...retry, shouldRetry: ({ retryCount }) => retryCount === 1 } }))
    await caught(api('', { retry: { ...retry, shouldRetry: () => false } }))
    expect((await api('', { retry })).status).toBe(200)
    expect(log).toEqual(['success 404', 'success 404', 'failure 503', 'failure 503', 'success 200'])
  })

  test.each([[null], ['2'], [[]], [-1], [{ limit: 0.5 }]])(
    'leaves it to ky to complain of the retry %j',
    async (retry) => {
      const { api, requests } = await guarded(answering(200))
      const wrong = { retry } as unknown as Options
      const [ours, theirs] = [api, ky].map((one) => {
        try {
          void one('http://127.0.0.1:1', wrong)
        } catch (error) {
          return (error as Error).message
        }
        return 'nothing'
      })
      expect(ours).toBe(theirs)
      expect(ours).toContain('retry')
      expect(requests()).toBe(0)
    },
  )

  test('by a guarded fetch further in, which wraps it, ends retries too and counts for nothing', async () => {
    const { board, host } = await guarded(answering(200))
    board.circuit(host).trip()
    const refusal = circuitOpen(await caught(ky.extend(breaker(board))(`http://${host}/`)))
    const own = vi.fn<typeof fetch>(() => Promise.reject(new TypeError('fetch failed', { cause: refusal })))
    for (const options of [{}, { hosts: { [host]: false as const } }]) {
      const upper = createBoard(options)
      const error = await caught(ky.extend(breaker(upper))(`http://${host}/`, { fetch: own }))
      expect(error).toBeInstanceOf(KyError)
      expect(circuitOpen(error)).toBe(refusal)
      const counters = upper.peek(host)?.counters ?? { ignored: 1, failures: 0 }
      expect(counters).toMatchObject({ ignored: 1, failures: 0 })
    }
    expect(own).toHaveBeenCalledTimes(2)
  })

  test('leaves a body that was to be sent unread, so that it can be sent later', async () => {
    const { api, board, host } = await guarded(async (request, response) => {
      response.end(await text(request))
    })
    board.circuit(host).trip()
    const body = Readable.from(['some ', 'text'])
    const options = { body: body as unknown as string, retry: 2 }
    expect(circuitOpen(await caught(api.post('', options)))).toBeDefined()
    board.reset()
    expect(await api.post('', options).text()).toBe('some text')
  })
})

describe('a time limit', () => {
  test('of ky’s before the head is a failure, and ky’s own error', async () => {
    const { api, log } = await guarded(silent)
    const error = await caught(api('', { timeout: QUICK }))
    expect(isTimeoutError(error)).toBe(true)
    await vi.waitFor(() => expect(log).toEqual(['failure TimeoutError']))
  })

  test('of ky’s is a failure for each attempt that it ends', async () => {
    const { api, log } = await guarded(silent)
    const retry = { limit: 1, delay: () => 0, retryOnTimeout: true }
    expect(await caught(api('', { timeout: QUICK, retry }))).toBeInstanceOf(TimeoutError)
    await vi.waitFor(() => expect(log).toEqual(['failure TimeoutError', 'failure TimeoutError']))
  })

  test('on the whole call is a failure of the attempt that it ends', async () => {
    let calls = 0
    const { api, log } = await guarded((request, response) => {
      if (calls++ === 0) answering(503)(request, response)
    })
    const retry = { limit: 3, delay: () => 0 }
    expect(await caught(api('', { totalTimeout: QUICK * 3, timeout: false, retry }))).toBeInstanceOf(TimeoutError)
    await vi.waitFor(() => expect(log).toEqual(['failure 503', 'failure TimeoutError']))
  })

  test.each([{ timeout: QUICK }, { totalTimeout: QUICK * 2 }])(
    'of ky’s in the body, %j, is one failure',
    async (limit) => {
      const { api, log } = await guarded(stalling)
      expect(await caught(api('', limit).json())).toBeInstanceOf(TimeoutError)
      await vi.waitFor(() => expect(log).toEqual(['success 200', 'failure amended']))
    },
  )

  test('of ky’s is one where the caller has a signal, too, and may come from a later init hook', async () => {
    const { api, log } = await guarded(silent)
    const { signal } = new AbortController()
    const init = (options: Options): void => void Object.assign(options, { signal, timeout: QUICK })
    await caught(api.extend({ hooks: { init: [init] } })(''))
    await vi.waitFor(() => expect(log).toEqual(['failure TimeoutError']))
  })

  test('of the caller’s signal is a failure, by options or in a Request', async () => {
    const { api, host, log } = await guarded(silent)
    const signal = AbortSignal.timeout(QUICK)
    await Promise.all([caught(api('', { signal })), caught(api(new Request(`http://${host}/`, { signal })))])
    expect(log).toEqual(['failure TimeoutError', 'failure TimeoutError'])
  })

  test('below the breaker lets a reply stand in, and ky’s own, above it, does not', async () => {
    const { api, log } = await guarded(silent, { fallback: reply({ text: 'made' }) })
    const limited: typeof fetch = (input, init) => {
      const signals = [init?.signal ?? [], AbortSignal.timeout(QUICK)].flat()
      return fetch(input, { ...init, signal: AbortSignal.any(signals) })
    }
    expect(await api('', { fetch: limited }).text()).toBe('made')
    expect(await caught(api('', { timeout: QUICK }))).toBeInstanceOf(TimeoutError)
    await vi.waitFor(() => expect(log).toEqual(['failure TimeoutError', 'failure TimeoutError']))
  })
})

describe('a caller who gives up', () => {
  const ways: [string, (url: string, signal: AbortSignal) => [string | Request, Options]][] = [
    ['the signal of the options', (url, signal) => [url, { signal }]],
    ['the signal of a Request', (url, signal) => [new Request(url, { signal }), {}]],
    ['either signal, and no time limit', (url, signal) => [new Request(url, { signal }), { timeout: false }]],
  ]

  test.each(ways)('before the head says nothing of the host: %s', async (_by, inputOf) => {
    const { api, asked, host, log } = await guarded(silent)
    for (const reason of [undefined, new Error('Changed my mind'), 'no error at all']) {
      const controller = new AbortController()
      const call = caught(api(...inputOf(`http://${host}/`, controller.signal)))
      await asked()
      controller.abort(reason)
      expect(await call).toBe(controller.signal.reason)
    }
    expect(log).toEqual(['ignored AbortError', 'ignored Error', 'ignored undefined'])
  })

  test.each(ways)('in the body says nothing of the host: %s', async (_by, inputOf) => {
    const { api, host, log } = await guarded(stalling)
    const controller = new AbortController()
    const reader = (await api(...inputOf(`http://${host}/`, controller.signal))).body?.getReader()
    await reader?.read()
    controller.abort()
    expect(await caught(reader?.read() ?? Promise.resolve())).toBe(controller.signal.reason)
    expect(log).toEqual(['success 200'])
  })

  test('by a time limit of their own, without a head after abandonedAfter, is a failure', async () => {
    let now = 1_000
    const clock = { now: () => now }
    const { api, asked, log } = await guarded(silent, { clock, abandonedAfter: '5s' })
    const controller = new AbortController()
    const call = caught(api('', { signal: controller.signal }))
    await asked()
    now += 5_000
    controller.abort()
    await call
    expect(log).toEqual(['failure AbortError'])
  })
})

describe('a reply that stands in', () => {
  test('is a response of the URL that was asked, through every hook', async () => {
    const { api, board, host } = await guarded(answering(200), { fallback: reply({ json: { verse: 'none' } }) })
    board.circuit(host).trip()
    const seen: unknown[] = []
    const hooks: Options['hooks'] = { afterResponse: [({ response }) => void seen.push(response.url)] }
    const response = await api('path', { hooks })
    expect([response.url, seen]).toEqual([`http://${host}/path`, [`http://${host}/path`]])
    expect(isFallback(response)).toMatchObject({ source: 'made', reason: 'refused' })
    expect(await response.json()).toEqual({ verse: 'none' })
  })

  test('of a status that ky throws for is thrown, and never retried', async () => {
    const { api, log, requests } = await guarded(answering(500), {
      consecutiveFailures: 1,
      fallback: reply({ status: 503, json: { sorry: true } }),
    })
    for (const reason of ['failed', 'refused']) {
      const error = await caught(api('', { retry: { limit: 3, delay: () => 0, shouldRetry: () => true } }))
      expect(error).toBeInstanceOf(HTTPError)
      expect(error).toMatchObject({ data: { sorry: true } })
      expect(isFallback((error as HTTPError).response)).toMatchObject({ source: 'made', reason })
    }
    expect([log, requests()]).toEqual([['failure 500', 'refused'], 1])
  })

  test('may be an answer kept earlier, and comes before ky’s retry', async () => {
    const { api, log } = await guarded(answering(200, 503), { fallback: staleIfError({ keepFor: '1h' }) })
    expect(await api('', { retry: 3 }).json()).toEqual({ status: 200 })
    expect(await api('', { retry: 3 }).json()).toEqual({ status: 200 })
    expect(log).toEqual(['success 200', 'failure 503'])
  })

  test('comes after ky’s retries where it is for refusals only', async () => {
    const { api, log } = await guarded(answering(503), {
      consecutiveFailures: 2,
      fallback: ({ reason }) => (reason === 'refused' ? reply({ text: 'made' }) : undefined),
    })
    expect(await api('', { retry: { limit: 3, delay: () => 0 } }).text()).toBe('made')
    expect(log).toEqual(['failure 503', 'failure 503', 'refused'])
  })
})

describe('ky beside it', () => {
  test('is guarded in what is extended, and not in what is created anew', async () => {
    const { api, board, host } = await guarded(answering(200))
    const child = api.extend({ headers: { a: 'b' } }).extend((options) => options)
    board.circuit(host).isolate()
    expect(circuitOpen(await caught(child('')))).toBeDefined()
    expect((await api.create({ prefix: `http://${host}` })('')).status).toBe(200)
    expect((await ky(`http://${host}/`)).status).toBe(200)
    expect(circuitOpen(await caught(ky.create(breaker(board))(`http://${host}/`)))).toBeDefined()
  })

  test('may be guarded twice by a board, which counts once, and by two boards, which both count', async () => {
    const { api, board, host, log } = await guarded(answering(200))
    const other = createBoard()
    await api.extend(breaker(board)).extend(breaker(other)).extend(breaker(board)).extend(breaker(other))('')
    expect([log, other.circuit(host).counters.successes]).toEqual([['success 200'], 1])
    board.circuit(host).trip()
    const error = await caught(api.extend(breaker(other))(''))
    expect(circuitOpen(error)).toBe((error as Error).cause)
    expect(other.circuit(host).counters).toMatchObject({ successes: 1, failures: 0, inFlight: 0 })
  })

  test('keeps the fetch of the caller, which gets the options that ky passes on', async () => {
    const { api, board, host, log } = await guarded(answering(200))
    const own = vi.fn<typeof fetch>((input, init) => fetch(input, init))
    await api('', { fetch: own })
    await api.extend({ fetch: own })('', { priority: 'low', signal: new AbortController().signal } as Options)
    expect(own.mock.calls[1]).toMatchObject([{ url: `http://${host}/` }, { priority: 'low' }])
    board.circuit(host).trip()
    await caught(api('', { fetch: own }))
    expect([own.mock.calls.length, log]).toEqual([2, ['success 200', 'success 200', 'refused']])
  })

  test('may have a later init hook call the guarded fetch in its own way', async () => {
    const { api, host, log } = await guarded(silent)
    const init = (options: Options): void => {
      const { fetch: below } = options
      options.fetch = (input, init) =>
        (below as typeof fetch)((input as Request).url, { ...init, signal: AbortSignal.timeout(QUICK) })
    }
    expect(await caught(api.extend({ hooks: { init: [init] } })(`http://${host}/`, { prefix: '' }))).toBeInstanceOf(
      DOMException,
    )
    expect(log).toEqual(['failure TimeoutError'])
  })

  test('finds the global fetch at each call', async () => {
    const { api, log } = await guarded(answering(200))
    onTestFinished(() => void vi.unstubAllGlobals())
    vi.stubGlobal('fetch', async () => new Response('mocked', { status: 202 }))
    expect(await api('').text()).toBe('mocked')
    expect(log).toEqual(['success 202'])
  })

  test('may answer by a beforeRequest hook, which is no attempt, also while open', async () => {
    const { api, board, host, log } = await guarded(answering(200))
    board.circuit(host).trip()
    const cached = api.extend({ hooks: { beforeRequest: [() => new Response('cached')] } })
    expect(await cached('').text()).toBe('cached')
    expect(log).toEqual([])
  })

  test('reads JSON in its own way, and tells of progress', async () => {
    const { api, log } = await guarded(async (request, response) => {
      response.end(JSON.stringify({ sent: (await text(request)).length }))
    })
    const progress = { up: 0, down: 0 }
    const response = await api.post('', {
      body: 'x'.repeat(1_000),
      parseJson: (json) => ({ parsed: JSON.parse(json) as unknown }),
      onUploadProgress: ({ transferredBytes }) => (progress.up = transferredBytes),
      onDownloadProgress: ({ transferredBytes }) => (progress.down = transferredBytes),
    })
    expect(await response.text()).toBe('{"sent":1000}')
    expect(progress).toEqual({ up: 1_000, down: 13 })
    expect(await api.post('', { body: 'x', parseJson: () => 'parsed' }).json()).toBe('parsed')
    expect(log).toEqual(['success 200', 'success 200'])
  })

  test('keeps the referrer of a request', async () => {
    const { api, host } = await guarded(({ headers }, response) => response.end(headers.referer ?? 'none'))
    const referrer = `http://${host}/from`
    expect(await api('', { referrer, referrerPolicy: 'unsafe-url' }).text()).toBe(referrer)
    expect(await api('').text()).toBe('none')
  })

  test('sends what a fallback wants on the wire', async () => {
    const { api } = await guarded(
      ({ headers, method }, response) => response.end([method, headers['idempotency-key'], headers['x-own']].join(' ')),
      { fallback: { prepare: () => [['idempotency-key', '1']], standIn: () => undefined } },
    )
    expect(await api.post('', { body: 'x', headers: { 'x-own': '2' } }).text()).toBe('POST 1 2')
  })
})

describe('the board', () => {
  test('is the default one of the process where none is given', async () => {
    const { host } = await guarded(answering(200))
    onTestFinished(() => defaultBoard().reset())
    await ky.extend(breaker())(`http://${host}/`)
    await ky.extend(kyBreaker())(`http://${host}/`)
    expect(defaultBoard().circuit(host).counters.successes).toBe(2)
  })

  test('may be made of options, and wrong ones are told at once', async () => {
    const { host } = await guarded(answering(503))
    const api = ky.extend(breaker({ consecutiveFailures: 1 })).extend({ retry: 0 })
    expect(await caught(api(`http://${host}/`))).toBeInstanceOf(HTTPError)
    expect(circuitOpen(await caught(api(`http://${host}/`)))).toBeDefined()
    expect(() => breaker({ failureRate: 50 })).toThrow(RangeError)
    expect(() => breaker({ openForever: true } as BoardOptions)).toThrow('openForever')
  })

  test('that leaves a host out lets everything pass as it came', async () => {
    const { host, requests } = await guarded(answering(503))
    const board = createBoard({ hosts: { '127.0.0.1': false }, consecutiveFailures: 1 })
    const api = ky.extend(breaker(board)).extend({ retry: 0 })
    for (const _ of [1, 2]) expect(await caught(api(`http://${host}/`))).toBeInstanceOf(HTTPError)
    expect([requests(), [...board.circuits()]]).toEqual([2, []])
  })
})

/** A host, and a ky whose calls go to it under a board of its own; it tries nothing again unless told. */
async function guarded(listener: (...args: Parameters<RequestListener>) => unknown, options: BoardOptions = {}) {
  let requests = 0
  const server = createServer((request, response) => {
    requests++
    void listener(request, response)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    server.close()
    server.closeAllConnections()
  })
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`
  const board = createBoard({ failureRate: false, consecutiveFailures: false, ...options })
  const log: string[] = []
  board.on('refused', () => log.push('refused'))
  board.on('settled', ({ verdict, status, error, amended }) =>
    log.push(`${verdict} ${amended ? 'amended' : (status ?? (error as Error).name)}`),
  )
  const api = ky.extend(breaker(board)).extend({ prefix: `http://${host}`, retry: 0 })
  return { api, board, host, log, requests: () => requests, asked: () => once(server, 'request') }
}

/** Answers with these statuses in turn, and then with the last. */
function answering(...statuses: number[]): RequestListener {
  return (_request, response) => {
    const [status = 200] = statuses.length > 1 ? statuses.splice(0, 1) : statuses
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify({ status }))
  }
}

const silent: RequestListener = () => {}

const stalling: RequestListener = (_request, response) => {
  response.writeHead(200, { 'content-length': 20 }).write('half')
}

async function caught(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise
  } catch (error) {
    return error
  }
  throw new Error('This was to fail, and did not')
}
