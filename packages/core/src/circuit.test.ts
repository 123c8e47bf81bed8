// The table of states: from each, what an admission and a result lead to.
import { afterEach, describe, expect, test, vi } from 'vitest'
import { createBoard, type BoardOptions } from './index.ts'

afterEach(() => {
  vi.restoreAllMocks()
})

function hostOf(options: BoardOptions = {}) {
  const clock = { ms: 1_000_000, now: (): number => clock.ms }
  const board = createBoard({ openFor: '10s', ...options, clock })
  const circuit = board.circuit('host.test')
  const begin = (method = 'GET') => board.attempt({ method, url: 'https://host.test/x' })
  const settle = (...statuses: number[]): void => {
    for (const status of statuses) begin('POST').settle({ status })
  }
  /** Calls under way at once that are answered after so many milliseconds. */
  const take = (ms: number, ...statuses: number[]): void => {
    const calls = statuses.map((status) => ({ status, attempt: begin('POST') }))
    clock.ms += ms
    for (const { attempt, status } of calls) attempt.settle({ status })
  }
  return { clock, board, circuit, begin, settle, take }
}

describe('closed', () => {
  test('opens on the default streak: five in a row that span two seconds, whatever came before', () => {
    const { clock, circuit, settle } = hostOf({ failureRate: false })
    settle(200, 503, 503, 503, 503, 503)
    clock.ms += 1_999
    settle(503)
    expect(circuit.state).toBe('closed')
    clock.ms += 1
    settle(503)
    expect(circuit.state).toBe('open')
  })

  test.each([
    ['a plain number of failures in a row', { consecutiveFailures: 3 }, [503, 503, 200, 503, 503], [503]],
    [
      'half of ten calls, by default',
      { consecutiveFailures: false },
      [503, 503, 503, 503, 200, 200, 200, 200, 200],
      [503],
    ],
    [
      'its own share of its own number',
      { consecutiveFailures: false, minimumCalls: 4, failureRate: 0.75 },
      [503, 200, 503],
      [503],
    ],
    [
      'a rate of all',
      { consecutiveFailures: false, minimumCalls: 2, failureRate: 1, window: { calls: 2 } },
      [503, 200, 503],
      [503],
    ],
  ] as const)('opens on %s', (_, options, enough, last) => {
    const { circuit, settle } = hostOf(options)
    settle(...enough)
    expect(circuit.state).toBe('closed')
    settle(...last)
    expect(circuit.state).toBe('open')
  })

  test.each([
    ['consecutiveFailures', { consecutiveFailures: false, minimumCalls: 1_000 }],
    ['failureRate', { failureRate: false, consecutiveFailures: 1_000 }],
  ] as const)('never opens on %s where it is off', (_, options) => {
    const { clock, circuit, settle } = hostOf(options)
    for (let i = 0; i < 100; i++, clock.ms += 100) settle(503)
    expect(circuit.state).toBe('closed')
  })

  test('opens on the share of slow calls, failed or not, and never where slowAfter is off', () => {
    const slow = hostOf({ slowAfter: '1s', minimumCalls: 4, consecutiveFailures: false, failureRate: false })
    slow.take(1_000, 200, 200, 200)
    slow.take(1_001, 200, 503)
    expect(slow.circuit.state).toBe('closed')
    slow.take(1_001, 200)
    expect([slow.circuit.state, slow.circuit.counters.slow]).toEqual(['open', 3])

    const patient = hostOf()
    patient.take(100_000, ...Array.from({ length: 20 }, () => 200))
    expect([patient.circuit.state, patient.circuit.counters.slow]).toEqual(['closed', 0])
  })

  test('opens at an admission where too many calls are unanswered, and that call is refused', () => {
    const { clock, circuit, begin } = hostOf({ slowAfter: '2s', minimumCalls: 10 })
    let calls = 0
    while (!begin().refused) {
      calls++
      clock.ms += 100
      expect(clock.ms).toBeLessThan(1_010_000)
    }
    // Ten of them are two seconds old, up to an eighth more.
    expect([29, 30, 31, 32]).toContain(calls)
    expect(circuit.state).toBe('open')
    expect(circuit.counters).toMatchObject({ refused: 1, inFlight: calls, trips: 1 })
  })

  test('calls that were answered in time outweigh a few that hang', () => {
    const { clock, begin, circuit, settle } = hostOf({ slowAfter: '2s', minimumCalls: 10 })
    settle(...Array.from({ length: 10 }, () => 200))
    for (let i = 0; i < 9; i++) begin()
    clock.ms += 2_500
    expect([circuit.state, begin().refused]).toEqual(['closed', false])
  })
})

describe('open', () => {
  test('refuses, and says for how long', () => {
    const { clock, circuit, begin } = hostOf()
    circuit.trip()
    clock.ms += 3_000
    expect(begin().refusal).toMatchObject({ reason: 'open', retryAfterMs: 7_000, key: 'host.test', host: 'host.test' })
    expect(circuit.counters).toMatchObject({ refused: 1, inFlight: 0 })
  })

  test('a plain open time is exact, and the same at every trip', () => {
    const { clock, begin, settle } = hostOf({ consecutiveFailures: 1 })
    for (let trip = 0; trip < 5; trip++) {
      settle(503)
      expect(begin('POST').refusal?.retryAfterMs).toBe(10_000)
      clock.ms += 10_000
    }
  })

  test.each([
    [0, [5_000, 10_000, 20_000, 30_000, 30_000]],
    [0.5, [5_500, 11_000, 22_000, 33_000, 33_000]],
  ])('the default grows up to its cap, and chance (%d) only lengthens it; recovery starts it anew', (chance, waits) => {
    vi.spyOn(Math, 'random').mockReturnValue(chance)
    const clock = { ms: 0, now: (): number => clock.ms }
    const board = createBoard({ consecutiveFailures: 1, clock })
    const call = () => board.attempt({ method: 'POST', url: 'https://host.test/x' })
    const open = (): number => {
      call().settle({ status: 503 })
      const wait = call().refusal?.retryAfterMs ?? NaN
      clock.ms += wait
      return wait
    }
    expect(waits.map(open)).toEqual(waits)
    call().settle({ status: 200 })
    expect(open()).toBe(waits[0])
  })

  test('shows as half-open when its time is over, and is so from the next admission on', () => {
    const { board, clock, circuit, begin } = hostOf()
    const told: string[] = []
    circuit.trip()
    board.on('transition', ({ from, to, reason }) => told.push(`${from} > ${to}: ${reason}`))
    clock.ms += 10_000
    expect([circuit.state, told]).toEqual(['half-open', []])
    expect(begin().refused).toBe(false)
    expect(told).toEqual(['open > half-open: elapsed'])
  })
})

describe('half-open', () => {
  const halfOpen = (options: BoardOptions = {}) => {
    const host = hostOf(options)
    host.circuit.trip()
    host.clock.ms += 10_000
    return host
  }

  test('a plain number of probes is how many may go and how many must do well', () => {
    const { circuit, begin } = halfOpen({ probes: 3 })
    const [one, two, three] = [begin(), begin(), begin()]
    expect(begin().refusal?.reason).toBe('probing')
    for (const probe of [one, two]) probe.settle({ status: 200 })
    expect(circuit.state).toBe('half-open')
    three.settle({ status: 200 })
    expect(circuit.state).toBe('closed')
  })

  test('permits beyond the need may fail, and one more opens it', () => {
    for (const [statuses, state] of [
      [[503, 503, 200], 'closed'],
      [[503, 503, 503], 'open'],
    ] as const) {
      const { circuit, begin } = halfOpen({ probes: { permits: 3, need: 1 } })
      const probes = statuses.map((status) => ({ status, probe: begin() }))
      for (const { status, probe } of probes) probe.settle({ status })
      expect(circuit.state).toBe(state)
    }
  })

  test('need may be more than may go at a time', () => {
    const { circuit, settle } = halfOpen({ probes: { permits: 1, need: 3 } })
    settle(200, 200)
    expect(circuit.state).toBe('half-open')
    settle(200)
    expect(circuit.state).toBe('closed')
  })

  test('a slow probe is a failed one', () => {
    const { circuit, take } = halfOpen({ slowAfter: '1s' })
    take(1_001, 200)
    expect([circuit.state, circuit.counters.slow]).toEqual(['open', 1])
  })

  test.each([200, 304, 401, 404, 501])('the host answers where it says %d: that closes', (status) => {
    const { circuit, settle } = halfOpen()
    settle(status)
    expect(circuit.state).toBe('closed')
  })

  test('the wait it names is short: a second, or the rest of the lease', () => {
    const { clock, begin } = halfOpen({ probes: { within: '5s' } })
    begin()
    expect(begin().refusal?.retryAfterMs).toBe(1_000)
    clock.ms += 4_700
    expect(begin().refusal?.retryAfterMs).toBe(300)
  })

  test('safe requests go first for one second, refused ones included, and only where any were asked for of late', () => {
    const { clock, begin, settle } = hostOf({ consecutiveFailures: 3 })
    settle(503, 503, 503)
    expect(begin('HEAD').refusal?.reason).toBe('open')
    clock.ms += 10_000
    expect(begin('POST').refusal).toMatchObject({ reason: 'probing', retryAfterMs: 1_000 })
    clock.ms += 400
    expect(begin('DELETE').refusal).toMatchObject({ reason: 'probing', retryAfterMs: 600 })
    clock.ms += 600
    expect(begin('POST').refused).toBe(false)

    const quiet = hostOf({ window: '30s' })
    quiet.begin('GET').settle({ status: 200 })
    quiet.circuit.trip('40s')
    quiet.clock.ms += 40_000
    expect(quiet.begin('POST').refused).toBe(false)
  })

  test('probe of the policy says who may, instead', () => {
    const { begin } = halfOpen({ probe: ({ method, url }) => method === 'PUT' && url.endsWith('/x') })
    expect(begin('GET').refusal?.reason).toBe('probing')
    expect(begin('put').refused).toBe(false)
  })

  test('the wait it names is never nothing, so that nobody who may not probe asks in circles', () => {
    const { clock, begin } = halfOpen({ probe: ({ method }) => method === 'PUT' })
    clock.ms += 5_000
    expect(begin('GET').refusal?.retryAfterMs).toBeGreaterThan(0)
  })
})
