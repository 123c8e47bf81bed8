// How an outbox empties, what it gives up, and what it tells.
import { circuitOpen, createBoard, guardFetch, reply } from '@fuseboard/core'
import { describe, expect, test, vi } from 'vitest'
import { HEADER, NOON, openShop, sign, type Shop } from '../test/shop.ts'
import { createOutbox, memoryOutbox, type Claim, type OutboxEvents, type OutboxOptions, type Queued } from './index.ts'

const HOUR = 3_600_000

const enqueue = ({ outbox, api }: Shop, idempotencyKey: string): Promise<Queued> =>
  outbox.enqueue({ url: api.url, body: `{"of":"${idempotencyKey}"}`, idempotencyHeader: HEADER, idempotencyKey })

async function enqueueAll(shop: Shop, count: number): Promise<readonly Queued[]> {
  const names = Array.from({ length: count }, (_, n) => `k${n}`)
  const queued: Queued[] = []
  for (const name of names) queued.push(await enqueue(shop, name))
  return queued
}

const told = <Name extends keyof OutboxEvents>({ outbox }: Shop, name: Name): OutboxEvents[Name][] => {
  const events: OutboxEvents[Name][] = []
  outbox.on(name, (event) => events.push(event))
  return events
}

/** Lets time pass until something is so; not while something is under way, whose lease would run out. */
async function passing({ clock, outbox }: Shop, ms: number, check: () => unknown): Promise<void> {
  await vi.waitFor(
    async () => {
      if (outbox.sending.size === 0) clock.advance(ms)
      await check()
    },
    { timeout: 10_000, interval: 2 },
  )
}

const pendingIn = async ({ outbox }: Shop): Promise<number> => (await outbox.depth()).pending
const emptied = (shop: Shop): Promise<void> => passing(shop, 1_000, async () => expect(await pendingIn(shop)).toBe(0))

/** As long as anything takes that is under way, and longer. */
const settled = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 60))

describe('what waits', () => {
  test('is sent when the circuit closes, and not before', async () => {
    await using shop = await openShop()
    const { api, board, clock, outbox } = shop
    const events = told(shop, 'sent')
    board.circuit(api.host).trip('60s')
    outbox.drainOn(board)
    const [queued] = await enqueueAll(shop, 1)
    clock.advance(59_000)
    await settled()
    expect([api.asked, await outbox.result(queued?.id ?? '')]).toEqual([[], { state: 'pending', attempts: 0 }])
    clock.advance(1_000)
    await guardFetch(board)(new URL('/health', api.url))
    await vi.waitFor(() => expect(events).toHaveLength(1))
    expect(api.asked).toMatchObject([{ method: 'POST', key: 'k0', authorization: 'Bearer good', body: '{"of":"k0"}' }])
    const receipt = {
      status: 201,
      headers: expect.arrayContaining([['content-type', 'application/json']]),
      body: '{"id":"I-k0"}',
    }
    expect(events).toEqual([{ id: queued?.id, circuit: api.host, idempotencyKey: 'k0', receipt }])
    expect(await outbox.result(queued?.id ?? '')).toMatchObject({ state: 'sent', receipt })
  })

  test('goes at once where the circuit is closed', async () => {
    await using shop = await openShop()
    shop.outbox.drainOn(shop.board)
    await enqueueAll(shop, 1)
    await vi.waitFor(() => expect(shop.api.made.size).toBe(1))
  })

  test('goes at a ramp: one, then two, then four, and no more than allowed', async () => {
    let [busy, busiest] = [0, 0]
    const send: typeof fetch = async (...given) => {
      busiest = Math.max(busiest, ++busy)
      return fetch(...given).finally(() => busy--)
    }
    await using shop = await openShop({ concurrency: 4, send })
    const { api, board, outbox } = shop
    board.circuit(api.host).trip()
    await enqueueAll(shop, 20)
    const claim = vi.spyOn(outbox.settings.store, 'claim')
    outbox.drainOn(board)
    board.circuit(api.host).reset()
    await emptied(shop)
    expect(claim.mock.calls.map(([, most]) => most).slice(0, 6)).toEqual([1, 2, 4, 4, 4, 4])
    expect([api.made.size, api.asked.length, busiest]).toEqual([20, 20, 4])
  })

  test('keeps its order where one is under way at a time', async () => {
    await using shop = await openShop({ concurrency: 1 })
    await enqueueAll(shop, 9)
    shop.outbox.drainOn(shop.board)
    await emptied(shop)
    expect(shop.api.asked.map(({ key }) => key).join()).toBe('k0,k1,k2,k3,k4,k5,k6,k7,k8')
  })

  test('counts as traffic, and stops as the circuit opens', async () => {
    await using shop = await openShop({ concurrency: 1 })
    const { api, board, outbox, clock } = shop
    api.trouble = 503
    await enqueueAll(shop, 9)
    outbox.drainOn(board)
    await vi.waitFor(() => expect(board.circuit(api.host).state).toBe('open'))
    expect(api.asked.map(({ key }) => key)).toEqual(['k0', 'k1', 'k2'])
    clock.advance(59_000)
    await settled()
    expect([api.asked.length, await pendingIn(shop)]).toEqual([3, 9])
  })

  test('is not the probe, but where nobody else calls it is at last', async () => {
    await using shop = await openShop({ probeAfter: '5m' })
    const { api, board, outbox, clock } = shop
    const circuit = board.circuit(api.host)
    circuit.trip('60s')
    await enqueueAll(shop, 9)
    outbox.drainOn(board)
    await passing(shop, 0, () => expect(api.asked).toEqual([]))
    clock.advance(60_000)
    for (let second = 0; second < 200; second += 10) {
      clock.advance(10_000)
      await new Promise(setImmediate)
    }
    expect([api.asked, circuit.state]).toEqual([[], 'half-open'])
    api.trouble = 503
    await passing(shop, 10_000, () => expect(circuit.state).toBe('open'))
    expect(api.asked).toHaveLength(1)
    api.trouble = undefined
    await passing(shop, 10_000, () => expect(circuit.state).toBe('closed'))
    await emptied(shop)
    expect(api.made.size).toBe(9)
  })

  test('is never the probe where that is not allowed', async () => {
    await using shop = await openShop({ probeAfter: false })
    shop.board.circuit(shop.api.host).trip('60s')
    await enqueueAll(shop, 1)
    shop.outbox.drainOn(shop.board)
    for (let hour = 0; hour < 50; hour++) {
      shop.clock.advance(HOUR)
      await new Promise(setImmediate)
    }
    expect(shop.api.asked).toEqual([])
  })

  test('for another host goes on meanwhile', async () => {
    await using shop = await openShop()
    await using other = await openShop()
    shop.board.circuit(shop.api.host).trip()
    await enqueueAll(shop, 1)
    await shop.outbox.enqueue({ url: other.api.url, idempotencyHeader: HEADER })
    shop.outbox.drainOn(shop.board)
    await vi.waitFor(() => expect(other.api.made.size).toBe(1))
    expect(shop.api.asked).toEqual([])
  })

  test('is not sent by who has stopped, and what is under way is waited for', async () => {
    await using shop = await openShop()
    const { api, board, outbox } = shop
    api.trouble = 'hang'
    const stop = outbox.drainOn(board)
    expect(() => outbox.drainOn(board)).toThrow('drains on a board already')
    await enqueueAll(shop, 2)
    await vi.waitFor(() => expect(api.asked).toHaveLength(1))
    let stopped = false
    const stopping = stop().then(() => (stopped = true))
    await settled()
    expect(stopped).toBe(false)
    api.trouble = undefined
    api.hangUp()
    await stopping
    expect(api.asked).toHaveLength(1)
    expect(await pendingIn(shop)).toBe(2)
    outbox.drainOn(board)
    await emptied(shop)
  })

  test('is ended in a store that is open, whatever stopped before it', async () => {
    let arrived = (): void => {}
    const underWay = new Promise<void>((resolve) => (arrived = resolve))
    const send: typeof fetch = async (...given) => {
      arrived()
      return fetch(...given)
    }
    const events: string[] = []
    const store = Object.assign(memoryOutbox(), { [Symbol.dispose]: () => events.push('closed') })
    await using shop = await openShop({ store, send })
    shop.outbox.on('sent', () => events.push('sent'))
    const stop = shop.outbox.drainOn(shop.board)
    await enqueueAll(shop, 1)
    await underWay
    void stop()
    await shop.outbox[Symbol.asyncDispose]()
    expect(events).toEqual(['sent', 'closed'])
  })

  test('that a crashed worker had goes out again after its lease, with the same key', async () => {
    await using shop = await openShop({ lease: '2m' })
    const { api, outbox, board, clock } = shop
    await enqueueAll(shop, 1)
    const { store } = outbox.settings
    expect(await store.claim(api.host, 1, NOON, NOON + 120_000)).toHaveLength(1)
    outbox.drainOn(board)
    clock.advance(119_000)
    await settled()
    expect(api.asked).toEqual([])
    await passing(shop, 1_000, () => expect([...api.made.keys()]).toEqual(['k0']))
  })

  test('is not deferred again by the board that it goes through, nor answered for by others', async () => {
    await using shop = await openShop()
    const { api, board, outbox, clock } = shop
    const fallback = [board.circuit(api.host).rules.fallbacks[0] as never, reply({ methods: ['POST'], json: 'later' })]
    board.configure('127.0.0.1', { fallback })
    api.trouble = 503
    const [queued] = await enqueueAll(shop, 1)
    outbox.drainOn(board)
    await vi.waitFor(async () => expect(await outbox.result(queued?.id ?? '')).toMatchObject({ attempts: 1 }))
    const result = { state: 'pending', attempts: 1, error: 'The host answered 503' }
    expect([await outbox.result(queued?.id ?? ''), await pendingIn(shop)]).toEqual([result, 1])
    board.circuit(api.host).pause(30_000)
    clock.advance(10_000)
    await settled()
    expect(await outbox.result(queued?.id ?? '')).toEqual(result)
    api.trouble = undefined
    await emptied(shop)
    expect(api.made.size).toBe(1)
  })
})

describe('an answer', () => {
  const sent = async (
    trouble: number,
    options: Partial<OutboxOptions> = {},
    headers: Record<string, string> = {},
  ): Promise<Shop & { queued: Queued }> => {
    const shop = await openShop({ concurrency: 1, ...options }, {}, { consecutiveFailures: false, failureRate: false })
    Object.assign(shop.api, { trouble, headers })
    shop.outbox.drainOn(shop.board)
    const queued = await enqueue(shop, 'k')
    return { ...shop, queued }
  }

  test.each([400, 403, 404, 422, 301])(
    'of %i is for good: the request is given up, with the reason',
    async (status) => {
      await using shop = await sent(status)
      const dead = told(shop, 'dead')
      await vi.waitFor(async () => expect((await shop.outbox.depth()).dead).toBe(1))
      const receipt = { status, body: '{"name":"TROUBLE"}' }
      const about = { error: `The host answered ${status}`, receipt }
      expect(await shop.outbox.result(shop.queued.id)).toMatchObject({ state: 'dead', ...about })
      expect(dead).toMatchObject([{ id: shop.queued.id, idempotencyKey: 'k', ...about }])
      expect(shop.api.asked).toHaveLength(1)
    },
  )

  test.each([408, 409, 425, 429, 500, 503])(
    'of %i is not: the request is tried again, and again later',
    async (status) => {
      await using shop = await sent(status, { backoff: { from: '10s', to: '30s', factor: 2 }, maxAttempts: 5 })
      const retries = told(shop, 'retry')
      const { api, outbox, queued } = shop
      await passing(shop, 1_000, async () => expect((await outbox.depth()).dead).toBe(1))
      const gaps = retries.map(({ at }, nth) => at - (retries[nth - 1]?.at ?? NOON))
      // Some time passes before it is noticed.
      expect(gaps.map((gap) => Math.floor(gap / 10_000))).toEqual([1, 2, 3, 3])
      expect(await outbox.result(queued.id)).toMatchObject({
        state: 'dead',
        error: `It was given up after 5 tries: The host answered ${status}`,
      })
      expect(new Set(api.asked.map(({ key }) => key))).toEqual(new Set(['k']))
      expect(api.asked).toHaveLength(5)
    },
  )

  test.each([429, 503])('of %i with Retry-After is heeded, for all of the host', async (status) => {
    await using shop = await sent(status, {}, { 'retry-after': '120' })
    const { api, clock, outbox } = shop
    const retries = told(shop, 'retry')
    await vi.waitFor(() => expect(retries).toMatchObject([{ at: NOON + 120_000 }]))
    await enqueue(shop, 'other')
    clock.advance(119_000)
    await settled()
    expect(api.asked).toHaveLength(1)
    Object.assign(api, { trouble: undefined, headers: {} })
    await passing(shop, 1_000, async () => expect((await outbox.depth()).pending).toBe(0))
    expect([...api.made.keys()].toSorted()).toEqual(['k', 'other'])
  })

  test('with a Retry-After beyond the life of a request does not keep it until then', async () => {
    await using shop = await sent(503, { expires: '1h' }, { 'retry-after': '3600' })
    const { api, outbox } = shop
    const retries = told(shop, 'retry')
    await vi.waitFor(() => expect(retries).toMatchObject([{ at: NOON + 5_000 }]))
    Object.assign(api, { trouble: undefined, headers: {} })
    await passing(shop, 10_000, async () => expect((await outbox.depth()).pending).toBe(0))
    expect([...api.made.keys()]).toEqual(['k'])
  })

  test('that does not come is a try, within half of the lease', async () => {
    await using shop = await openShop({ lease: 400 })
    shop.api.trouble = 'hang'
    const retries = told(shop, 'retry')
    shop.outbox.drainOn(shop.board)
    await enqueue(shop, 'k')
    await vi.waitFor(() => expect(retries).toMatchObject([{ attempts: 1, error: expect.stringContaining('timeout') }]))
    shop.api.trouble = undefined
    await emptied(shop)
    expect(shop.api.made).toEqual(new Map([['k', '{"of":"k"}']]))
  })

  test.each([3_001, 2_857.14])('comes within half of any lease, such as one of %d ms', async (lease) => {
    await using shop = await openShop({ lease })
    const { id } = await enqueue(shop, 'k')
    expect(await shop.outbox.drain(shop.board)).toEqual({ sent: 1, dead: 0, waiting: 0 })
    expect(await shop.outbox.result(id)).toMatchObject({ state: 'sent' })
  })

  test('that has no end is an answer', async () => {
    await using shop = await openShop({
      send: async () => new Response(new ReadableStream({ pull: (to) => to.enqueue(new Uint8Array(9_999)) })),
    })
    shop.outbox.drainOn(shop.board)
    const { id } = await enqueue(shop, 'k')
    await emptied(shop)
    expect(await shop.outbox.result(id)).toMatchObject({ state: 'sent', receipt: { status: 200 } })
  })

  test('comes too late for what has expired: that is given up unsent', async () => {
    await using shop = await openShop({ expires: '71h' })
    const { api, board, clock, outbox } = shop
    const { id } = await enqueue(shop, 'k')
    clock.advance(71 * HOUR)
    outbox.drainOn(board)
    await vi.waitFor(async () => expect((await outbox.depth()).dead).toBe(1))
    expect(await outbox.result(id)).toEqual({ state: 'dead', at: NOON + 71 * HOUR, error: 'It expired after 0 tries' })
    expect(api.asked).toEqual([])
  })
})

describe('a signature', () => {
  test('that the same open host refuses to renew loses nothing', async () => {
    let token = 'expired'
    let closed = 0
    await using shop = await openShop({
      async prepare(request) {
        if (token === 'expired') {
          // As a client does whose token has run out: the token comes from the same host.
          await guardFetch(shop.board)(new URL('/health', request.url))
          token = 'good'
        }
        closed++
        request.headers.set('authorization', `Bearer ${token}`)
      },
      maxAttempts: 1,
    })
    const { api, board, outbox, clock } = shop
    outbox.drainOn(board)
    const circuit = board.circuit(api.host)
    // It opens after the entry was claimed, and before the token call.
    const { store } = outbox.settings
    const claim = store.claim.bind(store)
    let trips = 0
    store.claim = async (...given) => {
      const claims = await claim(...given)
      if (claims.length > 0 && trips++ < 3) circuit.trip('60s')
      return claims
    }
    const { id } = await enqueue(shop, 'k')
    for (let nth = 1; nth <= 3; nth++) {
      await vi.waitFor(async () =>
        expect([trips, await outbox.result(id)]).toEqual([nth, { state: 'pending', attempts: 0 }]),
      )
      await settled()
      clock.advance(60_000)
      await guardFetch(board)(new URL('/health', api.url))
    }
    await emptied(shop)
    expect([closed, api.asked.length, api.made.size]).toEqual([1, 1, 1])
  })

  test('that cannot be made is tried again, and does not count as a try', async () => {
    const prepare = vi.fn<(request: Request) => void>(sign)
    for (let nth = 0; nth < 5; nth++)
      prepare.mockImplementationOnce(() => {
        throw new Error('no key')
      })
    await using shop = await openShop({ prepare, maxAttempts: 2 })
    shop.outbox.drainOn(shop.board)
    const { id } = await enqueue(shop, 'k')
    const result = { state: 'pending', attempts: 0, error: 'It could not be signed: no key' }
    await vi.waitFor(async () => expect(await shop.outbox.result(id)).toEqual(result))
    await emptied(shop)
    expect([prepare.mock.calls.length, shop.api.asked.length]).toEqual([6, 1])
  })

  test('that fails for one request keeps no other from going, and is told', async () => {
    const prepare = (request: Request): void => {
      if (request.headers.get(HEADER) === 'k0') throw new Error('no such tenant')
      sign(request)
    }
    await using shop = await openShop({ prepare })
    const retries = told(shop, 'retry')
    await enqueueAll(shop, 3)
    shop.outbox.drainOn(shop.board)
    await passing(shop, 1_000, async () => expect(await pendingIn(shop)).toBe(1))
    expect([...shop.api.made.keys()]).toEqual(['k1', 'k2'])
    const error = 'It could not be signed: no such tenant'
    expect(retries[0]).toMatchObject({ idempotencyKey: 'k0', attempts: 0, error })
    expect(shop.warnings).toContain(`A request to ${shop.api.host} waits in the outbox. ${error}`)
  })

  test('that does not come gives the request back', async () => {
    await using shop = await openShop({ lease: 200, prepare: () => new Promise(() => {}) })
    shop.outbox.drainOn(shop.board)
    const { id } = await enqueue(shop, 'k')
    await vi.waitFor(async () =>
      expect(await shop.outbox.result(id)).toMatchObject({
        attempts: 0,
        error: expect.stringContaining('could not be signed'),
      }),
    )
    expect(shop.api.asked).toEqual([])
  })

  test('that the host refuses is renewed once; then the request is given up', async () => {
    const asked: boolean[] = []
    let token = 'old'
    await using shop = await openShop({
      prepare(request, { renew }) {
        asked.push(renew)
        if (renew) token = token === 'old' ? 'good' : 'bad'
        request.headers.set('authorization', `Bearer ${token}`)
      },
    })
    const { api, board, outbox } = shop
    outbox.drainOn(board)
    const first = await enqueue(shop, 'k')
    await emptied(shop)
    expect([asked, await outbox.result(first.id)]).toEqual([[false, true], expect.objectContaining({ state: 'sent' })])
    api.tokens.clear()
    const second = await enqueue(shop, 'l')
    await emptied(shop)
    expect(await outbox.result(second.id)).toMatchObject({ state: 'dead', error: 'The host answered 401' })
    expect(asked).toEqual([false, true, false, true])
  })

  test('may be another request altogether, but it has the key', async () => {
    const prepare = (request: Request): Request =>
      new Request(`${request.url}?signed=1`, { method: 'POST', headers: { authorization: 'Bearer good' }, body: 'b' })
    await using shop = await openShop({ prepare })
    shop.outbox.drainOn(shop.board)
    await enqueue(shop, 'k')
    await emptied(shop)
    expect(shop.api.asked).toMatchObject([{ url: '/v1/billing/subscriptions?signed=1', key: 'k', body: 'b' }])
  })
})

describe('by hand', () => {
  test('a request is queued whose token call was refused before it could be made', async () => {
    await using shop = await openShop()
    const { api, board, outbox } = shop
    const fetch = guardFetch(board)
    const subscribe = async (): Promise<unknown> => {
      try {
        await fetch(new URL('/health', api.url))
        return await fetch(api.url, { method: 'POST', body: 'a', headers: { authorization: 'Bearer good' } })
      } catch (error) {
        if (circuitOpen(error) === undefined) throw error
        return outbox.enqueue({ url: api.url, body: 'a', idempotencyHeader: HEADER })
      }
    }
    board.circuit(api.host).trip()
    expect(await subscribe()).toMatchObject({ circuit: api.host, duplicate: false })
    expect(await pendingIn(shop)).toBe(1)
  })

  test('the same request is queued once: same method, URL and key', async () => {
    await using shop = await openShop()
    const queued = told(shop, 'queued')
    const given = { url: shop.api.url, idempotencyHeader: HEADER, headers: { [HEADER]: 'k' } }
    const first = await shop.outbox.enqueue(given)
    expect(await shop.outbox.enqueue(given)).toEqual({ ...first, duplicate: true })
    const others = [
      { ...given, method: 'PUT' },
      { ...given, url: `${shop.api.url}/1` },
      { ...given, idempotencyKey: 'l' },
    ]
    for (const other of others) expect(await shop.outbox.enqueue(other)).toMatchObject({ duplicate: false })
    expect([await pendingIn(shop), queued.length]).toEqual([4, 4])
    expect(first.id).toMatch(/^[\da-f]{32}$/)
  })

  test.each([
    [{ url: '/relative' }, /^enqueue\.url must be an absolute URL of http or https, got "\/relative"$/],
    [{ url: 'file:///etc/passwd' }, /^enqueue\.url must be/],
    [{ idempotencyHeader: '' }, /^enqueue\.idempotencyHeader must be the name of a header/],
    [{ body: { plan: 1 } }, /^its body is an object of another kind, which cannot be kept; text and bytes can$/],
    [{ body: 5 }, /^its body is a number, which/],
    [{ body: new ReadableStream() }, /^its body is a stream, which/],
    [{ method: 5 }, /^enqueue\.method must be the name of a method, got 5$/],
    [{ method: 'FOO BAR' }, /^FOO BAR to a\.test is no request that can be sent: /],
    [{ method: 'GET', body: '{}' }, /^GET to a\.test is no request that can be sent: /],
    [{ idempotencyKey: 5 }, /^enqueue\.idempotencyKey must be text, got 5$/],
    [{ idempotencyKey: 'a\nb' }, /^POST to a\.test is no request that can be sent: /],
    [{ headers: 5 }, /^enqueue\.headers must be fields of HTTP: /],
    [{ json: 1 }, /^enqueue has no option json; there are method, url/],
  ])('%j is refused', async (wrong, message) => {
    const outbox = createOutbox({ store: memoryOutbox() })
    const given = { url: 'https://a.test', idempotencyHeader: HEADER, ...wrong } as never
    await expect(outbox.enqueue(given)).rejects.toThrow(message)
  })
})

test('what is kept and can no longer be sent is given up, and keeps no other from going', async () => {
  const store = memoryOutbox()
  await using shop = await openShop({ store })
  const dead = told(shop, 'dead')
  const { id } = await enqueue(shop, 'k0')
  const [claim] = await store.claim(shop.api.host, 1, NOON, NOON)
  const { lease: _, ...entry } = claim as Claim
  store.put({ ...entry, id: 'other', idempotencyKey: 'k1', request: { ...entry.request, method: 'GET' } })
  shop.outbox.drainOn(shop.board)
  await emptied(shop)
  expect(dead).toMatchObject([{ id: 'other', error: expect.stringContaining('It cannot be made again: ') as string }])
  expect(await shop.outbox.result(id)).toMatchObject({ state: 'sent' })
})

test.each([5, undefined])('%j is no board to drain on', async (board) => {
  const outbox = createOutbox({ store: memoryOutbox() })
  expect(() => outbox.drainOn(board as never)).toThrow(/^drainOn needs a board, got /)
  await expect(outbox.drain(board as never)).rejects.toThrow(/^drain needs a board, got /)
})

describe('a store that fails', () => {
  test('for one request does not hide that others are under way', async () => {
    let hanging = 0
    const hang = { hang: () => {} }
    const send: typeof fetch = async (...given) => {
      if (hanging++ < 2) return fetch(...given)
      await new Promise<void>((resolve) => (hang.hang = resolve))
      return fetch(...given)
    }
    await using shop = await openShop({ send })
    const { outbox, board } = shop
    await enqueueAll(shop, 3)
    const { store } = outbox.settings
    const settle = store.settle.bind(store)
    vi.spyOn(store, 'settle').mockImplementation((claim, ending) => {
      if (claim.idempotencyKey === 'k1') throw new Error('disk full')
      return settle(claim, ending)
    })
    const stop = outbox.drainOn(board)
    await vi.waitFor(() => expect(hanging).toBe(3))
    let stopped = false
    const stopping = stop().then(() => (stopped = true))
    await settled()
    expect(stopped).toBe(false)
    hang.hang()
    await stopping
    expect(await pendingIn(shop)).toBe(1)
  })

  test('is told of once, and asked again', async () => {
    await using shop = await openShop()
    const { board, outbox, warnings } = shop
    await enqueueAll(shop, 2)
    const { store } = outbox.settings
    const depth = vi.spyOn(store, 'depth').mockRejectedValue(new Error('locked'))
    outbox.drainOn(board)
    await passing(shop, 1_000, () => expect(warnings).toEqual(['The store of the outbox failed: locked']))
    const claim = vi.spyOn(store, 'claim').mockRejectedValue(new Error('busy'))
    depth.mockRestore()
    await passing(shop, 1_000, () => expect(warnings).toHaveLength(2))
    claim.mockRestore()
    await emptied(shop)
    expect(warnings).toEqual(['The store of the outbox failed: locked', 'The store of the outbox failed: busy'])
  })

  test('with how it ended has the request sent again with its key', async () => {
    await using shop = await openShop()
    const { store } = shop.outbox.settings
    vi.spyOn(store, 'settle').mockImplementationOnce(() => {
      throw new Error('disk full')
    })
    shop.outbox.drainOn(shop.board)
    await enqueueAll(shop, 1)
    await passing(shop, 10_000, async () => expect(await pendingIn(shop)).toBe(0))
    expect(shop.api.asked.map(({ key }) => key)).toEqual(['k0', 'k0'])
    expect(shop.api.made.size).toBe(1)
  })
})

test('a listener that throws hurts nobody, and one that is taken away hears no more', async () => {
  await using shop = await openShop()
  const { outbox, board, warnings } = shop
  outbox.on('sent', () => Promise.reject(new Error('no')))
  const heard = vi.fn<() => void>()
  outbox.on('sent', heard)()
  const events = told(shop, 'sent')
  outbox.drainOn(board)
  await enqueueAll(shop, 2)
  await emptied(shop)
  expect([events.length, heard.mock.calls.length]).toEqual([2, 0])
  expect(warnings).toEqual([`A listener of 'sent' of the outbox threw: Error: no`])
  expect(() => outbox.on('done' as never, () => {})).toThrow(
    'There is no event "done"; there are queued, sent, retry, dead',
  )
  expect(() => outbox.on('sent', 1 as never)).toThrow('A listener must be a function, got 1')
})

test('is read by alerts and CloudWatch of @fuseboard/telemetry', async () => {
  await using shop = await openShop()
  expect(await shop.outbox.depth()).toEqual({ pending: 0, oldest: undefined, dead: 0, circuits: [] })
  await enqueueAll(shop, 2)
  expect(await shop.outbox.depth()).toEqual({ pending: 2, oldest: NOON, dead: 0, circuits: [shop.api.host] })
})

test('uses the fetch of the moment, and the time of the machine, where nothing else is said', async () => {
  const sent = vi.spyOn(globalThis, 'fetch').mockImplementation(async () => new Response('{}'))
  try {
    await using outbox = createOutbox({ store: memoryOutbox() })
    outbox.drainOn(createBoard())
    const { id } = await outbox.enqueue({ url: 'https://api.test./a', idempotencyHeader: HEADER })
    await vi.waitFor(async () => expect(await outbox.result(id)).toMatchObject({ state: 'sent' }))
    expect(sent).toHaveBeenCalledTimes(1)
  } finally {
    sent.mockRestore()
  }
})

test.each([
  [
    { store: undefined },
    /^createOutbox\.store must be memoryOutbox\(\), .* engine, got undefined without a method put$/,
  ],
  [{ send: 1 }, /^createOutbox\.send must be a function, got 1$/],
  [{ prepare: 1 }, /^createOutbox\.prepare must be a function, got 1$/],
  [{ maxAttempts: 0 }, /^createOutbox\.maxAttempts must be a whole number of at least 1, got 0$/],
  [{ concurrency: 1.5 }, /^createOutbox\.concurrency must be a whole number of at least 1, got 1\.5$/],
  [{ expires: '3 days' }, /^createOutbox\.expires must be milliseconds or text such as '30s', got "3 days"$/],
  [{ lease: 0 }, /^createOutbox\.lease must be longer than 0, got 0$/],
  [{ backoff: { factor: 0.5 } }, /^createOutbox\.backoff\.factor must be a number of at least 1, got 0\.5$/],
  [{ backoff: { most: 1 } }, /^createOutbox\.backoff has no option most; there are from, to, factor$/],
  [{ clock: null }, /^the options of createOutbox\.clock must be an object, got null$/],
  [{ clock: { wall: 1 } }, /^createOutbox\.clock\.wall must be a function, got 1$/],
  [{ retries: 1 }, /^createOutbox has no option retries; there are store, send/],
])('%j is told what is wrong', (wrong, message) => {
  expect(() => createOutbox({ store: memoryOutbox(), ...wrong } as never)).toThrow(message)
})

test.each([
  [undefined, 'undefined'],
  ['outbox.db', '"outbox.db"'],
])('%j is told where the options of an outbox are wanted', (options, shown) => {
  const message = `the options of createOutbox must be an object, got ${shown}`
  expect(() => createOutbox(options as never)).toThrow(new TypeError(message))
})

test('times that are likely meant in another unit are warned of, and taken', () => {
  const warn = vi.spyOn(console, 'warn').mockReturnValue()
  const { settings } = createOutbox({ store: memoryOutbox(), expires: 71, lease: 99 })
  createOutbox({ store: memoryOutbox(), expires: '71h', lease: 100 })
  expect([settings.expires, settings.lease]).toEqual([71, 99])
  expect(warn.mock.calls).toEqual([
    ["fuseboard: createOutbox.expires is 71 ms: durations are milliseconds, or text such as '71s'"],
    ["fuseboard: createOutbox.lease is 99 ms: durations are milliseconds, or text such as '99s'"],
  ])
  warn.mockRestore()
})
