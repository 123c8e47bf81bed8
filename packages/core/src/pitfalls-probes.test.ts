// Half-open: who may probe, what a probe that hangs or ends without a verdict costs, and that nobody waits in line.
import { expect, test } from 'vitest'
import { circuitOpen, createBoard, type BoardOptions } from './index.ts'

const HALF_OPEN = 'half-open'

function hostOf(options: BoardOptions = {}) {
  const clock = { ms: 1_000_000, now: (): number => clock.ms }
  const board = createBoard({ consecutiveFailures: 3, openFor: '10s', ...options, clock })
  const circuit = board.circuit('host.test')
  const begin = () => board.attempt({ method: 'GET', url: 'https://host.test/x' })
  const transitions: string[] = []
  board.on('transition', ({ from, to }) => transitions.push(`${from} > ${to}`))
  for (let i = 0; i < 3; i++) begin().settle({ status: 503 })
  clock.ms += 10_000
  return { clock, board, circuit, begin, transitions }
}

const left = new DOMException('left', 'AbortError')

test('#3 a probe that never settles gives its place back when its lease is over, and nothing more happens', () => {
  const { clock, circuit, begin, transitions } = hostOf({ probes: { within: '30s' } })
  const hung = begin()
  clock.ms += 29_999
  expect(begin().refused).toBe(true)
  clock.ms += 1
  const next = begin()
  expect([next.refused, begin().refused]).toEqual([false, true])
  expect(circuit.counters).toMatchObject({ failures: 3, trips: 1, inFlight: 2 })
  expect(transitions).toEqual(['closed > open', 'open > half-open'])
  hung.settle({ status: 200 })
  expect(circuit.state).toBe('closed')
})

test('#3 the late failure of a probe whose lease is over counts, too', () => {
  const { clock, circuit, begin } = hostOf()
  const hung = begin()
  clock.ms += 45_000
  begin()
  hung.settle({ error: new Error('socket hang up') })
  expect(circuit.state).toBe('open')
})

test('#3 a probe that hangs while nobody calls is no obstacle an hour later', () => {
  const { clock, circuit, begin } = hostOf()
  begin()
  clock.ms += 3_600_000
  expect(circuit.state).toBe(HALF_OPEN)
  const next = begin()
  expect(next.refused).toBe(false)
  next.settle({ status: 200 })
  expect(circuit.state).toBe('closed')
})

test('#3 half-open without a probe under way never times out', () => {
  const { clock, circuit, begin, transitions } = hostOf()
  begin().release()
  clock.ms += 86_400_000
  expect([circuit.state, transitions.length, begin().refused]).toEqual([HALF_OPEN, 2, false])
})

test('#3 a probe that throws synchronously keeps no place', async () => {
  const { clock, circuit } = hostOf()
  clock.ms += 1_000
  const broken = (): never => {
    throw new Error('at once')
  }
  for (let round = 0; round < 3; round++) {
    await expect(circuit.run(broken)).rejects.toThrow('at once')
    expect([circuit.state, circuit.counters.inFlight]).toEqual(['open', 0])
    clock.ms += 11_000
  }
  await expect(circuit.run(() => 'well')).resolves.toBe('well')
  expect(circuit.state).toBe('closed')
})

test.each([
  ['aborted by its caller', () => ({ error: left })],
  ['told to slow down', () => ({ status: 429 })],
  ['refused further in', () => ({ error: Object.assign(new Error('no'), { cause: refusal() }) })],
])('#4 a probe that was %s casts no vote and gives its place back', (_, outcome) => {
  const { circuit, begin, transitions } = hostOf()
  expect(begin().settle(outcome())).toBe('ignored')
  expect(circuit.state).toBe(HALF_OPEN)
  const next = begin()
  expect([next.refused, begin().refused]).toEqual([false, true])
  expect(transitions).toEqual(['closed > open', 'open > half-open'])
  next.settle({ status: 200 })
  expect(circuit.state).toBe('closed')
})

test('#4 a probe let go before it was sent gives its place back, by release and by disposal', () => {
  const { circuit, begin } = hostOf()
  begin().release()
  begin()[Symbol.dispose]()
  expect([circuit.state, begin().refused]).toEqual([HALF_OPEN, false])
})

test('#4 calls let go before they were sent are no calls of the window, and end no streak', () => {
  const { circuit, begin } = hostOf({ minimumCalls: 4 })
  begin().settle({ status: 200 })
  for (let i = 0; i < 10; i++) begin().release()
  begin().settle({ status: 503 })
  begin().release()
  begin().settle({ status: 503 })
  expect(circuit.state).toBe('closed')
  begin().release()
  begin().settle({ status: 503 })
  expect(circuit.state).toBe('open')
  expect(circuit.counters).toMatchObject({ ignored: 12, inFlight: 0 })
})

test('#6 of fifty callers at once only the probes reach the host; the others are refused at once, with a short wait', async () => {
  const { clock, board, circuit } = hostOf({ probes: { permits: 3, need: 1 } })
  clock.ms += 1_000
  const answers: ((value: string) => void)[] = []
  const host = (): Promise<string> => new Promise((resolve) => answers.push(resolve))
  const callers = Array.from({ length: 50 }, () => board.run('host.test', host).catch(circuitOpen))
  expect(answers).toHaveLength(3)

  for (const refused of await Promise.all(callers.slice(3))) {
    expect(refused).toMatchObject({ reason: 'probing', retryAfterMs: 1_000 })
  }
  for (const answer of answers) answer('well')
  expect(await Promise.all(callers.slice(0, 3))).toEqual(['well', 'well', 'well'])
  expect(circuit.state).toBe('closed')
})

test('#6 a probe that is over makes room for one more, never for all', () => {
  const { begin } = hostOf({ probes: { permits: 2, need: 9 } })
  const [first] = [begin(), begin()]
  expect(begin().refused).toBe(true)
  first.settle({ status: 200 })
  expect([begin().refused, begin().refused]).toEqual([false, true])
})

function refusal() {
  const circuit = createBoard({ clock: { now: () => 0 } }).circuit('further.in')
  circuit.trip()
  return circuit.refusal(circuit.admit())
}
