// Moments that are easily missed: time zero, time that froze, a clock that runs on, and the very ends of each length of time.
import { describe, expect, test } from 'vitest'
import { createBoard, type BoardOptions, type TransitionEvent } from './index.ts'
import { manualClock } from './testing.ts'

function hostOf(options: BoardOptions = {}, start = 1_000_000) {
  const clock = { ms: start, now: (): number => clock.ms }
  const board = createBoard({ consecutiveFailures: 3, openFor: '10s', ...options, clock })
  const circuit = board.circuit('host.test')
  const begin = (method = 'POST') => board.attempt({ method, url: 'https://host.test/x' })
  const settle = (...statuses: number[]): void => {
    for (const status of statuses) begin().settle({ status })
  }
  const told: TransitionEvent[] = []
  board.on('transition', (event) => told.push(event))
  return { clock, board, circuit, begin, settle, told }
}

describe('a process that has just begun', () => {
  test('knows of no safe request, so that any other may probe', () => {
    const { clock, circuit, begin } = hostOf({}, 0)
    circuit.trip()
    clock.ms += 10_000
    expect(begin('POST').refused).toBe(false)
  })

  test('knows of a safe request in its first moment', () => {
    const { clock, circuit, begin } = hostOf({}, 0)
    begin('GET').settle({ status: 200 })
    circuit.trip()
    clock.ms += 10_000
    expect([begin('POST').refused, begin('GET').refused]).toEqual([true, false])
  })

  test('times the calls of its first moment', () => {
    const { clock, circuit, begin } = hostOf({ slowAfter: '1s' }, 0)
    const [well, broken] = [begin(), begin()]
    clock.ms += 2_000
    well.settle({ status: 200 })
    broken.settle({ status: 503 })
    circuit.trip()
    begin()
    expect(circuit.counters).toMatchObject({ slow: 2, savedMs: 2_000 })
  })
})

describe('a machine that froze', () => {
  /** Only the wall's time passes, as where a laptop sleeps. */
  function frozen(options: BoardOptions = {}) {
    const clock = manualClock(1_700_000_000_000)
    let slept = 0
    const wall = (): number => clock.wall() + slept
    const board = createBoard({ openFor: '10s', ...options, clock: { now: () => clock.now(), wall } })
    return { circuit: board.circuit('host.test'), sleep: (ms: number) => (slept += ms) }
  }

  test('has its open time behind it', () => {
    const { circuit, sleep } = frozen()
    circuit.trip()
    sleep(10_000)
    expect(circuit.admit()).toBeGreaterThanOrEqual(0)
    expect(circuit.state).toBe('half-open')
  })

  test('has its pause behind it', () => {
    const { circuit, sleep } = frozen()
    circuit.pause(5_000)
    expect(circuit.admit()).toBeLessThan(0)
    sleep(5_000)
    expect(circuit.admit()).toBeGreaterThanOrEqual(0)
  })

  test('counts the time between its failures', () => {
    const { circuit, sleep } = frozen({ consecutiveFailures: { calls: 2, over: '2s' } })
    circuit.settle(circuit.admit(), 'failure')
    sleep(2_000)
    circuit.settle(circuit.admit(), 'failure')
    expect(circuit.state).toBe('open')
  })
})

describe('half-open', () => {
  test('a probe that takes no longer than slowAfter is not slow, and one that takes longer is a failure', () => {
    const { clock, circuit, begin, told } = hostOf({ slowAfter: '1s' })
    circuit.trip()
    clock.ms += 10_000
    const slow = begin()
    clock.ms += 1_001
    slow.settle({ status: 200 })
    expect([circuit.state, circuit.counters.slow, told.at(-1)?.evidence.kinds]).toEqual(['open', 1, { slow: 1 }])
    clock.ms += 10_000
    const quick = begin()
    clock.ms += 1_000
    quick.settle({ status: 200 })
    expect([circuit.state, circuit.counters.slow]).toEqual(['closed', 1])
  })

  test('a slow probe that failed is told by how it failed', () => {
    const { clock, circuit, begin, told } = hostOf({ slowAfter: '1s' })
    circuit.trip()
    clock.ms += 10_000
    const probe = begin()
    clock.ms += 1_001
    probe.settle({ status: 503 })
    expect(told.at(-1)?.evidence.kinds).toEqual({ '503': 1 })
  })

  test('a probe that says nothing of the host is not slow, however long it took', () => {
    const { clock, circuit, begin } = hostOf({ slowAfter: '1s' })
    circuit.trip()
    clock.ms += 10_000
    const probe = begin()
    clock.ms += 5_000
    probe.settle({ status: 429 })
    expect([circuit.state, circuit.counters.slow]).toEqual(['half-open', 0])
  })

  test('safe requests go first no longer than a window after the last of them', () => {
    const { clock, circuit, begin } = hostOf({ window: '5s' })
    begin('GET').settle({ status: 200 })
    circuit.trip('5s')
    clock.ms += 5_000
    expect(begin('POST').refused).toBe(true)
    clock.ms += 1
    expect(begin('POST').refused).toBe(false)
  })

  test('tells what failed before it opened', () => {
    const { clock, settle, begin, told } = hostOf()
    settle(503, 503, 503)
    clock.ms += 10_000
    begin()
    expect(told.at(-1)).toMatchObject({ to: 'half-open', evidence: { kinds: { '503': 3 } } })
  })
})

describe('calls that are slow', () => {
  const policy = { slowAfter: '1s', minimumCalls: 4, consecutiveFailures: false, failureRate: false } as const

  test('leave the window as others do', () => {
    const { clock, circuit, begin, settle } = hostOf(policy)
    const call = begin()
    clock.ms += 1_001
    call.settle({ status: 200 })
    clock.ms += 20_000
    settle(200)
    expect(circuit.window).toEqual({ calls: 2, failures: 0, slow: 1 })
    clock.ms += 12_000
    expect(circuit.window).toEqual({ calls: 1, failures: 0, slow: 0 })
  })

  test('open it for that reason', () => {
    const { clock, begin, told } = hostOf(policy)
    const calls = [begin(), begin(), begin(), begin()]
    clock.ms += 1_001
    for (const call of calls) call.settle({ status: 200 })
    expect(told.at(-1)).toMatchObject({ to: 'open', reason: 'slow-calls' })
  })

  test('are none that are waiting still once they ended, however they did', () => {
    const { clock, circuit, begin } = hostOf(policy)
    const calls = Array.from({ length: 10 }, () => begin())
    for (const call of calls) call.settle({ status: 429 })
    clock.ms += 5_000
    expect([begin().refused, circuit.state]).toEqual([false, 'closed'])
  })

  test('open it at the very share of those that ended and those that wait', () => {
    const { clock, circuit, begin, settle } = hostOf({ ...policy, slowRate: 0.5 })
    settle(200, 200)
    const waiting = [begin(), begin()]
    clock.ms += 1_100
    expect([begin().refused, circuit.state, waiting.length]).toEqual([true, 'open', 2])
  })

  test('that failed do not tell that the host still answers', () => {
    const { clock, circuit, begin, settle } = hostOf({ ...policy, slowRate: 1 })
    for (let i = 0; i < 20; i++) settle(200)
    const hung = Array.from({ length: 5 }, () => begin())
    clock.ms += 900
    hung.pop()?.settle({ status: 503 })
    clock.ms += 300
    expect([begin().refused, circuit.state, hung.length]).toEqual([true, 'open', 4])
  })
})

test('an open time is told as it was set, though the clock runs on as it is told', () => {
  const clock = { ms: 1_000_000, now: (): number => (clock.ms += 200) }
  const board = createBoard({ openFor: '10s', clock })
  const messages: string[] = []
  board.on('transition', ({ message }) => messages.push(message))
  board.circuit('host.test').trip()
  expect(messages).toEqual(['host.test open for 10 s: by hand'])
})
