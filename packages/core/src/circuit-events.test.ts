// What a circuit tells: its changes with evidence and a sentence, its refusals, and its results.
import { describe, expect, test, vi } from 'vitest'
import { createBoard, type BoardOptions, type TransitionEvent } from './index.ts'

const EPOCH = Date.UTC(2027, 0, 15, 8)

function hostOf(options: BoardOptions = {}) {
  const clock = { ms: 1_000_000, now: (): number => clock.ms, wall: (): number => EPOCH + clock.ms - 1_000_000 }
  const board = createBoard({ consecutiveFailures: 3, openFor: '10s', ...options, clock })
  const circuit = board.circuit('host.test')
  const begin = (method = 'POST') => board.attempt({ method, url: 'https://host.test/x?q=1' })
  const settle = (...statuses: number[]): void => {
    for (const status of statuses) begin().settle({ status })
  }
  const told: TransitionEvent[] = []
  board.on('transition', (event) => told.push(event))
  return { clock, board, circuit, begin, settle, told, messages: () => told.map(({ message }) => message) }
}

const reset = Object.assign(new TypeError('fetch failed'), {
  cause: Object.assign(new Error(), { code: 'ECONNRESET' }),
})

describe('a transition', () => {
  test('carries what was seen, until when it is open, and a sentence', () => {
    const { clock, begin, settle, told } = hostOf({ label: 'the host' })
    settle(200, 503, 503)
    clock.ms += 2_000
    begin().settle({ error: reset })
    expect(told).toEqual([
      {
        key: 'host.test',
        label: 'the host',
        from: 'closed',
        to: 'open',
        reason: 'consecutive-failures',
        at: EPOCH + 2_000,
        until: EPOCH + 12_000,
        evidence: {
          calls: 4,
          failures: 3,
          slow: 0,
          overdue: 0,
          streak: 3,
          streakMs: 2_000,
          kinds: { '503': 2, ECONNRESET: 1 },
        },
        shadow: false,
        message: 'the host open for 10 s: 3 calls in a row failed in 2 s (2x 503, 1x ECONNRESET)',
      },
    ])
  })

  test('is told once for each change, in order, with the reason of each', () => {
    const { clock, circuit, begin, settle, told, messages } = hostOf()
    settle(503, 503, 503)
    clock.ms += 10_000
    settle(504)
    clock.ms += 10_000
    const probe = begin()
    probe.settle({ status: 200 })
    probe.amend({ error: reset })
    circuit.reset()
    circuit.trip('5m')
    circuit.isolate('moving house').release()
    expect(told.map(({ from, to, reason, until }) => [from, to, reason, until && until - EPOCH])).toEqual([
      ['closed', 'open', 'consecutive-failures', 10_000],
      ['open', 'half-open', 'elapsed', undefined],
      ['half-open', 'open', 'probe-failed', 20_000],
      ['open', 'half-open', 'elapsed', undefined],
      ['half-open', 'closed', 'probe-succeeded', undefined],
      ['closed', 'open', 'body-broke', 30_000],
      ['open', 'closed', 'by-hand', undefined],
      ['closed', 'open', 'by-hand', 320_000],
      ['open', 'isolated', 'by-hand', undefined],
      ['isolated', 'half-open', 'by-hand', undefined],
    ])
    expect(messages()).toEqual([
      'host.test open for 10 s: 3 calls in a row failed (3x 503)',
      'host.test half-open: the open time is over, the next call may probe',
      expect.stringMatching(/^host.test open for 10 s: a probe failed/),
      'host.test half-open: the open time is over, the next call may probe',
      'host.test closed: the host answers again',
      expect.stringMatching(/^host.test open for 10 s: the body of the probe's answer broke/),
      'host.test closed: by hand',
      'host.test open for 5 min: by hand',
      'host.test isolated: by hand: moving house',
      'host.test half-open: by hand',
    ])
  })

  test('says how many of how many failed, or were slow, or are still unanswered', () => {
    const rate = hostOf({ consecutiveFailures: false, minimumCalls: 4 })
    rate.settle(500, 503, 500, 200)
    const slow = hostOf({ slowAfter: '1s', minimumCalls: 4 })
    for (let i = 0; i < 2; i++) {
      const attempt = slow.begin()
      slow.clock.ms += 1_500
      attempt.settle({ status: 200 })
    }
    slow.begin()
    slow.begin()
    slow.clock.ms += 1_500
    slow.begin()
    expect([...rate.messages(), ...slow.messages()]).toEqual([
      'host.test open for 10 s: 3 of 4 calls failed (2x 500, 1x 503)',
      'host.test open for 10 s: 4 of 4 calls were slow, 2 of them still unanswered',
    ])
    expect(slow.told[0]?.evidence).toMatchObject({ calls: 2, slow: 2, overdue: 2, failures: 0 })
  })

  test('has nothing to show for a circuit that nobody used', () => {
    const { clock, circuit, settle, told } = hostOf()
    circuit.trip()
    const nothing = { calls: 0, failures: 0, slow: 0, overdue: 0, streak: 0, streakMs: 0, kinds: {} }
    expect(told.at(-1)?.evidence).toEqual(nothing)
    circuit.reset()
    settle(503, 200)
    clock.ms += 1_000
    circuit.trip()
    expect(told.at(-1)?.evidence).toMatchObject({ failures: 1, streak: 0, streakMs: 0 })
  })

  test('counts by kind the failures of a streak that is longer than the window', () => {
    const { clock, settle, told } = hostOf({ window: '10s' })
    for (const status of [500, 502, 503]) {
      settle(status)
      clock.ms += 9_000
    }
    expect(told.at(-1)?.evidence).toMatchObject({ calls: 2, streak: 3, kinds: { '500': 1, '502': 1, '503': 1 } })
  })

  test('tells a trip of one that is open already to nobody, and how long it was open in all', () => {
    const { clock, circuit, told } = hostOf()
    circuit.trip()
    clock.ms += 4_000
    circuit.trip('30s')
    expect(told).toHaveLength(1)
    clock.ms += 1_000
    expect(circuit.counters).toMatchObject({ trips: 1, openMs: 5_000 })
  })

  test('counts all failures of the rate by kind, not only those of the last streak', () => {
    const { clock, settle, messages } = hostOf({ consecutiveFailures: false, minimumCalls: 4 })
    for (const status of [500, 503, 200, 500]) {
      clock.ms += 1_000
      settle(status)
    }
    expect(messages()).toEqual(['host.test open for 10 s: 3 of 4 calls failed (2x 500, 1x 503)'])
  })

  test('counts no failure of before the last recovery', () => {
    const { clock, settle, messages } = hostOf({ failureRate: 0.5, minimumCalls: 3 })
    settle(500, 500, 500)
    clock.ms += 10_000
    settle(200, 503, 503, 200)
    expect(messages().at(-1)).toBe('host.test open for 10 s: 2 of 3 calls failed (2x 503)')
  })

  test('blames on a probe no more than what the probe met', () => {
    const { clock, settle, messages } = hostOf()
    settle(500, 500, 500)
    clock.ms += 10_000
    settle(503)
    expect(messages().at(-1)).toBe('host.test open for 10 s: a probe failed (1x 503)')
  })
})

describe('listeners', () => {
  test('are called in the order they came, and each undo takes only its own away', () => {
    const { board, circuit } = hostOf()
    const heard: string[] = []
    const same = (): void => void heard.push('same')
    const undos = [
      board.on('transition', same),
      board.on('transition', () => heard.push('other')),
      board.on('transition', same),
    ]
    circuit.trip()
    undos[0]?.()
    undos[0]?.()
    circuit.reset()
    for (const undo of undos) undo()
    circuit.trip()
    expect(heard).toEqual(['same', 'other', 'same', 'other', 'same'])
  })

  test('that are taken away or come while an event is told change nothing of that event', () => {
    const { board, circuit } = hostOf()
    const heard: string[] = []
    const undo = board.on('transition', () => {
      heard.push('first')
      undo()
      takeSecond()
      board.on('transition', () => heard.push('late'))
    })
    const takeSecond = board.on('transition', () => heard.push('second'))
    circuit.trip()
    expect(heard).toEqual(['first', 'second'])
    circuit.reset()
    expect(heard).toEqual(['first', 'second', 'late'])
  })

  test('of a name that is none, or that are no functions, are a TypeError', () => {
    const { board } = hostOf()
    expect(() => board.on('open' as 'transition', vi.fn())).toThrow('There is no event "open"; there are transition')
    expect(() => board.on('toString' as 'transition', vi.fn())).toThrow(TypeError)
    expect(() => board.on('transition', 'log' as never)).toThrow('A listener must be a function, got log')
  })
})

test('a refusal is told with its moment and its request, or without one where it was a task', async () => {
  const { clock, board, circuit, begin } = hostOf({ label: 'the host' })
  const told: unknown[] = []
  board.on('refused', (event) => told.push(event))
  circuit.trip()
  clock.ms += 250
  begin('post')
  await board.run('host.test', () => 1).catch(() => {})
  const about = { key: 'host.test', label: 'the host', host: 'host.test' }
  const common = { ...about, reason: 'open', retryAfterMs: 9_750, at: EPOCH + 250, shadow: false }
  expect(told).toEqual([
    { ...common, method: 'POST', url: 'https://host.test/x?q=1' },
    { ...common, method: undefined, url: undefined },
  ])
})

test('a result is told with its verdict, its time to the head, and whether it was a probe', async () => {
  const { clock, board, circuit, begin } = hostOf({ label: 'the host' })
  const told: unknown[] = []
  board.on('settled', (event) => told.push(event))
  const attempt = begin()
  clock.ms += 250
  attempt.settle({ status: 503 })
  circuit.trip()
  clock.ms += 10_000
  const down = new Error('down')
  await board.run('host.test', () => Promise.reject(down)).catch(() => {})
  const common = { key: 'host.test', label: 'the host', verdict: 'failure', stale: false, amended: false }
  expect(told).toEqual([
    { ...common, status: 503, error: undefined, durationMs: 250, probe: false },
    { ...common, status: undefined, error: down, durationMs: 0, probe: true },
  ])
})
