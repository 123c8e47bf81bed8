// Who has a say in a circuit: guards that name it, policies that change, and hosts that want its room.
import { describe, expect, test } from 'vitest'
import { createBoard, type BoardOptions, type GuardPolicy } from './index.ts'

function boardOf(options: BoardOptions = {}) {
  const clock = { ms: 1_000_000, now: (): number => clock.ms }
  const board = createBoard({ openFor: '10s', ...options, clock })
  const warnings: string[] = []
  board.on('warning', ({ message }) => warnings.push(message))
  return { clock, board, warnings }
}

describe('a name that two guards have', () => {
  const claimed = (one: GuardPolicy, other: GuardPolicy): readonly string[] => {
    const { board, warnings } = boardOf()
    board.guard('job', () => 1, one)
    board.guard('job', () => 2, other)
    return warnings
  }

  test('is one circuit where they have the same policy', () => {
    expect(claimed({ consecutiveFailures: 3 }, { consecutiveFailures: 3 })).toEqual([])
    expect(claimed({}, {})).toEqual([])
  })

  test.each([
    [{ consecutiveFailures: 3 }, { consecutiveFailures: 4 }],
    [{ openFor: '5s' }, {}],
    [{}, { label: 'the job' }],
  ] as const)('and %o and %o for policies is warned of', (one, other) => {
    expect(claimed(one, other)).toEqual([expect.stringContaining('with another policy')])
  })

  test('goes by the policy of the first guard, though it had a circuit before', () => {
    const { board, warnings } = boardOf()
    const circuit = board.circuit('job')
    board.guard('job', () => 1, { openFor: '5s', label: 'the job' })
    expect([circuit.label, warnings]).toEqual(['the job', []])
    circuit.trip()
    expect(circuit.refusal(circuit.admit()).retryAfterMs).toBe(5_000)
  })
})

test('letting go of a hold does not undo that a hand opened the circuit meanwhile', () => {
  const circuit = boardOf().board.circuit('host.test')
  const hold = circuit.isolate()
  circuit.trip()
  hold.release()
  expect(circuit.state).toBe('half-open')
})

describe('a policy that changes', () => {
  test('in shadow leaves the report of what would have been', () => {
    const { board } = boardOf({ mode: 'shadow' })
    const circuit = board.circuit('host.test')
    circuit.trip()
    circuit.settle(circuit.admit(), 'success')
    board.configure('host.test', { label: 'the host' })
    expect(board.shadowReport()).toMatchObject([{ label: 'the host', opened: 1, refused: 1, ofThoseWell: 1 }])
  })

  test('leaves no report of a circuit that acts', () => {
    const { board } = boardOf()
    board.circuit('host.test').trip()
    board.configure('host.test', { label: 'the host' })
    expect([board.circuit('host.test').mode, board.shadowReport()]).toEqual(['on', []])
  })

  test('to one that looks for slow calls looks for them from then on, and not before', () => {
    const { clock, board } = boardOf({ minimumCalls: 2, consecutiveFailures: false, failureRate: false })
    const call = () => board.attempt({ method: 'POST', url: 'https://host.test/' })
    const early = call()
    board.configure('host.test', { slowAfter: '1s' })
    const [one, two] = [call(), call()]
    clock.ms += 1_500
    early.settle({ status: 200 })
    expect(board.circuit('host.test').counters).toMatchObject({ slow: 0, stale: 1 })
    one.settle({ status: 200 })
    two.settle({ status: 200 })
    expect(board.circuit('host.test').state).toBe('open')
  })

  test('while a circuit probes takes the places of its probes back', () => {
    const { clock, board } = boardOf()
    const circuit = board.circuit('host.test')
    circuit.trip()
    clock.ms += 10_000
    circuit.admit()
    expect(circuit.admit()).toBeLessThan(0)
    board.configure('host.test', { window: '10s' })
    expect(circuit.admit()).toBeGreaterThanOrEqual(0)
  })

  test('and is off lets calls pass that end as they like', () => {
    const { board } = boardOf({ mode: 'off' })
    const circuit = board.circuit('host.test')
    const unused = circuit.admit()
    circuit.amend(unused, circuit.settle(unused, 'success'), 'body')
    circuit.trip()
    const token = circuit.admit()
    expect(token).toBeGreaterThanOrEqual(0)
    circuit.amend(token, circuit.settle(token, 'success'), 'body')
    expect(circuit.counters).toMatchObject({ inFlight: 0, failures: 2, refused: 0 })
  })
})

describe('where room is short', () => {
  test('a circuit that changed a moment ago goes after one that did not', () => {
    const { board } = boardOf({ maxCircuits: 2 })
    const [changed] = [board.circuit('changed'), board.circuit('idle')]
    changed?.trip('1s')
    changed?.reset()
    board.circuit('new')
    expect([...board.circuits()].map(({ key }) => key).toSorted()).toEqual(['changed', 'new'])
  })

  test('one that was open and is closed again may go at once', () => {
    const { board } = boardOf({ maxCircuits: 1 })
    board.circuit('well again').trip()
    board.circuit('well again').reset()
    expect(board.attempt({ method: 'GET', url: 'https://new.test/' }).guarded).toBe(true)
  })

  test('one whose pause is just over may go', () => {
    const { clock, board } = boardOf({ maxCircuits: 1 })
    board.circuit('paused').pause(1_000)
    clock.ms += 999
    expect(board.attempt({ method: 'GET', url: 'https://new.test/' }).guarded).toBe(false)
    clock.ms += 1
    expect(board.attempt({ method: 'GET', url: 'https://new.test/' }).guarded).toBe(true)
  })
})
