// One guarded fetch, against a real host: which fetch it calls, what it sends, and what its responses are.
import { once } from 'node:events'
import { createServer, type RequestListener, type Server } from 'node:http'
import { createServer as createTcpServer, type AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { afterEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { circuitOpen, createBoard, guardFetch, isFallback, reply, type BoardOptions, type Fallback } from './index.ts'

afterEach(() => vi.unstubAllGlobals())

async function listen(server: {
  listen: Server['listen']
  address: Server['address']
  close: Server['close']
}): Promise<string> {
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  onTestFinished(() => void server.close())
  return `127.0.0.1:${(server.address() as AddressInfo).port}`
}

async function hosting(listener: RequestListener): Promise<string> {
  const server = createServer(listener)
  onTestFinished(() => server.closeAllConnections())
  return listen(server)
}

const echo: RequestListener = (request, response) => {
  const { method, headers } = request
  void text(request).then((body) => response.end([method, headers['x-key'] ?? '-', body].join(' ')))
}

async function read(response: Response): Promise<Response> {
  await response.text()
  return response
}

function guarding(options: BoardOptions = {}) {
  const board = createBoard({ consecutiveFailures: false, failureRate: false, ...options })
  const settled: string[] = []
  board.on('settled', ({ verdict, amended }) => settled.push(amended ? `amended to ${verdict}` : verdict))
  return { board, settled, send: guardFetch(board) }
}

describe('the fetch below', () => {
  test('is looked up at each call, so that a mock put up later is seen', async () => {
    const { send, settled } = guarding()
    vi.stubGlobal('fetch', async () => new Response('first'))
    expect(await (await send('http://a.test/')).text()).toBe('first')
    vi.stubGlobal('fetch', async () => new Response('second', { status: 500 }))
    expect(await (await send('http://a.test/')).text()).toBe('second')
    expect(settled).toEqual(['success', 'failure'])
  })

  test('may be the caller’s own, which gets what the caller gave', async () => {
    const { board } = guarding()
    const own = vi.fn<typeof fetch>(async () => new Response('own'))
    vi.stubGlobal('fetch', () => expect.unreachable())
    const init: RequestInit & { cf: string } = { method: 'PUT', body: 'x', cf: 'what fetch does not know' }
    const url = new URL('http://a.test/')
    expect(await (await guardFetch(board, { fetch: own })(url, init)).text()).toBe('own')
    expect(own.mock.calls).toEqual([[url, init]])
    expect(own.mock.calls[0]?.[1]).toBe(init)
  })

  test('that is guarded by the board already is given back; by another board, both count', async () => {
    const [one, two] = [guarding(), guarding()]
    const own = async (): Promise<Response> => new Response('own')
    const guarded = guardFetch(one.board, { fetch: own })
    expect(guardFetch(one.board, { fetch: guarded })).toBe(guarded)
    await guardFetch(two.board, { fetch: guarded })('http://a.test/')
    expect([one.settled, two.settled]).toEqual([['success'], ['success']])
  })

  test('that throws at once is a failure, and rejects', async () => {
    const { board, settled } = guarding()
    const error = new Error('broken')
    const own = (): never => {
      throw error
    }
    await expect(guardFetch(board, { fetch: own })('http://a.test/')).rejects.toBe(error)
    expect([settled, board.circuit('a.test').counters.inFlight]).toEqual([['failure'], 0])
  })

  test('that times out is a failure, and that is aborted is none', async () => {
    const { board, settled } = guarding()
    for (const name of ['TimeoutError', 'AbortError']) {
      const own = (): Promise<never> => Promise.reject(new DOMException('x', name))
      await expect(guardFetch(board, { fetch: own })('http://a.test/')).rejects.toThrow('x')
    }
    expect(settled).toEqual(['failure', 'ignored'])
  })

  test('is all there is for a host that is left unguarded', async () => {
    const response = new Response('own')
    const { board, settled } = guarding({ hosts: { 'a.test': false } })
    const own = vi.fn<typeof fetch>(async () => response)
    expect(await guardFetch(board, { fetch: own })('http://a.test/')).toBe(response)
    expect([settled, own.mock.calls]).toEqual([[], [['http://a.test/', undefined]]])
  })

  test('that gives no response gives its place back', async () => {
    const { board } = guarding()
    await guardFetch(board, { fetch: (async () => undefined) as never })('http://a.test/').catch(() => {})
    expect(board.circuit('a.test').counters.inFlight).toBe(0)
  })

  test.each([
    ['an object', (): unknown => ({ ok: true, status: 200, json: async () => ({}) })],
    ['a response that was read', () => read(new Response('x'))],
    ['a response with a body of another kind', (): unknown => ({ status: 200, headers: new Headers(), body: [] })],
    ['a bad one with fields of another kind', (): unknown => ({ ok: false, status: 503, headers: {}, body: null })],
  ])('that gives %s, as mocks do, has it passed on', async (_what, answer) => {
    const response = (await answer()) as Response
    const { board } = guarding()
    expect((await guardFetch(board, { fetch: async () => response })('http://a.test/')).status).toBe(response.status)
    expect(board.circuit('a.test').counters.inFlight).toBe(0)
  })
})

describe('a request', () => {
  test('keeps its referrer where a fallback adds a field to it', async () => {
    const seen: string[] = []
    const { send } = guarding({ fallback: { prepare: () => [['idempotency-key', 'k']], standIn: () => undefined } })
    const own: typeof fetch = async (input, init) => {
      const request = new Request(input, init)
      seen.push(request.referrer, request.referrerPolicy, request.headers.get('idempotency-key') ?? '')
      return new Response('')
    }
    vi.stubGlobal('fetch', own)
    await send(new Request('http://a.test/', { referrer: 'http://b.test/from', referrerPolicy: 'unsafe-url' }))
    expect(seen).toEqual(['http://b.test/from', 'unsafe-url', 'k'])
  })

  test('may be a Request with a body, which is read once', async () => {
    const host = await hosting(echo)
    const { send } = guarding()
    const request = new Request(`http://${host}/`, { method: 'POST', body: 'hello' })
    expect(await (await send(request)).text()).toBe('POST - hello')
    expect(request.bodyUsed).toBe(true)
    await expect(send(request)).rejects.toThrow(TypeError)
  })

  test('may be a Request and changes to it', async () => {
    const host = await hosting(echo)
    const { send } = guarding()
    const request = new Request(`http://${host}/`, { method: 'POST', body: 'hello', headers: { 'x-key': 'old' } })
    expect(await (await send(request, { method: 'PUT', headers: { 'x-key': 'new' } })).text()).toBe('PUT new hello')
  })

  test('that is refused was not read, and can be sent when the circuit is closed', async () => {
    const host = await hosting(echo)
    const { board, send } = guarding()
    const body = new Blob(['hello']).stream()
    const request = new Request(`http://${host}/`, { method: 'POST', body, duplex: 'half' })
    board.circuit(host).trip()
    expect(circuitOpen(await send(request).catch((error: unknown) => error))).toMatchObject({ key: host })
    expect(request.bodyUsed).toBe(false)
    board.reset()
    expect(await (await send(request)).text()).toBe('POST - hello')
  })

  test('carries the header fields that a fallback wants, and its own', async () => {
    const host = await hosting(echo)
    const fallback: Fallback = { standIn: () => undefined, prepare: ({ url }) => [['X-Key', url.slice(-3)]] }
    const { send } = guarding({ fallback })
    const request = new Request(`http://${host}/abc`, { method: 'POST', body: 'hello', headers: { 'x-key': 'old' } })
    expect(await (await send(request)).text()).toBe('POST abc hello')
    expect(await (await send(`http://${host}/def`, { headers: [['x-other', '1']] })).text()).toBe('GET def ')
  })
})

describe('a refusal', () => {
  test('is a 503 where that is wanted, which stops the retries of SDKs', async () => {
    const { board } = guarding({ clock: { now: () => 0 } })
    board.circuit('a.test').trip('1500ms')
    const response = await guardFetch(board, { refusal: 'response' })('http://a.test/')
    expect([response.status, response.statusText, isFallback(response)]).toEqual([
      503,
      'Service Unavailable',
      undefined,
    ])
    expect(Object.fromEntries(response.headers)).toEqual({
      'cache-control': 'no-store',
      'content-type': 'application/json',
      'retry-after': '2',
      'stripe-should-retry': 'false',
      'x-should-retry': 'false',
    })
    const message = 'a.test is open, retry in 1.5 s'
    const error = { code: 'EOPENBREAKER', message, key: 'a.test', reason: 'open', retryAfterMs: 1_500 }
    expect(await response.json()).toEqual({ error })
  })

  test('gives no Retry-After where nobody knows, and not less than a second where it is known', async () => {
    const { board } = guarding({ clock: { now: () => 0 } })
    const send = guardFetch(board, { refusal: 'response' })
    board.circuit('a.test').trip(1)
    expect((await send('http://a.test/')).headers.get('retry-after')).toBe('1')
    board.circuit('a.test').isolate()
    expect((await send('http://a.test/')).headers.get('retry-after')).toBeNull()
  })

  test('of a response is made only where nothing else stands in, and of refusals only', async () => {
    const { board } = guarding({ hosts: { 'b.test': { fallback: reply({ text: 'made' }) } } })
    const own = (): Promise<never> => Promise.reject(new Error('reset'))
    const send = guardFetch(board, { fetch: own, refusal: 'response' })
    await expect(send('http://a.test/')).rejects.toThrow('reset')
    board.circuit('b.test').trip()
    expect(await (await send('http://b.test/')).text()).toBe('made')
  })
})

describe('a response', () => {
  test('is as it came: URL, type, status text, fields, and so are its clones', async () => {
    const host = await hosting((request, response) => {
      if (request.url === '/from') response.writeHead(302, { location: '/to' }).end()
      else response.writeHead(201, 'Made Up', { 'set-cookie': ['a=1', 'b=2'], 'x-a': 'b' }).end('hello')
    })
    const { send } = guarding()
    const shape = async (response: Response): Promise<unknown> => {
      const { url, redirected, type, status, statusText, ok } = response
      const fields = [response.headers.getSetCookie(), response.headers.get('x-a')]
      return { url, redirected, type, status, statusText, ok, fields, text: await response.text() }
    }
    const bare = await shape(await fetch(`http://${host}/from#there`))
    const guarded = await send(`http://${host}/from#there`)
    expect(await shape(guarded.clone().clone())).toEqual(bare)
    expect(await shape(guarded)).toEqual(bare)
    expect(bare).toMatchObject({ url: `http://${host}/to`, redirected: true, status: 201 })
  })

  test('without a body has none', async () => {
    const host = await hosting((_request, response) => response.writeHead(204).end())
    const { send } = guarding()
    expect([(await send(`http://${host}/`)).body, (await send(`http://${host}/`, { method: 'HEAD' })).body]).toEqual([
      null,
      null,
    ])
  })

  test('shows its body while it is read, and has none where there is none, as without a guard', async () => {
    const host = await hosting((request, response) => response.writeHead(request.url === '/none' ? 204 : 200).end())
    const shape = async (fetch: typeof globalThis.fetch): Promise<unknown> => {
      const response = await fetch(`http://${host}/`)
      const text = response.text()
      const read = [response.body?.locked, response.bodyUsed, await text]
      const none = await fetch(`http://${host}/none`)
      const copy = none.clone()
      return [...read, copy.body, copy.bodyUsed, await copy.text(), await none.json().catch(String)]
    }
    expect(await shape(guarding().send)).toEqual(await shape(fetch))
  })

  test('that is none but in its shape, as a mock makes one, is handed on as it is', async () => {
    const mock = { status: 200, headers: {}, json: () => Promise.resolve({ a: 1 }) }
    const { board, settled } = guarding()
    const response = await guardFetch(board, { fetch: () => Promise.resolve(mock as never) })('http://a.test/')
    expect([response === (mock as never), Object.getPrototypeOf(response), await response.json()]).toEqual([
      true,
      Object.prototype,
      { a: 1 },
    ])
    expect(settled).toEqual(['success'])
  })

  test('can be read into a buffer of the reader’s', async () => {
    const host = await hosting((_request, response) => response.end('hello'))
    const reader = (await guarding().send(`http://${host}/`)).body?.getReader({ mode: 'byob' })
    const read = await reader?.read(new Uint8Array(10))
    expect(new TextDecoder().decode(read?.value)).toBe('hello')
    expect(await reader?.read(new Uint8Array(10))).toMatchObject({ done: true })
  })

  test('that is given up closes its connection, and stays a success', async () => {
    let closed: Promise<unknown> | undefined
    const host = await hosting((_request, response) => {
      closed = once(response, 'close')
      response.write('half')
    })
    const { send, settled } = guarding()
    await (await send(`http://${host}/`)).body?.cancel()
    await closed
    expect(settled).toEqual(['success'])
  })

  test('of a status that none has, as some hosts use, comes through', async () => {
    const host = await hosting((_request, response) => response.writeHead(999).end('denied'))
    const response = await guarding().send(`http://${host}/`)
    expect([response.status, await response.text()]).toEqual([999, 'denied'])
  })

  test('whose reason phrase is no text comes through', async () => {
    const head = Buffer.from('HTTP/1.1 200 Gr\u00F6\u00DFe\r\ncontent-length: 2\r\n\r\nhi', 'latin1')
    const host = await listen(createTcpServer((socket) => void socket.once('data', () => socket.end(head))) as never)
    const response = await guarding().send(`http://${host}/`)
    expect([response.status, await response.text()]).toEqual([200, 'hi'])
  })
})
