// Stored replies as a fallback: what is kept, for whom, and when it stands in.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { HOUR, KEPT, PLACE, SECOND, START, textOf, valueOf, World, type Asked } from '../test/kept-replies.ts'
import type { Reply, ReplyStore, StoredReply } from './reply.ts'
import { staleIfError } from './stale-if-error.ts'

// As recorded from the service, its body shortened.
const VERSE = '{"reference":"John 3:16","text":"\\nFor God so loved the world"}'
const VERSE_HEADERS: [string, string][] = [
  ['content-type', 'application/json;charset=utf-8'],
  ['access-control-allow-origin', '*'],
  ['access-control-allow-methods', 'OPTIONS'],
  ['access-control-allow-methods', 'GET'],
  ['access-control-allow-headers', 'Content-Type'],
  ['x-content-type-options', 'nosniff'],
  ['content-length', String(VERSE.length)],
]

/** Whether what was kept for one URL stands in for another. */
const crossed = (kept: string, asked: string): boolean =>
  new World(KEPT).passes({ url: kept }).failed({ url: asked }) !== undefined

const oops = (): never => {
  throw new Error('oops')
}

/** An entry as it is kept. */
function sound(): StoredReply {
  const [entry] = new World(KEPT).passes().store.get(`GET\n${PLACE}`) ?? []
  if (entry === undefined) throw new Error('nothing was kept')
  return entry
}

/** A world whose store gives this, whatever was kept. */
const given = (answer: unknown): World => new World(KEPT, { get: () => answer as never, set() {}, delete() {} })

describe('what the host says', () => {
  test('a stale answer stands in for a 503 within its stale-if-error, marked', () => {
    const world = new World()
      .passes({}, { headers: { 'cache-control': 'max-age=1, stale-if-error=60' } })
      .later(2 * SECOND)
    const reply = world.failed()
    expect(reply).toMatchObject({ status: 200, statusText: 'OK', decoded: true })
    expect(reply?.mark).toEqual({ source: 'stored', reason: 'failed', age: 2 * SECOND, masked: { status: 503 } })
    expect(valueOf(reply, 'age')).toBe('2')
    expect(valueOf(reply, 'cache-status')).toBe('Fuseboard; fwd=stale; fwd-status=503; ttl=-1; detail=stale-if-error')
  })

  test('it stands in for a connection that was refused, and says how that ended', () => {
    const world = new World()
      .passes({}, { headers: { 'cache-control': 'max-age=1, stale-if-error=60' } })
      .later(2 * SECOND)
    const error = new TypeError('fetch failed', { cause: Object.assign(new Error('no'), { code: 'ECONNREFUSED' }) })
    const reply = world.failed({}, { error })
    expect(reply?.mark.masked).toEqual({ error })
    expect(valueOf(reply, 'cache-status')).toBe('Fuseboard; fwd=stale; ttl=-1; detail=ECONNREFUSED')
  })

  test('a code that would break the header is not told', () => {
    const world = new World(KEPT).passes().later(1)
    for (const code of ['E; hit', 'E\r\nx: y', 'ä', 7, '']) {
      expect(valueOf(world.failed({}, { error: { code } }), 'cache-status')).toMatch(/; detail=stale-if-error$/)
    }
  })

  test('a stale answer stands in for a refusal as a hit', () => {
    const world = new World()
      .passes({}, { headers: { 'cache-control': 'max-age=1, stale-if-error=600' } })
      .later(377 * SECOND)
    expect(valueOf(world.refused(), 'cache-status')).toBe('Fuseboard; hit; ttl=-376; detail=circuit-open')
  })

  test('a fresh answer stands in for a refusal, with time to live', () => {
    const world = new World().passes({}, { headers: { 'cache-control': 'max-age=60' } }).later(10 * SECOND)
    expect(valueOf(world.refused(), 'cache-status')).toBe('Fuseboard; hit; ttl=50; detail=circuit-open')
  })

  test('a fresh answer stands in for a failure, which was not asked for because the answer was stale', () => {
    const world = new World().passes({}, { headers: { 'cache-control': 'max-age=60' } })
    expect(valueOf(world.failed(), 'cache-status')).toBe(
      'Fuseboard; fwd=bypass; fwd-status=503; ttl=60; detail=stale-if-error',
    )
  })

  test('past its stale-if-error it does not stand in', () => {
    const world = new World().passes({}, { headers: { 'cache-control': 'max-age=1, stale-if-error=60' } })
    expect(world.later(61 * SECOND).failed()).toBeDefined()
    expect(world.later(SECOND).failed()).toBeUndefined()
  })

  test('without permission, an answer without directives is not kept', () => {
    const world = new World().passes()
    expect([world.failed(), world.store.size]).toEqual([undefined, 0])
  })

  test('without a window, the fresh life of an answer is all it has', () => {
    const world = new World().passes({}, { headers: { 'cache-control': 'max-age=60' } })
    expect(world.later(59 * SECOND).failed()).toBeDefined()
    expect(world.later(SECOND).failed()).toBeUndefined()
  })

  test('an answer that is too old already is not kept', () => {
    const headers = { 'cache-control': 'max-age=60', age: '60' }
    expect(new World().passes({}, { headers }).store.size).toBe(0)
  })

  test('stale-if-error alone keeps an answer whose status caches may keep anyhow', () => {
    const headers = { 'cache-control': 'stale-if-error=60' }
    const worlds = [200, 404, 302, 418].map((status) => new World().passes({}, { status, headers }))
    expect(worlds.map(({ store }) => store.size)).toEqual([1, 1, 0, 0])
  })

  test('Expires is read where nothing else says how long, and only as it should be written', () => {
    const in60 = new Date(START + 60 * SECOND).toUTCString()
    const world = new World().passes({}, { headers: { expires: in60 } })
    expect(world.later(59 * SECOND).failed()).toBeDefined()
    expect(world.later(SECOND).failed()).toBeUndefined()
    for (const expires of ['0', '-1', '2099', 'tomorrow', `${in60}, ${in60}`]) {
      expect(new World().passes({}, { headers: { expires } }).failed(), `with ${expires}`).toBeUndefined()
    }
  })

  test('its life begins at its Date', () => {
    const date = new Date(START - 30 * SECOND).toUTCString()
    const expires = new Date(START + 30 * SECOND).toUTCString()
    for (const headers of [
      { date, expires },
      { date, 'cache-control': 'max-age=60' },
    ]) {
      const world = new World().passes({}, { headers }).later(29 * SECOND)
      expect(valueOf(world.failed(), 'age')).toBe('59')
      expect(world.later(SECOND).failed()).toBeUndefined()
    }
  })

  test('no directive that forbids a stale answer is beaten by permission', () => {
    for (const directive of ['must-revalidate', 'proxy-revalidate', 's-maxage=1', 'no-cache', 'Must-Revalidate']) {
      const headers = { 'cache-control': `max-age=1, stale-if-error=60, ${directive}` }
      const world = new World(KEPT).passes({}, { headers }).later(2 * SECOND)
      expect([world.failed(), world.refused()], `with ${directive}`).toEqual([undefined, undefined])
    }
  })

  test('while fresh, must-revalidate and s-maxage let it stand in', () => {
    for (const headers of [{ 'cache-control': 'max-age=60, must-revalidate' }, { 'cache-control': 's-maxage=60' }]) {
      expect(new World(KEPT).passes({}, { headers }).failed()).toBeDefined()
    }
  })

  test('no-store, no-cache and private keep it out, in any case', () => {
    for (const directive of [
      'no-store',
      'NO-STORE',
      'No-Cache',
      'private',
      'Private, No-Store',
      'max-age=60, private',
    ]) {
      const world = new World(KEPT).passes({}, { headers: { 'cache-control': directive } })
      expect([world.store.size, world.failed()], `with ${directive}`).toEqual([0, undefined])
    }
    expect(new World(KEPT).passes({}, { headers: { pragma: 'no-cache' } }).store.size).toBe(0)
  })

  test('of duplicate and malformed directives the restrictive reading counts', () => {
    for (const directive of [
      'max-age=60, max-age=0',
      'stale-if-error=abc, max-age=0',
      'max-age=60; stale-if-error=60',
    ]) {
      const world = new World().passes({}, { headers: { 'cache-control': directive } }).later(1)
      expect(world.failed(), `with ${directive}`).toBeUndefined()
    }
  })

  test('the fields that private names are left out', () => {
    const headers = { 'cache-control': 'max-age=60, private="X-User, x-b"', 'x-user': 'alice', 'X-B': '1', 'x-c': '2' }
    const names = new World()
      .passes({}, { headers })
      .failed()
      ?.headers.map(([name]) => name)
    expect(names).toEqual(['x-c', 'cache-control', 'age', 'cache-status'])
  })

  test('neither private nor Connection can take Cache-Control itself out of sight', () => {
    for (const [name, value] of [
      ['connection', 'cache-control'],
      ['cache-control', 'private="cache-control"'],
    ] as const) {
      const headers = [
        ['cache-control', 'max-age=1, must-revalidate'],
        [name, value],
      ] as const
      expect(
        new World(KEPT)
          .passes({}, { headers })
          .later(2 * SECOND)
          .failed(),
      ).toBeUndefined()
    }
  })
})

describe('what the policy permits', () => {
  test('an answer without directives is kept for as long as keepFor says', () => {
    const world = new World({ keepFor: '24h' }).passes({}, { headers: VERSE_HEADERS, body: VERSE })
    expect(textOf(world.later(24 * HOUR).failed())).toBe(VERSE)
    expect(world.later(1).failed()).toBeUndefined()
  })

  test('keepFor is the window of an answer that has its own life', () => {
    const world = new World({ keepFor: '1h' }).passes({}, { headers: { 'cache-control': 'max-age=60' } })
    expect(world.later(HOUR + 60 * SECOND).failed()).toBeDefined()
    expect(world.later(1).failed()).toBeUndefined()
  })

  test("the host's own stale-if-error comes before keepFor", () => {
    const world = new World({ keepFor: '1h' }).passes({}, { headers: { 'cache-control': 'stale-if-error=5' } })
    expect(world.later(5 * SECOND).failed()).toBeDefined()
    expect(world.later(1).failed()).toBeUndefined()
  })

  test('a permission given later does not lengthen what was kept under another', () => {
    const { store } = new World({ keepFor: '1h' }).passes()
    expect(new World({ keepFor: '1d' }, store).later(HOUR).failed()).toBeDefined()
    expect(new World({ keepFor: '1d' }, store).later(HOUR + 1).failed()).toBeUndefined()
  })

  test('the window is anchored: standing in again and again does not lengthen it', () => {
    const world = new World().passes({}, { headers: { 'cache-control': 'max-age=1, stale-if-error=10' } })
    let last = 0
    for (let at = 0; at < 110 * SECOND; at += 900) {
      world.now = START + at
      if (world.failed()) last = at
    }
    expect(last).toBe(10_800)
  })

  test('only good and lasting answers are kept by permission', () => {
    for (const status of [200, 203, 204, 301, 308])
      expect(new World(KEPT).passes({}, { status }).store.size, `with ${status}`).toBe(1)
    for (const status of [201, 202, 206, 300, 302, 304, 400, 401, 403, 404, 405, 410, 501]) {
      expect(new World(KEPT).passes({}, { status }).store.size, `with ${status}`).toBe(0)
    }
  })

  test('a failure is never kept, whatever its headers say', () => {
    for (const status of [206, 408, 429, 500, 502, 503, 504, 507, 529]) {
      const world = new World(KEPT).passes({}, { status, headers: { 'cache-control': 'public, max-age=60' } })
      expect(world.store.size, `with ${status}`).toBe(0)
    }
  })

  test('a 404 that the host lets caches keep stands in for as long as the host says, and no longer', () => {
    const headers = { 'cache-control': 'max-age=60' }
    const world = new World(KEPT).passes().passes({}, { status: 404, headers })
    expect(world.failed()).toMatchObject({ status: 404 })
    expect(world.later(60 * SECOND).failed()).toBeUndefined()
  })
})

describe('what it stands in for', () => {
  test('500, 502, 503 and 504, no answer, and a refusal', () => {
    const world = new World(KEPT).passes()
    for (const status of [500, 502, 503, 504]) expect(world.failed({}, { status }), `with ${status}`).toBeDefined()
    expect(world.failed({}, { error: new Error('gone') })).toBeDefined()
    expect(world.refused()).toBeDefined()
  })

  test('nothing else unless it is named, not even what counts against the circuit', () => {
    const world = new World(KEPT).passes()
    for (const status of [401, 403, 404, 408, 410, 429, 501, 507, 529])
      expect(world.failed({}, { status }), `with ${status}`).toBeUndefined()
    const named = new World({ ...KEPT, on: [429, 403] }).passes()
    expect(named.failed({}, { status: 403 })).toBeDefined()
    expect(valueOf(named.failed({}, { status: 429 }), 'cache-status')).toContain('fwd-status=429')
  })
})

describe('what the caller asks', () => {
  test('its stale-if-error or max-stale is a window where nobody else gives one', () => {
    for (const directive of ['stale-if-error=60', 'max-stale=60', 'max-stale']) {
      const asked = { headers: { 'cache-control': directive } }
      const world = new World().passes(asked, { headers: { 'cache-control': 'max-age=1' } }).later(2 * SECOND)
      expect(world.failed(asked), `with ${directive}`).toBeDefined()
      expect(world.failed(), `with ${directive}`).toBeUndefined()
    }
  })

  test('its max-stale is a limit to every window', () => {
    const headers = { 'cache-control': 'stale-if-error=600' }
    for (const world of [new World().passes({}, { headers }), new World(KEPT).passes()]) {
      world.later(6 * SECOND)
      expect(world.failed({ headers: { 'cache-control': 'max-stale=5' } })).toBeUndefined()
      expect(world.failed({ headers: { 'cache-control': 'max-stale=7' } })).toBeDefined()
    }
  })

  test('one who asks for less does not shorten what is kept for others', () => {
    const world = new World(KEPT).passes({ headers: { 'cache-control': 'stale-if-error=1' } }).later(HOUR)
    expect(world.failed()).toBeDefined()
  })

  test('max-age and min-fresh are respected', () => {
    const world = new World()
      .passes({}, { headers: { 'cache-control': 'max-age=60, stale-if-error=60' } })
      .later(20 * SECOND)
    const given = (directive: string): boolean =>
      world.failed({ headers: { 'cache-control': directive } }) !== undefined
    expect(['max-age=19', 'max-age=21', 'min-fresh=39', 'min-fresh=41', 'max-age=0'].map(given)).toEqual([
      false,
      true,
      true,
      false,
      false,
    ])
  })

  test('no-cache, no-store and Pragma get none', () => {
    const world = new World(KEPT).passes()
    expect(world.failed({ headers: { 'cache-control': 'no-cache' } })).toBeUndefined()
    expect(world.failed({ headers: { 'Cache-Control': 'No-Store' } })).toBeUndefined()
    expect(world.failed({ headers: { pragma: 'no-cache' } })).toBeUndefined()
    expect(world.failed()).toBeDefined()
  })

  test('no-store keeps nothing, whatever else is asked', () => {
    for (const headers of [{ 'cache-control': 'no-store' }, { 'cache-control': 'no-store', pragma: 'no-cache' }]) {
      expect(new World(KEPT).passes({ headers }).store.size).toBe(0)
    }
  })

  test('HEAD is answered from what GET left, without a body', () => {
    const world = new World(KEPT).passes({}, { headers: VERSE_HEADERS, body: VERSE })
    const reply = world.failed({ method: 'HEAD' })
    expect([textOf(reply), valueOf(reply, 'content-type')]).toEqual(['', 'application/json;charset=utf-8'])
  })

  test('HEAD leaves nothing', () => {
    expect(new World(KEPT).passes({ method: 'HEAD' }, { body: '' }).store.size).toBe(0)
  })

  test('a part is neither kept nor given', () => {
    const range = { headers: { range: 'bytes=0-1' } }
    expect(new World(KEPT).passes(range).store.size).toBe(0)
    expect(new World(KEPT).passes(range, { status: 206 }).store.size).toBe(0)
    expect(new World(KEPT).passes().failed(range)).toBeUndefined()
  })

  test('who has the very same answer is told so, as by the host', () => {
    const world = new World(KEPT).passes({}, { headers: { etag: 'W/"a,1"', 'content-type': 'text/plain' } })
    const conditional = (tags: string): Reply | undefined => world.failed({ headers: { 'if-none-match': tags } })
    expect(conditional('"x", "a,1"')).toMatchObject({ status: 304, statusText: 'Not Modified', body: new Uint8Array() })
    expect(conditional('"a", "1"')).toMatchObject({ status: 200 })
  })

  test('methods other than GET and HEAD get none', () => {
    const world = new World(KEPT).passes()
    for (const method of ['POST', 'PUT', 'OPTIONS']) expect(world.refused({ method }), `with ${method}`).toBeUndefined()
  })
})

describe('the age', () => {
  test('counts from receipt where the host sends no Date', () => {
    const world = new World(KEPT).passes().later(90 * SECOND)
    expect([valueOf(world.failed(), 'age'), world.failed()?.mark.age]).toEqual(['90', 90 * SECOND])
  })

  test('never falls below what it was when the clock goes back', () => {
    const world = new World(KEPT).passes({}, { headers: { age: '7' } }).later(-HOUR)
    expect(valueOf(world.failed(), 'age')).toBe('7')
    const ahead = new World(KEPT).passes({}, { headers: { date: new Date(START + HOUR).toUTCString() } })
    expect(valueOf(ahead.failed(), 'age')).toBe('0')
  })

  test('begins with the larger of Age and Date', () => {
    const date = new Date(START - 10 * SECOND).toUTCString()
    for (const [age, expected] of [
      ['3', '10'],
      ['30', '30'],
      ['3, 40', '40'],
    ] as const) {
      expect(valueOf(new World(KEPT).passes({}, { headers: { date, age } }).failed(), 'age')).toBe(expected)
    }
  })

  test('that cannot be read makes an answer too old to keep', () => {
    for (const age of ['', 'x', '-5', '1.5', '5, x', '9'.repeat(400)]) {
      expect(
        new World(KEPT).passes({}, { headers: { age, 'cache-control': 'max-age=60' } }).store.size,
        `with ${age}`,
      ).toBe(0)
    }
  })

  test('of a store that outlives the process goes on', () => {
    const before = new World(KEPT).passes()
    const after = new World(KEPT, before.store).later(HOUR)
    expect(valueOf(after.failed(), 'age')).toBe('3600')
  })
})

describe('whom it is for', () => {
  const alone: readonly (readonly [string, Asked])[] = [
    ['Authorization', { headers: { authorization: 'Bearer alice' } }],
    ['Authorization in capitals', { headers: { AUTHORIZATION: 'Bearer alice' } }],
    ['Proxy-Authorization', { headers: { 'proxy-authorization': 'Basic x' } }],
    ['a Cookie', { headers: { cookie: 'sid=alice' } }],
    ['fetch credentials', { credentials: 'include' }],
    ['a key in a header of any name', { headers: { 'x-api-key': 'k' } }],
    ['a tenant in a header', { headers: { 'x-tenant': 'a' } }],
    ...[
      'access_token',
      'api_key',
      'apikey',
      'api-key',
      'apiKey',
      'key',
      'KEY',
      'token',
      'sig',
      'signature',
      'X-Amz-Signature',
      'client_secret',
      'auth',
      'password',
      'session_id',
      '%61pi_key',
    ].map((name): [string, Asked] => [`${name} in the query`, { url: `${PLACE}?a=b&${name}=1` }]),
    ['a user in the URL', { url: 'https://alice:secret@bible-api.com/John+3:16' }],
    ['a user without a password', { url: 'https://alice@bible-api.com/John+3:16' }],
    ['another Host', { headers: { host: 'internal.example.com' } }],
  ]

  test.each(alone)('an answer to a request with %s is not kept', (_, asked) => {
    const world = new World(KEPT).passes(asked)
    expect([world.store.size, world.failed(asked), world.failed()]).toEqual([0, undefined, undefined])
  })

  test.each(alone)('a request with %s gets no answer that was kept for another', (_, asked) => {
    const world = new World(KEPT).passes()
    expect(world.failed(asked)).toBeUndefined()
    expect(world.failed()).toBeDefined()
  })

  test('headers and names that are no credentials are no hindrance', () => {
    const headers = {
      Accept: '*/*',
      'accept-language': 'en',
      'user-agent': 'x',
      host: 'BIBLE-API.com',
      traceparent: '00-1-2-01',
      'content-type': 'text/plain',
      'sec-fetch-mode': 'cors',
      'x-request-id': '1',
      'if-none-match': '"x"',
    }
    const url = `${PLACE}?translation=kjv&author=x&keyword=y&design=z&monkey=1&side=2`
    const world = new World(KEPT).passes({ url, headers, credentials: 'same-origin' })
    expect(world.failed({ url, headers })).toBeDefined()
  })

  test("without permission, a header of its own is the host's affair, and Authorization and Cookie are not", () => {
    const answered = { headers: { 'cache-control': 'max-age=60' } }
    expect(new World().passes({ headers: { 'x-api-key': 'k' } }, answered).store.size).toBe(1)
    const lasting = { headers: { 'cache-control': 'stale-if-error=60' } }
    expect(new World(KEPT).passes({ headers: { 'x-api-key': 'k' } }, lasting).store.size).toBe(1)
    expect(new World().passes({ headers: { authorization: 'x' } }, answered).store.size).toBe(0)
    expect(new World().passes({ headers: { cookie: 'x' } }, answered).store.size).toBe(0)
    expect(new World().passes({ credentials: 'include' }, answered).store.size).toBe(0)
  })

  test('what the host calls public, or gives an s-maxage, is for all', () => {
    for (const directive of ['public, max-age=60', 's-maxage=60']) {
      for (const headers of [{ authorization: 'Bearer alice' }, { cookie: 'sid=alice' }]) {
        const world = new World().passes({ headers }, { headers: { 'cache-control': directive } })
        expect(world.failed({ headers: { authorization: 'Bearer bob' } }), `with ${directive}`).toBeDefined()
      }
    }
  })

  test('must-revalidate alone makes no answer public', () => {
    const headers = { 'cache-control': 'max-age=60, must-revalidate' }
    expect(new World().passes({ headers: { authorization: 'x' } }, { headers }).store.size).toBe(0)
  })

  test('a secret in the URL is in no key, even where the answer is public', () => {
    for (const url of [`${PLACE}?token=s3cret`, 'https://u:s3cret@bible-api.com/']) {
      const keys: string[] = []
      const store: ReplyStore = {
        get: (key) => void keys.push(key),
        set: (key) => void keys.push(key),
        delete: (key) => void keys.push(key),
      }
      const world = new World(KEPT, store)
      world.passes({ url }, { headers: { 'cache-control': 'public, max-age=60' } }).passes({ url }, { status: 404 })
      world.passes({ url, method: 'POST' }).failed({ url })
      expect(keys.join()).not.toContain('s3cret')
    }
  })

  test('it is told once why permission does not help, by name and without the value', () => {
    const world = new World(KEPT).passes({ headers: { 'X-Api-Key': 's3cret' } })
    expect(world.warnings).toEqual([
      'reply-not-kept: Replies of bible-api.com are not kept: x-api-key may be a credential; a header that is none can be named in varyBy',
    ])
    expect(
      new World().passes({ headers: { authorization: 'x' } }, { headers: { 'cache-control': 'max-age=60' } }).warnings,
    ).toEqual([])
  })

  test('an answer that sets a cookie is not kept unless it is public, and never gives the cookie', () => {
    const headers = [
      ['Set-Cookie', 'sid=alice'],
      ['set-cookie2', 'x'],
      ['cache-control', 'max-age=60'],
    ] as const
    expect(new World(KEPT).passes({}, { headers }).store.size).toBe(0)
    const world = new World(KEPT).passes({}, { headers: [...headers, ['cache-control', 'public']] })
    expect(world.failed()?.headers.map(([name]) => name)).toEqual(['cache-control', 'age', 'cache-status'])
  })

  test('what a redirect led to is not the answer of what was asked', () => {
    const world = new World(KEPT).passes({}, { redirected: true, headers: { 'cache-control': 'public, max-age=60' } })
    expect(world.store.size).toBe(0)
  })
})

describe('variants', () => {
  const en = { headers: { 'accept-language': 'en' } }
  const de = { headers: { 'accept-language': 'de' } }
  const varied = { headers: { vary: 'Accept-Language' } }

  test('an answer is for requests with the same headers only', () => {
    const world = new World(KEPT).passes(en, { ...varied, body: 'good' })
    expect([textOf(world.failed(en)), world.failed(de), world.failed()]).toEqual(['good', undefined, undefined])
  })

  test('several are kept side by side, each the latest of its kind', () => {
    const world = new World(KEPT).passes(en, { ...varied, body: 'old' }).passes(de, { ...varied, body: 'gut' })
    world.passes(en, { ...varied, body: 'good' })
    expect([textOf(world.failed(en)), textOf(world.failed(de))]).toEqual(['good', 'gut'])
    expect(world.store.get(`GET\n${PLACE}`)).toHaveLength(2)
  })

  test('white space and repeated lines make no variant', () => {
    const world = new World(KEPT).passes({ headers: [['accept-language', 'en, de']] }, varied)
    for (const headers of [
      [['accept-language', 'en,de']],
      [
        ['Accept-Language', ' en'],
        ['accept-language', 'de '],
      ],
    ] as const) {
      expect(world.failed({ headers })).toBeDefined()
    }
  })

  test('a thousand of them leave eight', () => {
    const world = new World(KEPT)
    for (let i = 0; i < 1_000; i++) world.passes({ headers: { 'accept-language': `x-${i}` } }, varied)
    expect(world.store.get(`GET\n${PLACE}`)).toHaveLength(8)
    expect(world.failed({ headers: { 'accept-language': 'x-999' } })).toBeDefined()
    expect(world.failed({ headers: { 'accept-language': 'x-991' } })).toBeUndefined()
  })

  test('those past their time are let go', () => {
    const world = new World({ keepFor: '1h' })
      .passes(en, varied)
      .later(2 * HOUR)
      .passes(de, varied)
    expect(world.store.get(`GET\n${PLACE}`)).toHaveLength(1)
  })

  test('an answer that varies by everything, by what is no name, or by a credential that was sent is not kept', () => {
    for (const vary of ['*', 'accept, *', 'a b']) {
      expect(
        new World(KEPT).passes({}, { headers: { vary, 'cache-control': 'public, max-age=60' } }).store.size,
        `with ${vary}`,
      ).toBe(0)
    }
    const answered = { headers: { vary: 'Authorization', 'cache-control': 'public, max-age=60' } }
    expect(new World().passes({ headers: { authorization: 's3cret' } }, answered).store.size).toBe(0)
    expect(new World().passes({}, answered).failed({ headers: { authorization: 's3cret' } })).toBeUndefined()
    expect(new World().passes({}, answered).failed()).toBeDefined()
  })

  test('varyBy tells apart what no Vary does', () => {
    const world = new World({ ...KEPT, varyBy: ['X-Single-Chapter-Book-Matching'] })
    const url = 'https://bible-api.com/Jude+1'
    const whole = { url, headers: { 'x-single-chapter-book-matching': 'indifferent' } }
    world.passes({ url }, { body: 'one verse' }).passes(whole, { body: 'one chapter' })
    expect([textOf(world.failed({ url })), textOf(world.failed(whole))]).toEqual(['one verse', 'one chapter'])
  })

  test('an entry from before varyBy named a header is for nobody', () => {
    const { store } = new World(KEPT).passes()
    expect(new World({ ...KEPT, varyBy: ['x-a'] }, store).failed()).toBeUndefined()
  })
})

describe('where it is kept', () => {
  test('the fragment, the case of the host and the default port make no difference', () => {
    for (const url of [`${PLACE}#v`, 'https://BIBLE-API.com/John+3:16', 'https://bible-api.com:443/John+3:16']) {
      expect(crossed(PLACE, url), `with ${url}`).toBe(true)
    }
  })

  test('all else does', () => {
    for (const url of [
      'http://bible-api.com/John+3:16',
      'https://bible-api.com:8443/John+3:16',
      'https://bible-api.com./John+3:16',
      'https://www.bible-api.com/John+3:16',
      'https://bible-api.com/John%203:16',
      'https://bible-api.com/john+3:16',
      `${PLACE}?`,
      `${PLACE}?callback=evil`,
    ]) {
      expect(crossed(PLACE, url), `with ${url}`).toBe(false)
    }
    expect(crossed(`${PLACE}?a&b`, `${PLACE}?b&a`)).toBe(false)
    expect(crossed('https://h/a%2fb', 'https://h/a/b')).toBe(false)
    expect(crossed('https://bücher.example/', 'https://xn--bcher-kva.example/')).toBe(true)
  })

  test('nowhere, for what is no address of the web', () => {
    expect(new World(KEPT).passes({ url: 'data:text/plain,x' }).store.size).toBe(0)
  })
})

describe('what is left out', () => {
  test('what skip says is neither kept, nor given, nor dropped', () => {
    const world = new World({ ...KEPT, skip: ({ url, method }) => /random/.test(url) && method !== 'HEAD' })
    const url = 'https://bible-api.com/data/web/random'
    expect(world.passes({ url }).store.size).toBe(0)
    expect(world.passes().failed({ url })).toBeUndefined()
    const fickle = { on: true }
    const other = new World({ ...KEPT, skip: () => !fickle.on }).passes()
    fickle.on = false
    expect([other.failed(), other.passes({}, { status: 404 }).store.size]).toEqual([undefined, 1])
  })

  test('a write drops even where skip would leave it alone', () => {
    const world = new World({ ...KEPT, skip: ({ method }) => method !== 'GET' }).passes().passes({ method: 'PUT' })
    expect(world.store.size).toBe(0)
  })

  test('a skip that throws skips, and says so', () => {
    const world = new World({ ...KEPT, skip: oops }).passes()
    expect([world.store.size, world.failed()]).toEqual([0, undefined])
    expect(new Set(world.warnings)).toEqual(
      new Set(['skip-threw: staleIfError.skip threw, which counts as skipped: Error: oops']),
    )
  })

  test('answers without an end', () => {
    for (const type of [
      'text/event-stream',
      'Text/Event-Stream; charset=utf-8',
      'multipart/x-mixed-replace;boundary=x',
    ]) {
      expect(new World(KEPT).passes({}, { headers: { 'content-type': type } }).store.size, `with ${type}`).toBe(0)
    }
    const switched = { status: 101, headers: { 'cache-control': 'max-age=60' } }
    expect(new World(KEPT).passes({}, switched).store.size).toBe(0)
  })
})

describe('what takes its place', () => {
  const good = { body: 'good' }

  test('a later good answer', () => {
    const world = new World(KEPT).passes({}, { body: 'old' }).passes({}, good)
    expect(textOf(world.failed())).toBe('good')
  })

  test('401, 403, 404 and 410 are the last word, unless they are named to stand in for', () => {
    for (const status of [401, 403, 404, 410]) {
      const world = new World(KEPT).passes().passes({}, { status })
      expect([world.failed(), world.refused(), world.store.size], `with ${status}`).toEqual([undefined, undefined, 0])
      const named = new World({ ...KEPT, on: [status] }).passes().passes({}, { status })
      expect(named.failed({}, { status }), `with ${status}`).toBeDefined()
    }
  })

  test('a 403 to one caller drops the variants of all', () => {
    const varied = { headers: { vary: 'accept' } }
    const world = new World(KEPT)
      .passes({ headers: { accept: 'a' } }, varied)
      .passes({ headers: { accept: 'b' } }, varied)
    expect(world.passes({ headers: { authorization: 'x' } }, { status: 403 }).store.size).toBe(0)
  })

  test('an answer that must not be kept', () => {
    for (const answered of [
      { headers: { 'cache-control': 'no-store' } },
      { status: 201 },
      { headers: { 'set-cookie': 'a=b' } },
    ]) {
      expect(new World(KEPT).passes().passes({}, answered).failed()).toBeUndefined()
    }
  })

  test('no error, whatever its headers', () => {
    for (const status of [408, 429, 500, 502, 503, 504, 507, 529]) {
      const world = new World(KEPT).passes({}, good).passes({}, { status, headers: { 'cache-control': 'max-age=60' } })
      expect(textOf(world.failed()), `with ${status}`).toBe('good')
    }
  })

  test('neither a part, nor word of no change, nor a good head', () => {
    const world = new World(KEPT).passes({}, good)
    world.passes({}, { status: 206 }).passes({}, { status: 304 }).passes({ method: 'HEAD' }, { body: '' })
    expect(textOf(world.failed())).toBe('good')
    expect(world.passes({ method: 'HEAD' }, { status: 404 }).failed()).toBeUndefined()
  })

  test('a write that the host took, at its URL and at those it names on the same origin', () => {
    const [a, b, c] = ['https://bible-api.com/a', 'https://bible-api.com/b?x', 'https://other.example/c']
    for (const method of ['POST', 'PUT', 'PATCH', 'DELETE', 'PURGE']) {
      const world = new World(KEPT)
      for (const url of [PLACE, a, b, c]) world.passes({ url })
      world.passes({ method }, { status: 201, headers: { location: '/a', 'content-location': `${b}#x` } })
      world.passes({ method }, { status: 303, headers: { location: c } })
      expect(
        [PLACE, a, b, c].map((url) => world.failed({ url }) !== undefined),
        `with ${method}`,
      ).toEqual([false, false, false, true])
    }
  })

  test('no write that failed, and no method that changes nothing', () => {
    const world = new World(KEPT).passes()
    for (const status of [400, 404, 409, 500, 503]) world.passes({ method: 'POST' }, { status })
    world.passes({ method: 'OPTIONS' }).passes({ method: 'TRACE' })
    expect(world.failed()).toBeDefined()
  })

  test('nothing that was on its way already when it was dropped', () => {
    const world = new World(KEPT)
    const sink = world.begins({}, good)
    world.passes({ method: 'PUT' })
    sink?.end()
    expect(world.store.size).toBe(0)
    expect(world.passes({}, good).store.size).toBe(1)
  })

  test('nor where the store answered late', async () => {
    const kept: string[] = []
    const store: ReplyStore = {
      get: async () => undefined,
      set: (key) => void kept.push(key),
      delete: () => undefined,
    }
    const world = new World({ ...KEPT, varyBy: ['accept'] }, store).passes()
    world.passes({ method: 'DELETE' })
    await new Promise(setImmediate)
    expect(kept).toEqual([])
    world.passes()
    await new Promise(setImmediate)
    expect(kept).toEqual([`GET\n${PLACE}`])
  })
})

describe('the copy', () => {
  test('is as big as its limit at most, and a bigger answer drops what was kept', () => {
    const world = new World({ ...KEPT, maxEntryBytes: 4 }).passes({}, { body: 'four' })
    expect(textOf(world.failed())).toBe('four')
    expect(world.passes({}, { body: 'fives' }).failed()).toBeUndefined()
  })

  test('does not begin where the answer says that it is too big', () => {
    const world = new World({ ...KEPT, maxEntryBytes: 4 }).passes({}, { body: 'four' })
    expect(world.begins({}, { headers: { 'content-length': '5' } })).toBeUndefined()
    expect(world.failed()).toBeUndefined()
  })

  test('of an answer broken off is nothing, and what was kept stays', () => {
    const world = new World(KEPT).passes({}, { body: 'good' })
    world.begins({}, { body: 'ba' })?.abort()
    world.passes({}, { body: 'bad', headers: { 'content-length': '9' } })
    world.passes({}, { body: 'bad', headers: { 'content-length': '2' } })
    world.passes({}, { body: 'bad', headers: { 'content-length': '3, 3' } })
    expect(textOf(world.failed())).toBe('good')
  })

  test('is measured against content-length where that counts the same bytes', () => {
    const headers = { 'content-length': '99', 'content-encoding': 'gzip' }
    expect(new World(KEPT).passes({}, { headers, decoded: true }).store.size).toBe(1)
    expect(new World(KEPT).passes({}, { headers, decoded: false }).store.size).toBe(0)
  })

  test('is its own: what a caller does to the bytes of a stand-in, or to its chunks, changes nothing', () => {
    const world = new World(KEPT).passes({}, { body: 'good' })
    const [one, two] = [world.failed(), world.failed()]
    one?.body.fill(0)
    Object.assign(one?.headers ?? [], { length: 0 })
    expect([textOf(two), textOf(world.failed())]).toEqual(['good', 'good'])
    expect(valueOf(world.failed(), 'age')).toBe('0')
  })

  test('remembers whether its bytes were decoded, and drops the headers that no longer fit', () => {
    const headers = { 'content-encoding': 'gzip', 'content-length': '4', 'content-type': 'text/plain' }
    const names = (decoded: boolean): string[] | undefined =>
      new World(KEPT)
        .passes({}, { headers, decoded })
        .failed()
        ?.headers.map(([name]) => name)
    const marks = ['cache-control', 'age', 'cache-status']
    expect(names(true)).toEqual(['content-type', ...marks])
    expect(names(false)).toEqual(['content-encoding', 'content-length', 'content-type', ...marks])
  })
})

describe('the headers', () => {
  test('come back as the host sent them, repeats included', () => {
    const world = new World(KEPT).passes({}, { headers: VERSE_HEADERS, body: VERSE, decoded: false })
    expect(world.failed()?.headers.slice(0, -3)).toEqual(VERSE_HEADERS)
  })

  test('tell caches above not to keep the stand-in, whatever the host let them do with its answer', () => {
    const world = new World(KEPT).passes({}, { headers: { 'cache-control': 'public, max-age=3600' } })
    expect(world.refused()?.headers.filter(([name]) => name === 'cache-control')).toEqual([
      ['cache-control', 'no-store'],
    ])
  })

  test('lack those of the connection, and those that Connection names', () => {
    const headers = {
      Connection: 'close, X-Hop',
      'keep-alive': 'timeout=5',
      'transfer-encoding': 'chunked',
      te: 'trailers',
      trailer: 'x',
      upgrade: 'h2c',
      'proxy-authenticate': 'Basic',
      'Proxy-Connection': 'close',
      'x-hop': '1',
      Age: '0',
      'Strict-Transport-Security': 'max-age=1',
      Date: new Date(START).toUTCString(),
    }
    const names = new World(KEPT)
      .passes({}, { headers })
      .failed()
      ?.headers.map(([name]) => name)
    expect(names).toEqual(['Strict-Transport-Security', 'Date', 'cache-control', 'age', 'cache-status'])
  })

  test('say what we did behind what caches further away did', () => {
    const headers = [
      ['Cache-Status', 'Origin; hit'],
      ['x', 'y'],
      ['cache-status', 'CDN; fwd=miss'],
    ] as const
    const world = new World(KEPT).passes({}, { headers })
    expect(world.refused()?.headers).toEqual([
      ['x', 'y'],
      ['cache-control', 'no-store'],
      ['age', '0'],
      ['cache-status', 'Origin; hit, CDN; fwd=miss, Fuseboard; hit; ttl=0; detail=circuit-open'],
    ])
  })
})

describe('a store that cannot be trusted', () => {
  test.each([
    ['of another version', { v: 2 }],
    ['of another key', { key: 'GET\nhttps://evil.example/' }],
    ['with a status that is none', { status: 99 }],
    ['with a status that is no number', { status: '200' }],
    ['with a line break in its status', { statusText: 'OK\r\nx: y' }],
    ['with a line break in a header', { headers: [['x', 'a\r\nset-cookie: b']] }],
    ['with a header that has no name', { headers: [['a b', 'c']] }],
    ['with headers that are none', { headers: ['ab'] }],
    ['with a body that is none', { body: 'text' }],
    ['without a time', { staleAt: NaN }],
    ['without a variance', { vary: null }],
    ['with a variance that is none', { vary: { accept: 1 } }],
  ])('an entry %s is a miss, and told', (_, wrong) => {
    const world = given([{ ...sound(), ...wrong }])
    expect(world.failed()).toBeUndefined()
    expect(world.faults).toHaveLength(1)
  })

  test('a body over the limit is a miss', () => {
    const { store } = new World(KEPT).passes()
    expect(new World({ ...KEPT, maxEntryBytes: 3 }, store).failed()).toBeUndefined()
  })

  test('a cookie or a hop that it adds is not given', () => {
    const world = given([
      {
        ...sound(),
        headers: [
          ['set-cookie', 'a=b'],
          ['connection', 'x'],
          ['x', 'y'],
          ['z', '1'],
        ],
      },
    ])
    expect(world.failed()?.headers.map(([name]) => name)).toEqual(['z', 'cache-control', 'age', 'cache-status'])
  })

  test('a sound entry stands beside one that is not', () => {
    expect(given([{ ...sound(), v: 2 }, sound()]).failed()).toBeDefined()
  })

  test('one that answers later stands in later', async () => {
    const entry = sound()
    const later = given(Promise.resolve([entry])).failed() as unknown as Promise<Reply>
    expect(textOf(await later)).toBe('body')
  })
})

test('whatever hosts and callers say, nothing stands in that no-store, private or credentials forbid', () => {
  const said = fc.array(fc.constantFrom('max-age=60', 'stale-if-error=60', 'immutable', 'must-revalidate'), {
    maxLength: 3,
  })
  const forbidden = fc.constantFrom('no-store', 'private', 'no-cache', 'NO-STORE', 'private=x')
  const credential = fc.constantFrom<Asked>(
    { headers: { authorization: 'x' } },
    { headers: { Cookie: 'x' } },
    { credentials: 'include' },
  )
  fc.assert(
    fc.property(said, forbidden, credential, fc.boolean(), fc.nat(60), (said, forbids, asked, first, seconds) => {
      const list = (first ? [forbids, ...said] : [...said, forbids]).join(', ')
      const world = new World(KEPT).passes({}, { headers: { 'cache-control': list } })
      world
        .passes({ ...asked, url: `${PLACE}/2` }, { headers: { 'cache-control': said.join() } })
        .later(seconds * SECOND)
      expect([world.store.size, world.failed(), world.refused({ url: `${PLACE}/2` })]).toEqual([
        0,
        undefined,
        undefined,
      ])
    }),
  )
})

describe('a wrong option', () => {
  test.each([
    [
      { keepfor: '1d' },
      TypeError,
      'staleIfError.keepfor is not an option; did you mean keepFor? There are keepFor, maxStale, when, on, statuses, methods, key, partition, varyBy, skip, shared, ignore, maxEntryBytes, mark',
    ],
    [{ keepFor: '7 days' }, TypeError, `staleIfError.keepFor must be milliseconds or text such as '30s', got "7 days"`],
    [{ keepFor: 0 }, RangeError, 'staleIfError.keepFor must be longer than 0, got 0'],
    [{ on: 429 }, RangeError, 'staleIfError.on must be a list of statuses from 400 to 599, got 429'],
    [{ on: [200] }, RangeError, 'staleIfError.on must be a list of statuses from 400 to 599, got [200]'],
    [{ skip: /x/ }, TypeError, 'staleIfError.skip must be a function, got object RegExp'],
    [
      { varyBy: 'x' },
      RangeError,
      'staleIfError.varyBy must be a list of headers that are not always credentials, got "x"',
    ],
    [
      { varyBy: ['a b'] },
      RangeError,
      'staleIfError.varyBy must be a list of headers that are not always credentials, got ["a b"]',
    ],
    [
      { varyBy: ['Cookie'] },
      RangeError,
      'staleIfError.varyBy must be a list of headers that are not always credentials, got ["Cookie"]',
    ],
    [{ maxEntryBytes: '1MB' }, TypeError, 'staleIfError.maxEntryBytes must be a number of bytes, got "1MB"'],
    ['1d', TypeError, 'the options of staleIfError must be an object, got "1d"'],
  ])('%j is told at once', (options, kind, message) => {
    const make = () => staleIfError(options as never)
    expect(make).toThrow(kind)
    expect(make).toThrow(message)
  })
})
