// Results that come late: what belongs to a state that is over decides nothing in the next.
import fc from 'fast-check'
import { afterEach, expect, test, vi } from 'vitest'
import { createBoard, type Attempt, type BoardOptions, type Hold } from './index.ts'

afterEach(() => {
  vi.restoreAllMocks()
})

function hostOf(options: BoardOptions = {}) {
  const clock = { ms: 1_000_000, now: (): number => clock.ms }
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

test('#1 a late success of a closed era leaves half-open as it is', () => {
  const { clock, circuit, begin, outage } = hostOf()
  const late = begin()
  outage()
  clock.ms += 10_000
  const probe = begin()
  late.settle({ status: 200 })
  expect([circuit.state, begin().refused]).toEqual(['half-open', true])
  probe.settle({ status: 200 })
  expect(circuit.state).toBe('closed')
})

test('#1 a late failure of a closed era does not open a half-open circuit again', () => {
  const { clock, circuit, begin, transitions, outage } = hostOf()
  const late = begin()
  outage()
  clock.ms += 10_000
  const probe = begin()
  late.settle({ status: 503 })
  expect(circuit.state).toBe('half-open')
  probe.settle({ status: 200 })
  expect(transitions).toEqual(['closed > open', 'open > half-open', 'half-open > closed'])
})

test('#1 late failures do not trip a circuit that has recovered, nor are they in its window or its streak', () => {
  const { clock, circuit, begin, outage } = hostOf({ minimumCalls: 4 })
  const late = Array.from({ length: 20 }, begin)
  outage()
  clock.ms += 10_000
  begin().settle({ status: 200 })
  for (const attempt of late) attempt.settle({ status: 503 })
  for (let i = 0; i < 2; i++) begin().settle({ status: 503 })
  expect(circuit.state).toBe('closed')
  expect(circuit.counters).toMatchObject({ trips: 1, stale: 20, inFlight: 0 })
})

test('#1 late results take no place of a probe, and free none', () => {
  const { clock, circuit, begin, outage } = hostOf({ probes: 2 })
  const late = Array.from({ length: 6 }, begin) as [Attempt, Attempt, Attempt, Attempt, Attempt, Attempt]
  outage()
  clock.ms += 10_000
  const probe = begin()
  late[0].settle({ status: 200 })
  late[1].settle({ status: 503 })
  late[2].release()
  const other = begin()
  expect([probe.refused, other.refused]).toEqual([false, false])
  late[3].settle({ status: 200 })
  late[4].settle({ status: 503 })
  late[5].release()
  expect(begin().refused).toBe(true)
  probe.settle({ status: 200 })
  expect(circuit.state).toBe('half-open')
  other.settle({ status: 200 })
  expect(circuit.state).toBe('closed')
})

test('#1 a probe of an earlier half-open decides nothing in the next, and frees no place there', () => {
  const { clock, circuit, begin, outage } = hostOf({ probes: { permits: 2, need: 2 } })
  outage()
  clock.ms += 10_000
  const early = begin()
  begin().settle({ status: 503 })
  clock.ms += 10_000
  const probes = [begin(), begin()]
  early.settle({ status: 200 })
  expect([circuit.state, begin().refused]).toEqual(['half-open', true])
  probes[0]?.settle({ status: 200 })
  expect(circuit.state).toBe('half-open')
})

test('#1 whatever happens, a result of an earlier state changes only counters', () => {
  const op = fc.oneof(
    { weight: 6, arbitrary: fc.record({ op: fc.constant('begin' as const) }) },
    { weight: 8, arbitrary: fc.record({ op: fc.constantFrom('good' as const, 'bad' as const), at: fc.nat(8) }) },
    { weight: 2, arbitrary: fc.record({ op: fc.constant('release' as const), at: fc.nat(8) }) },
    { weight: 4, arbitrary: fc.record({ op: fc.constant('wait' as const), ms: fc.nat(12_000) }) },
    { weight: 1, arbitrary: fc.record({ op: fc.constantFrom('reset', 'trip', 'isolate', 'bypass', 'letGo') }) },
  )
  fc.assert(
    fc.property(fc.array(op, { maxLength: 60 }), (ops) => {
      const { clock, circuit, begin, transitions } = hostOf({
        consecutiveFailures: 2,
        probes: { permits: 2, need: 2, within: '1h' },
      })
      // An era ends with each change of state and with whatever is done by hand.
      let byHand = 0
      const era = (): string => `${transitions.length} ${byHand}`
      const underWay: { attempt: Attempt; era: string }[] = []
      const holds: Hold[] = []
      for (const step of ops) {
        const before = { state: circuit.state, told: transitions.length, stale: circuit.counters.stale, wait: waitOf() }
        if (step.op === 'begin') {
          const attempt = begin()
          if (!attempt.refused) underWay.push({ attempt, era: era() })
        } else if ('ms' in step) clock.ms += step.ms
        else if ('at' in step) {
          const [call] = underWay.splice(step.at, 1)
          const late = call !== undefined && call.era !== era()
          if (step.op === 'release') call?.attempt.release()
          else call?.attempt.settle({ status: step.op === 'good' ? 200 : 503 })
          expect(circuit.counters.stale).toBe(before.stale + Number(late))
          if (late)
            expect([circuit.state, transitions.length, waitOf()]).toEqual([before.state, before.told, before.wait])
        } else {
          if (step.op !== 'letGo' || holds.length > 0) byHand++
          if (step.op === 'reset') {
            circuit.reset()
            holds.length = 0
          } else if (step.op === 'trip') circuit.trip()
          else if (step.op === 'isolate') holds.push(circuit.isolate())
          else if (step.op === 'bypass') holds.push(circuit.bypass())
          else holds.pop()?.release()
        }
        expect(circuit.counters.inFlight).toBe(underWay.length)
        expect(transitions.length - before.told).toBeLessThanOrEqual(1)
        if (circuit.state === 'half-open') {
          expect(underWay.filter((call) => call.era === era()).length).toBeLessThanOrEqual(2)
        }
      }

      function waitOf(): number | undefined {
        return circuit.refusal(-1).retryAfterMs
      }
    }),
    { numRuns: 500 },
  )
})

test('#2 a late result is counted as stale and still told, marked as such', () => {
  const { board, circuit, begin, outage } = hostOf()
  const told: unknown[] = []
  const [answer, silence] = [begin(), begin()]
  outage()
  board.on('settled', ({ stale, verdict, status }) => told.push({ stale, verdict, status }))
  answer.settle({ status: 200 })
  expect(circuit.counters.stale).toBe(1)
  silence.release()
  expect(circuit.counters.stale).toBe(2)
  expect(told).toEqual([
    { stale: true, verdict: 'success', status: 200 },
    { stale: true, verdict: 'ignored', status: undefined },
  ])
})

test('#2 a result in its own time is not stale', () => {
  const { board, circuit, begin } = hostOf()
  const told: boolean[] = []
  board.on('settled', ({ stale }) => told.push(stale))
  begin().settle({ status: 200 })
  begin().settle({ status: 503 })
  expect([circuit.counters.stale, told]).toEqual([0, [false, false]])
})

test('#14 three probes that fail together open it once: one event, one trip, one step of the growing open time', () => {
  vi.spyOn(Math, 'random').mockReturnValue(0)
  const { clock, circuit, begin, transitions, outage } = hostOf({ probes: 3, openFor: { from: '1s', to: '60s' } })
  outage()
  clock.ms += 1_000
  const probes = [begin(), begin(), begin()]
  for (const probe of probes) probe.settle({ status: 503 })
  expect(transitions).toEqual(['closed > open', 'open > half-open', 'half-open > open'])
  expect(circuit.counters.trips).toBe(2)
  expect(begin().refusal?.retryAfterMs).toBe(2_000)
})

test('#14 twenty calls that fail together open a closed circuit once', () => {
  const { circuit, begin, transitions } = hostOf()
  for (const attempt of Array.from({ length: 20 }, begin)) attempt.settle({ status: 503 })
  expect(transitions).toEqual(['closed > open'])
  expect(circuit.counters).toMatchObject({ trips: 1, failures: 20, stale: 17 })
})
