// The fault server, met with plain node:http and node:net: each path does what the suite counts on.
import { once } from 'node:events'
import { request, type IncomingMessage } from 'node:http'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { faultServer, type FaultServer } from './fault-server.ts'

let server: FaultServer

beforeEach(async () => {
  server = await faultServer()
})

afterEach(() => server.stop())

async function get(
  path: string,
  options: { method?: string; headers?: Record<string, string>; origin?: string; body?: string } = {},
) {
  const { origin = server.origin, body, ...rest } = options
  const outgoing = request(new URL(path, origin), { agent: false, ...rest }).end(body)
  const [response] = (await once(outgoing, 'response')) as [IncomingMessage]
  outgoing.on('error', () => {}) // said by the response too
  return { status: response.statusCode, headers: response.headers, response }
}

async function read(path: string, options?: Parameters<typeof get>[1]) {
  const { status, headers, response } = await get(path, options)
  return { status, headers, body: await text(response) }
}

const failure = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(() => undefined).catch((error) => error as unknown)

describe('answers', () => {
  test('/ok says what it was asked and how often, with repeated fields', async () => {
    await read('/ok')
    const { headers, body } = await read('/ok', { method: 'POST', body: 'hello' })
    expect(JSON.parse(body)).toEqual({ method: 'POST', count: 2, body: 'hello' })
    expect(headers).toMatchObject({ 'x-multi': 'one, two', 'set-cookie': ['a=1', 'b=2'] })
  })

  test('/ok has no body for HEAD', async () => {
    expect(await read('/ok', { method: 'HEAD' })).toMatchObject({ status: 200, body: '' })
  })

  test.each([204, 304, 404, 429, 503])('/status/%i has that status', async (status) => {
    expect(await read(`/status/${status}`)).toMatchObject({ status })
  })

  test('/status has a Retry-After in seconds, or as a date that its own Date agrees with', async () => {
    expect((await read('/status/429?ra=7')).headers['retry-after']).toBe('7')
    const { headers } = await read('/status/429?date=7')
    expect(Date.parse(headers['retry-after'] ?? '') - Date.parse(headers.date ?? '')).toBe(7_000)
  })

  test('/own and what is below it answer as they are told', async () => {
    expect((await read('/own')).status).toBe(404)
    server.own = (request, response) => void response.end(request.url)
    expect((await read('/own/path?a=1')).body).toBe('/own/path?a=1')
    expect(server.requests('/own/path')).toBe(1)
  })

  test('/redirect leads elsewhere, or on and on', async () => {
    expect(await read('/redirect?to=/ok')).toMatchObject({ status: 302, headers: { location: '/ok' } })
    expect(await read('/redirect?code=307')).toMatchObject({ status: 307, headers: { location: '/redirect?hop=2' } })
  })

  test('/big is n chunks of 64 kB', async () => {
    expect((await read('/big?n=3')).body).toHaveLength(3 * 65_536)
    expect(await read('/big?n=1&code=503')).toMatchObject({ status: 503 })
  })

  test('/hints sends a 103 before its 200', async () => {
    const outgoing = request(`${server.origin}/hints`, { agent: false }).end()
    const early = once(outgoing, 'information')
    const [response] = (await once(outgoing, 'response')) as [IncomingMessage]
    expect(await early).toMatchObject([{ statusCode: 103 }])
    expect([response.statusCode, await text(response)]).toEqual([200, '{"hinted":true}'])
  })

  test('/badgzip and /badjson come whole and mean nothing', async () => {
    const { headers, body } = await read('/badgzip')
    expect(headers).toMatchObject({ 'content-encoding': 'gzip' })
    expect(body).not.toBe('')
    expect((await read('/badjson')).body).toBe('{"half":')
  })

  test('/flaky fails as often as it is told, for each k', async () => {
    const statuses: unknown[] = []
    for (const k of ['a', 'a', 'b', 'a']) statuses.push((await read(`/flaky?fail=2&code=502&k=${k}`)).status)
    expect(statuses).toEqual([502, 502, 502, 200])
  })

  test('/cache carries directives and an etag, and dies when told', async () => {
    expect(await read('/cache?cc=max-age=60&etag=e')).toMatchObject({
      body: '{"count":1}',
      headers: { 'cache-control': 'max-age=60', etag: '"e"' },
    })
    expect(await read('/cache?cc=max-age=60&etag=e', { headers: { 'if-none-match': '"e"' } })).toMatchObject({
      status: 304,
    })
    await read('/cache?die=1')
    expect(await read('/cache?die=1')).toMatchObject({ status: 503 })
    await read('/cache?die=reset')
    expect(await failure(read('/cache?die=reset'))).toMatchObject({ code: 'ECONNRESET' })
  })

  test('an unknown path is a 404', async () => {
    expect(await read('/nowhere')).toMatchObject({ status: 404 })
  })
})

describe('faults', () => {
  test.each(['/reset-before', '/close-before'])('%s gives no head', async (path) => {
    expect(await failure(get(path))).toMatchObject({ code: 'ECONNRESET' })
  })

  test('/garbage is no HTTP', async () => {
    expect(await failure(get('/garbage'))).toMatchObject({ code: expect.stringMatching(/^HPE_/) })
  })

  test.each(['/truncate', '/reset-mid', '/close-mid-chunked'])(
    '%s gives a head and breaks in the body',
    async (path) => {
      const { status, response } = await get(path)
      expect(status).toBe(200)
      expect(await failure(text(response))).toMatchObject({ code: 'ECONNRESET' })
    },
  )

  test('/slow-headers and /slow-body come in the end', async () => {
    expect(await read('/slow-headers?ms=1')).toMatchObject({ status: 200 })
    expect((await read('/slow-body?ms=1')).body).toBe('01234567890123456789')
  })

  test('a closed origin refuses', async () => {
    const origin = await server.closedOrigin()
    expect(await failure(get('/ok', { origin }))).toMatchObject({ code: 'ECONNREFUSED' })
    expect(server.connections).toBe(0)
  })
})

describe('tunnels', () => {
  test('an upgrade is accepted and echoes', async () => {
    const outgoing = request(`${server.origin}/ws`, {
      agent: false,
      headers: { connection: 'upgrade', upgrade: 'echo' },
    }).end()
    const [response, socket] = await once(outgoing, 'upgrade')
    socket.write('hello')
    expect([response.statusCode, String(await once(socket, 'data'))]).toEqual([101, 'hello'])
    expect(server.requests('/ws')).toBe(1)
  })

  test('a WebSocket opens and closes', async () => {
    const socket = new WebSocket(`${server.origin.replace('http', 'ws')}/ws`)
    await once(socket, 'open')
    socket.close()
    expect(await once(socket, 'close')).toMatchObject([{ wasClean: true }])
  })

  test('a CONNECT is accepted and echoes', async () => {
    const socket = connect(server.port, '127.0.0.1')
    socket.write('CONNECT host:1 HTTP/1.1\r\nhost: host:1\r\n\r\n')
    expect(String(await once(socket, 'data'))).toContain('200')
    socket.write('hello')
    expect(String(await once(socket, 'data'))).toBe('hello')
    expect(server.requests('CONNECT')).toBe(1)
    socket.destroy()
  })
})

describe('counts', () => {
  test('requests are counted by path and in all, connections and live sockets by themselves', async () => {
    await read('/ok')
    await read('/ok?again')
    await read('/status/503', { origin: server.alias })
    expect([server.requests('/ok'), server.requests('/status/503'), server.requests()]).toEqual([2, 1, 3])
    expect(server.connections).toBe(3)
  })

  test('a request that hangs can be awaited, and its socket is known', async () => {
    const outgoing = request(`${server.origin}/slow-headers`, { agent: false }).end()
    await server.asked('/slow-headers')
    expect(server.sockets.size).toBe(1)
    outgoing.destroy()
    expect(await failure(once(outgoing, 'close'))).toMatchObject({ code: 'ECONNRESET' })
  })

  test('stopping breaks what still hangs, and may be done twice', async () => {
    const outgoing = request(`${server.origin}/slow-headers`, { agent: false }).end()
    const broken = failure(once(outgoing, 'response'))
    await server.asked('/slow-headers')
    await server.stop()
    expect(await broken).toMatchObject({ code: 'ECONNRESET' })
    expect(server.sockets.size).toBe(0)
    await server.stop()
  })
})
