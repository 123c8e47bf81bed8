// Amendments: a good head whose body breaks was no success, and counts as it would have.
import { afterEach, expect, test, vi } from 'vitest'
import { createBoard, type Attempt, type BoardOptions } from './index.ts'

afterEach(() => {
  vi.restoreAllMocks()
})

function hostOf(options: BoardOptions = {}) {
  const clock = { ms: 1_000_000, now: (): number => clock.ms }
  const board = createBoard({ consecutiveFailures: 3, openFor: '10s', ...options, clock })
  const circuit = board.circuit('host.test')
  const begin = () => board.attempt({ method: 'POST', url: 'https://host.test/x' })
  const settle = (...statuses: number[]): void => {
    for (const status of statuses) begin().settle({ status })
  }
  const transitions: string[] = []
  board.on('transition', ({ from, to, reason }) => transitions.push(`${from} > ${to}: ${reason}`))
  return { clock, board, circuit, begin, settle, transitions }
}

const broken = (attempt: Attempt): void =>
  attempt.amend({ error: Object.assign(new Error('cut'), { code: 'ECONNRESET' }) })

test('an amendment puts the streak back that the good head had ended, and adds one', () => {
  const { circuit, begin, settle, transitions } = hostOf()
  settle(503, 503)
  const answered = begin()
  answered.settle({ status: 200 })
  expect(circuit.state).toBe('closed')
  broken(answered)
  expect(transitions).toEqual(['closed > open: consecutive-failures'])
  expect(circuit.counters).toMatchObject({ successes: 0, failures: 3 })
})

test('one amendment after another makes a streak, in its whole length', () => {
  const { clock, circuit, begin } = hostOf({ consecutiveFailures: { calls: 3, over: '2s' } })
  for (let i = 0; i < 3; i++, clock.ms += 1_000) {
    expect(circuit.state).toBe('closed')
    const answered = begin()
    answered.settle({ status: 200 })
    broken(answered)
  }
  expect(circuit.state).toBe('open')
})

test('an amendment puts back when the streak began, though another has begun since', () => {
  const { clock, circuit, begin, settle } = hostOf({ consecutiveFailures: { calls: 4, over: '2s' } })
  settle(503, 503)
  const answered = begin()
  answered.settle({ status: 200 })
  clock.ms += 1_500
  settle(503)
  clock.ms += 500
  broken(answered)
  expect(circuit.state).toBe('open')
})

test('an amendment leaves a streak ended that a later answer ended', () => {
  const { circuit, begin, settle } = hostOf()
  settle(503, 503)
  const answered = begin()
  answered.settle({ status: 200 })
  settle(200)
  broken(answered)
  expect(circuit.state).toBe('closed')
  settle(503)
  expect(circuit.state).toBe('closed')
})

test('an amendment puts no streak back that another answer had ended', () => {
  const { circuit, begin, settle } = hostOf()
  const answered = begin()
  answered.settle({ status: 200 })
  settle(503, 503, 200)
  broken(answered)
  expect(circuit.state).toBe('closed')
})

test('an amendment moves one call of the window, and only while the window holds it', () => {
  for (const [later, state] of [[26_000, 'open'] as const, [31_000, 'closed'] as const]) {
    const { clock, circuit, begin, settle } = hostOf({
      consecutiveFailures: false,
      minimumCalls: 3,
      failureRate: 0.6,
    })
    const early = begin()
    early.settle({ status: 200 })
    clock.ms += later
    settle(200, 503)
    broken(early)
    expect(circuit.state).toBe(state)
  }
})

test('an amendment counts once, is told of once, and does nothing where there was no success', () => {
  const { board, circuit, begin } = hostOf()
  const told: unknown[] = []
  board.on('settled', ({ verdict, amended }) => told.push([verdict, amended]))
  const [good, bad, left] = [begin(), begin(), begin()]
  good.settle({ status: 200 })
  broken(good)
  broken(good)
  bad.settle({ status: 503 })
  broken(bad)
  left.release()
  broken(left)
  expect(circuit.counters).toMatchObject({ successes: 0, failures: 2, ignored: 1, inFlight: 0 })
  expect(told).toEqual([
    ['success', false],
    ['failure', true],
    ['failure', false],
    ['ignored', false],
  ])
})

test("an amendment by the caller's abort changes nothing", () => {
  const { circuit, begin } = hostOf()
  const answered = begin()
  answered.settle({ status: 200 })
  answered.amend({ error: new DOMException('left', 'AbortError') })
  answered.amend({ error: new Error('x'), cause: 'abort' })
  expect(circuit.counters).toMatchObject({ successes: 1, failures: 0 })
})

test('an amendment of the probe whose head closed the circuit opens it again, for longer than before', () => {
  vi.spyOn(Math, 'random').mockReturnValue(0)
  const { clock, circuit, begin, settle, transitions } = hostOf({ openFor: { from: '1s', to: '60s' } })
  settle(503, 503, 503)
  clock.ms += 1_000
  const probe = begin()
  probe.settle({ status: 200 })
  expect(circuit.state).toBe('closed')
  clock.ms += 5_000
  broken(probe)
  expect(transitions.at(-1)).toBe('closed > open: body-broke')
  expect([begin().refusal?.retryAfterMs, circuit.counters.stale]).toEqual([2_000, 0])
})

test.each([
  ['a probe, when the circuit has been reset since', (host: ReturnType<typeof hostOf>) => host.circuit.reset()],
  [
    'a probe, when the circuit opened and closed again',
    (host: ReturnType<typeof hostOf>) => {
      host.settle(503, 503, 503)
      host.clock.ms += 10_000
      host.settle(200)
    },
  ],
])('an amendment of an earlier state decides nothing: %s', (_, between) => {
  const host = hostOf()
  host.settle(503, 503, 503)
  host.clock.ms += 10_000
  const probe = host.begin()
  probe.settle({ status: 200 })
  between(host)
  broken(probe)
  expect(host.circuit.state).toBe('closed')
  expect(host.circuit.counters.stale).toBe(1)
  host.settle(503, 503)
  expect(host.circuit.state).toBe('closed')
})

test('an amendment of a call from before an open spell decides nothing after it', () => {
  const { clock, circuit, begin, settle } = hostOf()
  const answered = begin()
  answered.settle({ status: 200 })
  settle(503, 503, 503)
  broken(answered)
  clock.ms += 10_000
  settle(200, 503, 503)
  expect([circuit.state, circuit.counters.stale, circuit.counters.trips]).toEqual(['closed', 1, 1])
})

test('of two probes that closed a circuit, only the one whose head did so opens it again', () => {
  const { clock, circuit, begin, settle } = hostOf({ probes: 2 })
  settle(503, 503, 503)
  clock.ms += 10_000
  const [first, second] = [begin(), begin()]
  first.settle({ status: 200 })
  second.settle({ status: 200 })
  broken(first)
  expect([circuit.state, circuit.counters.stale]).toEqual(['closed', 1])
  broken(second)
  expect(circuit.state).toBe('open')
})

test('an amendment of one of several probes, before the others are back, is a failed probe', () => {
  const { clock, circuit, begin, settle } = hostOf({ probes: 2 })
  settle(503, 503, 503)
  clock.ms += 10_000
  const [probe] = [begin(), begin()]
  probe.settle({ status: 200 })
  broken(probe)
  expect(circuit.state).toBe('open')
})
