// The forms of stored replies to the letter: which headers last, what is a secret, which codes are told, and where limits end.
import { describe, expect, test } from 'vitest'
import { ask, KEPT, PLACE, SECOND, valueOf, World } from '../test/kept-replies.ts'
import { cacheControl } from './cache-control.ts'
import { FencedReplies } from './fenced-replies.ts'
import { isFallback, markFallback } from './is-fallback.ts'
import { reply } from './made-reply.ts'
import { memoryReplies } from './memory-replies.ts'
import {
  readFields,
  readReply,
  readSink,
  type Replies,
  type Reply,
  type ReplyStore,
  type StoredReply,
} from './reply.ts'
import { staleIfError } from './stale-if-error.ts'

const entryOf = (world: World): StoredReply => world.store.get(`GET\n${PLACE}`)?.[0] as StoredReply

describe('headers', () => {
  const lasting = [
    'x-set-cookie',
    'x-age',
    'age-x',
    'x-te',
    'connection-x',
    'x-content-length',
    'content-length-x',
    'upgrades',
  ]

  test('that only resemble those of a connection or of a caller are kept, and those are not', () => {
    const gone = ['set-cookie', 'set-cookie2', 'age', 'connection', 'te', 'upgrade', 'proxy-x', 'content-encoding']
    const headers = [...lasting, ...gone].map((name) => [name, '1'] as const)
    const world = new World({ ...KEPT, shared: false })
    const head = {
      status: 200,
      statusText: '',
      headers: [...headers, ['cache-control', 'public']] as const,
      decoded: true,
    }
    world.fallback.capture?.(ask(), head, world.replies)?.end()
    const kept = world.store.get(`private\nGET\n${PLACE}`)?.[0]
    expect(kept?.headers.map(([name]) => name)).toEqual([...lasting, 'cache-control'])
  })

  test('that only resemble our own marks are given as they were kept', () => {
    const headers = { 'x-cache-status': 'a', 'cache-status-x': 'b', 'x-cache-control': 'c', 'cache-control-x': 'd' }
    const reply = new World(KEPT).passes({}, { headers }).refused()
    expect(Object.keys(headers).map((name) => valueOf(reply, name))).toEqual(['a', 'b', 'c', 'd'])
  })

  test('of a request that only resemble harmless ones count as credentials, and credentials by any policy are theirs alone', () => {
    for (const name of [
      'x-accept',
      'accepted',
      'x-range',
      'ranges',
      'my-user-agent',
      'x-x-request-id',
      'x-request-ids',
    ])
      expect(new World(KEPT).passes({ headers: { [name]: '1' } }).store.size).toBe(0)
    for (const name of ['accept', 'accept-language', 'user-agent', 'traceparent', 'x-request-id', 'priority'])
      expect(new World(KEPT).passes({ headers: { [name]: '1' } }).store.size).toBe(1)
    const allowed = { headers: { 'cache-control': 'stale-if-error=60' } }
    for (const name of ['cookies', 'my-cookie', 'x-authorization', 'authorizations'])
      expect(new World().passes({ headers: { [name]: '1' } }, allowed).store.size).toBe(1)
    for (const name of ['cookie', 'cookie2', 'authorization', 'proxy-authorization', 'Cookie'])
      expect(new World().passes({ headers: { [name]: '1' } }, allowed).store.size).toBe(0)
  })

  test('are one variant however their lists are written, and others are others', () => {
    const world = new World(KEPT).passes({ headers: { accept: ' a ,b,  c' } }, { headers: { vary: 'accept' } })
    expect(world.failed({ headers: { accept: 'a, b,c ' } })).toBeDefined()
    expect(world.failed({ headers: { accept: 'abc' } })).toBeUndefined()
    expect(entryOf(world).vary).toEqual({ accept: 'a,b,c' })
  })

  test('that vary and may be secret are told apart and kept as a hash, whatever blanks they have', () => {
    const world = new World({ ...KEPT, varyBy: ['x-key'] }).passes({ headers: { 'x-key': ' hush ' } })
    expect(world.failed({ headers: { 'x-key': 'hush' } })).toBeDefined()
    expect(entryOf(world).vary).toEqual({ 'x-key': expect.stringMatching(/^[0-9a-f]{64}$/) })
  })
})

test('a query that names a secret, in each way that these are named, is kept for nobody', () => {
  const names = [
    'token',
    'access_token',
    'sid',
    'session',
    'sessionid',
    'session-id',
    'session_id',
    'passwd',
    'password',
  ]
  for (const name of [
    ...names,
    'pwd',
    'auth',
    'api-key',
    'apiKey',
    'key',
    'client_secret',
    'credential',
    'credentials',
  ])
    expect(new World(KEPT).passes({ url: `${PLACE}?a=1&${name}=x` }).store.size).toBe(0)
  for (const name of ['tokens', 'monkey', 'reside', 'author', 'keys', 'sessions'])
    expect(new World(KEPT).passes({ url: `${PLACE}?${name}=x` }).store.size).toBe(1)
})

test('a user or a password in a URL alone makes it a secret', () => {
  for (const url of ['https://user@a.test/', 'https://:password@a.test/'])
    expect(new World(KEPT).passes({ url }).store.size).toBe(0)
})

test('what is no address of the web is left alone', () => {
  for (const url of ['ftp://a.test/x', 'data:text/plain,x'])
    expect(new World(KEPT).passes({ url }).failed({ url })).toBeUndefined()
})

describe('redirects that carry a credential', () => {
  const allowed = { 'cache-control': 'public, max-age=60' }

  test.each([
    [300, 0],
    [301, 0],
    [308, 0],
    [200, 1],
    [404, 1],
    [410, 1],
  ])('%d: %d are kept though the host allows it', (status, kept) => {
    const world = new World(KEPT).passes({ headers: { authorization: 'x' } }, { status, headers: allowed })
    expect(world.store.size).toBe(kept)
    expect(new World(KEPT).passes({}, { status, headers: allowed }).store.size).toBe(1)
  })

  test('are so by credentials: include as well, and not by a header that might be one', () => {
    const answered = { status: 301, headers: allowed }
    expect(new World(KEPT).passes({ credentials: 'include' }, answered).store.size).toBe(0)
    expect(new World(KEPT).passes({ headers: { 'x-anything': '1' } }, answered).store.size).toBe(1)
  })
})

describe('a caller who has the answer already', () => {
  const etag = { etag: 'W/"a"' }

  test('gets 304 for the tag that it names, compared weakly', () => {
    const world = new World(KEPT).passes({}, { headers: etag })
    const given = world.failed({ headers: { 'if-none-match': '"b", "a"' } })
    expect([given?.status, given?.statusText, given?.body.byteLength]).toEqual([304, 'Not Modified', 0])
    expect(world.failed({ headers: { 'if-none-match': '"b"' } })?.status).toBe(200)
    expect(world.failed()?.status).toBe(200)
  })

  test('and not where the answer has none, or is no 200', () => {
    expect(new World(KEPT).passes().failed({ headers: { 'if-none-match': '"a"' } })?.status).toBe(200)
    expect(new World(KEPT).passes().failed()?.status).toBe(200)
    const world = new World(KEPT).passes({}, { status: 203, headers: etag })
    expect(world.failed({ headers: { 'if-none-match': '"a"' } })?.status).toBe(203)
  })
})

describe('the detail of a stand-in', () => {
  const detailOf = (error: unknown): string | undefined =>
    valueOf(new World(KEPT).passes().later(1).failed({}, { error }), 'cache-status')?.split('detail=')[1]
  const nested = (depth: number): unknown => (depth === 0 ? { code: 'EDEEP' } : { cause: nested(depth - 1) })

  test('is the code of an error or of its causes, four deep', () => {
    expect([0, 1, 3].map((depth) => detailOf(nested(depth)))).toEqual(['EDEEP', 'EDEEP', 'EDEEP'])
    expect(detailOf(nested(4))).toBe('stale-if-error')
  })

  test('is no code where there is none that a header can hold', () => {
    const circle: Record<string, unknown> = {}
    circle['cause'] = circle
    for (const error of [null, 'EPIPE', { cause: null }, circle, { code: 1 }, { code: 'xEPIPE' }, { code: 'EPIPE-1' }])
      expect(detailOf(error)).toBe('stale-if-error')
    expect(detailOf({ code: `E${'A'.repeat(39)}` })).toBe(`E${'A'.repeat(39)}`)
    expect(detailOf({ code: `E${'A'.repeat(40)}` })).toBe('stale-if-error')
  })
})

describe('options', () => {
  test('take each status that they may', () => {
    const world = new World({ ...KEPT, on: [400, 599] }).passes()
    expect([400, 599, 404].map((status) => world.failed({}, { status }) !== undefined)).toEqual([true, true, false])
    for (const status of [600, 206, 304, 503]) expect(() => staleIfError({ statuses: [status] })).toThrow(RangeError)
    for (const on of [399, 600, 400.5]) expect(() => staleIfError({ on: [on] })).toThrow(RangeError)
  })

  test('take HEAD without a key, and no other method beside GET', () => {
    expect(() => staleIfError({ methods: ['GET', 'HEAD'] })).not.toThrow()
    expect(() => staleIfError({ methods: ['get', 'head'] })).not.toThrow()
    expect(() => staleIfError({ methods: ['GET', 'POST'] })).toThrow('needs a key')
  })

  test('and what a host forbids is done without only as far as they say', () => {
    const headers = { 'cache-control': 'max-age=1, no-cache' }
    expect(new World({ ...KEPT, ignore: ['no-cache'] }).passes({}, { headers }).store.size).toBe(1)
    expect(new World({ ...KEPT, ignore: ['must-revalidate'] }).passes({}, { headers }).store.size).toBe(0)
  })

  test('that are none are told as what they are', () => {
    const none = null as never
    expect(() => staleIfError(none)).toThrow(/^the options of staleIfError must be an object, got null$/)
    expect(() => memoryReplies(none)).toThrow(/^the options of memoryReplies must be an object, got null$/)
    expect(() => reply(none)).toThrow(/^the options of reply must be an object, got null$/)
  })
})

describe('dates and ages', () => {
  test('an Expires that is not of the one form has passed', () => {
    for (const expires of ['x Sun, 06 Nov 2033 09:49:37 GMT', 'Sun, 06 Nov 2033 09:49:37 GMT+1', '0'])
      expect(new World().passes({}, { headers: { expires } }).store.size).toBe(0)
    expect(new World().passes({}, { headers: { expires: 'Sun, 06 Nov 2033 09:49:37 GMT' } }).store.size).toBe(1)
  })

  test('an answer is stale in the moment in which its time is over', () => {
    const world = new World(KEPT).passes({}, { headers: { 'cache-control': 'max-age=10' } })
    expect(valueOf(world.later(10 * SECOND - 1).failed(), 'cache-status')).toContain('fwd=bypass')
    expect(valueOf(world.later(1).failed(), 'cache-status')).toContain('fwd=stale')
  })

  test('Pragma speaks where Cache-Control does not, and beside it', () => {
    expect(new World(KEPT).passes({}, { headers: { pragma: 'no-cache' } }).store.size).toBe(0)
    expect(new World(KEPT).passes({}, { headers: { pragma: 'x-cache' } }).store.size).toBe(1)
    const both = { pragma: 'no-cache', 'cache-control': 'max-age=60' }
    expect(new World(KEPT).passes({}, { headers: both }).store.size).toBe(0)
  })

  test('a body that was to be of no certain length is not kept, and one that is decoded may have another', () => {
    for (const length of ['4x', 'x4', '-4', ''])
      expect(new World(KEPT).passes({}, { headers: { 'content-length': length } }).store.size).toBe(0)
    const packed = { 'content-length': '2', 'content-encoding': 'gzip' }
    expect(new World(KEPT).passes({}, { headers: packed }).store.size).toBe(1)
    expect(new World(KEPT).passes({}, { headers: packed, decoded: false }).store.size).toBe(0)
  })
})

test('a store is told how long to keep the variants of a key, which is as long as the last of them, and their size', () => {
  const told: unknown[] = []
  const inner = memoryReplies()
  const store: ReplyStore = {
    get: (key) => inner.get(key),
    set: (key, replies, options) => {
      told.push(options)
      inner.set(key, replies)
    },
    delete: (key) => inner.delete(key),
  }
  const world = new World({}, store)
  const vary = (seconds: number) => ({ headers: { vary: 'accept', 'cache-control': `max-age=${seconds}` } })
  world.passes({ headers: { accept: 'long' } }, vary(100))
  world.later(SECOND).passes({ headers: { accept: 'short' } }, vary(10))
  expect(told).toMatchObject([{ ttlMs: 100 * SECOND }, { ttlMs: 99 * SECOND }])
  expect((told[1] as { bytes: number }).bytes).toBe(inner.bytes)
})

test('what was read goes as well, once others were used since', () => {
  const store = memoryReplies({ maxEntries: 2 })
  const entry = entryOf(new World(KEPT).passes())
  for (const key of ['a', 'b']) store.set(key, [entry])
  store.get('a')
  for (const key of ['c', 'd']) store.set(key, [entry])
  expect(['a', 'b', 'c', 'd'].filter((key) => store.get(key))).toEqual(['c', 'd'])
})

test('many who fail at once ask a slow store once, and who comes after its answer asks anew', async () => {
  let asked = 0
  const get = (): Promise<undefined> => {
    asked++
    return Promise.resolve(undefined)
  }
  const fence = { wall: () => 0, warn() {}, onFault() {} }
  const replies = new FencedReplies({ get, set() {}, delete() {} }, fence)
  await Promise.all([replies.get('a'), replies.get('a'), replies.get('a')])
  expect(asked).toBe(1)
  await replies.get('a')
  expect(asked).toBe(2)
  const before = replies.get('a')
  replies.set('a', [], { ttlMs: 1, bytes: 1 })
  await Promise.all([before, replies.get('a')])
  expect(asked).toBe(4)
})

test('what made room for others is counted as the store says', () => {
  const fence = { wall: () => 0, warn() {}, onFault() {} }
  const store = { get: () => undefined, set() {}, delete() {} }
  expect(new FencedReplies(store, fence).tally.read().evicted).toBe(0)
  expect(new FencedReplies({ ...store, evicted: 3 }, fence).tally.read().evicted).toBe(3)
})

describe('a stand-in is told', () => {
  const status = 'Fuseboard; hit; ttl=1; detail=circuit-open'

  test('from headers of every kind, and from none that give no text', () => {
    expect(isFallback({ headers: { get: (name: string) => (name === 'cache-status' ? status : null) } })).toEqual({
      source: 'stored',
      reason: 'refused',
    })
    expect(isFallback({ headers: { get: () => 5 } })).toBeUndefined()
    expect(isFallback({ headers: { get: 'a header', 'cache-status': status } })).toBeDefined()
    expect(isFallback({ headers: {} })).toBeUndefined()
    expect(isFallback({ headers: { 'cache-status': status, age: '0' } })?.age).toBe(0)
  })

  test('by the last mark that it was given', () => {
    const response = {}
    markFallback(response, { source: 'stored', reason: 'failed' })
    markFallback(response, { source: 'made', reason: 'refused' })
    expect(isFallback(response)?.source).toBe('made')
  })
})

test('an entry of a store is trusted up to the edge of what an answer can be', () => {
  const sound = entryOf(new World(KEPT).passes({}, { headers: { 'cache-control': 'max-age=60' } }))
  const holding = (wrong: object): World =>
    new World(KEPT, { get: () => [{ ...sound, ...wrong }] as never, set() {}, delete() {} })
  for (const wrong of [{ status: 199 }, { status: 600 }, { decoded: 1 }, { vary: 'accept' }, { headers: [['a']] }])
    expect(holding(wrong).failed()).toBeUndefined()
  for (const fine of [{ status: 499 }, { status: 200 }, { decoded: false }, { vary: {} }])
    expect([fine, holding(fine).failed()]).toEqual([fine, expect.anything()])

  const varying = { headers: [...sound.headers, ['vary', 'accept']], vary: {} }
  for (const [lost, reason] of [
    [{ status: 206 }, 'forbidden'],
    [{ status: 304 }, 'forbidden'],
    [{ status: 500 }, 'forbidden'],
    [varying, 'variant'],
  ] as const) {
    const world = holding(lost)
    expect(world.failed()).toBeUndefined()
    expect(world.replies.tally.read().refused).toEqual({ [reason]: 1 })
  }
})

describe('what a fallback of one’s own gives', () => {
  const sound = (): Reply =>
    reply({ text: 'x' }).standIn(
      { request: ask(), key: 'k', state: 'open', reason: 'refused', retryAfterMs: undefined },
      {} as Replies,
    ) as Reply

  test('is taken for a reply, or for none', () => {
    for (const status of [200, 599]) expect(readReply({ ...sound(), status })?.status).toBe(status)
    expect(readReply({ ...sound(), headers: [] })?.headers).toEqual([])
    for (const none of [undefined, null]) expect(readReply(none)).toBeUndefined()
  })

  test.each([
    ['a status that is none', { status: 199 }],
    ['a status that is too high', { status: 600 }],
    ['half a status', { status: 200.5 }],
    ['a status with a line break', { statusText: 'a\nb' }],
    ['a body that is text', { body: 'x' }],
    ['no mark', { mark: undefined }],
    ['a mark that is null', { mark: null }],
    ['a mark that is text', { mark: 'made' }],
    ['headers that are none', { headers: 'x' }],
    [
      'one good header and one of three parts',
      {
        headers: [
          ['a', 'b'],
          ['a', 'b', 'c'],
        ],
      },
    ],
    ['a header that is no pair', { headers: ['ab'] }],
    ['a header without a name', { headers: [['', 'b']] }],
    ['a header with a line break', { headers: [['a', 'b\r\nc: d']] }],
  ])('is refused with %s', (_, given) => {
    expect(() => readReply({ ...sound(), ...given })).toThrow(
      /^it must answer with a fallback, as reply\(\.\.\.\) is one, or with nothing, got /,
    )
  })

  test('for the wire is pairs, in whatever they come', () => {
    for (const fine of [[['a', 'b']], new Map([['a', 'b']]), new Headers({ a: 'b' })])
      expect(readFields(fine)).toEqual([['a', 'b']])
    for (const none of [undefined, null]) expect(readFields(none)).toEqual([])
    for (const wrong of [
      'ab',
      5,
      {},
      [['a']],
      [['a', 'b', 'c']],
      [
        ['a', 'b'],
        ['a b', 'c'],
      ],
    ])
      expect(() => readFields(wrong)).toThrow(/^it must give pairs of a header name and a value, got /)
  })

  test('to take an answer in has all that a sink has', () => {
    const sink = { write() {}, end() {}, abort() {} }
    expect(readSink(sink)).toBe(sink)
    for (const none of [undefined, null]) expect(readSink(none)).toBeUndefined()
    for (const wrong of [{}, { ...sink, abort: undefined }, { ...sink, write: true }])
      expect(() => readSink(wrong)).toThrow(/^it must give a sink, with write, end and abort, got /)
  })
})

test('directives without a number, or with one that is none, permit nothing', () => {
  expect(cacheControl('max-age, s-maxage, stale-if-error, max-stale=x')).toMatchObject({
    'max-age': 0,
    's-maxage': 0,
    'stale-if-error': 0,
    'max-stale': 0,
  })
  expect(cacheControl('max-stale')['max-stale']).toBeGreaterThan(1_000_000_000)
  expect(cacheControl('private="x, y z"')).toMatchObject({ private: true, fields: [] })
  expect(cacheControl('private="x, y"')).toEqual({ fields: ['x', 'y'] })
  for (const broken of ['foo=x"a"', 'foo="a"x']) expect(cacheControl(broken)).toMatchObject({ 'no-store': true })
})

test('a made reply may have headers that only resemble those that are not its own', () => {
  const headers = { 'x-connection': 'a', 'connection-x': 'b' }
  expect(() => reply({ text: '', headers })).not.toThrow()
  for (const name of ['connection', 'Content-Length']) {
    expect(() => reply({ text: '', headers: { [name]: 'x' } })).toThrow('headers')
  }
})

test('a made reply names no method that is none, and each status that there is', () => {
  expect(() => reply({ text: '', methods: ['GET', 'P T'] })).toThrow('methods')
  expect(() => reply({ text: '', status: 599 })).not.toThrow()
  for (const status of [600, 199]) expect(() => reply({ text: '', status })).toThrow('status')
})
