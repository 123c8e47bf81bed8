// Alerts: what is told, once and in order; what it costs a call (nothing); and what a broken notifier does (nothing).
import { createBoard, fleet, guardFetch, staleIfError, type Board, type BoardOptions } from '@fuseboard/core'
import { manualClock, scriptedHost } from '@fuseboard/core/testing'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { alerts, type Alert, type Alerts, type AlertsOptions, type Notifier } from './alerts.ts'

const NOON = Date.UTC(2026, 10, 23, 12)
const MINUTE = 60_000

interface Scene {
  readonly board: Board
  readonly clock: ReturnType<typeof manualClock>
  readonly telling: Alerts
  readonly warnings: string[]
  /** What was told since it was asked last. */
  readonly told: () => Promise<Alert[]>
}

function scene(options: Partial<AlertsOptions> = {}, policy: BoardOptions = {}): Scene {
  const clock = manualClock(NOON)
  const board = createBoard({ consecutiveFailures: 3, openFor: '30s', clock, ...policy })
  const taken: Alert[] = []
  const warnings: string[] = []
  board.on('warning', ({ message }) => warnings.push(message))
  const telling = alerts(board, { notify: [noting(taken)], ...options })
  const told = async (): Promise<Alert[]> => {
    await settled()
    return taken.splice(0)
  }
  return { board, clock, telling, warnings, told }
}

const noting = (taken: Alert[]): Notifier => ({ name: 'noting', notify: async (alert) => taken.push(alert) })

/** What is under way without waiting for anything has ended. */
const settled = (): Promise<void> => new Promise((done) => setImmediate(done))

function call(board: Board, status: number, times = 1, host = 'api.paypal.com'): void {
  for (let n = 0; n < times; n++) board.attempt({ method: 'POST', url: `https://${host}/` }).settle({ status })
}

const kinds = (all: readonly Alert[]): string[] => all.map(({ kind, label }) => `${kind} ${label}`)

describe('a host', () => {
  test('that opens is told of: which, why, for how long, and that nothing was sent', async () => {
    const { board, told } = scene()
    call(board, 503, 3)
    expect(await told()).toEqual([
      {
        id: expect.any(String) as string,
        kind: 'open',
        key: 'api.paypal.com',
        label: 'api.paypal.com',
        at: NOON,
        since: NOON,
        text:
          'api.paypal.com open for 30 s: 3 calls in a row failed (3x 503). ' +
          'Its calls are refused meanwhile: they are not sent.',
      },
    ])
  })

  test('is told of once, however many of its probes fail, and once more when it is well', async () => {
    const { board, clock, told } = scene()
    call(board, 503, 3)
    for (let probe = 0; probe < 4; probe++) {
      call(board, 503, 2)
      clock.advance(30_000)
      call(board, 503)
    }
    clock.advance(30_000)
    call(board, 201)
    const all = await told()
    expect(kinds(all)).toEqual(['open api.paypal.com', 'recovered api.paypal.com'])
    expect(all[1]).toMatchObject({
      since: NOON,
      at: NOON + 150_000,
      text:
        'api.paypal.com closed: the host answers again. ' +
        'It was open for 3 min: 8 calls refused and not sent, 0 stood in for.',
    })
  })

  test('that is held open by hand is told of with the reason', async () => {
    const { board, told } = scene()
    board.circuit('api.paypal.com').isolate('migration').release()
    call(board, 200)
    expect((await told()).map(({ kind, text }) => [kind, text.split('. ')[0]])).toEqual([
      ['open', 'api.paypal.com isolated: by hand: migration'],
      ['recovered', 'api.paypal.com closed: by hand'],
    ])
  })

  test('that flaps is told of once a quarter of an hour, and what was last told is true by then', async () => {
    const { board, clock, told } = scene()
    const circuit = board.circuit('api.paypal.com')
    circuit.trip()
    circuit.reset()
    clock.advance(MINUTE)
    circuit.trip('1h')
    expect(kinds(await told())).toEqual(['open api.paypal.com', 'recovered api.paypal.com'])
    clock.advance(13 * MINUTE)
    call(board, 503)
    expect(await told()).toEqual([])
    clock.advance(MINUTE)
    call(board, 503)
    expect(await told()).toMatchObject([{ kind: 'open', since: NOON + MINUTE }])
  })

  test('that was not told of as open is not told of as well', async () => {
    const { board, clock, told } = scene()
    const circuit = board.circuit('api.paypal.com')
    for (let n = 0; n < 5; n++) {
      circuit.trip()
      clock.advance(MINUTE)
      circuit.reset()
    }
    expect(kinds(await told())).toEqual(['open api.paypal.com', 'recovered api.paypal.com'])
  })

  test('that is in shadow is told of by nobody', async () => {
    const { board, told, telling } = scene({}, { mode: 'shadow' })
    call(board, 503, 5)
    expect(board.circuit('api.paypal.com').state).toBe('open')
    await telling.flush()
    expect(await told()).toEqual([])
  })

  test('that goes into shadow while it is open is told of as well once it is', async () => {
    const { board, clock, told } = scene()
    call(board, 503, 3)
    expect(kinds(await told())).toEqual(['open api.paypal.com'])
    board.configure('api.paypal.com', { mode: 'shadow' })
    clock.advance(30_000)
    call(board, 200)
    expect(kinds(await told())).toEqual(['recovered api.paypal.com'])
  })

  test('does not keep another from being told of', async () => {
    const { board, told } = scene()
    call(board, 503, 3)
    call(board, 503, 3, 'bible-api.com')
    expect(kinds(await told())).toEqual(['open api.paypal.com', 'open bible-api.com'])
  })

  test('that has made room for others is forgotten', async () => {
    const { board, clock, told } = scene({}, { maxCircuits: 1 })
    call(board, 503, 3)
    clock.advance(10 * MINUTE)
    call(board, 200, 1, 'bible-api.com')
    clock.advance(30 * MINUTE)
    board.circuit('bible-api.com').trip()
    expect(kinds(await told())).toEqual(['open api.paypal.com', 'open bible-api.com'])
  })
})

describe('a host that is still open', () => {
  test('is told of once more, when a call is refused', async () => {
    const { board, clock, told } = scene({ escalateAfter: '20m' })
    board.circuit('api.paypal.com').isolate('maintenance')
    await told()
    clock.advance(19 * MINUTE)
    call(board, 200)
    expect(await told()).toEqual([])
    clock.advance(MINUTE)
    call(board, 200, 2)
    expect((await told()).map(({ kind, text }) => [kind, text])).toEqual([
      [
        'still-open',
        'api.paypal.com is still open after 20 min: 2 calls refused and not sent, 0 stood in for. ' +
          'Last: api.paypal.com isolated: by hand: maintenance.',
      ],
    ])
    clock.advance(60 * MINUTE)
    call(board, 200)
    expect(await told()).toEqual([])
  })

  test('is told of on a flush where nobody calls it', async () => {
    const { board, clock, telling, told } = scene()
    call(board, 503, 3)
    clock.advance(30 * MINUTE)
    expect(kinds(await told())).toEqual(['open api.paypal.com'])
    expect(await telling.flush()).toEqual({ sent: 2, failed: 0, waiting: 0 })
    expect(kinds(await told())).toEqual(['still-open api.paypal.com'])
  })

  test('is told of when another host changes', async () => {
    const { board, clock, told } = scene()
    call(board, 503, 3)
    clock.advance(30 * MINUTE)
    board.circuit('bible-api.com').trip()
    expect(kinds(await told())).toEqual(['open api.paypal.com', 'still-open api.paypal.com', 'open bible-api.com'])
  })

  test('is not told of again where that is switched off', async () => {
    const { board, clock, telling, told } = scene({ escalateAfter: false })
    call(board, 503, 3)
    clock.advance(600 * MINUTE)
    await telling.flush()
    expect(kinds(await told())).toEqual(['open api.paypal.com'])
  })

  test('is told of with why it is so by now', async () => {
    const { board, clock, telling, told } = scene({ escalateAfter: '1m' })
    call(board, 503, 3)
    clock.advance(30_000)
    call(board, 502)
    clock.advance(30_000)
    await telling.flush()
    const [, still] = await told()
    expect(still?.text).toMatch(/Last: api\.paypal\.com open for 30 s: a probe failed \(1x 502\)\.$/)
  })

  test('needs no timer, and refusals are heard only while one could matter', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval'] })
    onTestFinished(() => void vi.useRealTimers())
    const clock = manualClock()
    const board = createBoard({ clock })
    const heard = countHeard(board)
    const telling = alerts(board, { notify: [noting([])], escalateAfter: '30m' })
    expect(heard()).toEqual(['transition', 'store'])
    board.circuit('a.test').trip('10h')
    expect(heard()).toEqual(['transition', 'store', 'refused'])
    clock.advance(30 * MINUTE)
    call(board, 200, 1, 'a.test')
    expect(heard()).toEqual(['transition', 'store'])

    board.circuit('b.test').trip('10h')
    telling.stop()
    expect(heard()).toEqual([])
    await settled()
    expect(vi.getTimerCount()).toBe(0)
  })
})

/** The events of a board that are heard by now. */
function countHeard(board: Board): () => string[] {
  const heard: { name: string }[] = []
  const on = board.on.bind(board)
  vi.spyOn(board, 'on').mockImplementation((name, listener) => {
    const one = { name }
    heard.push(one)
    const end = on(name, listener)
    return () => {
      heard.splice(heard.indexOf(one), heard.includes(one) ? 1 : 0)
      end()
    }
  })
  return () => heard.map(({ name }) => name)
}

describe('an outbox', () => {
  const queue = (): { pending: number; oldest?: number; dead: number } => ({ pending: 0, dead: 0 })

  test('that does not empty is told of once', async () => {
    const depth = queue()
    const { clock, telling, told } = scene({ outbox: { depth: async () => depth }, staleAfter: '10m' })
    Object.assign(depth, { pending: 3, oldest: NOON })
    clock.advance(9 * MINUTE)
    await telling.flush()
    expect(await told()).toEqual([])
    clock.advance(MINUTE)
    await telling.flush()
    clock.advance(60 * MINUTE)
    await telling.flush()
    expect(await told()).toMatchObject([
      {
        kind: 'outbox-stale',
        key: undefined,
        label: 'outbox',
        since: NOON,
        text: 'The outbox does not empty: 3 requests waiting, the oldest for 10 min.',
      },
    ])
  })

  test('is told of again where it emptied in between', async () => {
    const depth = { ...queue(), pending: 1, oldest: NOON - 60 * MINUTE }
    const { clock, telling, told } = scene({ outbox: { depth: async () => depth } })
    await telling.flush()
    Object.assign(depth, { pending: 0, oldest: undefined })
    await telling.flush()
    Object.assign(depth, { pending: 1, oldest: NOON - 60 * MINUTE })
    await telling.flush()
    expect(await told()).toHaveLength(1)
    clock.advance(15 * MINUTE)
    await telling.flush()
    expect(kinds(await told())).toEqual(['outbox-stale outbox'])
  })

  test('that gave requests up is told of, each of them once', async () => {
    const depth = { ...queue(), dead: 2 }
    const { clock, telling, told } = scene({ outbox: { depth: async () => depth } })
    await telling.flush()
    depth.dead = 3
    await telling.flush()
    clock.advance(15 * MINUTE)
    await telling.flush()
    await telling.flush()
    expect((await told()).map(({ kind, text }) => [kind, text])).toEqual([
      ['outbox-dead', 'The outbox gave 2 requests up (2 in all): nothing sends them again by itself.'],
      ['outbox-dead', 'The outbox gave 1 request up (3 in all): nothing sends them again by itself.'],
    ])
  })

  test('is asked when a circuit changes, once a minute at most', async () => {
    const depth = vi.fn<() => Promise<{ pending: number; dead: number }>>(async () => ({ pending: 0, dead: 0 }))
    const { board, clock } = scene({ outbox: { depth } })
    const circuit = board.circuit('api.paypal.com')
    for (let n = 0; n < 4; n++) {
      circuit.trip()
      circuit.reset()
      clock.advance(30_000)
    }
    expect(depth).toHaveBeenCalledTimes(2)
  })

  test('that fails is a warning, and the rest is told', async () => {
    const { board, telling, told, warnings } = scene({ outbox: { depth: () => Promise.reject(new Error('locked')) } })
    call(board, 503, 3)
    await telling.flush()
    expect([kinds(await told()), warnings]).toEqual([
      ['open api.paypal.com'],
      ['The outbox could not be asked: locked'],
    ])
  })
})

describe('a store', () => {
  const down = (): Promise<never> => Promise.reject(new Error('ECONNREFUSED'))
  const replies = { get: down, set: down, delete: down }
  const policy = { failureRate: false, consecutiveFailures: false, fallback: staleIfError({ keepFor: '1d' }) } as const

  test('of replies that fails three times within a minute is told of, once a quarter of an hour', async () => {
    const { board, clock, told } = scene({}, { ...policy, replies })
    const fetch = guardFetch(board, { fetch: scriptedHost(503).fetch })
    for (let n = 0; n < 3; n++) {
      expect(await told()).toEqual([])
      clock.advance(10_000)
      await fetch('https://a.test/')
    }
    for (let n = 0; n < 5; n++) await fetch('https://a.test/')
    expect(await told()).toMatchObject([
      {
        kind: 'store-down',
        key: undefined,
        label: 'replies',
        since: NOON + 10_000,
        text: 'The store of replies fails: 3 faults within 20 s, the last: ECONNREFUSED. Calls go on without it.',
      },
    ])
    clock.advance(15 * MINUTE)
    for (let n = 0; n < 3; n++) await fetch('https://a.test/')
    expect(kinds(await told())).toEqual(['store-down replies'])
  })

  test('that fails now and then is not down', async () => {
    const { board, clock, told } = scene({}, { ...policy, replies })
    const fetch = guardFetch(board, { fetch: scriptedHost(503).fetch })
    for (let n = 0; n < 6; n++) {
      clock.advance(31_000)
      await fetch('https://a.test/')
    }
    expect(await told()).toEqual([])
  })

  test('that does not take a reply may just find it too large', async () => {
    const { board, told } = scene({}, { ...policy, replies })
    const faults: string[] = []
    board.on('store', ({ action }) => faults.push(action))
    const fetch = guardFetch(board, { fetch: scriptedHost({ json: {} }).fetch })
    for (let n = 0; n < 4; n++) await (await fetch('https://a.test/')).text()
    expect([await told(), faults]).toEqual([[], ['set', 'set', 'set', 'set']])
  })

  test('of the fleet is told of as such', async () => {
    const hosts = { 'a.test': {}, 'b.test': {}, 'c.test': {} }
    const { board, told } = scene({}, { hosts, fleet: fleet({ read: down, swap: down }) })
    await board.ready()
    expect(kinds(await told())).toEqual(['store-down fleet'])
  })
})

describe('a call', () => {
  test('does none of the work of telling, and waits for none', async () => {
    const notify = vi.fn<Notifier['notify']>(() => new Promise(() => {}))
    const { board } = scene({ notify: [{ name: 'slow', notify }], timeout: 10 })
    call(board, 503, 3)
    expect(notify).not.toHaveBeenCalled()
    expect(board.attempt({ method: 'GET', url: 'https://api.paypal.com/' }).refused).toBe(true)
    await settled()
    expect(notify).toHaveBeenCalledTimes(1)
  })
})

describe('a notifier', () => {
  const broken: Notifier = { name: 'broken', notify: () => Promise.reject(new Error('no route')) }
  const throwing: Notifier = {
    name: 'throwing',
    notify() {
      throw new Error('no client')
    },
  }

  test('that fails is told of as a warning, and keeps the others from nothing', async () => {
    const taken: Alert[] = []
    const { board, telling, warnings } = scene({ notify: [broken, throwing, noting(taken)] })
    call(board, 503, 3)
    expect(await telling.flush()).toEqual({ sent: 1, failed: 2, waiting: 0 })
    expect(kinds(taken)).toEqual(['open api.paypal.com'])
    expect(warnings.toSorted()).toEqual([
      'An alert was not sent by broken: no route',
      'An alert was not sent by throwing: no client',
    ])
    expect(await telling.flush()).toEqual({ sent: 0, failed: 0, waiting: 0 })
  })

  test('that hangs is given up, told to stop, and asked again for the next', async () => {
    const signals: AbortSignal[] = []
    const hung: Notifier = { name: 'hung', notify: (_alert, signal) => new Promise(() => signals.push(signal)) }
    const { board, telling, warnings } = scene({ notify: [hung], timeout: 20 })
    call(board, 503, 3)
    board.reset()
    expect((await telling.flush()).waiting).toBeGreaterThan(0)
    await vi.waitFor(async () => expect((await telling.flush()).waiting).toBe(0))
    expect(signals.map(({ aborted }) => aborted)).toEqual([true, true])
    expect(warnings).toEqual(['An alert was not sent by hung: no answer within 20 ms'])
  })

  test('takes alerts in order, one at a time', async () => {
    const order: string[] = []
    const slow: Notifier = {
      name: 'slow',
      async notify({ kind }) {
        order.push(`begin ${kind}`)
        await settled()
        order.push(`end ${kind}`)
      },
    }
    const { board, telling } = scene({ notify: [slow] })
    call(board, 503, 3)
    board.reset()
    await telling.flush()
    expect(order).toEqual(['begin open', 'end open', 'begin recovered', 'end recovered'])
  })

  test('that does not keep up loses the latest, and no memory', async () => {
    const hung: Notifier = { name: 'hung', notify: () => new Promise(() => {}) }
    const { board, telling, warnings } = scene({ notify: [hung], timeout: 10 })
    for (let n = 0; n < 150; n++) board.circuit(`host-${n}.test`).trip()
    const { failed, waiting } = await telling.flush()
    expect(failed + waiting).toBe(150)
    expect(waiting).toBeLessThanOrEqual(100)
    expect(warnings).toContain('An alert was not sent by hung: more than 100 alerts wait for it')
  })
})

test('stopped, it leaves the board alone', async () => {
  const { board, telling, told } = scene()
  board.circuit('bible-api.com').trip()
  await told()
  telling[Symbol.dispose]()
  call(board, 503, 3)
  expect(await told()).toEqual([])
})

test.each([
  [undefined, { notify: [] }, /^alerts needs a board first/],
  [createBoard(), undefined, /^the options of alerts must be an object, got undefined$/],
  [createBoard(), {}, /^alerts\.notify must be a list of at least one notifier, got undefined$/],
  [createBoard(), { notify: [] }, /^alerts\.notify must be a list of at least one notifier, got a list$/],
  [createBoard(), { notify: [() => {}] }, /^alerts\.notify\[0\] must have a method notify, got function/],
  [createBoard(), { notify: [{ notify() {} }] }, /^alerts\.notify\[0\]\.name must be a text, got undefined$/],
  [createBoard(), { notify: [noting([])], on: ['open'] }, /^alerts has no option on; there are notify, dedupe/],
  [createBoard(), { notify: [noting([])], dedupe: '15 minutes' }, /^alerts\.dedupe must be milliseconds or text/],
  [createBoard(), { notify: [noting([])], escalateAfter: 0 }, /^alerts\.escalateAfter must be longer than 0/],
  [createBoard(), { notify: [noting([])], staleAfter: false }, /^alerts\.staleAfter must be milliseconds or text/],
  [createBoard(), { notify: [noting([])], timeout: -1 }, /^alerts\.timeout must be milliseconds or text/],
  [createBoard(), { notify: [noting([])], outbox: {} }, /^alerts\.outbox must have a method depth/],
])('bad input is told: %#', (board, options, message) => {
  expect(() => alerts(board as never, options as never)).toThrow(message)
})
