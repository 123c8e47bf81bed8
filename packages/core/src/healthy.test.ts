// Hosts that are well and look odd: a breaker must leave each as it would fare without one.
import { expect, test } from 'vitest'
import { createBoard, type BoardOptions } from './index.ts'

class ManualClock {
  ms = 1_000_000
  now(): number {
    return this.ms
  }
  wall(): number {
    return 1_800_000_000_000 + this.ms
  }
}

function hostOf(options: BoardOptions = {}) {
  const clock = new ManualClock()
  const board = createBoard({ ...options, clock })
  const begin = (method = 'GET') => board.attempt({ method, url: 'https://host.test/x' })
  return { clock, begin, circuit: board.circuit('host.test') }
}

const reset = Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' })

test('a host whose calls take 40 s is never refused', () => {
  const { clock, begin, circuit } = hostOf()
  const underWay: ReturnType<typeof begin>[] = []
  for (let second = 0; second < 600; second++) {
    clock.ms += 1_000
    if (underWay.length >= 40) underWay.shift()?.settle({ status: 200 })
    const attempt = begin('POST')
    expect(attempt.refused).toBe(false)
    underWay.push(attempt)
  }
  for (const attempt of underWay) attempt.settle({ status: 200 })
  expect(circuit.counters).toMatchObject({ successes: 600, refused: 0, trips: 0, inFlight: 0 })
})

test('a host whose calls take 40 s comes back after an outage: a probe that outlives its lease still closes it', () => {
  const { clock, begin, circuit } = hostOf({ consecutiveFailures: 3, openFor: '5s' })
  for (let i = 0; i < 3; i++) begin().settle({ status: 503 })
  clock.ms += 5_000
  const probe = begin()
  expect([probe.refused, begin().refused]).toEqual([false, true])
  clock.ms += 40_000
  probe.settle({ status: 200 })
  expect(circuit.state).toBe('closed')
})

test('a 50 s long poll that its caller ends after a quiet minute is no failure where abandonedAfter is off', () => {
  const { clock, begin, circuit } = hostOf({ abandonedAfter: false })
  for (let i = 0; i < 50; i++) {
    const poll = begin()
    expect(poll.refused).toBe(false)
    clock.ms += 50_000
    if (i % 2 === 0) poll.settle({ status: 204 })
    else poll.settle({ error: new DOMException('left', 'AbortError') })
  }
  expect(circuit.counters).toMatchObject({ successes: 25, ignored: 25, trips: 0 })
})

test('a 50 s long poll that the host answers is a success, however slow', () => {
  const { clock, begin, circuit } = hostOf()
  for (let i = 0; i < 50; i++) {
    const poll = begin()
    clock.ms += 50_000
    poll.settle({ status: 200 })
  }
  expect(circuit.counters).toMatchObject({ successes: 50, trips: 0, refused: 0 })
})

test('a write-only host probes with a write, at once when the open time is over', () => {
  const { clock, begin, circuit } = hostOf({ consecutiveFailures: 3, openFor: '5s' })
  for (let i = 0; i < 3; i++) begin('POST').settle({ status: 503 })
  clock.ms += 5_000
  const probe = begin('POST')
  expect(probe.refused).toBe(false)
  probe.settle({ status: 201 })
  expect(circuit.state).toBe('closed')
})

test('where reads were asked for, they probe first, and a write waits a second at most', () => {
  const { clock, begin, circuit } = hostOf({ consecutiveFailures: 3, openFor: '5s' })
  for (let i = 0; i < 3; i++) begin('GET').settle({ status: 503 })
  clock.ms += 5_000
  const early = begin('POST')
  expect(early.refusal).toMatchObject({ reason: 'probing', retryAfterMs: 1_000 })
  clock.ms += 1_000
  const late = begin('POST')
  expect(late.refused).toBe(false)
  late.settle({ status: 200 })
  expect(circuit.state).toBe('closed')
})

test('a rate-limited host behind a client that waits is never refused', () => {
  const { clock, begin, circuit } = hostOf()
  for (let i = 0; i < 200; i++) {
    const limited = i % 4 !== 3
    const attempt = begin()
    expect(attempt.refused).toBe(false)
    attempt.settle({ status: limited ? 429 : 200, headers: [['retry-after', '1']] })
    clock.ms += limited ? 1_000 : 100
  }
  expect(circuit.counters).toMatchObject({ successes: 50, ignored: 150, refused: 0, trips: 0 })
})

test('one call a minute, one in four of them failing, is never refused', () => {
  const { clock, begin, circuit } = hostOf()
  for (let i = 0; i < 240; i++) {
    clock.ms += 60_000
    const attempt = begin()
    expect(attempt.refused).toBe(false)
    attempt.settle({ status: i % 4 === 0 ? 500 : 200 })
  }
  expect(circuit.counters.trips).toBe(0)
})

test('one call a minute still finds a dead host out, after five', () => {
  const { clock, begin, circuit } = hostOf()
  for (let i = 0; i < 5; i++) {
    clock.ms += 60_000
    begin().settle({ error: reset })
  }
  expect(circuit.state).toBe('open')
})

test('one dropped connection pool opens nothing, on a busy host and on a quiet one', () => {
  for (const callsBefore of [0, 100]) {
    const { clock, begin, circuit } = hostOf()
    for (let i = 0; i < callsBefore; i++) begin().settle({ status: 200 })
    clock.ms += 100
    const pool = Array.from({ length: 8 }, () => begin())
    for (const attempt of pool) attempt.settle({ error: reset })
    expect([circuit.state, begin().refused]).toEqual(['closed', false])
  }
})
