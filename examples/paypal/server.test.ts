// The local PayPal does with tokens and PayPal-Request-Id what PayPal's documentation says, and fails where it is told to.
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { PayPalServer, type PayPalOptions } from './server.ts'

let server: PayPalServer

beforeEach(async () => {
  server = await PayPalServer.listen()
})

afterEach(() => server.close())

async function another(options: PayPalOptions): Promise<void> {
  await server.close()
  server = await PayPalServer.listen(options)
}

const SECRET = { authorization: `Basic ${btoa('shop:secret')}` }
const ORDER = { plan_id: 'P-1', subscriber: { email_address: 'ruth@example.org' } }

async function post(path: string, headers: Record<string, string>, body: string, signal?: AbortSignal) {
  const response = await fetch(server.origin + path, { method: 'POST', headers, body, ...(signal && { signal }) })
  return { status: response.status, body: (await response.json()) as Record<string, string> }
}

async function token(): Promise<string> {
  const { status, body } = await post('/v1/oauth2/token', SECRET, 'grant_type=client_credentials')
  expect(status).toBe(200)
  return body['access_token']!
}

async function subscribe(bearer: string, key?: string, signal?: AbortSignal, order: object = ORDER) {
  const headers = {
    authorization: `Bearer ${bearer}`,
    'content-type': 'application/json',
    ...(key && { 'PayPal-Request-Id': key }),
  }
  return post('/v1/billing/subscriptions', headers, JSON.stringify(order), signal)
}

describe('a token', () => {
  test('is given for credentials, and says how long it lives', async () => {
    const given = await post('/v1/oauth2/token', SECRET, 'grant_type=client_credentials')
    expect(given).toMatchObject({ status: 200, body: { token_type: 'Bearer', expires_in: 32_400 } })
    expect(await post('/v1/oauth2/token', {}, 'grant_type=client_credentials')).toMatchObject({ status: 401 })
    expect(await post('/v1/oauth2/token', SECRET, 'grant_type=password')).toMatchObject({ status: 401 })
  })

  test('that is made up, has run out or was revoked is a 401, and nothing is made', async () => {
    expect(await subscribe('made up', 'order-1')).toMatchObject({ status: 401 })
    const revoked = await token()
    server.revokeTokens()
    expect(await subscribe(revoked, 'order-1')).toMatchObject({ status: 401 })
    expect(server.subscriptions).toEqual([])

    await another({ tokenLives: 0 })
    expect(await subscribe(await token(), 'order-1')).toMatchObject({ status: 401 })
    expect(server.subscriptions).toEqual([])
  })
})

describe('PayPal-Request-Id', () => {
  test('that comes again is answered with the same subscription, as it is by then', async () => {
    const bearer = await token()
    const first = await subscribe(bearer, 'order-1')
    expect(first).toMatchObject({ status: 201, body: { status: 'APPROVAL_PENDING', plan_id: 'P-1' } })
    expect(await subscribe(bearer, 'order-1')).toEqual(first)
    server.approve(first.body['id']!)
    expect(await subscribe(bearer, 'order-1')).toEqual({ status: 201, body: { ...first.body, status: 'ACTIVE' } })
    expect([server.subscriptions.length, server.count('made'), server.count('again')]).toEqual([1, 1, 2])
  })

  test('twice at the same time: the second fails, and one is made', async () => {
    await another({ takes: 1_000 })
    const bearer = await token()
    const first = subscribe(bearer, 'order-1')
    await vi.waitUntil(() => server.underWay === 1)
    expect(await subscribe(bearer, 'order-1')).toMatchObject({ status: 409 })
    expect(await first).toMatchObject({ status: 201 })
    expect([server.subscriptions.length, server.count('conflict')]).toEqual([1, 1])
    expect(await subscribe(bearer, 'order-1')).toMatchObject({ status: 201, body: { id: server.subscriptions[0]?.id } })
  })

  test('that is another makes another one', async () => {
    const bearer = await token()
    await Promise.all([subscribe(bearer, 'order-1'), subscribe(bearer, 'order-2')])
    expect(new Set(server.subscriptions.map(({ key }) => key))).toEqual(new Set(['order-1', 'order-2']))
  })

  test('that is left out makes a duplicate each time', async () => {
    const bearer = await token()
    const [one, other] = [await subscribe(bearer), await subscribe(bearer)]
    expect(one.body['id']).not.toBe(other.body['id'])
    expect(server.subscriptions.map(({ email }) => email)).toEqual(['ruth@example.org', 'ruth@example.org'])
  })
})

test('what is no JSON is a 415, what is no subscription a 400, and what is not there a 404', async () => {
  const bearer = await token()
  const authorization = `Bearer ${bearer}`
  expect(await post('/v1/billing/subscriptions', { authorization }, JSON.stringify(ORDER))).toMatchObject({
    status: 415,
  })
  expect(await subscribe(bearer, 'order-1', undefined, { plan_id: 'P-1' })).toMatchObject({ status: 400 })
  expect(await subscribe(bearer, 'order-1', undefined, [])).toMatchObject({ status: 400 })
  expect(await post('/v1/other', {}, '')).toMatchObject({ status: 404 })
  expect(server.subscriptions).toEqual([])
})

describe('trouble', () => {
  test('befalls one request each: two of them do nothing, two do it and are not heard of', async () => {
    const bearer = await token()
    server.befall('unavailable', 'reset', 'lost', 'silent')
    expect(await subscribe(bearer, 'order-1')).toMatchObject({ status: 503 })
    await expect(subscribe(bearer, 'order-2')).rejects.toThrow('fetch failed')
    expect(server.subscriptions).toEqual([])

    await expect(subscribe(bearer, 'order-3')).rejects.toThrow('fetch failed')
    const patience = new AbortController()
    const unanswered = subscribe(bearer, 'order-4', patience.signal)
    await vi.waitUntil(() => server.unheard === 2)
    patience.abort(new Error('Enough'))
    await expect(unanswered).rejects.toThrow('Enough')
    expect(server.subscriptions.map(({ key }) => key)).toEqual(['order-3', 'order-4'])

    const [third, fourth] = [await subscribe(bearer, 'order-3'), await subscribe(bearer, 'order-4')]
    expect([third.body['id'], fourth.body['id']]).toEqual(server.subscriptions.map(({ id }) => id))
  })

  test('while it is down all is answered with 503 or torn, tokens too, once what was to befall it has; until it has recovered', async () => {
    const bearer = await token()
    server.befall('lost')
    server.goDown()
    await expect(subscribe(bearer, 'order-1')).rejects.toThrow('fetch failed')
    expect(await subscribe(bearer, 'order-1')).toMatchObject({ status: 503 })
    await expect(subscribe(bearer, 'order-1')).rejects.toThrow('fetch failed')
    expect(await post('/v1/oauth2/token', SECRET, 'grant_type=client_credentials')).toMatchObject({ status: 503 })
    server.recover()
    expect(await subscribe(bearer, 'order-1')).toMatchObject({ status: 201 })
    expect([server.count('down'), server.count('made'), server.count('again')]).toEqual([3, 1, 1])
  })
})
