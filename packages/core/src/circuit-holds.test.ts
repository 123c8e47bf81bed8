// By hand: isolate and bypass hold a circuit until they are let go, trip opens it, reset closes it and forgets.
import { describe, expect, test } from 'vitest'
import { createBoard, type BoardOptions } from './index.ts'

function hostOf(options: BoardOptions = {}) {
  const clock = { ms: 1_000_000, now: (): number => clock.ms }
  const board = createBoard({ consecutiveFailures: 3, openFor: '10s', ...options, clock })
  const circuit = board.circuit('host.test')
  const begin = (method = 'POST') => board.attempt({ method, url: 'https://host.test/x' })
  const settle = (...statuses: number[]): void => {
    for (const status of statuses) begin().settle({ status })
  }
  const transitions: string[] = []
  board.on('transition', ({ from, to }) => transitions.push(`${from} > ${to}`))
  return { clock, board, circuit, begin, settle, transitions }
}

describe('isolate', () => {
  test('refuses every call, with the reason and no time to come back', () => {
    const { circuit, begin, transitions } = hostOf()
    const hold = circuit.isolate('moving house')
    expect([circuit.state, begin().refused, begin('GET').refused]).toEqual(['isolated', true, true])
    const refusal = begin().refusal
    expect(refusal).toMatchObject({ reason: 'isolated', retryAfterMs: undefined, message: 'host.test is isolated' })
    expect(refusal?.why).toBe('host.test isolated: by hand: moving house')
    hold.release()
    expect([circuit.state, begin().refused]).toEqual(['closed', false])
    expect(transitions).toEqual(['closed > isolated', 'isolated > closed'])
  })

  test('is counted: the last to let go ends it, and nobody lets go twice', () => {
    const { circuit, transitions } = hostOf()
    const [one, other] = [circuit.isolate(), circuit.isolate()]
    one.release()
    one.release()
    one[Symbol.dispose]()
    expect(circuit.state).toBe('isolated')
    other[Symbol.dispose]()
    expect(circuit.state).toBe('closed')
    expect(transitions).toEqual(['closed > isolated', 'isolated > closed'])
  })

  test('fences what is under way: it decides nothing during the hold, nor after it', () => {
    const { circuit, begin, settle } = hostOf()
    const late = [begin(), begin(), begin(), begin()]
    const hold = circuit.isolate()
    for (const attempt of late.slice(0, 3)) attempt.settle({ status: 503 })
    expect(circuit.counters).toMatchObject({ stale: 3, inFlight: 1 })
    hold.release()
    late[3]?.settle({ status: 503 })
    settle(503, 503)
    expect(circuit.state).toBe('closed')
  })

  test('tells its own reason, whatever else holds the circuit or let it go', () => {
    const { circuit } = hostOf()
    circuit.isolate('bad deploy')
    const other = circuit.bypass('a trial')
    expect(circuit.explain()).toContain('Held by hand: bad deploy.')
    other.release()
    circuit.bypass()
    expect(circuit.explain()).toContain('Held by hand: bad deploy.')
    expect(() => circuit.isolate(5 as never)).toThrow(new TypeError('The reason of a hold must be a string, got 5'))
  })

  test('is stronger than a bypass, which goes on when it ends', () => {
    const { circuit, begin, transitions } = hostOf()
    const bypass = circuit.bypass()
    const isolation = circuit.isolate()
    expect([circuit.state, begin().refused]).toEqual(['isolated', true])
    isolation.release()
    expect([circuit.state, begin().refused]).toEqual(['bypassed', false])
    bypass.release()
    expect(transitions).toEqual([
      'closed > bypassed',
      'bypassed > isolated',
      'isolated > bypassed',
      'bypassed > closed',
    ])
  })
})

describe('bypass', () => {
  test('lets every call through and still counts, and does not open', () => {
    const { circuit, settle, transitions } = hostOf()
    const hold = circuit.bypass()
    settle(...Array.from({ length: 30 }, () => 503))
    expect(circuit.state).toBe('bypassed')
    expect(circuit.counters).toMatchObject({ failures: 30, refused: 0, trips: 0 })
    hold.release()
    settle(503, 503)
    expect(circuit.state).toBe('closed')
    settle(503)
    expect(transitions).toEqual(['closed > bypassed', 'bypassed > closed', 'closed > open'])
  })

  test('lets calls through an open circuit and a pause, and leaves it to prove itself', () => {
    const { circuit, begin, settle } = hostOf({ rateLimit: 'pause' })
    begin().settle({ status: 429, headers: [['retry-after', '1']] })
    circuit.trip('1h')
    const hold = circuit.bypass()
    settle(200, 200, 503)
    expect([circuit.state, circuit.counters.successes]).toEqual(['bypassed', 2])
    hold.release()
    expect(circuit.state).toBe('half-open')
  })

  test('does not open for calls that are unanswered', () => {
    const { clock, circuit, begin } = hostOf({ slowAfter: '1s', minimumCalls: 2 })
    circuit.bypass()
    for (let i = 0; i < 20; i++, clock.ms += 500) expect(begin().refused).toBe(false)
    expect(circuit.state).toBe('bypassed')
  })
})

test('let go from an open circuit, a write waits for reads one second, however long it was to be open', () => {
  const { clock, circuit, begin } = hostOf()
  begin('GET').settle({ status: 200 })
  circuit.trip('1h')
  const hold = circuit.isolate()
  begin('GET').release()
  hold.release()
  expect(begin('POST').refusal?.reason).toBe('probing')
  clock.ms += 1_000
  expect(begin('POST').refused).toBe(false)
})

describe('trip', () => {
  test("opens for the policy's time, or for its own", () => {
    for (const [given, wait] of [[undefined, 10_000] as const, ['90s', 90_000] as const, [1_500, 1_500] as const]) {
      const { circuit, begin, transitions } = hostOf()
      circuit.trip(given)
      expect([circuit.state, begin().refusal?.retryAfterMs]).toEqual(['open', wait])
      expect([circuit.counters.trips, transitions]).toEqual([1, ['closed > open']])
    }
  })

  test('never shortens an open time, and may lengthen it, without an event', () => {
    const { circuit, begin, transitions } = hostOf()
    circuit.trip('1m')
    circuit.trip('1s')
    expect(begin().refusal?.retryAfterMs).toBe(60_000)
    circuit.trip('2m')
    expect(begin().refusal?.retryAfterMs).toBe(120_000)
    expect(transitions).toEqual(['closed > open'])
  })

  test('opens a half-open circuit, and its probes are late', () => {
    const { clock, circuit, begin, transitions } = hostOf()
    circuit.trip()
    clock.ms += 10_000
    const probe = begin()
    circuit.trip()
    probe.settle({ status: 200 })
    expect([circuit.state, circuit.counters.stale]).toEqual(['open', 1])
    expect(transitions.at(-1)).toBe('half-open > open')
  })

  test('ends no hold', () => {
    const { circuit } = hostOf()
    const hold = circuit.isolate()
    circuit.trip('1s')
    expect(circuit.state).toBe('isolated')
    hold.release()
    expect(circuit.state).not.toBe('isolated')
  })

  test.each([0, -1, NaN, '', 'soon', null])('takes no %o', (value) => {
    const { circuit } = hostOf()
    expect(() => circuit.trip(value as number)).toThrow('trip(for) must be a duration longer than 0')
    expect(circuit.state).toBe('closed')
  })
})

describe('reset', () => {
  test('closes an open circuit and forgets window, streak, open time and floor, but no counter', () => {
    const { circuit, begin, settle, transitions } = hostOf()
    for (let i = 0; i < 3; i++) begin().settle({ status: 503, headers: [['retry-after', '120']] })
    circuit.reset()
    expect([circuit.state, begin().refused]).toEqual(['closed', false])
    settle(503, 503)
    expect([circuit.state, circuit.counters.failures]).toEqual(['closed', 5])
    settle(503)
    expect([circuit.state, begin().refusal?.retryAfterMs]).toEqual(['open', 10_000])
    expect(transitions).toEqual(['closed > open', 'open > closed', 'closed > open'])
  })

  test('ends a pause, and a growing open time starts anew', () => {
    const { circuit, begin } = hostOf({ rateLimit: 'pause' })
    begin().settle({ status: 429, headers: [['retry-after', '60']] })
    expect(begin().refused).toBe(true)
    circuit.reset()
    expect(begin().refused).toBe(false)
  })

  test('of a closed circuit fences what is under way, and is no event', () => {
    const { circuit, begin, settle, transitions } = hostOf()
    const late = begin()
    settle(503, 503)
    circuit.reset()
    late.settle({ status: 503 })
    expect([circuit.state, circuit.counters.stale, transitions]).toEqual(['closed', 1, []])
  })

  test('voids holds: they may still be let go, which does nothing, even to a later hold', () => {
    const { circuit } = hostOf()
    const [isolation, bypass] = [circuit.isolate(), circuit.bypass()]
    circuit.reset()
    expect(circuit.state).toBe('closed')
    const later = circuit.isolate()
    isolation.release()
    bypass.release()
    expect(circuit.state).toBe('isolated')
    later.release()
    expect(circuit.state).toBe('closed')
  })

  test('of a held circuit is one event', () => {
    for (const hold of ['isolate', 'bypass'] as const) {
      const { circuit, transitions } = hostOf()
      circuit[hold]()
      circuit.reset()
      expect(transitions).toEqual([
        `closed > ${hold === 'isolate' ? 'isolated' : 'bypassed'}`,
        expect.stringMatching(/ > closed$/),
      ])
    }
  })

  test('of the board is one of every circuit', () => {
    const { board } = hostOf()
    for (const key of ['a', 'b', 'c']) board.circuit(key).trip()
    board.circuit('d').isolate()
    board.reset()
    expect([...board.circuits()].map(({ state }) => state)).toEqual(['closed', 'closed', 'closed', 'closed', 'closed'])
  })
})
