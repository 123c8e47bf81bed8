// Probes whose answers break or come late, and what callers are told while others probe.
import { expect, test } from 'vitest'
import { createBoard, type BoardOptions } from './index.ts'

function openOf(options: BoardOptions = {}) {
  const clock = { ms: 1_000_000, now: (): number => clock.ms }
  const board = createBoard({ consecutiveFailures: 3, openFor: '10s', ...options, clock })
  const circuit = board.circuit('host.test')
  const begin = (method = 'POST') => board.attempt({ method, url: 'https://host.test/x' })
  for (let call = 0; call < 3; call++) begin().settle({ status: 503 })
  clock.ms += 10_000
  return { clock, board, circuit, begin }
}

const broken = { error: new TypeError('terminated') }

test('a probe whose answer breaks takes its vote back', () => {
  const { circuit, begin } = openOf({ probes: { permits: 3, need: 2 } })
  const [one, two, three] = [begin(), begin(), begin()]
  one.settle({ status: 200 })
  one.amend(broken)
  two.settle({ status: 200 })
  expect(circuit.state).toBe('half-open')
  three.settle({ status: 200 })
  expect(circuit.state).toBe('closed')
})

test('a slow probe has failed once, though its answer breaks as well', () => {
  const { clock, board, circuit, begin } = openOf({ slowAfter: '1s', probes: { permits: 3, need: 2 } })
  const late: boolean[] = []
  board.on('settled', ({ stale }) => late.push(stale))
  const slow = begin()
  clock.ms += 1_001
  slow.settle({ status: 200 })
  slow.amend(broken)
  expect([circuit.state, late]).toEqual(['half-open', [false, false]])
})

test('a probe of the last time whose answer breaks now is none of this time', () => {
  const { clock, circuit, begin } = openOf({ probes: { permits: 2, need: 2 } })
  const early = begin()
  early.settle({ status: 200 })
  circuit.trip('10s')
  clock.ms += 10_000
  begin().settle({ status: 200 })
  early.amend(broken)
  expect([circuit.state, circuit.counters.stale]).toEqual(['half-open', 1])
})

test('a call that would have been refused in shadow is not late because its answer breaks', () => {
  const { board, circuit, begin } = openOf({ mode: 'shadow' })
  const late: boolean[] = []
  board.on('settled', ({ stale }) => late.push(stale))
  circuit.trip()
  const call = begin()
  call.settle({ status: 200 })
  call.amend(broken)
  expect(late).toEqual([false, false])
})

test('a pause that came while it probed holds when it has closed', () => {
  const { clock, circuit, begin } = openOf()
  const probe = begin()
  circuit.pause(5_000)
  probe.settle({ status: 200 })
  expect([circuit.state, begin().refusal?.reason]).toEqual(['closed', 'paused'])
  clock.ms += 5_000
  expect(begin().refused).toBe(false)
})

test('an answer that breaks is told as late where its time is over, and nowhere else', () => {
  const { clock, board, circuit, begin } = openOf({ slowAfter: '1s', probes: { permits: 3, need: 2 } })
  const told: [why: string, stale: boolean][] = []
  let why = ''
  board.on('settled', ({ amended, stale }) => {
    if (amended) told.push([why, stale])
  })
  const breaks = (attempt: ReturnType<typeof begin>, as: string): void => {
    why = as
    attempt.amend(broken)
  }
  const [slow, good] = [begin(), begin()]
  good.settle({ status: 200 })
  breaks(good, 'a vote')
  clock.ms += 1_001
  slow.settle({ status: 200 })
  breaks(slow, 'what opened it')
  expect(circuit.state).toBe('open')
  clock.ms += 10_000
  const [one, two] = [begin(), begin()]
  one.settle({ status: 200 })
  two.settle({ status: 200 })
  breaks(two, 'what closed it')
  breaks(one, 'what was over')
  circuit.reset()
  const call = begin()
  call.settle({ status: 200 })
  breaks(call, 'a call')
  expect(told).toEqual([
    ['a vote', false],
    ['what opened it', true],
    ['what closed it', false],
    ['what was over', true],
    ['a call', false],
  ])
})

test('a caller that is refused while another probes is told why the circuit opened', () => {
  const { circuit, begin } = openOf()
  begin()
  const { refusal } = begin()
  expect(refusal).toMatchObject({ reason: 'probing', why: circuit.refusal(-1).why })
  expect(refusal?.why).toBe('host.test open for 10 s: 3 calls in a row failed (3x 503)')
})

test('refusals that are not for long are not said to save as much as an open time', () => {
  const { clock, circuit, begin } = openOf({ slowAfter: '60s' })
  const slow = begin()
  clock.ms += 4_000
  slow.settle({ status: 503 })
  const { savedMs } = circuit.counters
  clock.ms += 10_000
  begin()
  begin()
  expect(circuit.counters.savedMs).toBeGreaterThan(savedMs)
  circuit.pause(1_000)
  const before = circuit.counters.savedMs
  begin()
  expect(circuit.counters.savedMs).toBe(before)
})

test('who is refused for want of room or by chance is told no time, and no reason that is over', () => {
  const { circuit } = openOf({ maxInFlight: 1 })
  circuit.reset()
  circuit.pause(1)
  circuit.reset()
  circuit.admit()
  const full = circuit.refusal(circuit.admit())
  expect([full.reason, full.retryAfterMs]).toEqual(['full', undefined])

  const throttled = openOf({ throttle: 1.2, minimumCalls: 1 })
  throttled.circuit.reset()
  const reasons = new Set<string>()
  for (let call = 0; call < 100; call++) {
    const token = throttled.circuit.admit()
    if (token >= 0) throttled.circuit.settle(token, 'ignored')
    else {
      const { reason, retryAfterMs } = throttled.circuit.refusal(token)
      reasons.add(`${reason} ${retryAfterMs}`)
    }
  }
  expect([...reasons]).toEqual(['throttled undefined'])
})

test('a pause is told as one, and a circuit that never opened has nothing else to tell', () => {
  const board = createBoard({ maxInFlight: 1, label: 'the host', clock: { now: () => 1_000 } })
  const circuit = board.circuit('host.test')
  circuit.admit()
  expect(circuit.refusal(circuit.admit())).toMatchObject({ reason: 'full', why: '' })
  circuit.pause(1_000)
  expect(circuit.refusal(circuit.admit())).toMatchObject({ reason: 'paused', why: 'the host asked for a pause' })
})
