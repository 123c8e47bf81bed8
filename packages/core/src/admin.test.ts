// Circuits over HTTP: who may look, who may do what, and what is refused.
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, test, vi } from 'vitest'
import { adminHandler, type AdminOptions } from './admin.ts'
import { createBoard, type BoardOptions } from './index.ts'
import { manualClock } from './testing.ts'

const OWN = { 'x-fuseboard': '1' }

function subject(options?: AdminOptions, policy: BoardOptions = {}) {
  const board = createBoard({ clock: manualClock(1_700_000_000_000), ...policy })
  const circuit = board.circuit('a.test')
  const handler = adminHandler(board, options)
  const ask = async (path: string, init?: RequestInit) => {
    const response = await handler(new Request(new URL(path, 'http://localhost:3000/'), init))
    return {
      status: response.status,
      headers: response.headers,
      body: (await response.json()) as Record<string, unknown>,
    }
  }
  const post = (path: string, headers: Record<string, string> = OWN) => ask(path, { method: 'POST', headers })
  return { board, circuit, ask, post }
}

const anybody = { authorize: () => true }

describe('looking', () => {
  test('lists the circuits, with what they counted', async () => {
    const { circuit, ask } = subject()
    circuit.settle(circuit.admit(), 'success')
    const { status, headers, body } = await ask('/')
    expect(status).toBe(200)
    expect(headers.get('cache-control')).toBe('no-store')
    expect(body['circuits']).toMatchObject([
      { key: 'a.test', state: 'closed', counters: { successes: 1 }, window: { calls: 1 } },
    ])
  })

  test('explains one, whose key may be any text', async () => {
    const { board, ask } = subject()
    board.circuit('api.test tenant/7').trip('5m')
    const { status, body } = await ask(`/circuits/${encodeURIComponent('api.test tenant/7')}`)
    expect([status, body['state']]).toEqual([200, 'open'])
    expect(body['explanation']).toContain('open for 5 min: by hand')
  })

  test('shows what circuits in shadow would have done', async () => {
    const { circuit, ask } = subject(undefined, { mode: 'shadow' })
    circuit.trip()
    circuit.settle(circuit.admit(), 'success')
    expect((await ask('/')).body['shadow']).toMatchObject([{ key: 'a.test', refused: 1, ofThoseWell: 1 }])
  })

  test('makes no circuit', async () => {
    const { board, ask } = subject()
    expect((await ask('/circuits/b.test')).status).toBe(404)
    expect(board.peek('b.test')).toBeUndefined()
  })

  test('is for whom authorize lets, where there is one', async () => {
    const asked: string[] = []
    const authorize = (request: Request, action: string): boolean => {
      asked.push(action)
      return request.headers.get('authorization') === 'Bearer operator'
    }
    const { ask } = subject({ authorize })
    expect((await ask('/')).status).toBe(403)
    expect((await ask('/', { headers: { authorization: 'Bearer operator' } })).status).toBe(200)
    expect(asked).toEqual(['look', 'look'])
  })
})

describe('doing', () => {
  test('is for nobody where nothing authorizes', async () => {
    const { circuit, post } = subject()
    for (const action of ['trip', 'isolate', 'bypass', 'release', 'reset']) {
      expect((await post(`/circuits/a.test/${action}`)).status).toBe(403)
    }
    expect(circuit.state).toBe('closed')
  })

  test('opens for a time', async () => {
    const { circuit, post } = subject(anybody)
    expect((await post('/circuits/a.test/trip?for=5m')).body['state']).toBe('open')
    expect(circuit.refusal(circuit.admit()).retryAfterMs).toBe(300_000)
  })

  test('holds open with a reason, and lets go of what it holds', async () => {
    const { circuit, post } = subject(anybody)
    using other = circuit.bypass()
    const { body } = await post('/circuits/a.test/isolate?reason=moving+house')
    expect([body['state'], String(body['explanation'])]).toEqual(['isolated', expect.stringContaining('moving house')])
    await post('/circuits/a.test/isolate')
    expect((await post('/circuits/a.test/release')).body['state']).toBe('bypassed')
    other.release()
    expect(circuit.state).toBe('closed')
  })

  test('holds closed, and resets', async () => {
    const { circuit, post } = subject(anybody)
    expect((await post('/circuits/a.test/bypass')).body['state']).toBe('bypassed')
    expect((await post('/circuits/a.test/reset')).body['state']).toBe('closed')
    circuit.trip()
    expect((await post('/circuits/a.test/release')).body['state']).toBe('open')
  })

  test('asks authorize for the very action', async () => {
    const { post } = subject({ authorize: (_request, action) => action === 'reset' })
    expect((await post('/circuits/a.test/trip')).status).toBe(403)
    expect((await post('/circuits/a.test/reset')).status).toBe(200)
  })

  test.each(['0s', 'soon', '-5m'])('for %s is a bad request', async (duration) => {
    const { status, body } = await subject(anybody).post(`/circuits/a.test/trip?for=${duration}`)
    expect(status).toBe(400)
    expect(body['error']).toContain('trip(for) must be a duration longer than 0')
  })

  test('is not done by a GET, nor without the header that no other site can send', async () => {
    const { ask, post, circuit } = subject(anybody)
    const get = await ask('/circuits/a.test/trip', { headers: OWN })
    expect([get.status, get.headers.get('allow')]).toEqual([405, 'POST'])
    expect((await post('/circuits/a.test/trip', {})).status).toBe(403)
    expect(circuit.state).toBe('closed')
  })
})

describe('what is not its own', () => {
  test.each([
    ['a name that points here', 'http://evil.test/', {}],
    ['another Host', 'http://localhost/', { host: 'evil.test' }],
    ['a Host that is none', 'http://localhost/', { host: 'evil test' }],
    ['a page of another site', 'http://localhost/', { 'sec-fetch-site': 'cross-site' }],
    ['a page of a neighbour', 'http://localhost/', { 'sec-fetch-site': 'same-site' }],
    ['another origin', 'http://localhost/', { origin: 'http://evil.test' }],
    ['an origin that is hidden', 'http://localhost/', { origin: 'null' }],
  ])('%s is refused', async (_what, url, fields) => {
    const handler = adminHandler(createBoard(), anybody)
    // Some of these fields no Request may carry, but a server's may.
    const headers = new Map(Object.entries<string>(fields))
    const request = {
      url,
      method: 'GET',
      headers: { get: (name: string) => headers.get(name) ?? null, has: () => true },
    }
    expect((await handler(request as unknown as Request)).status).toBe(403)
  })

  test.each(['/nothing', '/circuits', '/circuits/a.test/explode', '/circuits/a.test/trip/more', '/circuits/%E0%A4%A'])(
    '%s is not there',
    async (path) => {
      const { ask } = subject(anybody)
      expect((await ask(path, { headers: OWN })).status).toBe(404)
    },
  )

  test('a name that is given is its own', async () => {
    const handler = adminHandler(createBoard(), { hosts: ['admin.shop.test'], basePath: '/fuseboard/' })
    expect((await handler(new Request('https://admin.shop.test/fuseboard'))).status).toBe(200)
    expect((await handler(new Request('https://admin.shop.test/fuseboard/'))).status).toBe(200)
    expect((await handler(new Request('https://admin.shop.test/fuseboards'))).status).toBe(404)
    expect((await handler(new Request('http://localhost/fuseboard'))).status).toBe(403)
  })

  test('an authorize that fails allows nothing, and is warned of', async () => {
    const { board, ask } = subject({ authorize: () => Promise.reject(new Error('no directory')) })
    const warnings = vi.fn<(event: { message: string }) => void>()
    board.on('warning', warnings)
    expect((await ask('/')).status).toBe(403)
    expect(warnings).toHaveBeenCalledWith(
      expect.objectContaining({ message: expect.stringContaining('no directory') as string }),
    )
  })
})

test.each([
  [{ basePath: 'fuseboard' }, 'TypeError: admin.basePath must be a path that begins with /, got "fuseboard"'],
  [{ hosts: 'localhost' }, 'TypeError: admin.hosts must be a list of host names, got "localhost"'],
  [{ authorize: true }, 'TypeError: admin.authorize must be a function, got true'],
  [{ readOnly: true }, 'TypeError: admin.readOnly is not an option; there are basePath, hosts, authorize'],
])('%o is told', (options, message) => {
  expect(() => adminHandler(createBoard(), options as never)).toThrow(message.slice(11))
})

test('it serves behind node:http', async () => {
  const board = createBoard()
  board.circuit('a.test')
  const admin = adminHandler(board, anybody)
  const server = createServer((request, response) => void serve(admin, request, response))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  try {
    const opened = await fetch(`${origin}/circuits/a.test/trip`, { method: 'POST', headers: OWN })
    expect([opened.status, opened.headers.get('content-type')]).toEqual([200, 'application/json'])
    expect(await (await fetch(`${origin}/`)).json()).toMatchObject({ circuits: [{ key: 'a.test', state: 'open' }] })
    expect((await fetch(`${origin}/`, { headers: { origin: 'http://evil.test' } })).status).toBe(403)
  } finally {
    server.closeAllConnections()
    server.close()
  }
})

async function serve(
  handler: (request: Request) => Promise<Response>,
  { method = 'GET', url = '/', headers }: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const answer = await handler(
    new Request(new URL(url, `http://${headers.host}`), { method, headers: headers as Record<string, string> }),
  )
  response.writeHead(answer.status, Object.fromEntries(answer.headers)).end(await answer.text())
}
