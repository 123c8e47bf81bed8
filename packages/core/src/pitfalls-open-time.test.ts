// How an open spell begins and ends: at the moment of the result, without timers, and never by somebody else's hand.
import { afterEach, expect, test, vi } from 'vitest'
import { createBoard, type BoardOptions } from './index.ts'

function hostOf(options: BoardOptions = {}) {
  const clock = { ms: 1_000_000, now: (): number => clock.ms, wall: (): number => 1_800_000_000_000 + clock.ms }
  const board = createBoard({ consecutiveFailures: 3, openFor: '10s', ...options, clock })
  const circuit = board.circuit('host.test')
  const begin = () => board.attempt({ method: 'GET', url: 'https://host.test/x' })
  const transitions: string[] = []
  board.on('transition', ({ from, to }) => transitions.push(`${from} > ${to}`))
  const outage = (): void => {
    for (let i = 0; i < 3; i++) begin().settle({ status: 503 })
    expect(circuit.state).toBe('open')
  }
  return { clock, board, circuit, begin, transitions, outage }
}

afterEach(() => {
  vi.useRealTimers()
  vi.restoreAllMocks()
})

test('#7 opened by twenty failures at once, it is half-open when the open time is over', () => {
  const { clock, circuit, begin } = hostOf()
  for (const attempt of Array.from({ length: 20 }, begin)) attempt.settle({ status: 503 })
  clock.ms += 9_999
  expect(circuit.state).toBe('open')
  clock.ms += 1
  expect(circuit.state).toBe('half-open')
})

test('#7 opened again by hand while open, it still ends, and is always in exactly one state', () => {
  const { clock, circuit, begin } = hostOf()
  circuit.trip()
  clock.ms += 4_000
  circuit.trip()
  circuit.trip('2s')
  clock.ms += 9_999
  expect([circuit.state, begin().refused]).toEqual(['open', true])
  clock.ms += 1
  expect([circuit.state, begin().refused]).toEqual(['half-open', false])
})

test('#7 asking for the state changes nothing', () => {
  const { clock, circuit, transitions, outage } = hostOf()
  outage()
  clock.ms += 10_000
  for (let i = 0; i < 3; i++) expect(circuit.state).toBe('half-open')
  expect(transitions).toEqual(['closed > open'])
})

test('#13 the open time begins when the failure comes in, not when its call began', () => {
  const { clock, board, circuit, begin } = hostOf()
  const untils: (number | undefined)[] = []
  board.on('transition', ({ until }) => untils.push(until))
  const slow = [begin(), begin(), begin()]
  clock.ms += 60_000
  for (const attempt of slow) attempt.settle({ status: 504 })
  expect(begin().refusal?.retryAfterMs).toBe(10_000)
  expect(untils).toEqual([clock.wall() + 10_000])
  clock.ms += 9_999
  expect(circuit.state).toBe('open')
})

test('#13 nor when a probe began', () => {
  const { clock, begin, outage } = hostOf()
  outage()
  clock.ms += 10_000
  const probe = begin()
  clock.ms += 20_000
  probe.settle({ status: 504 })
  expect(begin().refusal).toMatchObject({ reason: 'open', retryAfterMs: 10_000 })
})

test('#33 an isolation has no end of its own', () => {
  const { clock, circuit, begin, outage } = hostOf()
  outage()
  const hold = circuit.isolate()
  clock.ms += 10 * 365 * 86_400_000
  expect([circuit.state, begin().refusal?.reason]).toEqual(['isolated', 'isolated'])
  hold.release()
  expect(begin().refused).toBe(false)
})

test('#33 what is tripped by hand stays open just as long', () => {
  const { clock, circuit, begin } = hostOf()
  circuit.trip('1h')
  begin().settle({ status: 200 })
  clock.ms += 3_599_999
  expect([circuit.state, begin().refused]).toEqual(['open', true])
  clock.ms += 1
  expect(circuit.state).toBe('half-open')
})

test.each([
  ['open', () => {}, 'half-open'],
  ['half-open', (clock: { ms: number }) => (clock.ms += 10_000), 'half-open'],
] as const)('#34 isolated from %s and let go, it has yet to prove itself', (_, wait, after) => {
  const { clock, circuit, begin, transitions, outage } = hostOf()
  outage()
  wait(clock)
  const hold = circuit.isolate()
  clock.ms += 60_000
  hold.release()
  expect(circuit.state).toBe(after)
  expect(transitions.at(-1)).toBe('isolated > half-open')
  const probe = begin()
  expect([probe.refused, begin().refused]).toEqual([false, true])
  probe.settle({ status: 200 })
  expect(circuit.state).toBe('closed')
})

test('#34 isolated from closed and let go, it is closed', () => {
  const { circuit, begin, transitions } = hostOf()
  begin().settle({ status: 503 })
  circuit.isolate().release()
  expect(circuit.state).toBe('closed')
  expect(transitions).toEqual(['closed > isolated', 'isolated > closed'])
})

test('#35 an open time of nothing is no policy, and a tiny one overflows no stack', () => {
  const warn = vi.spyOn(console, 'warn').mockImplementation(() => {})
  expect(() => createBoard({ openFor: 0 })).toThrow('openFor must be longer than 0, got 0')
  expect(() => createBoard({ openFor: { from: 0, to: 0 } })).toThrow('openFor.from must be longer than 0, got 0')
  expect(() => createBoard().circuit('host.test').trip(0)).toThrow(RangeError)

  const { clock, circuit, begin } = hostOf({ openFor: 1, consecutiveFailures: 1 })
  expect(warn).toHaveBeenCalledTimes(1)
  for (let round = 0; round < 5_000; round++) {
    begin().settle({ status: 503 })
    expect(circuit.state).toBe('open')
    clock.ms += 1
  }
  expect(circuit.counters).toMatchObject({ trips: 5_000, refused: 0 })
})

test('#35 a listener that asks again whenever it opens overflows no stack', () => {
  vi.spyOn(console, 'warn').mockImplementation(() => {})
  const { clock, board, begin, circuit } = hostOf({ openFor: 1, consecutiveFailures: 1 })
  let asked = 0
  board.on('transition', ({ to }) => {
    if (to !== 'open' || ++asked > 20_000) return
    clock.ms += 1
    begin().settle({ status: 503 })
  })
  begin().settle({ status: 503 })
  expect(circuit.counters).toMatchObject({ trips: 20_001, inFlight: 0 })
})
