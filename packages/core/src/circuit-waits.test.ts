// When to come back: Retry-After under an open time, and pauses.
import { describe, expect, test } from 'vitest'
import { createBoard, type BoardOptions } from './index.ts'

const EPOCH = 1_800_000_000_000

function hostOf(options: BoardOptions = {}) {
  const clock = { ms: 1_000_000, now: (): number => clock.ms, wall: (): number => EPOCH + clock.ms }
  const board = createBoard({ consecutiveFailures: 3, openFor: '10s', ...options, clock })
  const circuit = board.circuit('host.test')
  const begin = (method = 'POST') => board.attempt({ method, url: 'https://host.test/x' })
  const settle = (...statuses: number[]): void => {
    for (const status of statuses) begin().settle({ status })
  }
  const transitions: string[] = []
  board.on('transition', ({ from, to, reason }) => transitions.push(`${from} > ${to}: ${reason}`))
  return { clock, board, circuit, begin, settle, transitions }
}

const retryAfter = (value: number | string, status = 503) => ({
  status,
  headers: [['Retry-After', String(value)]] as const,
})

describe('Retry-After on a counted failure', () => {
  test.each([
    ['longer than the open time holds it open', '60', 60_000],
    ['shorter shortens nothing', '3', 10_000],
    ['beyond maxPause holds for maxPause', '86400', 300_000],
    ["as a date is read against the answer's own Date", 'Fri, 15 Jan 2027 09:00:45 GMT', 45_000],
    ['that is no time is none', 'soon', 10_000],
  ])('%s', (_, value, wait) => {
    const { begin, settle } = hostOf()
    settle(503, 503)
    begin().settle({ status: 503, headers: [...retryAfter(value).headers, ['Date', 'Fri, 15 Jan 2027 09:00:00 GMT']] })
    expect(begin().refusal?.retryAfterMs).toBe(wait)
  })

  test('is kept from a failure before the one that opens, as a moment', () => {
    const { clock, begin, settle } = hostOf({ maxPause: '2m' })
    begin().settle(retryAfter(600))
    clock.ms += 20_000
    settle(503, 503)
    expect(begin().refusal?.retryAfterMs).toBe(100_000)
  })

  test('of a late failure lengthens an open time, too', () => {
    const { circuit, begin, settle } = hostOf()
    const late = begin()
    settle(503, 503, 503)
    late.settle(retryAfter(60))
    expect([begin().refusal?.retryAfterMs, circuit.counters.trips]).toEqual([60_000, 1])
  })

  test('on an answer that counts for nothing is none', () => {
    const { begin, settle } = hostOf()
    begin().settle(retryAfter(60, 429))
    begin().settle(retryAfter(60, 301))
    settle(503, 503, 503)
    expect(begin().refusal?.retryAfterMs).toBe(10_000)
  })

  test('of a late failure keeps no write waiting where probing has begun', () => {
    const { clock, begin, settle } = hostOf()
    const late = begin()
    begin('GET').settle({ status: 503 })
    settle(503, 503)
    clock.ms += 10_000
    begin('GET').release()
    late.settle(retryAfter(60))
    clock.ms += 1_000
    expect(begin('POST').refused).toBe(false)
  })
})

describe('a pause', () => {
  test("refuses until the 429's Retry-After has passed, and then goes on as before", () => {
    const { clock, circuit, begin, settle, transitions } = hostOf({ rateLimit: 'pause' })
    settle(503, 503)
    expect(begin().settle(retryAfter(7, 429))).toBe('ignored')
    clock.ms += 3_000
    expect([circuit.state, begin().refusal]).toMatchObject(['closed', { reason: 'paused', retryAfterMs: 4_000 }])
    clock.ms += 4_000
    expect([circuit.state, begin().refused, transitions]).toEqual(['closed', false, []])
    settle(503)
    expect(circuit.state).toBe('open')
  })

  test.each([
    ['gives no time', { status: 429 }],
    ['gives nonsense', retryAfter('-1', 429)],
    ['is past', retryAfter('Thu, 01 Jan 1970 00:00:00 GMT', 429)],
  ])('does not begin where the 429 %s', (_, outcome) => {
    const { circuit, begin } = hostOf({ rateLimit: 'pause' })
    expect(begin().settle(outcome)).toBe('ignored')
    expect([begin().refused, circuit.counters.failures]).toEqual([false, 0])
  })

  test('never shortens, is bounded by maxPause, and raises no trips', () => {
    const { clock, circuit, begin } = hostOf({ rateLimit: 'pause', maxPause: '1m' })
    const [first, second, third] = [begin(), begin(), begin()]
    first.settle(retryAfter(30, 429))
    second.settle(retryAfter(5, 429))
    expect(begin().refusal?.retryAfterMs).toBe(30_000)
    third.settle(retryAfter(86_400, 429))
    expect(begin().refusal?.retryAfterMs).toBe(60_000)
    clock.ms += 60_000
    expect([begin().refused, circuit.counters.trips]).toEqual([false, 0])
  })

  test('asked for by a late result counts, and ends in the state that there is then', () => {
    const { clock, circuit, begin, settle } = hostOf({ rateLimit: 'pause' })
    const late = begin()
    settle(503, 503, 503)
    late.settle(retryAfter(30, 429))
    expect([circuit.state, begin().refusal]).toMatchObject(['open', { reason: 'paused', retryAfterMs: 30_000 }])
    clock.ms += 10_000
    expect([circuit.state, begin().refusal?.reason]).toEqual(['half-open', 'paused'])
    clock.ms += 20_000
    begin().settle({ status: 200 })
    expect(circuit.state).toBe('closed')
  })

  test('asked for by classify is one, in attempts and in tasks, and { pause: 0 } is none', async () => {
    const { clock, board, circuit, begin } = hostOf({
      classify: (outcome) => ('status' in outcome && outcome.status === 402 ? { pause: 5_000 } : undefined),
    })
    expect([begin().settle({ status: 402 }), begin().refusal?.retryAfterMs]).toEqual(['ignored', 5_000])
    clock.ms += 5_000
    expect(begin().settle({ status: 503 })).toBe('failure')
    await circuit.run(() => 1, { classify: () => ({ pause: 0 }) })
    expect(circuit.counters).toMatchObject({ ignored: 2, inFlight: 0 })
    await board.run('host.test', () => 1, { classify: () => ({ pause: 2_000 }) })
    await expect(circuit.run(() => 2)).rejects.toMatchObject({ reason: 'paused', retryAfterMs: 2_000 })
  })

  test("rateLimit: 'failure' counts a 429, and its Retry-After holds the circuit open", () => {
    const { begin, circuit } = hostOf({ rateLimit: 'failure' })
    for (const attempt of [begin(), begin(), begin()]) expect(attempt.settle(retryAfter(20, 429))).toBe('failure')
    expect([circuit.state, begin().refusal?.retryAfterMs]).toEqual(['open', 20_000])
  })
})

describe('a host that hangs', () => {
  const hung = () => {
    const clock = { now: 1_000 }
    const board = createBoard({ slowAfter: '250ms', openFor: '30s', clock: { now: () => clock.now } })
    const told: string[] = []
    board.on('transition', ({ message }) => told.push(message))
    const circuit = board.circuit('a.test')
    const begin = (): [token: number, at: number] => [circuit.admit(undefined, clock.now), clock.now]
    const end = ([token, at]: [number, number]): number => circuit.settle(token, 'success', at)
    for (let call = 0; call < 2_400; call++, clock.now += 10) end(begin())
    return { clock, circuit, told, begin, end }
  }

  test('is noticed though its window is full of good calls, once enough calls wait for it and none is answered', () => {
    const { clock, circuit, told, begin } = hung()
    let sent = 0
    for (; circuit.state === 'closed' && sent < 1_000; clock.now += 10) if (begin()[0] >= 0) sent++
    expect(sent).toBeLessThanOrEqual(10 + 25 + 2)
    expect(told).toEqual(['a.test open for 30 s: 10 calls are still unanswered, and nothing was answered meanwhile'])
  })

  test('is left alone as long as it answers others', () => {
    const { clock, circuit, begin, end } = hung()
    for (let call = 0; call < 30; call++) begin()
    for (let call = 0; call < 200; call++, clock.now += 10) end(begin())
    expect(circuit.state).toBe('closed')
  })
})
