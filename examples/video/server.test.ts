// The local server of films answers ranges as section 14 of RFC 9110 has it, and breaks off where it is told to.
import { once } from 'node:events'
import { request, type IncomingMessage, type OutgoingHttpHeaders } from 'node:http'
import { buffer } from 'node:stream/consumers'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { Film } from './film.ts'
import { VideoServer } from './server.ts'

const SIZE = 300_001
const film = new Film('a film', SIZE)
const whole = film.read(0, SIZE)

let server: VideoServer

beforeEach(async () => {
  server = await VideoServer.listen()
  server.put('film.mp4', film)
})

afterEach(() => server.goAway())

async function head(headers: OutgoingHttpHeaders, method = 'GET', path = '/film.mp4'): Promise<IncomingMessage> {
  const asked = request({ host: '127.0.0.1', port: server.port, path, method, headers, agent: false }).end()
  // Torn once its answer has begun: whoever reads that is told.
  asked.on('error', () => {})
  const [response] = (await once(asked, 'response')) as [IncomingMessage]
  return response
}

async function ask(headers: OutgoingHttpHeaders, method?: string, path?: string) {
  const response = await head(headers, method, path)
  const { 'content-range': part, 'content-length': length, etag } = response.headers
  return { status: response.statusCode, part, length: Number(length), etag, body: await buffer(response) }
}

const all = { status: 200, part: undefined, length: SIZE, etag: film.etag, body: whole }
const between = (from: number, last: number) => ({
  status: 206,
  part: `bytes ${from}-${last}/${SIZE}`,
  length: last + 1 - from,
  etag: film.etag,
  body: whole.subarray(from, last + 1),
})
const nothing = { status: 416, part: `bytes */${SIZE}`, length: 0, etag: undefined, body: Buffer.alloc(0) }

describe('a film', () => {
  test('has the same bytes wherever one begins to read, and others under another title', () => {
    expect(film.read(12_345, 12_400)).toEqual(whole.subarray(12_345, 12_400))
    expect(new Film('a film', SIZE).digest()).toBe(film.digest())
    const other = new Film('another', SIZE)
    expect([other.digest() === film.digest(), other.etag === film.etag]).toEqual([false, false])
  })
})

describe('a range', () => {
  test.each([
    ['bytes=0-0', between(0, 0)],
    ['bytes=100-199', between(100, 199)],
    ['bytes=100000-', between(100_000, SIZE - 1)],
    [`bytes=${SIZE - 1}-`, between(SIZE - 1, SIZE - 1)],
    ['bytes=100-999999999', between(100, SIZE - 1)],
    ['bytes=-7', between(SIZE - 7, SIZE - 1)],
    ['bytes=-999999999', between(0, SIZE - 1)],
    ['Bytes=5-6', between(5, 6)],
  ])('%s is answered with that part', async (range, expected) => {
    expect(await ask({ range })).toEqual(expected)
  })

  test.each([`bytes=${SIZE}-`, `bytes=${SIZE}-${SIZE + 5}`, 'bytes=-0'])(
    '%s asks for what is not there',
    async (range) => {
      expect(await ask({ range })).toEqual(nothing)
    },
  )

  test.each(['bytes=9-5', 'bytes=-', 'bytes=a-b', 'bytes', 'seconds=1-2', 'bytes=0-1,5-6'])(
    '%s is ignored',
    async (range) => {
      expect(await ask({ range })).toEqual(all)
    },
  )

  test('is for GET alone', async () => {
    expect(await ask({ range: 'bytes=5-6' }, 'HEAD')).toEqual({ ...all, body: Buffer.alloc(0) })
  })

  test('of what is not there is a 404', async () => {
    expect(await ask({ range: 'bytes=5-6' }, 'GET', '/other.mp4')).toMatchObject({ status: 404, length: 0 })
  })
})

describe('If-Range', () => {
  test('with the same ETag lets the range be', async () => {
    expect(await ask({ range: 'bytes=5-6', 'if-range': film.etag })).toEqual(between(5, 6))
  })

  test.each(['"another"', `W/${film.etag}`, 'Mon, 23 Nov 2026 08:00:00 GMT'])(
    '%s is answered with the whole, even where there is no such part',
    async (condition) => {
      expect(await ask({ range: 'bytes=5-6', 'if-range': condition })).toEqual(all)
      expect(await ask({ range: `bytes=${SIZE}-`, 'if-range': condition })).toEqual(all)
    },
  )

  test('of the tag that a film had before it changed is answered with the new one', async () => {
    const next = new Film('a film, cut anew', SIZE)
    server.put('film.mp4', next)
    const { status, etag, body } = await ask({ range: 'bytes=5-6', 'if-range': film.etag })
    expect({ status, etag, same: body.equals(next.read(0, SIZE)) }).toEqual({
      status: 200,
      etag: next.etag,
      same: true,
    })
  })

  test('without a range means nothing', async () => {
    expect(await ask({ 'if-range': film.etag })).toEqual(all)
  })
})

describe('trouble', () => {
  test.each(['reset', 'truncate'] as const)('%s breaks a body off where it was to, once', async (mishap) => {
    server.breakAt('film.mp4', mishap, 150_000)
    await expect(ask({})).rejects.toMatchObject({ code: 'ECONNRESET' })
    expect(await ask({})).toEqual(all)
  })

  test('a truncated body has all bytes up to there', async () => {
    server.breakAt('film.mp4', 'truncate', 150_000)
    const chunks: Buffer[] = []
    const response = (await head({})).on('data', (chunk: Buffer) => chunks.push(chunk))
    await expect(once(response, 'end')).rejects.toMatchObject({ code: 'ECONNRESET' })
    expect(Buffer.concat(chunks)).toEqual(whole.subarray(0, 150_000))
  })

  test('a stalled body stays silent until its reader leaves, and says for how long that was', async () => {
    server.breakAt('film.mp4', 'stall', 150_000)
    let came = 0
    const response = (await head({})).on('data', (chunk: Buffer) => (came += chunk.length)).on('error', () => {})
    await vi.waitUntil(() => came === 150_000)
    expect(server.stalls).toEqual([])
    response.destroy()
    await vi.waitUntil(() => server.stalls.length === 1)
  })

  test('a part that lies behind it is not met by it', async () => {
    server.breakAt('film.mp4', 'reset', 150_000)
    expect(await ask({ range: 'bytes=200000-' })).toEqual(between(200_000, SIZE - 1))
  })

  test('while it is away connections are torn and refused; it comes back on the same port', async () => {
    server.breakAt('film.mp4', 'stall', 150_000)
    const torn = ask({})
    await vi.waitUntil(() => server.asked.length === 1)
    await Promise.all([expect(torn).rejects.toMatchObject({ code: 'ECONNRESET' }), server.goAway()])
    await expect(ask({})).rejects.toMatchObject({ code: 'ECONNREFUSED' })
    await server.comeBack()
    expect(await ask({})).toEqual(all)
  })
})
