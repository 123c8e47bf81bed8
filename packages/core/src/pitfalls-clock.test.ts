// Time: no timers, one clock for everything, and a clock that jumps does no harm.
import { spawnSync } from 'node:child_process'
import { afterEach, expect, test, vi } from 'vitest'
import { createBoard, header, staleIfError, type BoardOptions } from './index.ts'

afterEach(() => {
  vi.useRealTimers()
  vi.restoreAllMocks()
})

function hostOf(options: BoardOptions = {}) {
  const time = { mono: 5_000_000, wall: 1_800_000_000_000 }
  const clock = { now: (): number => time.mono, wall: (): number => time.wall }
  const board = createBoard({ consecutiveFailures: 3, openFor: '10s', ...options, clock })
  const circuit = board.circuit('host.test')
  const begin = () => board.attempt({ method: 'GET', url: 'https://host.test/x' })
  const fail = (count: number): void => {
    for (let i = 0; i < count; i++) begin().settle({ status: 503 })
  }
  const pass = (ms: number): void => {
    time.mono += ms
    time.wall += ms
  }
  return { time, board, circuit, begin, fail, pass }
}

test('#8 nothing that a circuit goes through sets a timer', async () => {
  vi.useFakeTimers()
  const { board, circuit, begin, fail, pass } = hostOf({ slowAfter: '1s', rateLimit: 'pause' })
  await board.run('other.test', async () => 'well', { signal: new AbortController().signal })
  begin().settle({ status: 429, headers: [['retry-after', '5']] })
  pass(5_000)
  fail(3)
  expect(circuit.state).toBe('open')
  begin()
  pass(10_000)
  begin()
  circuit.isolate().release()
  circuit.trip('1h')
  expect(vi.getTimerCount()).toBe(0)
})

test('#8 a process with an open circuit and a call under way ends by itself', () => {
  const program = `
    const { createBoard } = await import(${JSON.stringify(new URL('index.ts', import.meta.url).href)})
    const kept = () => process.getActiveResourcesInfo().filter((kind) => kind !== 'PipeWrap').length
    const before = kept()
    const board = createBoard({ consecutiveFailures: 3, openFor: '1h', slowAfter: '1h' })
    board.attempt({ method: 'GET', url: 'https://host.test/x' })
    for (let i = 0; i < 3; i++) board.attempt({ method: 'GET', url: 'https://host.test/x' }).settle({ status: 503 })
    board.circuit('away.test').isolate()
    console.log(board.circuit('host.test').state, kept() - before)
  `
  const child = spawnSync(process.execPath, ['--input-type=module', '--eval', program], { timeout: 15_000 })
  expect([String(child.stdout), child.signal, child.status]).toEqual(['open 0\n', null, 0])
})

test('#17 a wall clock set back by an hour neither keeps it open nor opens it early', () => {
  const { time, circuit, fail, pass } = hostOf()
  fail(3)
  pass(4_000)
  time.wall -= 3_600_000
  pass(5_999)
  expect(circuit.state).toBe('open')
  pass(1)
  expect(circuit.state).toBe('half-open')
})

test('#17 a clock that goes back is taken up where it stood: what is left of the open time stays', () => {
  const { time, circuit, fail, pass, begin } = hostOf()
  fail(3)
  pass(4_000)
  expect(circuit.state).toBe('open')
  time.mono -= 4_000_000
  time.wall -= 4_000_000
  expect(begin().refusal?.retryAfterMs).toBe(6_000)
  pass(5_999)
  expect(circuit.state).toBe('open')
  pass(1)
  expect(circuit.state).toBe('half-open')
})

test('#17 a clock that goes back empties no window and rolls none', () => {
  const { time, circuit, fail } = hostOf({ consecutiveFailures: false, minimumCalls: 4 })
  fail(2)
  time.mono -= 86_400_000
  time.wall -= 86_400_000
  fail(1)
  expect(circuit.state).toBe('closed')
  fail(1)
  expect(circuit.state).toBe('open')
})

test('#17 the time a frozen process slept through counts: the larger of monotonic and wall progress', () => {
  const { time, circuit, fail, pass, begin } = hostOf()
  fail(3)
  pass(1_000)
  time.wall += 9_000
  expect(circuit.state).toBe('half-open')
  expect(begin().refused).toBe(false)
})

test('#17 the defaults are looked up at each call, so that fake timers put up later are seen', () => {
  const board = createBoard({ consecutiveFailures: 1, openFor: '10s' })
  const circuit = board.circuit('host.test')
  vi.useFakeTimers()
  board.attempt({ method: 'GET', url: 'https://host.test/x' }).settle({ status: 503 })
  vi.advanceTimersByTime(9_999)
  expect(circuit.state).toBe('open')
  vi.advanceTimersByTime(1)
  expect(circuit.state).toBe('half-open')
  vi.useRealTimers()
  expect(circuit.state).toBe('half-open')
})

test('#18 an injected clock is the only one: windows, leases, pauses, stored replies and events read no other', async () => {
  const { time, board, circuit, begin, fail, pass } = hostOf({
    slowAfter: '2s',
    rateLimit: 'pause',
    fallback: staleIfError({ keepFor: '1h' }),
  })
  const told: number[] = []
  board.on('transition', ({ at }) => told.push(at))
  const reads = [vi.spyOn(performance, 'now'), vi.spyOn(Date, 'now')].map((spy) => () => {
    const count = spy.mock.calls.length
    spy.mockClear()
    return count
  })
  const readElsewhere = (): number => reads.reduce((sum, read) => sum + read(), 0)
  readElsewhere()

  const good = begin()
  const head = { status: 200, statusText: 'OK', headers: [['date', dateAt(time.wall)]] as const, decoded: true }
  good.settle(head)
  expect(good.capture(head)).toBe(true)
  good.chunk(new Uint8Array([1]))
  good.end()
  begin().settle({ status: 429, headers: [['retry-after', dateAt(time.wall + 60_000)]] })
  expect(begin().refusal).toMatchObject({ reason: 'paused', retryAfterMs: 60_000 })
  pass(60_000)
  fail(3)
  const refused = begin()
  const standIn = refused.standIn()
  pass(10_000)
  begin()
  circuit.explain()
  expect(readElsewhere()).toBe(0)
  const reply = await standIn
  expect([reply?.mark.age, header(reply?.headers, 'age')]).toEqual([60_000, '60'])
  expect(told).toEqual([time.wall - 10_000, time.wall])
})

test('#18 a clock that fails or gives nonsense ends no request: time stands still, and one warning is told', () => {
  const { time, board, circuit, begin, fail } = hostOf()
  const warnings: string[] = []
  board.on('warning', ({ message }) => warnings.push(message))
  time.mono = NaN
  fail(2)
  begin().settle({ status: 200 })
  fail(3)
  expect([circuit.state, begin().refusal?.retryAfterMs]).toEqual(['open', 10_000])
  expect(warnings).toEqual(['clock.now gave NaN where milliseconds were wanted'])
})

const dateAt = (wall: number): string => new Date(wall).toUTCString()
