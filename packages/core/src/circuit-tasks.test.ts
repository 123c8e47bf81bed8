// Tasks under a circuit: which circuit and which of its states a result belongs to, however the tasks alternate.
import { expect, test } from 'vitest'
import { createBoard, type BoardOptions } from './index.ts'

function hostOf(options: BoardOptions = {}) {
  const clock = { ms: 1_000_000, now: (): number => clock.ms }
  const board = createBoard({ consecutiveFailures: 3, openFor: '10s', ...options, clock })
  return { clock, board, circuit: board.circuit('host.test') }
}

/** A task that ends when it is told to. */
function underWay() {
  let end = (): void => {}
  const promise = new Promise<void>((resolve) => (end = resolve))
  return { task: () => promise, end: () => end() }
}

const broken = async (): Promise<never> => {
  throw new Error('down')
}

test('tasks of two circuits that alternate count each at its own', async () => {
  const { board, circuit } = hostOf()
  const other = board.circuit('other.test')
  for (let i = 0; i < 3; i++) {
    await circuit.run(async () => 'well')
    await other.run(broken).catch(() => {})
  }
  expect(circuit.counters).toMatchObject({ successes: 3, failures: 0, stale: 0 })
  expect(other.counters).toMatchObject({ successes: 0, failures: 3, stale: 0 })
})

test('a task after a reset is one of the new time, and one that was under way of the old', async () => {
  const { circuit } = hostOf()
  await circuit.run(async () => 'well')
  const late = underWay()
  const running = circuit.run(late.task)
  circuit.reset()
  await circuit.run(async () => 'well')
  expect(circuit.counters).toMatchObject({ successes: 2, stale: 0 })
  late.end()
  await running
  expect(circuit.counters).toMatchObject({ successes: 3, stale: 1 })
})

test('each of two probes that are tasks gives its own place back', async () => {
  const { clock, circuit } = hostOf({ probes: { permits: 2, need: 2 } })
  circuit.trip()
  clock.ms += 10_000
  const [one, two] = [underWay(), underWay()]
  const running = [circuit.run(one.task), circuit.run(two.task)]
  expect(circuit.admit()).toBeLessThan(0)
  one.end()
  await running[0]
  expect(circuit.state).toBe('half-open')
  two.end()
  await running[1]
  expect(circuit.state).toBe('closed')
})

test('a task that gives its value at once has ended when run returns', () => {
  const { circuit } = hostOf()
  void circuit.run(() => 'at once')
  expect(circuit.counters).toMatchObject({ successes: 1, inFlight: 0 })
})

test('what is no task is told so, and is no call', async () => {
  const { circuit } = hostOf()
  await expect(circuit.run('task' as never)).rejects.toThrow('A task must be a function, got "task"')
  expect(circuit.counters).toMatchObject({ successes: 0, failures: 0, ignored: 0, inFlight: 0 })
})

test('a task whose time nobody wants to know tells no time', async () => {
  const { clock, circuit } = hostOf({ consecutiveFailures: 2 })
  const fails = (): never => {
    clock.ms += 700
    throw new Error('down')
  }
  await circuit.run(fails).catch(() => {})
  await circuit.run(broken).catch(() => {})
  await circuit.run(broken).catch(() => {})
  expect(circuit.counters).toMatchObject({ refused: 1, savedMs: 0 })
})

test('where calls may be slow, a task is timed without being asked to', async () => {
  const { clock, circuit } = hostOf({ slowAfter: '1s' })
  await circuit.run(async () => {
    clock.ms += 1_001
  })
  await circuit.run(() => {
    clock.ms += 1_001
  })
  await circuit.run(() => {
    clock.ms += 1_000
  })
  expect(circuit.counters).toMatchObject({ successes: 3, slow: 2 })
})

test('an answer of probe that is neither yes nor no is warned of, and the circuit decides by itself', () => {
  const warnings: string[] = []
  const { clock, board, circuit } = hostOf({ probe: (() => 'maybe') as never })
  board.on('warning', ({ message }) => warnings.push(message))
  circuit.trip()
  clock.ms += 10_000
  const attempt = board.attempt({ method: 'GET', url: 'https://host.test/' })
  expect(attempt.refusal).toBeUndefined()
  expect(warnings).toEqual(['probe of host.test failed: TypeError: it must answer true or false, got "maybe"'])
})

test('a task that may probe is not asked of probe, which is about requests', () => {
  const { clock, circuit } = hostOf({ probe: () => false })
  circuit.trip()
  clock.ms += 10_000
  expect(circuit.admit()).toBeGreaterThanOrEqual(0)
})

test('a failure of which nothing is known is told as one', () => {
  const { circuit, board } = hostOf({ consecutiveFailures: 1 })
  let told: unknown
  board.on('transition', ({ evidence }) => (told = evidence.kinds))
  circuit.settle(circuit.admit(), 'failure')
  expect(told).toEqual({ failure: 1 })
})
