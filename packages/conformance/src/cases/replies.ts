// Stored replies: what is kept of the answers that pass, whose it is, and what becomes of a body or of a store that is not well.
import { AsyncLocalStorage } from 'node:async_hooks'
import { text } from 'node:stream/consumers'
import type { RequestListener, ServerResponse } from 'node:http'
import { gzipSync, gunzipSync } from 'node:zlib'
import { header, isFallback, staleIfError, type ReplyStore, type StaleIfErrorOptions } from '@fuseboard/core'
import { breaker } from '@fuseboard/undici'
import { expect } from 'vitest'
import { Agent, request } from 'undici'
import type { Answer, CallOptions } from '../driver.ts'
import { caught, valuesOf, type World } from '../world.ts'
import { COUNTS, type Case, type CaseId, type CasePolicy } from './case.ts'

const VERSE = JSON.stringify({ reference: 'John 3:16', text: 'For God so loved the world — all of it', verses: [16] })
const PATH = '/own/john+3:16'

/** Who calls, where the program does not hand it on. */
const user = new AsyncLocalStorage<string>()

const keeping = (options: StaleIfErrorOptions = {}): CasePolicy => ({
  ...COUNTS,
  fallback: staleIfError({ keepFor: '1h', ...options }),
})

/** An answer, what the caller brings, and why it is not kept. */
interface Unkept {
  readonly headers?: Record<string, string | string[]>
  readonly asks?: Record<string, string>
  readonly path?: string
  readonly why: string
  readonly warns?: string
}

export const replies: readonly Case[] = [
  {
    id: '65',
    name: 'a stored reply is the answer that it was, with its repeated fields, and says how old it is and why it came',
    policy: keeping(),
    async run(world) {
      const { at, client, clock, driver, server } = world
      const allow = ['OPTIONS', 'GET']
      server.own = answering(VERSE, {
        'access-control-allow-methods': allow,
        connection: 'keep-alive, x-hop',
        'x-hop': '1',
      })
      await client.call(at(PATH))
      clock.advance(90_000)
      const { native, headers } = await kept(world)
      expect(driver.isNative(native)).toBe(true)
      expect(valuesOf(headers, 'access-control-allow-methods').join(', ')).toBe('OPTIONS, GET')
      expect(valuesOf(headers, 'content-type')).toEqual(['application/json'])
      expect(valuesOf(headers, 'x-hop')).toEqual([])
      expect(Number(valuesOf(headers, 'age')[0])).toBeGreaterThanOrEqual(90)
      expect(valuesOf(headers, 'cache-status')[0]).toMatch(/^Fuseboard; fwd=stale; fwd-status=503; ttl=-\d+; detail=/)
    },
  },
  {
    id: '65b',
    name: 'a stored reply has the same bytes in every form',
    policy: keeping(),
    async run({ at, client, server }) {
      server.own = answering(VERSE)
      await client.call(at(PATH))
      server.own = down
      expect(await client.read(at(PATH), 'json')).toEqual(JSON.parse(VERSE))
      expect(await client.read(at(PATH), 'text')).toBe(VERSE)
      expect(new TextDecoder().decode((await client.read(at(PATH), 'arrayBuffer')) as ArrayBuffer)).toBe(VERSE)
      expect(await text((await client.stream(at(PATH))).body)).toBe(VERSE)
    },
  },
  {
    id: '65c',
    name: 'the host is asked first, and answers again as soon as it can',
    policy: keeping(),
    async run(world) {
      const { at, client, server } = world
      server.own = answering(VERSE)
      await client.call(at(PATH))
      await kept(world)
      server.own = answering('"fresh"')
      const { text, native } = await client.call(at(PATH))
      expect([text, isFallback(native)]).toEqual(['"fresh"', undefined])
      expect(server.requests(PATH)).toBe(3)
      await kept(world, '"fresh"')
    },
  },
  unkept('66', 'what was asked for with Authorization', {
    asks: { authorization: 'Bearer alice' },
    why: 'credential',
    warns: 'authorization',
  }),
  unkept('66b', 'what was asked for with a cookie', {
    asks: { cookie: 'id=alice' },
    why: 'credential',
    warns: 'cookie',
  }),
  unkept('66c', 'what was asked for with a key of an API', {
    asks: { 'x-api-key': 'alice' },
    why: 'credential',
    warns: 'x-api-key',
  }),
  unkept('66d', 'what was asked for with a token in the query', {
    path: `${PATH}?access_token=alice`,
    why: 'credential',
    warns: 'the URL',
  }),
  {
    id: '66e',
    name: 'with a partition, each caller has their own and nobody has another’s',
    policy: keeping({ partition: ({ headers }) => header(headers, 'authorization') }),
    async run(world) {
      const { at, client, server, status } = world
      server.own = (request, response) => answering(`"${request.headers.authorization}"`)(request, response)
      for (const user of ['alice', 'bob']) await client.call(at(PATH), as(user))
      for (const user of ['alice', 'bob']) await kept(world, `"${user}"`, as(user))
      expect(await status(PATH, as('eve'))).toBe(503)
      expect(await status(PATH)).toBe(503)
    },
  },
  {
    id: '66f',
    name: 'whose a reply is may be told by the context of the call, on a socket of another and after a redirect too',
    policy: keeping({ partition: () => user.getStore() }),
    settings: { redirects: 5 },
    async run({ at, client, server, status }) {
      server.own = (request, response) =>
        request.url === '/own/me'
          ? void response.writeHead(302, { location: PATH }).end()
          : answering(`"${String(request.headers['x-user'])}"`)(request, response)
      const names = ['carol', 'alice', 'bob']
      for (const path of [PATH, '/own/me'])
        for (const name of names) await user.run(name, () => client.call(at(path), { headers: { 'x-user': name } }))
      server.own = down
      for (const name of names) {
        const { text } = await user.run(name, () => client.call(at(PATH)))
        expect(text).toBe(`"${name}"`)
      }
      expect(await user.run('eve', () => status(PATH))).toBe(503)
    },
  },
  unkept('67', 'an answer that sets a cookie', { headers: { 'set-cookie': ['id=alice', 'b=2'] }, why: 'set-cookie' }),
  {
    id: '67b',
    name: 'of an answer that is public, all is kept but its cookies',
    policy: keeping(),
    async run(world) {
      const { at, client, server } = world
      server.own = answering(VERSE, { 'set-cookie': ['id=alice', 'b=2'], 'cache-control': 'public, max-age=60' })
      expect(valuesOf((await client.call(at(PATH))).headers, 'set-cookie')).toHaveLength(2)
      expect(valuesOf((await kept(world)).headers, 'set-cookie')).toEqual([])
    },
  },
  unkept('68', 'what the host says not to store, in any case', {
    headers: { 'cache-control': 'max-age=60, No-Store' },
    why: 'forbidden',
  }),
  unkept('68b', 'what is private', { headers: { 'cache-control': 'Private, max-age=60' }, why: 'forbidden' }),
  unkept('68c', 'what the caller says not to store', { asks: { 'cache-control': 'no-store' }, why: 'forbidden' }),
  {
    id: '69',
    name: 'an answer that varies stands in for those who ask alike, and variants stand side by side',
    policy: keeping(),
    async run(world) {
      const { at, client, server, status } = world
      server.own = (request, response) =>
        answering(`"${request.headers['accept-language']}"`, { vary: 'Accept-Language' })(request, response)
      for (const language of ['en', 'de']) await client.call(at(PATH), speaking(language))
      for (const language of ['en', 'de']) await kept(world, `"${language}"`, speaking(language))
      expect(await status(PATH, speaking('fr'))).toBe(503)
    },
  },
  unkept('69b', 'what varies by anything', { headers: { vary: 'accept, *' }, why: 'vary' }),
  {
    id: '69c',
    name: 'an answer that varies by what no Vary says is told apart by varyBy',
    policy: keeping({ varyBy: ['x-matching'] }),
    async run(world) {
      const { at, client, server, status } = world
      server.own = answering(VERSE)
      const indifferent = { headers: { 'x-matching': 'indifferent' } }
      await client.call(at(PATH), indifferent)
      await kept(world, VERSE, indifferent)
      expect(await status(PATH)).toBe(503)
    },
  },
  {
    id: '70',
    name: 'a body over the limit is not kept, and reaches the caller whole',
    policy: keeping({ maxEntryBytes: 1_000 }),
    async run({ at, board, client, server, status }) {
      for (const [path, size, length] of BODIES) {
        server.own = answering('x'.repeat(size), length ? { 'content-length': `${size}` } : {})
        expect((await client.call(at(path))).text).toHaveLength(size)
        server.own = down
        expect(await status(path)).toBe(size > 1_000 ? 503 : 200)
      }
      expect(board.replyCounters).toMatchObject({ stored: 2, unkept: { 'too-big': 2 } })
    },
  },
  {
    id: '71',
    name: 'a reply that was packed on the wire reads as it did when it came',
    policy: keeping(),
    async run(world) {
      const { at, client, server } = world
      server.own = packed
      const { text } = await client.call(at(PATH))
      const bytes = await client.read(at(PATH), 'arrayBuffer')
      await kept(world, text)
      expect(await client.read(at(PATH), 'arrayBuffer')).toEqual(bytes)
    },
  },
  {
    id: '71b',
    name: 'what undici keeps packed stands in for this client as its own would',
    policy: keeping(),
    async run(world) {
      const { at, client, server } = world
      server.own = packed
      const { text } = await client.call(at(PATH))
      await byUndici(world)
      await kept(world, text)
      expect(await client.read(at(PATH), 'text')).toBe(text)
    },
  },
  {
    id: '71c',
    name: 'what this client keeps stands in for undici as the host’s would',
    policy: keeping(),
    async run(world) {
      const { at, client, server } = world
      server.own = packed
      await client.call(at(PATH))
      server.own = down
      expect(await byUndici(world)).toBe(VERSE)
    },
  },
  {
    id: '71d',
    name: 'what was not packed is the same for every client, either way',
    policy: keeping(),
    async run(world) {
      const { at, client, server } = world
      server.own = answering(VERSE)
      await byUndici(world)
      await kept(world)
      server.own = answering('"second"')
      await client.call(at(PATH))
      server.own = down
      expect(await byUndici(world)).toBe('"second"')
    },
  },
  {
    id: '72',
    name: 'what a caller does to an answer or to a stand-in does not show in the next',
    policy: keeping(),
    async run(world) {
      const { at, client, server } = world
      server.own = answering(VERSE)
      const spoil = async (): Promise<void> => {
        const bytes = (await client.read(at(PATH), 'arrayBuffer')) as ArrayBuffer | Uint8Array
        ;(bytes instanceof Uint8Array ? bytes : new Uint8Array(bytes)).fill(0)
        const json = (await client.read(at(PATH), 'json')) as { verses: number[] }
        json.verses.length = 0
        const { body } = await client.stream(at(PATH))
        for await (const chunk of body) if (chunk instanceof Uint8Array) chunk.fill(0)
      }
      await spoil()
      for (const _ of [1, 2]) {
        await kept(world)
        await spoil()
      }
      await kept(world)
    },
  },
  {
    id: '72b',
    name: 'twenty stand-ins at once are twenty of their own',
    policy: keeping(),
    async run({ at, client, server }) {
      server.own = answering(VERSE.repeat(2_000))
      await client.call(at(PATH))
      server.own = down
      const texts = await Promise.all(
        Array.from({ length: 20 }, async (_, call) =>
          call % 2 ? (await client.call(at(PATH))).text : text((await client.stream(at(PATH))).body),
        ),
      )
      expect(texts.every((text) => text === VERSE.repeat(2_000))).toBe(true)
    },
  },
  {
    id: '73',
    name: 'a body that its reader leaves is not kept',
    policy: keeping(),
    async run({ at, client, server, status }) {
      server.own = (_request, response) => void response.writeHead(200).write('half')
      const { body } = await client.stream(at(PATH))
      expect(await first(body)).toBe('half')
      body.on('error', () => {}).destroy()
      server.own = down
      expect(await status(PATH)).toBe(503)
    },
  },
  {
    id: '73b',
    name: 'a body that breaks is not kept, and what was kept before it stays',
    policy: keeping(),
    async run(world) {
      const { at, board, client, server, status } = world
      server.own = broken
      await caught(client.call(at(PATH)))
      server.own = down
      expect(await status(PATH)).toBe(503)
      expect(board.replyCounters.stored).toBe(0)
    },
  },
  {
    id: '74',
    name: 'a store that hangs keeps no request of a healthy host waiting, and is a miss',
    policy: { ...keeping(), replies: store(async () => new Promise(() => {})) },
    async run({ at, board, client, server, status }) {
      const faults: string[] = []
      board.on('store', ({ action, fault }) => faults.push(`${action}: ${fault}`))
      // To put it beside its variants is to read first.
      for (const headers of [{}, { vary: 'accept' }]) {
        server.own = answering(VERSE, headers)
        expect((await client.call(at(PATH))).text).toBe(VERSE)
      }
      server.own = down
      expect(await status(PATH)).toBe(503)
      expect(faults).toContain('get: no answer within 100 ms')
    },
  },
  faulty('74b', 'throws', () => {
    throw new Error('on fire')
  }),
  faulty('74c', 'rejects', () => Promise.reject(new Error('on fire'))),
  faulty('74d', 'lies', (action, key) => (action === 'get' ? [{ v: 1, key, status: 99 }, { v: 2 }] : undefined)),
  {
    id: '75',
    name: 'HEAD is answered with the head of what GET left, and without a body',
    policy: keeping(),
    async run(world) {
      const { at, client, server } = world
      server.own = answering(VERSE, { 'x-own': 'yes' })
      await client.call(at(PATH))
      const { headers } = await kept(world, '', { method: 'HEAD' })
      expect([valuesOf(headers, 'x-own'), valuesOf(headers, 'content-type')]).toEqual([['yes'], ['application/json']])
    },
  },
  {
    id: '75b',
    name: 'nothing stands in for a part, and a part is not kept',
    policy: keeping(),
    async run({ at, client, server, status }) {
      const part = { headers: { range: 'bytes=0-3' } }
      server.own = (_request, response) => void response.writeHead(206, { 'content-range': 'bytes 0-3/9' }).end('part')
      expect((await client.call(at(PATH), part)).text).toBe('part')
      server.own = down
      expect(await status(PATH)).toBe(503)
      server.own = answering(VERSE)
      await client.call(at(PATH))
      server.own = down
      expect(await status(PATH, part)).toBe(503)
    },
  },
  {
    id: '75c',
    name: 'who has the answer already is told so',
    policy: keeping(),
    async run({ at, client, server }) {
      server.own = answering(VERSE, { etag: '"v1"' })
      await client.call(at(PATH))
      server.own = down
      const knowing = { headers: { 'if-none-match': '"v1"' }, anyStatus: true }
      expect(await client.call(at(PATH), knowing)).toMatchObject({ status: 304, text: '' })
      const other = { headers: { 'if-none-match': '"v0"' } }
      expect(await client.call(at(PATH), other)).toMatchObject({ status: 200, text: VERSE })
    },
  },
  {
    id: '76',
    name: 'a stream of events passes as it comes, and is not kept',
    policy: keeping(),
    run: (world) => streamed(world, { 'content-type': 'text/event-stream' }),
  },
  {
    id: '76b',
    name: 'a download passes as it comes',
    policy: keeping(),
    run: (world) => streamed(world, { 'content-type': 'application/octet-stream' }),
  },
  {
    id: '77',
    name: 'what a redirect led to is not kept under the URL that led there',
    policy: keeping(),
    settings: { redirects: 5 },
    async run({ at, client, log, server, status }) {
      server.own = (request, response) =>
        request.url === '/own/me'
          ? void response.writeHead(302, { location: '/own/u/alice', 'cache-control': 'no-cache' }).end()
          : answering('"alice"', { 'cache-control': 'public, max-age=60' })(request, response)
      await client.call(at('/own/me'), as('alice'))
      server.own = down
      expect(await status('/own/me', as('bob'))).toBe(503)
      expect(await status('/own/me', as('alice'))).toBe(503)
      log.warnings.splice(0)
    },
  },
  {
    id: '78',
    name: 'nothing crosses from one host to another, nor from one query to another',
    policy: keeping(),
    async run(world) {
      const { at, client, driver, server, status } = world
      server.own = answering(VERSE)
      await client.call(at(`${PATH}?a=1&b=2#here`))
      server.own = down
      const elsewhere = client.call(`${server.alias}${PATH}?a=1&b=2`).then(
        (answer) => answer.status,
        (error: unknown) => driver.statusOf?.(error),
      )
      expect(await elsewhere).toBe(503)
      for (const query of ['', '?b=2&a=1', '?a=1&b=2&callback=evil']) expect(await status(PATH + query)).toBe(503)
      expect(await status(PATH.replace('+', '%20') + '?a=1&b=2')).toBe(503)
      expect((await client.call(at(`${PATH}?a=1&b=2#there`))).text).toBe(VERSE)
    },
  },
  lastWord('79', 404),
  lastWord('79b', 410),
  lastWord('79c', 401),
  lastWord('79d', 403),
  {
    id: '80',
    name: 'a write that went well drops what was kept, and one that failed does not',
    policy: keeping(),
    async run(world) {
      const { at, client, server, status } = world
      const post = { method: 'POST', body: '{}' }
      server.own = answering(VERSE)
      await client.call(at(PATH))
      server.own = down
      expect(await status(PATH, post)).toBe(503)
      await kept(world)
      server.own = answering('{}')
      await client.call(at(PATH), post)
      server.own = down
      expect(await status(PATH)).toBe(503)
    },
  },
  {
    id: '80b',
    name: 'an answer that may not be kept drops the one before it',
    policy: keeping(),
    async run({ at, client, server, status }) {
      for (const headers of [{}, { 'cache-control': 'no-store' }]) {
        server.own = answering(VERSE, headers)
        await client.call(at(PATH))
      }
      server.own = down
      expect(await status(PATH)).toBe(503)
    },
  },
  {
    id: '81',
    name: 'nothing stands in for a caller who gives up',
    policy: keeping(),
    async run({ at, client, recorded, server }) {
      server.own = answering(VERSE)
      await client.call(at(PATH))
      server.own = () => {}
      const controller = new AbortController()
      const error = caught(client.call(at(PATH), { signal: controller.signal }))
      await server.asked(PATH, 2)
      controller.abort()
      await error
      await recorded(['success'])
    },
  },
  {
    id: '81b',
    name: 'a stored reply stands in for a host that takes too long',
    policy: keeping(),
    settings: { timeout: 100 },
    async run(world) {
      const { at, client, recorded, server } = world
      server.own = answering(VERSE)
      await client.call(at(PATH))
      server.own = () => {}
      expect(await client.call(at(PATH))).toMatchObject({ status: 200, text: VERSE })
      await recorded(['success', 'failure'])
    },
  },
]

/** Paths, the size of what is there, and whether the host says it beforehand. */
const BODIES: readonly (readonly [path: string, size: number, length: boolean])[] = [
  ['/own/fits', 1_000, true],
  ['/own/fits-chunked', 1_000, false],
  ['/own/over', 1_001, true],
  ['/own/over-chunked', 1_001, false],
]

const down: RequestListener = (_request, response) => void response.writeHead(503).end('down')

const broken: RequestListener = (_request, response) => {
  response.writeHead(200, { 'content-length': VERSE.length }).write(VERSE.slice(0, 10), () => response.socket?.end())
}

const packed: RequestListener = (_request, response) => {
  const body = gzipSync(VERSE)
  const headers = { 'content-type': 'application/json', 'content-encoding': 'gzip', 'content-length': body.length }
  response.writeHead(200, headers).end(body)
}

function answering(body: string, headers: Record<string, string | string[]> = {}): RequestListener {
  return (_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json', ...headers })
    response.write(body)
    response.end()
  }
}

const as = (user: string): CallOptions => ({ headers: { authorization: user } })
const speaking = (language: string): CallOptions => ({ headers: { 'accept-language': language } })

/** The host is down, and what it said before stands in. */
async function kept({ at, client, server }: World, text = VERSE, options?: CallOptions): Promise<Answer> {
  server.own = down
  const answer = await client.call(at(PATH), options)
  expect([answer.text, isFallback(answer.native)]).toMatchObject([text, { source: 'stored', reason: 'failed' }])
  return answer
}

/** The failure shows, to those who ask alike and to those who ask plainly. */
function unkept(id: CaseId, what: string, { headers = {}, asks = {}, path = PATH, why, warns }: Unkept): Case {
  return {
    id,
    name: `${what} is not kept`,
    policy: keeping(),
    async run({ at, board, client, log, server, status }) {
      server.own = answering(VERSE, headers)
      const { text } = await client.call(at(path), { headers: asks })
      expect(text).toBe(VERSE)
      server.own = down
      expect(await status(path, { headers: asks })).toBe(503)
      expect(await status(path)).toBe(503)
      expect(board.replyCounters).toMatchObject({ stored: 0, unkept: { [why]: 1 } })
      const said = log.warnings.splice(0)
      expect(said).toEqual(warns === undefined ? [] : [expect.stringContaining(warns)])
      expect(said.join()).not.toContain('alice')
    },
  }
}

function lastWord(id: CaseId, code: number): Case {
  return {
    id,
    name: `a ${code} is the last word: it is not masked, and what was kept is dropped`,
    policy: keeping({ statuses: [200] }),
    async run({ at, client, server, status }) {
      server.own = answering(VERSE)
      await client.call(at(PATH))
      server.own = (_request, response) => void response.writeHead(code).end()
      expect(await status(PATH)).toBe(code)
      server.own = down
      expect(await status(PATH)).toBe(503)
    },
  }
}

function store(does: (action: 'get' | 'set' | 'delete', key: string) => unknown): ReplyStore {
  return {
    get: (key) => does('get', key) as ReturnType<ReplyStore['get']>,
    set: (key) => does('set', key) as undefined,
    delete: (key) => does('delete', key) as undefined,
  }
}

function faulty(id: CaseId, how: string, does: Parameters<typeof store>[0]): Case {
  return {
    id,
    name: `a store that ${how} is a miss and an event, and no matter of the request`,
    policy: { ...keeping(), replies: store(does) },
    async run({ at, board, client, log, server, status }) {
      const faults: string[] = []
      board.on('store', ({ action }) => faults.push(action))
      server.own = answering(VERSE)
      expect((await client.call(at(PATH))).text).toBe(VERSE)
      server.own = down
      expect(await status(PATH)).toBe(503)
      expect(faults).toContain('get')
      // Whoever chose a store that lies is told once.
      const said = log.warnings.splice(0)
      expect(said).toEqual(how === 'lies' ? [expect.stringContaining('does not give back what it was given')] : [])
    },
  }
}

/** Asks through undici on the same board, and gives back what its caller has once it is unpacked. */
async function byUndici({ at, board }: World): Promise<string> {
  const agent = new Agent()
  try {
    const { headers, body } = await request(at(PATH), { dispatcher: agent.compose(breaker(board)) })
    const bytes = new Uint8Array(await body.arrayBuffer())
    return new TextDecoder().decode(headers['content-encoding'] === 'gzip' ? gunzipSync(bytes) : bytes)
  } finally {
    await agent.close()
  }
}

/** The last is sent once the first is there. */
async function streamed({ at, board, client, server, status }: World, headers: Record<string, string>): Promise<void> {
  let sent: ServerResponse | undefined
  server.own = (_request, response) => void (sent = response.writeHead(200, headers)).write('first;')
  const { body } = await client.stream(at(PATH))
  expect(await first(body)).toBe('first;')
  sent?.end('last')
  expect(await text(body)).toBe('last')
  if (headers['content-type'] !== 'text/event-stream') return
  server.own = down
  expect(await status(PATH)).toBe(503)
  expect(board.replyCounters).toMatchObject({ stored: 0, unkept: { endless: 1 } })
}

/** The first chunk of a body, which can be read on. */
async function first(body: AsyncIterable<unknown> & NodeJS.ReadableStream): Promise<string> {
  const chunk = await new Promise<Buffer | string>((resolve, reject) => {
    const look = (): void => {
      const chunk = body.read() as Buffer | string | null
      if (chunk === null) return void body.once('readable', look)
      resolve(chunk)
    }
    body.once('error', reject)
    look()
  })
  return chunk.toString()
}
