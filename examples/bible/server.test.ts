// The local verse service answers, limits and breaks as the real one was recorded to.
import { once } from 'node:events'
import { request, type IncomingMessage, type OutgoingHttpHeaders } from 'node:http'
import { text } from 'node:stream/consumers'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import data from './data.json' with { type: 'json' }
import { BibleServer } from './server.ts'

const VERSE = '/John+3:16'
const WINDOW = 30_000
const HOUR = 3_600_000

let server: BibleServer

beforeEach(async () => {
  // Only the clock: sockets need their timers.
  vi.useFakeTimers({ toFake: ['Date'], now: 1_000 * WINDOW })
  server = await BibleServer.listen()
})

afterEach(async () => {
  vi.useRealTimers()
  await server.close()
})

interface Came {
  readonly status: number
  readonly statusText: string
  readonly headers: readonly string[]
  readonly body: string
}

async function ask(path: string, method = 'GET', headers: OutgoingHttpHeaders = {}): Promise<Came> {
  const asked = request({ host: '127.0.0.1', port: server.port, path, method, headers, agent: false }).end()
  const [response] = (await once(asked, 'response')) as [IncomingMessage]
  const body = await text(response)
  return { status: response.statusCode!, statusText: response.statusMessage!, headers: response.rawHeaders, body }
}

async function statuses(paths: readonly string[]): Promise<number[]> {
  const all: number[] = []
  for (const path of paths) all.push((await ask(path)).status)
  return all
}

const times = (count: number, path: string): string[] => Array.from({ length: count }, () => path)
const range = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, index) => from + index)

/** What the record says, as it is on the wire. */
function recordOf(name: string): Came {
  const entry = data.answers.find((answer) => answer.name === name)!
  const headers = data.headers[entry.headers as keyof typeof data.headers].flat()
  const length = String(Buffer.byteLength(entry.body))
  return {
    status: entry.status,
    statusText: entry.statusText,
    headers: [...headers, 'content-length', length],
    body: entry.body,
  }
}

describe('while it is well', () => {
  const well = data.answers.filter(({ status }) => status !== 429 && status !== 403 && status < 500)

  test.each(well.map(({ name, method, path, requestHeaders }) => ({ name, method, path, requestHeaders })))(
    '$name is served as recorded: $method $path',
    async ({ name, method, path, requestHeaders }) => {
      expect(await ask(path, method, Object.fromEntries((requestHeaders ?? []) as [string, string][]))).toEqual(
        recordOf(name),
      )
    },
  )

  test('no answer says how long it may be kept, or when it was made', async () => {
    const names = (await ask(VERSE)).headers.filter((_, index) => index % 2 === 0)
    expect(names).toEqual([
      'content-type',
      'access-control-allow-origin',
      'access-control-allow-methods',
      'access-control-allow-methods',
      'access-control-allow-headers',
      'x-content-type-options',
      'content-length',
    ])
  })

  test('HEAD has the headers of GET and no body', async () => {
    expect(await ask(VERSE, 'HEAD')).toEqual({ ...recordOf('verse'), body: '' })
  })

  test('conditions and ranges change nothing', async () => {
    expect(await ask(VERSE, 'GET', { 'if-none-match': '"x"' })).toEqual(recordOf('verse'))
    expect(await ask(VERSE, 'GET', { range: 'bytes=0-9' })).toEqual(recordOf('verse'))
  })

  test('what nobody recorded is not found', async () => {
    expect(await ask('/Hezekiah+1:1')).toEqual(recordOf('not-found-book'))
    expect(await ask('/data/web/XYZ')).toEqual(recordOf('data-nope'))
  })

  test('a random verse is another one each time, in the same form', async () => {
    const first = await ask('/?random=true')
    const second = await ask('/?random=true')
    expect(first).toEqual(recordOf('legacy-random'))
    expect(second.body).not.toBe(first.body)
    expect(JSON.parse(second.body)).toMatchObject({ reference: 'John 3:1', translation_id: 'web' })
    expect(second.headers.at(-1)).toBe(String(Buffer.byteLength(second.body)))
  })
})

describe('the limit', () => {
  test('15 pass in a window, then 429 without a Retry-After, until the boundary', async () => {
    vi.setSystemTime(1_000 * WINDOW + 29_000)
    expect(await statuses(times(15, VERSE))).toEqual(times(15, VERSE).map(() => 200))
    expect(await ask(VERSE)).toEqual(recordOf('throttled-429'))
    vi.setSystemTime(1_001 * WINDOW - 1)
    expect((await ask(VERSE)).status).toBe(429)
    vi.setSystemTime(1_001 * WINDOW)
    expect((await ask(VERSE)).status).toBe(200)
  })

  test('runs at a scale, its windows counted from a moment of choice', async () => {
    await server.close()
    const epoch = Date.now() + 1_234
    server = await BibleServer.listen({ scale: 10, epoch })
    vi.setSystemTime(epoch)
    await statuses(times(15, VERSE))
    vi.setSystemTime(epoch + 2_999)
    expect((await ask(VERSE)).status).toBe(429)
    vi.setSystemTime(epoch + 3_000)
    expect((await ask(VERSE)).status).toBe(200)
  })
})

describe('the rule against abuse', () => {
  const missing = range(1, 11).map((verse) => `/Jn+999:${verse}`)

  test('after ten 404s the eleventh is a 403, and so is everything for an hour', async () => {
    expect(await statuses(missing.slice(0, 10))).toEqual(missing.slice(0, 10).map(() => 404))
    expect(await ask(missing[10]!)).toEqual(recordOf('abuse-403'))
    expect((await ask(VERSE)).status).toBe(403)
    vi.setSystemTime(Date.now() + HOUR - 1)
    expect((await ask(VERSE)).status).toBe(403)
    vi.setSystemTime(Date.now() + 1)
    expect((await ask(VERSE)).status).toBe(200)
  })

  test('ten in a window and one in the next are forgiven', async () => {
    await statuses(missing.slice(0, 10))
    vi.setSystemTime(Date.now() + WINDOW)
    expect((await ask(missing[10]!)).status).toBe(404)
  })
})

describe('outages', () => {
  test("the limiter's store down: 500 with an empty body, and then at once well", async () => {
    await server.breakDown('limiter-store-down')
    expect(await ask(VERSE)).toEqual(recordOf('limiter-store-down'))
    await server.mend()
    expect(await ask(VERSE)).toEqual(recordOf('verse'))
  })

  test('the database down: 500 in HTML, and three more among the 200s after its restart', async () => {
    await server.breakDown('database-down')
    expect(await ask(VERSE)).toEqual(recordOf('database-down'))
    await server.mend()
    expect(await statuses(times(8, VERSE))).toEqual([500, 200, 200, 500, 200, 500, 200, 200])
  })

  test.each(['database-frozen', 'limiter-store-frozen'] as const)('%s: no answer, until it thaws', async (outage) => {
    await server.breakDown(outage)
    const waiting = ask(VERSE)
    await vi.waitUntil(() => server.counters.requests === 1)
    expect(server.counters).toMatchObject({ dead: 1, outcomes: { '200': 0, unanswered: 0 } })
    await server.mend()
    expect(await waiting).toEqual(recordOf('verse'))
  })

  test('a client that does not wait for the thaw is counted as unanswered', async () => {
    await server.breakDown('database-frozen')
    const asked = request({ host: '127.0.0.1', port: server.port, path: VERSE, agent: false }).end()
    asked.on('error', () => {})
    await vi.waitUntil(() => server.counters.requests === 1)
    asked.destroy()
    await vi.waitUntil(() => server.counters.outcomes.unanswered === 1)
    await server.mend()
    expect(server.counters.outcomes).toMatchObject({ '200': 0, unanswered: 1 })
  })

  test('the server down: connections are refused and reach nobody; it comes back on the same port', async () => {
    const { port } = server
    await server.breakDown('server-down')
    await expect(ask(VERSE)).rejects.toMatchObject({ code: 'ECONNREFUSED' })
    expect(server.counters.requests).toBe(0)
    await server.mend()
    expect(server.port).toBe(port)
    expect((await ask(VERSE)).status).toBe(200)
  })

  test('connections that are open when it goes down are cut', async () => {
    await server.breakDown('database-frozen')
    const cut = ask(VERSE)
    await vi.waitUntil(() => server.counters.requests === 1)
    await Promise.all([expect(cut).rejects.toMatchObject({ code: 'ECONNRESET' }), server.close()])
  })
})

test('it counts what reached it: in all, by outcome, and during an outage', async () => {
  await statuses([VERSE, '/Jn+999:1', '/John+3-5'])
  await server.breakDown('database-down')
  await statuses(times(2, VERSE))
  await server.mend()
  await statuses(times(2, VERSE))
  expect(server.counters).toEqual({
    requests: 7,
    dead: 2,
    outcomes: { '200': 2, '400': 1, '403': 0, '404': 1, '429': 0, '500 empty': 0, '500 html': 3, unanswered: 0 },
  })
})
