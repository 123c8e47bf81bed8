// The program's own functions: one that throws, or calls back into the board, hurts no request and no state.
import { afterEach, expect, test, vi } from 'vitest'
import { circuitOpen, createBoard, type BoardOptions } from './index.ts'

afterEach(() => {
  vi.restoreAllMocks()
})

function hostOf(options: BoardOptions = {}) {
  const clock = { ms: 1_000_000, now: (): number => clock.ms }
  const board = createBoard({ consecutiveFailures: 3, openFor: '10s', ...options, clock })
  const circuit = board.circuit('host.test')
  const begin = () => board.attempt({ method: 'GET', url: 'https://host.test/x' })
  const warnings: string[] = []
  board.on('warning', ({ message }) => warnings.push(message))
  const outage = (): void => {
    for (let i = 0; i < 3; i++) begin().settle({ status: 503 })
  }
  return { clock, board, circuit, begin, warnings, outage }
}

const broken = (): never => {
  throw new Error('oops')
}

test('#15 listeners that throw change no outcome and no state; each is told of once, and the others still hear', async () => {
  const { clock, board, circuit, warnings } = hostOf()
  const heard: string[] = []
  for (const name of ['transition', 'refused', 'settled'] as const) {
    board.on(name, broken)
    board.on(name, () => heard.push(name))
  }
  for (let i = 0; i < 20; i++) await expect(board.run('host.test', async () => 'well')).resolves.toBe('well')
  expect(circuit.counters).toMatchObject({ successes: 20, failures: 0, inFlight: 0 })
  const down = new Error('down')
  for (let i = 0; i < 3; i++) await expect(board.run('host.test', () => Promise.reject(down))).rejects.toBe(down)
  const refused = await board.run('host.test', () => 'never').catch(circuitOpen)
  expect(refused).toMatchObject({ reason: 'open' })
  clock.ms += 10_000
  await expect(board.run('host.test', () => 'well')).resolves.toBe('well')
  expect(circuit.state).toBe('closed')

  expect(warnings.toSorted()).toEqual([
    "A listener of 'refused' threw: Error: oops",
    "A listener of 'settled' threw: Error: oops",
    "A listener of 'transition' threw: Error: oops",
  ])
  const count = (name: string): number => heard.filter((one) => one === name).length
  expect([count('transition'), count('refused'), count('settled')]).toEqual([3, 1, 24])
})

test('#15 a listener of warnings that throws is told of on the console, and goes round in no circle', () => {
  const warn = vi.spyOn(console, 'warn').mockImplementation(() => {})
  const { board, circuit, outage } = hostOf()
  board.on('warning', broken)
  board.on('transition', broken)
  outage()
  expect(circuit.state).toBe('open')
  expect(warn.mock.calls).toEqual([["fuseboard: A listener of 'warning' threw: Error: oops"]])
})

test('#15 a listener that rejects later is told of, and is no unhandled rejection', async () => {
  const { board, warnings, outage } = hostOf()
  board.on('transition', () => Promise.reject(new Error('later')) as unknown as void)
  outage()
  await new Promise((resolve) => setImmediate(resolve))
  expect(warnings).toEqual(["A listener of 'transition' threw: Error: later"])
})

test.each([
  ['throws', broken, 'oops'],
  ['answers nonsense', () => 'maybe' as 'success', '"maybe"'],
])("#15 where classify %s, the table's verdict holds, and one warning is told", (_, classify, said) => {
  const { circuit, begin, warnings, outage } = hostOf({ classify })
  for (let i = 0; i < 30; i++) expect(begin().settle({ status: 200 })).toBe('success')
  expect(circuit.state).toBe('closed')
  outage()
  expect(circuit.state).toBe('open')
  expect(warnings).toEqual([expect.stringContaining(said)])
})

test('#15 a classify that throws leaves what a task gave as it was', async () => {
  const { board, circuit, warnings } = hostOf()
  const down = new Error('down')
  const options = { classify: broken }
  await expect(board.run('host.test', () => 'well', options)).resolves.toBe('well')
  await expect(board.run('host.test', () => Promise.reject(down), options)).rejects.toBe(down)
  expect(circuit.counters).toMatchObject({ successes: 1, failures: 1, inFlight: 0 })
  expect(warnings).toHaveLength(1)
})

test('#15 expected, key and probe that throw: the error counts, the host is the key, anyone may probe', async () => {
  const { clock, board, begin, circuit, warnings, outage } = hostOf({ key: broken, probe: broken })
  await expect(board.run('task', broken, { expected: broken })).rejects.toThrow('oops')
  expect(board.circuit('task').counters.failures).toBe(1)
  outage()
  clock.ms += 10_000
  const probe = begin()
  expect(probe.refused).toBe(false)
  probe.settle({ status: 200 })
  expect(circuit.state).toBe('closed')
  expect(warnings).toHaveLength(3)
})

test('#16 a listener that resets when it opens: the change is whole, and told in order', () => {
  const { board, circuit, begin, outage } = hostOf()
  const told: string[] = []
  board.on('transition', ({ from, to }) => {
    told.push(`first: ${from} > ${to}`)
    if (to === 'open') circuit.reset()
  })
  board.on('transition', ({ from, to }) => told.push(`second: ${from} > ${to}, now ${circuit.state}`))
  outage()
  expect(told).toEqual([
    'first: closed > open',
    'second: closed > open, now closed',
    'first: open > closed',
    'second: open > closed, now closed',
  ])
  expect(begin().refused).toBe(false)
  begin().settle({ status: 503 })
  begin().settle({ status: 503 })
  expect(circuit.state).toBe('closed')
})

test('#16 a listener sees the state that it is told of, and may ask for leave', () => {
  const { clock, board, circuit, begin, outage } = hostOf()
  const seen: unknown[] = []
  board.on('transition', ({ to }) => seen.push([to, circuit.state, begin().refusal?.reason]))
  outage()
  clock.ms += 10_000
  expect(begin().refusal?.reason).toBe('probing')
  expect(seen).toEqual([
    ['open', 'open', 'open'],
    ['half-open', 'half-open', undefined],
  ])
})

test('#16 a listener that isolates when it opens leaves an isolated circuit', () => {
  const { clock, board, circuit, begin, outage } = hostOf()
  const told: string[] = []
  board.on('transition', ({ from, to }) => {
    told.push(`${from} > ${to}`)
    if (to === 'open') circuit.isolate('by the operator')
  })
  outage()
  clock.ms += 10_000
  expect([circuit.state, begin().refusal?.reason]).toEqual(['isolated', 'isolated'])
  expect(told).toEqual(['closed > open', 'open > isolated'])
})

test('#16 a listener that isolates when probing begins: not even the call that began it goes through', () => {
  const { clock, board, circuit, begin, outage } = hostOf()
  board.on('transition', ({ to }) => void (to === 'half-open' && circuit.isolate('by the operator')))
  outage()
  clock.ms += 10_000
  expect(begin().refusal?.reason).toBe('isolated')
})

test('#16 a listener that trips it when probing begins: it is open, for that call and for all after it', () => {
  const { clock, board, circuit, begin, outage } = hostOf()
  board.on('transition', ({ to }) => void (to === 'half-open' && circuit.trip('1h')))
  outage()
  clock.ms += 10_000
  const reasons = [begin(), begin(), begin()].map(({ refusal }) => refusal?.reason)
  expect([circuit.state, reasons]).toEqual(['open', ['open', 'open', 'open']])
})

test('#16 a listener that trips it as it closes leaves it open', () => {
  const { clock, board, circuit, begin, outage } = hostOf()
  board.on('transition', ({ to }) => void (to === 'closed' && circuit.trip('1h')))
  outage()
  clock.ms += 10_000
  begin().settle({ status: 200 })
  expect([circuit.state, begin().refusal?.retryAfterMs]).toEqual(['open', 3_600_000])
})
