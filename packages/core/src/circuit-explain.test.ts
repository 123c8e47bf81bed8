// What a circuit says when it is asked: explain() for people, counters for programs.
import { inspect } from 'node:util'
import { describe, expect, test } from 'vitest'
import { createBoard, fleet, type BoardOptions } from './index.ts'
import { memoryStore } from './testing.ts'

const EPOCH = Date.UTC(2027, 0, 15, 8)

function hostOf(options: BoardOptions = {}) {
  const clock = { ms: 1_000_000, now: (): number => clock.ms, wall: (): number => EPOCH + clock.ms - 1_000_000 }
  const board = createBoard({ consecutiveFailures: 3, openFor: '10s', ...options, clock })
  const circuit = board.circuit('host.test')
  const begin = (method = 'POST') => board.attempt({ method, url: 'https://host.test/x' })
  const settle = (...statuses: number[]): void => {
    for (const status of statuses) begin().settle({ status })
  }
  return { clock, board, circuit, begin, settle }
}

describe('explain', () => {
  const still = 'In its window: 0 calls, 0 failed, 0 slow; 0 failures in a row.'

  test('says all there is to say, of a circuit nobody has used and of one that is open', () => {
    const { clock, circuit, begin, settle } = hostOf({ label: 'the host' })
    expect(circuit.explain()).toBe(
      `the host is closed. ${still} In all: 0 well, 0 failed, 0 refused, 0 stood in for; 0 under way.`,
    )
    settle(200, 503, 503, 503)
    begin()
    clock.ms += 4_000
    expect(circuit.explain()).toBe(
      'the host is open. Last change, at 2027-01-15T08:00:00.000Z: the host open for 10 s: 3 calls in a row failed (3x 503). ' +
        'Calls are refused for another 6 s. In its window: 4 calls, 3 failed, 0 slow; 3 failures in a row. ' +
        'In all: 1 well, 3 failed, 1 refused, 0 stood in for; 0 under way.',
    )
    clock.ms += 6_000
    begin()
    expect(circuit.explain()).toMatch(
      /^the host is half-open\. Last change, at 2027-01-15T08:00:10.000Z: .* 1 under way\.$/,
    )
  })

  test('names who holds it, and a pause', () => {
    const { circuit, begin } = hostOf({ rateLimit: 'pause' })
    const hold = circuit.isolate('moving house')
    expect(circuit.explain()).toMatch(/^host.test is isolated\. Held by hand: moving house\. Last change/)
    hold.release()
    expect(circuit.explain()).not.toContain('moving house')
    begin().settle({ status: 429, headers: [['retry-after', '90']] })
    expect(circuit.explain()).toContain('Calls are refused for another 90 s.')
  })

  test('says of no call that it is refused once a pause or an open time is over, or where a hand holds it open', () => {
    const { clock, circuit, settle } = hostOf()
    circuit.pause(5_000)
    clock.ms += 5_000
    expect(circuit.explain()).not.toContain('refused for another')
    settle(503, 503, 503)
    expect(circuit.explain()).toContain('Calls are refused for another 10 s.')
    circuit.isolate()
    expect(circuit.explain()).not.toContain('refused for another')
    circuit.reset()
    expect(circuit.explain()).not.toContain('refused for another')
  })

  test('tells a trip by hand of one that is open already as its last change', () => {
    const { clock, circuit, settle } = hostOf()
    settle(503, 503, 503)
    clock.ms += 1_000
    circuit.trip('60s')
    expect(circuit.explain()).toContain(
      'Last change, at 2027-01-15T08:00:01.000Z: host.test open for 60 s: by hand. Calls are refused for another 60 s.',
    )
  })

  test('counts no call that has left the window', () => {
    const { clock, circuit, settle } = hostOf()
    settle(503, 503)
    clock.ms += 3_600_000
    expect(circuit.explain()).toContain('In its window: 0 calls, 0 failed')
  })
})

describe('retryAfterMs', () => {
  test('is there while calls are refused, by a trip or by a pause, and says for how long', () => {
    const { clock, circuit, begin, settle } = hostOf({ rateLimit: 'pause' })
    expect(circuit.retryAfterMs).toBeUndefined()
    settle(503, 503, 503)
    clock.ms += 4_000
    expect(circuit.retryAfterMs).toBe(6_000)
    expect(begin().refusal?.retryAfterMs).toBe(6_000)
    clock.ms += 6_000
    expect(circuit.retryAfterMs).toBeUndefined()
    settle(200)
    begin().settle({ status: 429, headers: [['retry-after', '90']] })
    expect(circuit.retryAfterMs).toBe(90_000)
  })

  test('is not there once another instance of the fleet has closed it early', async () => {
    const store = memoryStore()
    const boards = [0, 1].map(() => createBoard({ fleet: fleet(store, { trust: 'follow' }) }))
    const [own, other] = boards.map((board) => board.circuit('host.test'))
    own?.trip('1m')
    await boards[0]?.flush()
    await boards[1]?.ready()
    expect(other?.retryAfterMs).toBeGreaterThan(0)
    own?.reset()
    await boards[0]?.flush()
    await boards[1]?.flush()
    expect([other?.state, other?.retryAfterMs]).toEqual(['closed', undefined])
  })

  test('is unknown where a person decides', () => {
    const { circuit, begin } = hostOf({ rateLimit: 'pause' })
    begin().settle({ status: 429, headers: [['retry-after', '90']] })
    const isolation = circuit.isolate('moving house')
    expect(circuit.retryAfterMs).toBeUndefined()
    isolation.release()
    expect(circuit.retryAfterMs).toBe(90_000)
    circuit.bypass('it is well')
    expect(circuit.retryAfterMs).toBeUndefined()
  })

  test('is not there in shadow, since nothing is refused', () => {
    const { circuit, settle } = hostOf({ mode: 'shadow' })
    settle(503, 503, 503)
    expect(circuit.state).toBe('open')
    expect(circuit.retryAfterMs).toBeUndefined()
    expect(circuit.explain()).toContain('Calls would be refused for another 10 s.')
  })
})

test('counters add up', async () => {
  const { clock, board, circuit, begin, settle } = hostOf({ slowAfter: '1s' })
  const underWay = begin()
  settle(200, 404, 429, 503, 501)
  const slow = begin()
  clock.ms += 1_500
  slow.settle({ status: 200 })
  await board.run('host.test', () => 'well')
  circuit.trip()
  begin()
  underWay.settle({ status: 503 })
  begin()
  expect(circuit.counters).toEqual({
    successes: 5,
    failures: 2,
    ignored: 1,
    refused: 2,
    stale: 1,
    slow: 1,
    fallbacks: 0,
    trips: 1,
    inFlight: 0,
    openMs: 0,
    savedMs: 750,
  })
})

test('the time in which it refused all calls is counted, and none in which nobody asked', () => {
  const { clock, circuit, begin } = hostOf({ openFor: '10s' })
  const openMs = (): number => circuit.counters.openMs
  clock.ms += 1_000
  circuit.trip()
  clock.ms += 4_000
  expect(openMs()).toBe(4_000)
  clock.ms += 60_000
  expect([circuit.state, openMs()]).toEqual(['half-open', 10_000])
  begin().settle({ status: 503 })
  clock.ms += 3_000
  const hold = circuit.isolate()
  clock.ms += 60_000
  expect(openMs()).toBe(73_000)
  hold.release()
  clock.ms += 5_000
  expect(openMs()).toBe(73_000)
  circuit.trip('5s')
  clock.ms += 1_000
  circuit.trip('60s')
  clock.ms += 10_000
  circuit.reset()
  clock.ms += 1_000
  expect(openMs()).toBe(84_000)
  circuit.trip('1s')
  clock.ms += 60_000
  circuit.trip('2s')
  clock.ms += 60_000
  expect(openMs()).toBe(87_000)
})

test('a circuit that made room takes its open time to the total of the board', () => {
  const { clock, board, circuit } = hostOf({ maxCircuits: 1, openFor: '10s' })
  circuit.trip()
  clock.ms += 3_600_000
  board.circuit('other.test')
  expect([board.peek('host.test'), board.evicted.openMs]).toEqual([undefined, 10_000])
})

test('a refusal saves what the latest failures took, those included that were under way', () => {
  const { clock, circuit, begin } = hostOf({ consecutiveFailures: 2, openFor: '1m' })
  const calls = [begin(), begin(), begin()]
  clock.ms += 3_000
  calls[0]?.settle({ status: 503 })
  calls[1]?.settle({ status: 503 })
  begin()
  expect([circuit.state, circuit.counters.savedMs]).toEqual(['open', 3_000])
  clock.ms += 9_000
  calls[2]?.settle({ status: 503 })
  begin()
  expect(circuit.counters.savedMs).toBe(9_000)
  circuit.isolate()
  begin()
  expect(circuit.counters).toMatchObject({ refused: 3, savedMs: 9_000 })
})

test('its window can be read, as it is now', () => {
  const { clock, circuit, begin, settle } = hostOf({ slowAfter: '1s' })
  expect(circuit.window).toEqual({ calls: 0, failures: 0, slow: 0 })
  const slow = begin()
  clock.ms += 1_500
  slow.settle({ status: 200 })
  settle(200, 503, 429)
  expect(circuit.window).toEqual({ calls: 3, failures: 1, slow: 1 })
  clock.ms += 3_600_000
  expect(circuit.window).toEqual({ calls: 0, failures: 0, slow: 0 })
})

test('a circuit is short in a log', () => {
  const board = createBoard()
  const circuit = board.circuit('host.test')
  board.circuit('other.test')
  expect(JSON.parse(JSON.stringify(circuit))).toEqual({
    key: 'host.test',
    label: 'host.test',
    state: 'closed',
    counters: circuit.counters,
  })
  expect(inspect(circuit)).toContain("key: 'host.test'")
  expect(inspect(circuit)).not.toContain('other.test')
})
