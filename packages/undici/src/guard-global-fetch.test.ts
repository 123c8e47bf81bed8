// The fetch of a whole process, guarded and let go again.
import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { runInNewContext } from 'node:vm'
import { circuitOpen, createBoard, guardFetch, isFallback, type Board, type BoardOptions } from '@fuseboard/core'
import { Agent, getGlobalDispatcher, interceptors, MockAgent, request, setGlobalDispatcher } from 'undici'
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { breaker } from './breaker.ts'
import { dispatcherIn, SLOTS, slotOfFetch } from './globals.ts'
import { guardGlobalFetch } from './guard-global-fetch.ts'

const places = globalThis as unknown as Record<symbol, unknown>
const before = SLOTS.map((slot) => dispatcherIn(slot))
const putBack = (): void => SLOTS.forEach((slot, i) => void (places[slot] = before[i]))

beforeEach(putBack)
afterEach(putBack)

describe('native fetch', () => {
  test('goes through the circuit of its host', async () => {
    const { origin, board, log } = await guarded((request, response) => {
      response.writeHead(request.url === '/down' ? 503 : 200, { 'set-cookie': ['a=1', 'b=2'] })
      response.end('hello')
    })
    const well = await fetch(origin)
    expect([well.status, well.headers.getSetCookie(), await well.text()]).toEqual([200, ['a=1', 'b=2'], 'hello'])
    expect((await fetch(`${origin}/down`)).status).toBe(503)
    expect(log).toEqual(['success 200', 'failure 503'])
    expect(board.circuit(hostOf(origin)).counters.inFlight).toBe(0)
  })

  test('is refused while it is open, as a TypeError with the refusal as its cause', async () => {
    const { origin, board, requests } = await guarded((_request, response) => response.end())
    board.circuit(hostOf(origin)).trip('60s')
    const error: unknown = await fetch(origin).catch((error: unknown) => error)
    expect(error).toBeInstanceOf(TypeError)
    expect(circuitOpen(error)).toMatchObject({ code: 'EOPENBREAKER', host: hostOf(origin) })
    expect(circuitOpen(error)).toBe((error as Error).cause)
    expect(requests()).toBe(0)
  })

  test('gets a stand-in with all of its cookies', async () => {
    const { origin, board } = await guarded((_request, response) => response.end(), {
      fallback: () => ({
        status: 200,
        statusText: 'Stood in',
        headers: [
          ['set-cookie', 'a=1'],
          ['set-cookie', 'b=2'],
          ['cache-status', 'Fuseboard; detail=made'],
        ],
        body: Buffer.from('hello'),
        decoded: true,
        mark: { source: 'made', reason: 'refused' },
      }),
    })
    board.circuit(hostOf(origin)).trip('60s')
    const response = await fetch(origin)
    expect([response.status, response.statusText, await response.text()]).toEqual([200, 'Stood in', 'hello'])
    expect(response.headers.getSetCookie()).toEqual(['a=1', 'b=2'])
    expect(isFallback(response)).toMatchObject({ source: 'made', reason: 'refused' })
  })

  test('has its body watched, and its redirects counted hop by hop', async () => {
    const { origin, log } = await guarded((request, response) => {
      if (request.url === '/') response.writeHead(302, { location: '/cut' })
      else response.writeHead(200, { 'content-length': 100 }).write('0123456789', () => response.destroy())
      if (request.url === '/') response.end()
    })
    const response = await fetch(origin)
    await expect(response.text()).rejects.toThrow('terminated')
    expect(log).toEqual(['success 302', 'success 200', 'amended: failure UND_ERR_SOCKET'])
  })

  test('tells a time-out from an abort', async () => {
    const { origin, log } = await guarded(() => {})
    await expect(fetch(origin, { signal: AbortSignal.timeout(20) })).rejects.toThrow('timeout')
    const controller = new AbortController()
    setTimeout(() => controller.abort(), 20)
    await expect(fetch(origin, { signal: controller.signal })).rejects.toThrow('aborted')
    expect(log).toEqual(['failure TimeoutError', 'ignored AbortError'])
  })

  test('takes WebSocket along', async () => {
    const { origin, board, requests } = await guarded((_request, response) => response.end())
    board.circuit(hostOf(origin)).trip('60s')
    const socket = new WebSocket(origin.replace('http', 'ws'))
    await new Promise((done) => socket.addEventListener('error', done))
    expect(requests()).toBe(0)
  })

  test('and so goes what npm undici sends through its global dispatcher', async () => {
    const { origin, log } = await guarded((_request, response) => response.end('hello'))
    const { body } = await request(origin)
    expect([await body.text(), log]).toEqual(['hello', ['success 200']])
  })

  test('a guarded fetch above it counts with it once', async () => {
    const { origin, board, log } = await guarded((_request, response) => response.end('hello'))
    expect(await (await guardFetch(board)(origin)).text()).toBe('hello')
    expect(log).toEqual(['success 200'])
    const agent = new Agent().compose(breaker(board))
    onTestFinished(() => agent.destroy())
    const init = { dispatcher: agent } as unknown as RequestInit
    expect(await (await guardFetch(board)(origin, init)).text()).toBe('hello')
    expect(log).toEqual(['success 200', 'success 200'])
  })
})

describe('hosts next door', () => {
  const named = async (hosts: (host: string) => BoardOptions['hosts']): Promise<string[]> => {
    const { origin, requests } = await serve((_request, response) => response.end())
    const board = createBoard({ hosts: hosts(hostOf(origin)) ?? {} })
    const log = logOf(board)
    onTestFinished(guardGlobalFetch(board))
    await fetch(origin)
    expect(requests()).toBe(1)
    return log
  }

  test('are left out', async () => {
    expect(await named(() => ({ 'bible-api.com': {} }))).toEqual([])
  })

  test('are guarded where they are named: with a port, without, and by a function', async () => {
    expect(await named((host) => ({ [host]: {} }))).toEqual(['success 200'])
    expect(await named(() => ({ '127.0.0.1': {} }))).toEqual(['success 200'])
    expect(await named(() => (host) => (host.startsWith('127.') ? {} : undefined))).toEqual(['success 200'])
    expect(await named(() => () => undefined)).toEqual([])
  })

  test('are guarded where a wildcard names them, and others whatever is named', async () => {
    const mock = new MockAgent()
    onTestFinished(() => mock.close())
    for (const host of ['api.localhost', 'sidecar.localhost.', 'verses.test']) {
      mock.get(`http://${host}`).intercept({ path: '/' }).reply(200, '').persist()
    }
    setGlobalDispatcher(mock)
    const board = createBoard({ hosts: { 'api.localhost': {} } })
    const log = logOf(board)
    onTestFinished(guardGlobalFetch(board))
    await fetch('http://sidecar.localhost./')
    expect(log).toEqual([])
    await fetch('http://verses.test/')
    expect(log).toEqual(['success 200'])

    const wild = createBoard({ hosts: { '*.localhost': {} } })
    const wildLog = logOf(wild)
    onTestFinished(guardGlobalFetch(wild))
    await fetch('http://api.localhost/')
    expect(wildLog).toEqual(['success 200'])
  })
})

describe('the undo', () => {
  test('puts back what was there', async () => {
    const { origin } = await serve((_request, response) => response.end())
    const board = createBoard({ hosts: { '127.0.0.1': {} } })
    const log = logOf(board)
    const undo = guardGlobalFetch(board)
    undo()
    undo()
    await fetch(origin)
    expect(log).toEqual([])
    expect(SLOTS.map((slot) => dispatcherIn(slot))).toEqual(before)
  })

  test('leaves a dispatcher alone that came later, and is done all the same', async () => {
    const { origin } = await serve((_request, response) => response.end())
    const board = createBoard({ hosts: { '127.0.0.1': {} } })
    const log = logOf(board)
    const undo = guardGlobalFetch(board)
    const later = getGlobalDispatcher().compose(interceptors.retry())
    setGlobalDispatcher(later)
    await fetch(origin)
    undo()
    await fetch(origin)
    expect(getGlobalDispatcher()).toBe(later)
    expect(log).toEqual(['success 200'])
  })

  test.each([
    ['first in, first out', 0],
    ['last in, first out', 1],
  ])('of two installs takes one away, and two count once: %s', async (_name, first) => {
    const { origin } = await serve((_request, response) => response.end())
    const board = createBoard({ hosts: { '127.0.0.1': {} } })
    const log = logOf(board)
    const undo = [guardGlobalFetch(board), guardGlobalFetch(board)]
    await fetch(origin)
    expect(log).toEqual(['success 200'])
    undo[first]?.()
    await fetch(origin)
    expect(log).toEqual(['success 200', 'success 200'])
    undo[1 - first]?.()
    await fetch(origin)
    expect(log).toEqual(['success 200', 'success 200'])
  })
})

describe('a warning is given', () => {
  test('once, where another dispatcher has taken the place of the guarded one', async () => {
    const { origin, warnings, log } = await guarded((_request, response) => response.end())
    setGlobalDispatcher(new Agent())
    await fetch(origin)
    await fetch(origin)
    expect(log).toEqual([])
    expect(warnings).toEqual([expect.stringContaining('fetch is no longer guarded')])
  })

  test('not where it was put before the guarded one', async () => {
    const { origin, warnings, log } = await guarded((_request, response) => response.end())
    setGlobalDispatcher(getGlobalDispatcher().compose(interceptors.retry()))
    await fetch(origin)
    expect([log, warnings]).toEqual([['success 200'], []])
  })

  test('where there is nothing to guard, or it cannot be', async () => {
    const warned = (): string[] => {
      const board = createBoard()
      const warnings: string[] = []
      board.on('warning', ({ message }) => warnings.push(message))
      guardGlobalFetch(board)()
      return warnings
    }
    for (const slot of SLOTS) places[slot] = undefined
    expect(warned()).toEqual([expect.stringContaining('fetch is not guarded')])
    for (const slot of SLOTS) places[slot] = { odd: true }
    expect(warned()).toEqual([expect.stringContaining('fetch is not guarded')])
    putBack()
    vi.stubGlobal('fetch', runInNewContext('() => {}')) // as under Jest
    onTestFinished(() => void vi.unstubAllGlobals())
    expect(warned()).toEqual([expect.stringContaining('fetch is not guarded')])
    vi.unstubAllGlobals()
    vi.spyOn(Reflect, 'set').mockReturnValue(false)
    onTestFinished(() => void vi.restoreAllMocks())
    expect(warned()).toEqual([expect.stringContaining('fetch is not guarded')])
  })
})

test('a guarded dispatcher is the one before it in all but its dispatch', async () => {
  const mock = new MockAgent()
  setGlobalDispatcher(mock)
  onTestFinished(guardGlobalFetch(createBoard()))
  const guard = getGlobalDispatcher() as unknown as MockAgent
  expect(guard).toBeInstanceOf(MockAgent)
  expect(guard).toHaveProperty('isMockActive', true)
  expect(guard.pendingInterceptors()).toEqual([])
  const first = places[SLOTS[0] as symbol] as Agent
  await first.close()
  const call = mock.request({ origin: 'http://a.test', path: '/', method: 'GET' })
  await expect(call).rejects.toThrow('destroyed')
})

test("the slot is known that this runtime's fetch reads", () => {
  const seen: string[] = []
  for (const slot of SLOTS) places[slot] = { dispatch: () => void seen.push(String(slot)) }
  void fetch('http://a.test').catch(() => {})
  expect(seen.length).toBeLessThanOrEqual(1)
  return expect.poll(() => seen).toEqual([String(slotOfFetch())])
})

interface Served {
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
  onTestFinished(async () => {
    server.closeAllConnections()
    await new Promise((done) => server.close(done))
  })
  const { port } = server.address() as AddressInfo
  return { origin: `http://127.0.0.1:${port}`, requests: () => requests }
}

interface Guarded extends Served {
  readonly board: Board
  readonly log: string[]
  readonly warnings: string[]
}

async function guarded(listener: RequestListener, options: BoardOptions = {}): Promise<Guarded> {
  const served = await serve(listener)
  const board = createBoard({ hosts: { '127.0.0.1': {} }, ...options })
  const warnings: string[] = []
  board.on('warning', ({ message }) => warnings.push(message))
  onTestFinished(guardGlobalFetch(board))
  return { ...served, board, log: logOf(board), warnings }
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
