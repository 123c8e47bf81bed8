// What is deferred, and with which key.
import { Readable } from 'node:stream'
import { breaker as axiosBreaker } from '@fuseboard/axios'
import { createBoard, guardFetch, isFallback, reply, type Board } from '@fuseboard/core'
import { breaker as gotBreaker } from '@fuseboard/got'
import { breaker as kyBreaker } from '@fuseboard/ky'
import { breaker as undiciBreaker } from '@fuseboard/undici'
import axios from 'axios'
import got from 'got'
import ky from 'ky'
import { Agent, request } from 'undici'
import { afterAll, describe, expect, test, vi } from 'vitest'
import { HEADER, NOON, openShop, type Shop } from '../test/shop.ts'
import type { Api } from '../test/api.ts'
import { createOutbox, defer, memoryOutbox, type Claim, type Outbox } from './index.ts'

const agent = new Agent()
afterAll(() => agent.close())

const BODY = { plan_id: 'P-1', name: 'Ægir' }
const authorization = 'Bearer good'

type Subscribe = (
  board: Board,
  url: string,
  headers?: Record<string, string>,
) => Promise<[status: number, body: unknown]>

/** How each client subscribes a customer. */
const CLIENTS: Record<string, Subscribe> = {
  async fetch(board, url, headers = {}) {
    const init = { method: 'POST', body: JSON.stringify(BODY) }
    const response = await guardFetch(board)(url, {
      ...init,
      headers: { authorization, 'content-type': 'application/json', ...headers },
    })
    return [response.status, await response.json()]
  },
  async 'fetch of a Request'(board, url, headers = {}) {
    const init = { method: 'POST', body: JSON.stringify(BODY) }
    const own = new Request(url, {
      ...init,
      headers: { authorization, 'content-type': 'application/json', ...headers },
    })
    const response = await guardFetch(board)(own)
    return [response.status, await response.json()]
  },
  async axios(board, url, headers = {}) {
    const http = axiosBreaker(board)(axios.create({ validateStatus: () => true }))
    const { status, data } = await http.post(url, BODY, { headers: { authorization, ...headers } })
    return [status, data]
  },
  async ky(board, url, headers = {}) {
    const api = ky.extend(kyBreaker(board))
    const response = await api.post(url, { json: BODY, headers: { authorization, ...headers }, throwHttpErrors: false })
    return [response.status, await response.json()]
  },
  async got(board, url, headers = {}) {
    const client = got.extend(gotBreaker(board))
    const options = { json: BODY, headers: { authorization, ...headers }, throwHttpErrors: false } as const
    const { statusCode, body } = await client.post(url, options)
    return [statusCode, JSON.parse(body)]
  },
  async undici(board, url, headers = {}) {
    const { statusCode, body } = await request(url, {
      dispatcher: agent.compose(undiciBreaker(board)),
      method: 'POST',
      body: JSON.stringify(BODY),
      headers: { authorization, 'content-type': 'application/json', ...headers },
    })
    return [statusCode, await body.json()]
  },
}

/** What waits, as an engine gives it out. */
async function waiting({ outbox, api }: Shop): Promise<readonly Claim[]> {
  return outbox.settings.store.claim(api.host, 99, NOON + 3_600_000, NOON + 3_600_001)
}

const keys = ({ asked }: Api): string[] => asked.map(({ key }) => key)

describe.each(Object.entries(CLIENTS))('%s: a write', (_name, subscribe) => {
  test('that the circuit refuses is queued, and its caller is told so', async () => {
    await using shop = await openShop()
    const { api, board } = shop
    board.circuit(api.host).trip()
    const [status, body] = await subscribe(board, api.url)
    const [entry, ...more] = await waiting(shop)
    expect([status, body, more]).toEqual([202, { status: 'pending', retry: true, id: entry?.id }, []])
    expect(entry).toMatchObject({ circuit: api.host, request: { method: 'POST', url: api.url }, queuedAt: NOON })
    expect(JSON.parse(Buffer.from(entry?.request.body ?? []).toString())).toEqual(BODY)
    const headers = new Headers(entry?.request.headers as [string, string][])
    expect(headers.get('content-type')).toBe('application/json')
    expect(headers.get(HEADER)).toBe(entry?.idempotencyKey)
    expect(headers.has('authorization')).toBe(false)
    expect(headers.has('content-length')).toBe(false)
    expect(api.asked).toEqual([])
  })

  test.each([503, 'reset'] as const)(
    'that failed (%s) is queued with the key that went out with it',
    async (trouble) => {
      await using shop = await openShop()
      shop.api.trouble = trouble
      const [status] = await subscribe(shop.board, shop.api.url)
      const queued = await waiting(shop)
      expect([status, keys(shop.api)]).toEqual([202, queued.map(({ idempotencyKey }) => idempotencyKey)])
      expect(queued[0]?.idempotencyKey).toMatch(/^[\da-f-]{36}$/)
      expect(JSON.parse(Buffer.from(queued[0]?.request.body ?? []).toString())).toEqual(BODY)
      // It may still be at work at the host.
      expect(queued[0]?.notBefore).toBe(NOON + 5_000)
    },
  )

  test('keeps the key that its caller gave it', async () => {
    await using shop = await openShop()
    shop.api.trouble = 503
    await subscribe(shop.board, shop.api.url, { [HEADER.toLowerCase()]: 'order-7' })
    expect(keys(shop.api)).toEqual(['order-7'])
    expect((await waiting(shop)).map(({ idempotencyKey }) => idempotencyKey)).toEqual(['order-7'])
  })

  test('with an empty key is given one', async () => {
    await using shop = await openShop()
    shop.board.circuit(shop.api.host).trip()
    for (let n = 0; n < 2; n++) expect((await subscribe(shop.board, shop.api.url, { [HEADER]: '' }))[0]).toBe(202)
    const [first, second] = await waiting(shop)
    expect(first?.idempotencyKey).toMatch(/^[\da-f-]{36}$/)
    expect(second?.idempotencyKey).not.toBe(first?.idempotencyKey)
  })

  test('that the host has answered is not queued', async () => {
    await using shop = await openShop()
    expect((await subscribe(shop.board, shop.api.url))[0]).toBe(201)
    for (const trouble of [400, 401, 409, 422, 429, 501, 505]) {
      shop.api.trouble = trouble
      expect((await subscribe(shop.board, shop.api.url))[0]).toBe(trouble)
    }
    expect(await waiting(shop)).toEqual([])
    // Each was sent with a key of its own.
    expect(new Set(keys(shop.api)).size).toBe(8)
  })
})

const send = (shop: Shop, init: RequestInit, url = shop.api.url): Promise<Response> =>
  guardFetch(shop.board)(url, { method: 'POST', ...init })

test('what is not wanted in the outbox has no key and fails as ever', async () => {
  await using shop = await openShop({}, { when: ({ url }) => url.includes('never') })
  shop.api.trouble = 503
  expect((await send(shop, { body: 'a' })).status).toBe(503)
  expect(keys(shop.api)).toEqual([''])
  shop.board.circuit(shop.api.host).trip()
  await expect(send(shop, { body: 'a' })).rejects.toMatchObject({ code: 'EOPENBREAKER' })
})

test('a caller who gives up is not answered for', async () => {
  await using shop = await openShop()
  shop.api.trouble = 'hang'
  const controller = new AbortController()
  const given = send(shop, { body: 'a', headers: { authorization }, signal: controller.signal })
  await vi.waitFor(() => expect(shop.api.asked).toHaveLength(1))
  controller.abort()
  await expect(given).rejects.toThrow('aborted')
  expect(await waiting(shop)).toEqual([])
})

test('a write that ran into a time limit is queued: it may have been done', async () => {
  await using shop = await openShop()
  shop.api.trouble = 'hang'
  const signal = AbortSignal.timeout(300)
  expect((await send(shop, { body: 'a', headers: { authorization }, signal })).status).toBe(202)
  expect((await waiting(shop)).map(({ idempotencyKey }) => idempotencyKey)).toEqual(keys(shop.api))
})

test('a stream is not queued, and its caller gets what happened', async () => {
  await using shop = await openShop()
  shop.board.circuit(shop.api.host).trip()
  const stream = Readable.toWeb(Readable.from(['a'])) as ReadableStream
  const refused = send(shop, { body: stream, duplex: 'half' })
  await expect(refused).rejects.toMatchObject({ code: 'EOPENBREAKER' })
  const dispatcher = agent.compose(undiciBreaker(shop.board))
  await expect(request(shop.api.url, { dispatcher, method: 'POST', body: Readable.from(['a']) })).rejects.toThrow(
    'is open',
  )
  expect(await waiting(shop)).toEqual([])
  expect(shop.warnings).toEqual([
    `A fallback of ${shop.api.host} failed: Error: POST to ${shop.api.host} cannot wait in the outbox: its body is a stream, which cannot be kept; text and bytes can`,
  ])
})

test('what could never be sent again is not queued, and its caller gets what happened', async () => {
  await using shop = await openShop({}, { when: () => true })
  shop.board.circuit(shop.api.host).trip()
  const http = axiosBreaker(shop.board)(axios.create())
  await expect(http.get(shop.api.url, { data: { a: 1 } })).rejects.toMatchObject({ code: 'EOPENBREAKER' })
  expect(await waiting(shop)).toEqual([])
  expect(shop.warnings).toEqual([
    expect.stringContaining(`GET to ${shop.api.host} is no request that can be sent: `) as string,
  ])
})

test('what is written into a request of got is not taken for nothing', async () => {
  await using shop = await openShop()
  shop.board.circuit(shop.api.host).trip()
  const stream = got.extend(gotBreaker(shop.board)).stream.post(shop.api.url)
  stream.end('a')
  await expect(stream.toArray()).rejects.toThrow('is open')
  expect(await waiting(shop)).toEqual([])
})

test('a body that is too large is not queued', async () => {
  await using shop = await openShop({ maxBodyBytes: 10 })
  shop.board.circuit(shop.api.host).trip()
  expect((await send(shop, { body: '0123456789' })).status).toBe(202)
  await expect(send(shop, { body: '0123456789a' })).rejects.toMatchObject({ code: 'EOPENBREAKER' })
  await expect(
    guardFetch(shop.board)(new Request(shop.api.url, { method: 'POST', body: 'a'.repeat(99) })),
  ).rejects.toMatchObject({ code: 'EOPENBREAKER' })
  expect(shop.warnings[0]).toContain('its body has more than 10 bytes (maxBodyBytes)')
})

test.each([
  ['bytes', new Uint8Array([1, 2]), undefined, '\u0001\u0002'],
  ['a query', new URLSearchParams({ a: 'é' }), 'application/x-www-form-urlencoded;charset=UTF-8', 'a=%C3%A9'],
  ['a Blob', new Blob(['x'], { type: 'text/csv' }), 'text/csv', 'x'],
  ['nothing', undefined, undefined, ''],
])('%s is queued with what it is', async (_what, body, contentType, text) => {
  await using shop = await openShop()
  shop.board.circuit(shop.api.host).trip()
  await send(shop, body === undefined ? {} : { body })
  const [entry] = await waiting(shop)
  const headers = new Headers(entry?.request.headers as [string, string][])
  expect(headers.get('content-type') ?? undefined).toBe(contentType)
  expect(Buffer.from(entry?.request.body ?? []).toString()).toBe(text)
})

test('a form is queued with its boundary', async () => {
  await using shop = await openShop()
  shop.board.circuit(shop.api.host).trip()
  const body = new FormData()
  body.set('plan', 'P-1')
  await send(shop, { body })
  const [entry] = await waiting(shop)
  const headers = new Headers(entry?.request.headers as [string, string][])
  const boundary = /boundary=(.+)$/.exec(headers.get('content-type') ?? '')?.[1] ?? '?'
  expect(Buffer.from(entry?.request.body ?? []).toString()).toContain(boundary)
})

describe('secrets', () => {
  const secret = {
    authorization,
    cookie: 'sid=1',
    'x-api-key': 's1',
    'x-amz-security-token': 's2',
    'PayPal-Auth-Assertion-Signature': 's3',
    apikey: 's4',
  }
  const plain = { 'content-type': 'text/plain', accept: 'application/json', prefer: 'return=minimal', 'x-tenant': 'a' }

  test('are not stored, in headers or in the URL; the key that names the request is', async () => {
    await using shop = await openShop({}, { idempotencyHeader: 'Idempotency-Key' })
    shop.board.circuit(shop.api.host).trip()
    const url = `${shop.api.url}?a=1&access_token=s5&b=2#top`
    await send(shop, { body: 'x', headers: { ...secret, ...plain, 'idempotency-key': 'k' } }, url)
    const [entry] = await waiting(shop)
    const { request } = entry as Claim
    expect(Object.fromEntries(request.headers)).toEqual({ ...plain, 'idempotency-key': 'k' })
    expect(request.url).toBe(`${shop.api.url}?a=1&b=2`)
    expect(JSON.stringify(entry)).not.toMatch(/good|sid=|"s\d"|s5/)
    expect(shop.warnings).toEqual([])
  })

  test('that nobody puts back are warned of', async () => {
    await using shop = await openShop()
    const outbox = createOutbox({ store: memoryOutbox() })
    const bare = defer({ outbox, when: () => true, idempotencyHeader: HEADER })
    shop.board.configure('127.0.0.1', { fallback: bare })
    shop.board.circuit(shop.api.host).trip()
    await send(shop, { body: 'x', headers: { authorization } })
    expect(shop.warnings).toEqual([
      `The outbox does not store authorization of requests to ${shop.api.host}: give it a prepare(request) that signs them again`,
    ])
  })
})

describe('the answer', () => {
  test('is what the policy makes of what was queued', async () => {
    const pending = vi.fn<(queued: { id: string; duplicate: boolean }) => ReturnType<typeof reply>>(({ id }) =>
      reply({ status: 202, json: { job: id } }),
    )
    await using shop = await openShop({}, { reply: pending })
    shop.board.circuit(shop.api.host).trip()
    const headers = { [HEADER]: 'order-7' }
    const first = await send(shop, { body: 'x', headers })
    const second = await send(shop, { body: 'x', headers })
    const { id } = (await waiting(shop))[0] as Claim
    expect([first.status, await first.json(), await second.json()]).toEqual([202, { job: id }, { job: id }])
    expect(isFallback(first)).toMatchObject({ source: 'made', reason: 'refused' })
    const queued = { id, circuit: shop.api.host, idempotencyKey: 'order-7' }
    expect(pending.mock.calls).toEqual([[{ ...queued, duplicate: false }], [{ ...queued, duplicate: true }]])
  })

  test('is one of our own where the policy fails to make one: it is queued', async () => {
    await using shop = await openShop(
      {},
      {
        reply: () => {
          throw new Error('no template')
        },
      },
    )
    shop.board.circuit(shop.api.host).trip()
    const response = await send(shop, { body: 'x' })
    expect([response.status, await response.json()]).toEqual([202, expect.objectContaining({ status: 'pending' })])
    expect(shop.warnings).toEqual(['reply of defer failed: no template'])
  })

  test('is the failure itself where the store has not got it', async () => {
    const store = memoryOutbox()
    await using shop = await openShop({
      store: { ...store, ...bound(store), put: () => Promise.reject(new Error('disk full')) },
    })
    shop.board.circuit(shop.api.host).trip()
    await expect(send(shop, { body: 'x' })).rejects.toMatchObject({ code: 'EOPENBREAKER' })
    shop.board.reset()
    shop.api.trouble = 503
    expect((await send(shop, { body: 'x' })).status).toBe(503)
    expect(shop.warnings).toEqual([`A fallback of ${shop.api.host} failed: Error: disk full`])
  })
})

test('in shadow nothing is queued and no key is made', async () => {
  await using shop = await openShop({}, {}, { mode: 'shadow' })
  shop.api.trouble = 503
  expect((await send(shop, { body: 'x' })).status).toBe(503)
  expect([keys(shop.api), await waiting(shop)]).toEqual([[''], []])
})

test('given by a function of the list, it queues only what was never sent: there was no key on the wire', async () => {
  await using shop = await openShop()
  const { outbox, api, board } = shop
  const fallback = () => defer({ outbox, when: () => true, idempotencyHeader: HEADER })
  board.configure('127.0.0.1', { fallback })
  api.trouble = 503
  expect((await send(shop, { body: 'x' })).status).toBe(503)
  board.circuit(api.host).trip()
  expect((await send(shop, { body: 'x' })).status).toBe(202)
})

test.each([
  [{ outbox: {} }, /^defer\.outbox must be an outbox, got an object$/],
  [{ outbox: memoryOutbox() }, /^defer\.outbox must be an outbox, got an object$/],
  [{ when: true }, /^defer\.when must be a function, got true$/],
  [{ reply: 202 }, /^defer\.reply must be a function, got 202$/],
  [{ idempotencyHeader: 'a b' }, /^defer\.idempotencyHeader must be the name of a header, .*, got "a b"$/],
  [{ idempotencyHeader: undefined }, /got undefined$/],
  [{ key: 1 }, /^defer has no option key; there are outbox, when, idempotencyHeader, reply$/],
])('%j is told what is wrong', (wrong, message) => {
  const outbox = createOutbox({ store: memoryOutbox() })
  const options = { outbox, when: () => true, idempotencyHeader: HEADER, ...wrong }
  expect(() => defer(options as never)).toThrow(message)
})

test('what is no options is told', () => {
  expect(() => defer(undefined as never)).toThrow(
    new TypeError('the options of defer must be an object, got undefined'),
  )
  expect(() => defer('outbox' as never)).toThrow(new TypeError('the options of defer must be an object, got "outbox"'))
})

test('where it was not called, the policy is refused', () => {
  const message = /^fallback was not called: it must be .* got function defer$/
  for (const fallback of [defer, [defer]]) expect(() => createBoard({ fallback: fallback as never })).toThrow(message)
})

/** The methods of an engine on their own. */
function bound(store: Outbox['settings']['store']): Outbox['settings']['store'] {
  return {
    put: (entry) => store.put(entry),
    claim: (...given) => store.claim(...given),
    retry: (...given) => store.retry(...given),
    settle: (...given) => store.settle(...given),
    result: (id) => store.result(id),
    depth: () => store.depth(),
  }
}
