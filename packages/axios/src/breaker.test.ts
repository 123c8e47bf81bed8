// The breaker on an instance of axios: putting it on and taking it off, what counts, and what a refusal looks like.
import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import { circuitOpen, createBoard, reply, type Board, type BoardOptions } from '@fuseboard/core'
import real, { type AxiosAdapter, type AxiosInstance, type AxiosRequestConfig } from 'axios'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import * as fuseboard from './index.ts'
import fuseboardAxios, { axiosBreaker, breaker, pluggable, unguard } from './index.ts'

const never = { failureRate: false, consecutiveFailures: false } as const
const ok: RequestListener = (_request, response) => void response.end('hello')

describe('putting it on', () => {
  test('gives the instance back', () => {
    const http = real.create()
    expect(breaker(createBoard())(http)).toBe(http)
    expect(axiosBreaker).toBe(breaker)
  })

  test('on what is no instance says so', () => {
    const plugin = breaker(createBoard()) as (instance: unknown) => unknown
    for (const wrong of [undefined, {}, { url: '/', headers: {} }]) expect(() => plugin(wrong)).toThrow(TypeError)
    expect(() => breaker({ openFor: -1 })).toThrow('openFor')
  })

  test('uncalled, or with the instance in place of a board, says how it is called', () => {
    const message = /^breaker\(\) guards an instance of axios: axios\.use\(breaker\(\)\), or breaker\(\)\(/
    expect(() => breaker(real.create() as never)).toThrow(message)
    expect(() => pluggable(real.create()).use(breaker as never)).toThrow(message)
  })

  test.each([undefined, null, 42, {}, []])('%o is told where an instance is wanted', (given) => {
    const kind = typeof given
    expect(() => breaker()(given as never)).toThrow(
      new RegExp(`^breaker\\(\\) guards an instance of axios: .*, got ${kind}$`),
    )
    expect(() => unguard(given as never)).toThrow(new TypeError(`unguard() takes an instance of axios, got ${kind}`))
    expect(() => pluggable(given as never)).toThrow(
      new TypeError(`pluggable() takes an instance of axios, got ${kind}`),
    )
  })

  test('without a board takes the one of the process', async () => {
    const { url, host } = await serve(ok)
    const { defaultBoard } = await import('@fuseboard/core')
    await breaker()(real.create()).get(url)
    expect(defaultBoard().peek(host)?.counters.successes).toBe(1)
  })

  test('guards what is made from the instance, and not what was made before', async () => {
    const { url } = await serve(ok)
    const { board, log } = watched()
    const http = real.create()
    const earlier = http.create()
    breaker(board)(http)
    await http.create().create().get(url)
    await earlier.get(url)
    expect(log).toEqual(['success 200'])
  })

  test('twice, or on a guarded child, counts once', async () => {
    const { url } = await serve(ok)
    const { board, log } = watched()
    const child = breaker(board)(breaker(board)(breaker(board)(real.create())).create())
    await child.get(url)
    await child.get(url, { adapter: 'fetch' })
    expect(log).toEqual(['success 200', 'success 200'])
  })

  test('of two boards asks both', async () => {
    const { url, host } = await serve(ok)
    const [one, other] = [watched(), watched()]
    const http = breaker(other.board)(breaker(one.board)(real.create()))
    await http.get(url)
    expect([one.log, other.log]).toEqual([['success 200'], ['success 200']])
    one.board.circuit(host).trip()
    expect(circuitOpen(await caught(http.get(url)))).toBeDefined()
    expect(other.log).toEqual(['success 200', 'ignored'])
    unguard(http)
    await http.get(url)
    expect([one.log.length, other.log.length]).toEqual([1, 2])
  })

  test('guards an adapter that a call names, and leaves one alone that is a function', async () => {
    const { url, host } = await serve(ok)
    const { board, log } = watched()
    const http = breaker(board)(real.create())
    for (const adapter of ['http', 'fetch', ['fetch', 'http']] as const)
      await http.get(url, { adapter: adapter as AxiosRequestConfig['adapter'] & {} })
    expect(log).toEqual(['success 200', 'success 200', 'success 200'])
    board.circuit(host).trip()
    const own: AxiosAdapter = async (config) => ({ data: 'own', status: 200, statusText: '', headers: {}, config })
    expect((await http.get(url, { adapter: own })).data).toBe('own')
  })

  test('an adapter that there is not is the caller’s mistake', async () => {
    const { url, host } = await serve(ok)
    const { board, log } = watched()
    await expect(breaker(board)(real.create()).get(url, { adapter: 'pigeon' })).rejects.toThrow(
      "Unknown adapter 'pigeon'",
    )
    expect([log, board.circuit(host).counters.inFlight]).toEqual([[], 0])
  })

  test('leaves the requests of a Unix socket alone', async () => {
    const { board, log } = watched()
    const http = breaker(board)(real.create())
    await expect(http.get('http://a.test/', { socketPath: '/nowhere.sock' })).rejects.toMatchObject({ code: 'ENOENT' })
    expect(log).toEqual([])
  })
})

describe('unguard', () => {
  test('takes it away, from children too, and it can be put on again', async () => {
    const { url, host } = await serve(ok)
    const { board, log } = watched()
    const http = breaker(board)(real.create())
    const child = http.create()
    board.circuit(host).isolate()
    unguard(http)
    for (const one of [http, child, http.create()]) {
      await one.get(url)
      await one.get(url, { adapter: 'fetch' })
    }
    expect(log).toEqual([])
    breaker(board)(http)
    expect(circuitOpen(await caught(http.get(url)))).toBeDefined()
  })

  test('of a child leaves its parent guarded', async () => {
    const { url, host } = await serve(ok)
    const { board } = watched()
    const http = pluggable(real.create()).use(breaker(board))
    const child = http.create()
    unguard(child)
    board.circuit(host).isolate()
    await child.get(url)
    expect(circuitOpen(await caught(http.get(url)))).toBeDefined()
  })

  test('of a pluggable instance unplugs it: later children are not guarded', async () => {
    const { url, host } = await serve(ok)
    const { board } = watched()
    const http = pluggable(real.create()).use(breaker(board))
    unguard(http)
    board.circuit(host).isolate()
    expect((await http.create().get(url)).status).toBe(200)
  })

  test('reaches a guard that the caller’s own adapter holds', async () => {
    const { url, host } = await serve(ok)
    const { board } = watched()
    const http = breaker(board)(real.create())
    const below = http.defaults.adapter as AxiosAdapter
    http.defaults.adapter = (config) => below(config)
    board.circuit(host).isolate()
    unguard(http)
    expect((await http.get(url)).status).toBe(200)
  })

  test('of what was never guarded does nothing', () => {
    const http = real.create()
    const { adapter } = http.defaults
    unguard(http)
    expect(http.defaults.adapter).toBe(adapter)
  })
})

describe('pluggable', () => {
  test('hands each plugin each instance once', () => {
    const seen: AxiosInstance[] = []
    const http = pluggable(pluggable(real.create())).use((instance) => seen.push(instance))
    const child = http.create({ baseURL: 'http://a.test' })
    const grandchild = child.create()
    expect(seen).toEqual([http, child, grandchild])
    expect(new Set(seen).size).toBe(3)
    expect(child.defaults.baseURL).toBe('http://a.test')
  })

  test('says so where it is to use what is no function, and uses nothing of that', () => {
    const seen: AxiosInstance[] = []
    const http = pluggable(real.create())
    for (const wrong of [createBoard(), undefined, 42]) {
      const plugins = [(instance: AxiosInstance) => seen.push(instance), wrong as never]
      expect(() => http.use(...plugins)).toThrow(`use() takes functions, as breaker() gives one, got ${typeof wrong}`)
    }
    http.create()
    expect(seen).toEqual([])
  })

  test('guards a child that names an adapter of its own', async () => {
    const { url } = await serve(ok)
    const { board, log } = watched()
    await pluggable(real.create()).use(breaker(board)).create({ adapter: 'fetch' }).get(url)
    expect(log).toEqual(['success 200'])
  })

  test('counts once where a child inherits the caller’s own adapter around the guarded one', async () => {
    const { url } = await serve((request, response) => {
      response.writeHead(request.url === '/there' ? 200 : 302, { location: '/there' }).end()
    })
    const { board, log } = watched()
    const http = pluggable(real.create()).use(breaker(board))
    const below = http.defaults.adapter as AxiosAdapter
    http.defaults.adapter = (config) => below(config)
    await http.create().get(url)
    expect(log).toEqual(['success 302', 'success 200'])
  })

  test('counts a retry between two layers as an attempt', async () => {
    const { url } = await serve(flaky(1))
    const { board, log } = watched()
    const http = pluggable(real.create()).use(breaker(board))
    const below = http.defaults.adapter as AxiosAdapter
    http.defaults.adapter = (config) => below(config).catch(() => below(config))
    await http.create().get(url)
    expect(log).toEqual(['failure 503', 'success 200'])
  })
})

describe('the axios of this package', () => {
  test('has all that the real one has', () => {
    expect(Object.keys(fuseboardAxios)).toEqual(expect.arrayContaining(Object.keys(real)))
    const {
      AxiosError,
      CancelToken,
      VERSION,
      isAxiosError,
      default: itself,
    } = fuseboardAxios as typeof real as typeof real & { default: unknown }
    expect([AxiosError, CancelToken, VERSION, isAxiosError]).toEqual([
      real.AxiosError,
      real.CancelToken,
      real.VERSION,
      real.isAxiosError,
    ])
    expect(itself).toBe(fuseboardAxios)
    expect(fuseboard.default).toBe(fuseboardAxios)
  })

  test('has the named exports of the real one, and its create makes guarded instances', async () => {
    const only = new Set(['Cancel', 'CancelToken', 'VERSION'])
    const named = Object.keys(await import('axios')).filter((name) => !only.has(name))
    expect(Object.keys(fuseboard)).toEqual(expect.arrayContaining(named))
    const { url } = await serve(ok)
    const { board, log } = watched()
    fuseboardAxios.use(breaker(board))
    onTestFinished(() => unguard(fuseboardAxios))
    await fuseboard.create().get(url)
    expect(log).toEqual(['success 200'])
  })

  test('takes a breaker by use, for its children too, and the real one stays as it is', async () => {
    const { url, host } = await serve(ok)
    const { board, log } = watched()
    expect(fuseboardAxios.use(breaker(board))).toBe(fuseboardAxios)
    onTestFinished(() => unguard(fuseboardAxios))
    await fuseboardAxios.get(url)
    await fuseboardAxios(url)
    await fuseboardAxios.create().post(url, { a: 1 })
    await real.get(url)
    expect(log).toEqual(['success 200', 'success 200', 'success 200'])
    board.circuit(host).trip()
    const error = await caught(fuseboardAxios.get(url))
    expect(fuseboardAxios.isAxiosError(error)).toBe(true)
    expect('use' in real).toBe(false)
  })
})

describe('a refusal', () => {
  test('is an AxiosError that tells what it is, with the config of the call', async () => {
    const { url, host, requests } = await serve(ok)
    const { board } = watched()
    board.circuit(host).trip('10s')
    const error = await caught(breaker(board)(real.create()).get(url, { params: { a: 1 } }))
    expect(real.isAxiosError(error)).toBe(true)
    expect(error).toMatchObject({
      name: 'CircuitOpenError',
      code: 'EOPENBREAKER',
      message: expect.stringContaining('is open, retry in 10 s') as string,
      config: { url, method: 'get', params: { a: 1 } },
    })
    expect(circuitOpen(error)).toBe((error as Error).cause)
    expect(JSON.parse(JSON.stringify(error))).toMatchObject({ code: 'EOPENBREAKER' })
    expect(requests()).toBe(0)
  })

  test('leaves a stream to be sent as it is', async () => {
    const { url, host } = await serve(ok)
    const { board } = watched()
    board.circuit(host).trip()
    const data = Readable.from(['some ', 'text'])
    await caught(breaker(board)(real.create()).post(url, data))
    expect([data.destroyed, (await data.toArray()).join('')]).toEqual([false, 'some text'])
  })

  test('of a circuit further in is shown as one, and ignored', async () => {
    const { url, host } = await serve(ok)
    const inner = createBoard(never)
    inner.circuit(host).trip()
    const refusal = inner.attempt({ method: 'GET', url }).refusal
    const { board, log } = watched()
    const http = breaker(board)(
      real.create({
        adapter: 'fetch',
        env: { fetch: () => Promise.reject(new TypeError('fetch failed', { cause: refusal })) },
      }),
    )
    expect(await caught(http.get(url))).toMatchObject({
      code: 'EOPENBREAKER',
      cause: refusal,
      config: { raxConfig: { retry: 0 } },
    })
    expect(log).toEqual(['ignored'])
  })
})

describe('what counts', () => {
  const cases: [name: string, how: AxiosRequestConfig, verdicts: string[]][] = [
    ['a 304 that the caller does not want', { url: '/304' }, ['success 304']],
    ['a 302 that is not followed', { url: '/302', maxRedirects: 0 }, ['success 302']],
    ['a 200 that the caller does not want', { validateStatus: () => false }, ['success 200']],
    ['a 503 that the caller does not mind', { url: '/503', validateStatus: null }, ['failure 503']],
    ['more bytes than the caller takes', { maxContentLength: 2 }, ['ignored']],
    ['more bytes than the caller sends', { method: 'post', data: 'xxx', maxBodyLength: 2 }, ['ignored']],
    ['params that cannot be written', { params: { a: 1 }, paramsSerializer: { serialize: boom } }, ['ignored']],
    ['a response that the caller cannot transform', { transformResponse: boom }, ['success 200']],
    ['an option that is none', { timeout: 'x' as never, adapter: 'http' }, ['ignored']],
    ['a gzip stream that is none', { url: '/badgzip', adapter: 'http' }, ['success 200']],
    ['a time limit', { url: '/hangs', timeout: 30 }, ['failure']],
    [
      'a time limit that is told clearly',
      { url: '/hangs', timeout: 30, transitional: { clarifyTimeoutError: true } },
      ['failure'],
    ],
    ['a time limit in the body', { url: '/stalls', timeout: 30 }, ['failure']],
  ]

  describe.each(['http', 'fetch'] as const)('on the %s adapter', (adapter) => {
    test.each(cases.filter(([, how]) => how.adapter === undefined || how.adapter === adapter))(
      '%s',
      async (_name, how, verdicts) => {
        const { url: origin, host } = await serve(faults)
        const { board, log } = watched()
        const http = breaker(board)(real.create({ adapter, baseURL: origin }))
        await http.request({ url: '/ok', ...how }).catch(() => {})
        expect(log).toEqual(verdicts)
        expect(board.circuit(host).counters.inFlight).toBe(0)
      },
      5_000,
    )

    test('a CancelToken says nothing of the host, before the head or in the body', async () => {
      const { url, host } = await serve(faults)
      const { board, log } = watched()
      const http = breaker(board)(real.create({ adapter }))
      for (const path of ['hangs', 'stalls']) {
        const { token, cancel } = real.CancelToken.source()
        const call = caught(http.get(`${url}/${path}`, { cancelToken: token }))
        await vi.waitFor(() => expect(board.circuit(host).counters.inFlight).toBe(1))
        setTimeout(cancel, 30)
        expect(real.isCancel(await call)).toBe(true)
      }
      expect(log).toEqual(['ignored', 'ignored'])
    })

    test('a stream to be sent that breaks by itself is no failure of the host', async () => {
      const { url } = await serve((request, response) => void request.resume().on('end', () => response.end()))
      const { board, log } = watched()
      const data = new Readable({ read: () => void data.destroy(new Error('No such file')) })
      await caught(breaker(board)(real.create({ adapter })).post(url, data))
      expect(log).toEqual(['ignored'])
    })
  })

  test('a body that broke, as releases before 1.8 tell it, is a failure', async () => {
    const { board, log } = watched()
    const told = new real.AxiosError('maxContentLength size of -1 exceeded', 'ERR_BAD_RESPONSE')
    await caught(breaker(board)(real.create({ adapter: () => Promise.reject(told) })).get('http://a.test/'))
    expect(log).toEqual(['failure'])
  })

  test('a made error of a mock without a response is a failure', async () => {
    const { board, log } = watched()
    const http = breaker(board)(real.create({ adapter: () => Promise.reject(new real.AxiosError('Network Error')) }))
    await caught(http.get('http://a.test/'))
    expect(log).toEqual(['failure'])
  })
})

describe('redirects', () => {
  test('run the caller’s own hook, once, and each hop is of its own host', async () => {
    const { url, host, alias } = await serve((request, response) => {
      if (request.url === '/there') return void response.end('there')
      response.writeHead(302, { location: `${alias}/there` }).end()
    })
    const { board } = watched()
    const beforeRedirect = vi.fn<() => void>()
    const { data } = await breaker(board)(real.create()).get<string>(url, { beforeRedirect })
    expect([data, beforeRedirect.mock.calls.length]).toEqual(['there', 1])
    expect([host, new URL(alias).host].map((key) => board.circuit(key).counters.successes)).toEqual([1, 1])
  })

  test('that the caller’s own hook forbids are no failure', async () => {
    const { url } = await serve((_request, response) => void response.writeHead(302, { location: '/x' }).end())
    const { board, log } = watched()
    const error = await caught(breaker(board)(real.create()).get(url, { beforeRedirect: boom }))
    expect([log, real.isAxiosError(error)]).toEqual([['success 302'], true])
  })

  test('to a host that is refused get its refusal, or its stand-in', async () => {
    const { url, alias } = await serve(
      (_request, response) => void response.writeHead(302, { location: `${alias}/x` }).end(),
    )
    const target = new URL(alias).host
    const { board } = watched()
    board.circuit(target).trip()
    const http = breaker(board)(real.create())
    expect(await caught(http.get(url))).toMatchObject({ code: 'EOPENBREAKER', cause: { host: target } })

    const kind = watched({ hosts: { localhost: { fallback: reply({ text: 'made' }) } } })
    kind.board.circuit(target).trip()
    expect((await breaker(kind.board)(real.create()).get(url)).data).toBe('made')
    expect(kind.log).toEqual(['success 302'])
  })

  test('carry what a fallback wants on the wire at each hop', async () => {
    const keys: unknown[] = []
    const { url } = await serve((request, response) => {
      keys.push(request.headers['idempotency-key'])
      response.writeHead(request.url === '/there' ? 200 : 307, { location: '/there' }).end()
    })
    let made = 0
    const fallback = { prepare: () => [['idempotency-key', `k${++made}`]] as const, standIn: () => undefined }
    await breaker(createBoard({ fallback: [fallback] }))(real.create()).post(url, 'x')
    expect(keys).toEqual(['k1', 'k2'])
  })
})

test('each call gives back the config of the caller, without the hooks of ours', async () => {
  const { url } = await serve(flaky(1))
  const { board } = watched()
  for (const adapter of ['http', 'fetch']) {
    const http = breaker(board)(real.create({ adapter }))
    const seen: unknown[] = []
    http.interceptors.request.use((config) => (seen.push(config), config))
    const { config } = await http.get(url, { validateStatus: null })
    const error = await caught(http.get(`${url}/missing`, { validateStatus: () => false }))
    expect(config.beforeRedirect).toBeUndefined()
    expect(Object.getOwnPropertySymbols(config)).toEqual([])
    expect((error as { config: object; response: { config: object } }).config).toBe(
      (error as { response: { config: object } }).response.config,
    )
    expect(config.fetchOptions).toBeUndefined()
  }
})

test('a config that an adapter above sends twice at a time is two calls, and comes back as it was', async () => {
  const { url } = await serve(({ url }, response) => {
    if (url === '/there') response.end('there')
    else response.writeHead(302, { location: '/there' }).end()
  })
  const { board, log } = watched()
  const http = breaker(board)(real.create())
  const below = http.defaults.adapter as AxiosAdapter
  http.defaults.adapter = async (config) => (await Promise.all([below(config), below(config)]))[1]
  const beforeRedirect = vi.fn<() => void>()
  const { data, config } = await http.get<string>(url, { beforeRedirect })
  expect([data, config.beforeRedirect, Object.getOwnPropertySymbols(config)]).toEqual(['there', beforeRedirect, []])
  expect(beforeRedirect).toHaveBeenCalledTimes(2)
  expect(log.toSorted()).toEqual(['success 200', 'success 200', 'success 302', 'success 302'])
})

function boom(): never {
  throw new Error('boom')
}

const faults: RequestListener = (request, response) => {
  const [, status] = /^\/(\d+)/.exec(request.url ?? '') ?? []
  if (status) return void response.writeHead(Number(status), status === '302' ? { location: '/ok' } : {}).end()
  if (request.url === '/badgzip')
    return void response.writeHead(200, { 'content-encoding': 'gzip' }).end('no gzip at all')
  if (request.url === '/stalls') return void response.writeHead(200, { 'content-length': 20 }).write('0123456789')
  if (request.url !== '/hangs') request.resume().on('end', () => response.end('hello'))
}

function flaky(fails: number): RequestListener {
  let calls = 0
  return (_request, response) => void response.writeHead(calls++ < fails ? 503 : 200).end()
}

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
  const { port } = server.address() as AddressInfo
  const host = `127.0.0.1:${port}`
  return { host, url: `http://${host}`, alias: `http://localhost:${port}`, requests: () => requests }
}

function watched(options: BoardOptions = {}): { board: Board; log: string[] } {
  const board = createBoard({ ...never, ...options })
  const log: string[] = []
  board.on('settled', ({ verdict, status, amended }) =>
    log.push(amended ? `${verdict} amended` : `${verdict} ${status ?? ''}`.trim()),
  )
  return { board, log }
}

const caught = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => Promise.reject(new Error('This was to fail')),
    (error: unknown) => error,
  )
