// Stored replies: bodies are copied as they pass, up to a limit, whole or not at all, and in the form that the next client reads.
import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { text as streamText } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import { gunzipSync, gzipSync } from 'node:zlib'
import { describe, expect, test, vi } from 'vitest'
import { KEPT, World } from '../test/replying-host.ts'

const MIB = 1 << 20

/** Asks, and goes no further than the head. */
const head = (world: World, init?: RequestInit): Promise<Response> => world.send(`${world.origin}/x`, init)

test('#43 a reader who waits makes the host wait: what is copied is not read ahead, and given up at its limit', async () => {
  await using world = await World.of(KEPT)
  let sent = 0
  let full = false
  world.host.answer = (_request, response) => {
    response.writeHead(200)
    const more = (): void => {
      while (sent < 64 * MIB) {
        sent += MIB
        if (response.write(Buffer.alloc(MIB))) continue
        full = true
        return void response.once('drain', more)
      }
      response.end()
    }
    more()
    return undefined
  }
  const reader = (await head(world)).body!.getReader()
  let read = (await reader.read()).value!.byteLength
  await vi.waitFor(() => expect(full).toBe(true))
  // Long enough for all of it, were it taken.
  await sleep(100)
  expect(sent).toBeLessThan(32 * MIB)
  for (let part = await reader.read(); !part.done; part = await reader.read()) read += part.value.byteLength
  expect(read).toBe(64 * MIB)
  expect(world.board.replyCounters).toMatchObject({ stored: 0, unkept: { 'too-big': 1 } })
})

describe('a body read as a whole', () => {
  const BOM = '\uFEFF'
  const JSON_TEXT = JSON.stringify({ text: 'καὶ ὁ λόγος' })

  test.each([
    ['text', async (response: Response) => response.text()],
    ['JSON', async (response: Response): Promise<unknown> => response.json()],
    ['an ArrayBuffer', async (response: Response) => Buffer.from(await response.arrayBuffer()).toString('hex')],
    ['bytes', async (response: Response) => Buffer.from(await response.bytes()).toString('hex')],
    ['a blob', async (response: Response) => (await response.blob()).text()],
    ['a clone', async (response: Response) => (response.clone(), response.text())],
    ['a stream', async (response: Response) => streamText(response.body!)],
  ])('as %s is what it is without a guard, and is kept', async (_name, read) => {
    await using world = await World.of(KEPT)
    world.host.answer = { headers: { 'content-type': 'application/json' }, body: BOM + JSON_TEXT }
    const plain = await read(await fetch(`${world.origin}/x`))
    const response = await head(world)
    expect(response.bodyUsed).toBe(false)
    expect(await read(response)).toEqual(plain)
    expect(response.bodyUsed).toBe(true)
    await expect(response.text()).rejects.toThrow(TypeError)
    expect(world.board.replyCounters.stored).toBe(1)
    expect(await read(await head(world.down()))).toEqual(plain)
  })

  test('as JSON that it is not fails as it does without a guard', async () => {
    await using world = await World.of(KEPT)
    world.host.answer = { body: 'no JSON' }
    const plain = await fetch(`${world.origin}/x`)
      .then(async (response) => response.json())
      .catch(String)
    expect(
      await head(world)
        .then(async (response) => response.json())
        .catch(String),
    ).toEqual(plain)
    expect(world.board.circuit(new URL(world.origin).host).counters).toMatchObject({ successes: 1, failures: 0 })
  })

  test('that breaks off is a failure, and is not kept', async () => {
    await using world = await World.of(KEPT)
    world.host.answer = (_request, response) => {
      response.writeHead(200, { 'content-length': 100 }).write('half', () => response.destroy())
      return undefined
    }
    await expect((await head(world)).text()).rejects.toThrow(TypeError)
    expect(world.board.circuit(new URL(world.origin).host).counters).toMatchObject({ successes: 0, failures: 1 })
    expect(world.board.replyCounters.stored).toBe(0)
  })
})

describe('#44 a body', () => {
  const limited = { ...KEPT, maxEntryBytes: 1_000 }
  const chunked = (bytes: number) => (_request: unknown, response: ServerResponse) => {
    response.writeHead(200)
    for (let at = 0; at < bytes; at += 100) response.write('x'.repeat(Math.min(100, bytes - at)))
    response.end()
    return undefined
  }

  test('of the limit is kept, one byte more is not', async () => {
    await using world = await World.of(limited)
    await world.warm({ body: 'x'.repeat(1_000) })
    expect((await world.down().ask()).text).toHaveLength(1_000)
    await world.warm({ body: 'x'.repeat(1_001) })
    expect(await world.down().ask()).toMatchObject({ status: 503 })
  })

  test('that says it is bigger is not copied at all', async () => {
    await using world = await World.of(limited)
    world.host.answer = { headers: { 'content-length': '1001' }, body: 'x'.repeat(1_001) }
    const attempt = world.board.attempt({ method: 'GET', url: `${world.origin}/x` })
    attempt.settle({ status: 200 })
    const answer = { status: 200, statusText: '', headers: [['content-length', '1001']] as const, decoded: true }
    expect(attempt.capture(answer)).toBe(false)
    expect((await world.ask()).text).toHaveLength(1_001)
    expect(world.board.replyCounters.unkept).toEqual({ 'too-big': 2 })
  })

  test('that does not say so is let go at the limit, and reaches its reader whole', async () => {
    await using world = await World.of(limited)
    world.host.answer = chunked(1_000)
    await world.ask()
    world.host.answer = chunked(5_000)
    expect((await world.ask('/y')).text).toHaveLength(5_000)
    world.down()
    expect((await world.ask()).text).toHaveLength(1_000)
    expect(await world.ask('/y')).toMatchObject({ status: 503 })
  })
})

describe('#45 a body that is not whole is not kept, and what was kept stays:', () => {
  test('one that is cut short, whose reader is told', async () => {
    for (const length of [undefined, '100']) {
      await using world = await World.of(KEPT)
      await world.warm({ body: 'kept' })
      world.host.answer = (_request, response) => {
        response.writeHead(200, length === undefined ? {} : { 'content-length': length })
        response.write('half', () => response.destroy())
        return undefined
      }
      expect((await world.ask()).error).toBeInstanceOf(TypeError)
      expect(world.board.replyCounters.stored).toBe(1)
    }
  })

  test('one that its reader gives up', async () => {
    await using world = await World.of(KEPT)
    await world.warm({ body: 'kept' })
    world.host.answer = (_request, response) => void response.write('half')
    const response = await head(world)
    await response.body?.cancel()
    expect(await world.down().ask()).toMatchObject({ text: 'kept' })
  })

  test('one whose reader stops in the middle', async () => {
    await using world = await World.of(KEPT)
    await world.warm({ body: 'kept' })
    world.host.answer = (_request, response) => void response.write('half')
    for await (const chunk of (await head(world)).body!) if (chunk.byteLength > 0) break
    expect(await world.down().ask()).toMatchObject({ text: 'kept' })
  })

  test('one that breaks as a probe re-opens the circuit, and takes back what was kept of it', async () => {
    await using world = await World.of(KEPT, { openFor: '5s' })
    world.circuit.trip()
    world.later(5_000)
    world.host.answer = (_request, response) => void response.writeHead(200).write('half', () => response.destroy())
    await world.ask()
    expect([world.circuit.state, world.board.replyCounters.stored]).toEqual(['open', 0])
  })
})

test('#46 a stream without an end passes as it comes, and is not kept', async () => {
  await using world = await World.of(KEPT)
  let stream: ServerResponse | undefined
  world.host.answer = (_request, response) => {
    stream = response.writeHead(200, { 'content-type': 'text/event-stream' })
    return void stream.write('data: 1\n\n')
  }
  const reader = (await head(world)).body!.pipeThrough(new TextDecoderStream()).getReader()
  expect((await reader.read()).value).toBe('data: 1\n\n')
  stream?.write('data: 2\n\n')
  expect((await reader.read()).value).toBe('data: 2\n\n')
  const closed = once(stream!, 'close')
  stream?.end()
  await reader.read()
  await closed
  expect(world.board.replyCounters).toMatchObject({ stored: 0, unkept: { endless: 1 } })
})

describe('#52 a packed body', () => {
  const packed = gzipSync('kept')
  const headers = { 'content-encoding': 'gzip', 'content-length': String(packed.length), 'content-type': 'text/plain' }

  test('that fetch has unpacked stands in unpacked, with no header that says otherwise', async () => {
    await using world = await World.of(KEPT)
    await world.warm({ headers, body: packed })
    const told = await world.down().ask()
    expect([told.text, told.headers.get('content-encoding'), told.headers.get('content-length')]).toEqual([
      'kept',
      null,
      null,
    ])
    const reply = await world
      .open()
      .board.attempt({ method: 'GET', url: `${world.origin}/x` })
      .standIn()
    expect([Buffer.from(reply!.body).toString(), reply!.decoded]).toEqual(['kept', true])
  })

  test('that a dispatcher has left as it was stands in so for dispatchers, and unpacked for fetch', async () => {
    await using world = await World.of(KEPT)
    const request = { method: 'GET', url: `${world.origin}/x` }
    const attempt = world.board.attempt(request)
    attempt.settle({ status: 200 })
    attempt.capture({ status: 200, statusText: 'OK', headers: Object.entries(headers), decoded: false })
    attempt.chunk(packed)
    attempt.end()
    const told = await world.down().ask()
    expect([told.text, told.headers.get('content-encoding')]).toEqual(['kept', null])
    const reply = await world.open().board.attempt(request).standIn()
    expect(gunzipSync(reply!.body).toString()).toBe('kept')
    expect(new Headers(reply!.headers as [string, string][]).get('content-encoding')).toBe('gzip')
  })
})

test('#53 the headers come back as they were, repeats included, but for those of the connection', async () => {
  await using world = await World.of(KEPT)
  await world.warm({
    headers: {
      'access-control-allow-methods': ['OPTIONS', 'GET'],
      'strict-transport-security': 'max-age=1',
      'cache-status': 'Origin; hit',
      connection: 'keep-alive, x-hop',
      'keep-alive': 'timeout=5',
      'x-hop': '1',
    },
    body: 'kept',
  })
  const { headers } = await world.down().ask()
  expect(Object.fromEntries(headers)).toEqual({
    'access-control-allow-methods': 'OPTIONS, GET',
    'strict-transport-security': 'max-age=1',
    'cache-control': 'no-store',
    'cache-status': 'Origin; hit, Fuseboard; fwd=stale; fwd-status=503; ttl=0; detail=stale-if-error',
    age: '0',
  })
})
