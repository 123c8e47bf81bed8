// Embedded Metric Format: what each line says, when it is written, and that no line is lost, doubled or too much.
import { createBoard, withBoard, type Board, type BoardOptions } from '@fuseboard/core'
import { manualClock } from '@fuseboard/core/testing'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { cloudwatch, type CloudWatchMetrics, type CloudWatchOptions } from './cloudwatch.ts'

type Line = Record<string, unknown> & {
  _aws: { Timestamp: number; CloudWatchMetrics: { Namespace: string; Dimensions: string[][]; Metrics: unknown[] }[] }
}

interface Scene {
  readonly board: Board
  readonly metrics: CloudWatchMetrics
  readonly clock: ReturnType<typeof manualClock>
  readonly warnings: string[]
  /** The lines since it was asked last, parsed. */
  readonly lines: () => Line[]
}

const NOON = Date.UTC(2026, 10, 23, 12)

function scene(options: CloudWatchOptions = {}, policy: BoardOptions = {}): Scene {
  const clock = manualClock(NOON)
  const board = createBoard({ consecutiveFailures: 3, openFor: '30s', clock, ...policy })
  const written: string[] = []
  const warnings: string[] = []
  board.on('warning', ({ message }) => warnings.push(message))
  const metrics = cloudwatch(board, { write: (line) => written.push(line), ...options })
  return { board, metrics, clock, warnings, lines: () => written.splice(0).map((line) => JSON.parse(line) as Line) }
}

function call(board: Board, host: string, status: number, times = 1): void {
  for (let n = 0; n < times; n++) board.attempt({ method: 'GET', url: `https://${host}/` }).settle({ status })
}

/** A line without its envelope. */
const valuesOf = ({ _aws, ...values }: Line): Record<string, unknown> => values

const directiveOf = ({ _aws: { CloudWatchMetrics } }: Line) => CloudWatchMetrics[0]

describe('a line', () => {
  test('is the metric of the guide: its namespace, its dimension, its label, its state', async () => {
    const { board, metrics, lines } = scene(
      { namespace: 'CCT/CircuitBreakers', dimension: 'ServiceName' },
      { hosts: { 'bible-api.com': { label: 'bible-api' } } },
    )
    board.circuit('bible-api.com')
    await metrics.flush()
    const [line] = lines()
    expect(line).toEqual({
      _aws: {
        Timestamp: expect.any(Number) as number,
        CloudWatchMetrics: [
          {
            Namespace: 'CCT/CircuitBreakers',
            Dimensions: [['ServiceName']],
            Metrics: [{ Name: 'CircuitBreakerState', Unit: 'Count' }],
          },
        ],
      },
      ServiceName: 'bible-api',
      CircuitBreakerState: 0,
    })
  })

  test('has the namespace CircuitBreakers and the host where nothing else is said', async () => {
    const { board, metrics, lines } = scene()
    call(board, 'a.test', 200)
    await metrics.flush()
    const [line] = lines() as [Line]
    expect([directiveOf(line)?.Namespace, line['Host']]).toEqual(['CircuitBreakers', 'a.test'])
  })

  test('is written at once when a circuit opens, with what it counted, and says each count once', async () => {
    const { board, metrics, lines } = scene()
    call(board, 'a.test', 503, 3)
    expect(lines().map((line) => [line['_aws'].Timestamp, valuesOf(line)])).toEqual([
      [NOON, { Host: 'a.test', CircuitBreakerState: 1, CircuitOpened: 1, CallFailures: 3 }],
    ])
    expect(board.attempt({ method: 'GET', url: 'https://a.test/' }).refused).toBe(true)
    await metrics.flush()
    expect(lines().map(valuesOf)).toEqual([{ Host: 'a.test', CircuitBreakerState: 1, CallsRejected: 1 }])
  })

  test('is repeated on each flush, so that an open circuit without calls keeps its alarm up', async () => {
    const { board, metrics, lines } = scene()
    board.circuit('a.test').trip('1h')
    lines()
    await metrics.flush()
    await metrics.flush()
    expect(lines().map(valuesOf)).toEqual([
      { Host: 'a.test', CircuitBreakerState: 1 },
      { Host: 'a.test', CircuitBreakerState: 1 },
    ])
  })

  test('says 1 for open and isolated only', () => {
    const { board, clock, lines } = scene()
    const circuit = board.circuit('a.test')
    circuit.trip()
    clock.advance(30_000)
    call(board, 'a.test', 200)
    circuit.isolate().release()
    circuit.bypass()
    expect(lines().map((line) => line['CircuitBreakerState'])).toEqual([1, 0, 0, 1, 0, 0])
  })

  test('says 0 of a circuit in shadow, whatever it would do: nobody is woken for it', async () => {
    const { board, metrics, lines } = scene({}, { mode: 'shadow' })
    call(board, 'a.test', 503, 5)
    expect(board.circuit('a.test').state).toBe('open')
    await metrics.flush()
    const told = lines().map(valuesOf)
    expect(told.map(({ CircuitBreakerState }) => CircuitBreakerState)).toEqual([0, 0])
    expect(told.flatMap(Object.keys)).not.toContain('CircuitOpened')
    expect(told.flatMap(Object.keys)).not.toContain('CallsRejected')
  })

  test('counts what stood in', async () => {
    const { board, metrics, lines } = scene()
    board.circuit('a.test').stoodIn()
    await metrics.flush()
    expect(lines().map(valuesOf)).toEqual([{ Host: 'a.test', CircuitBreakerState: 0, FallbackServed: 1 }])
  })

  test('goes to stdout by itself, whole and past the console', async () => {
    const write = vi.spyOn(process.stdout, 'write').mockReturnValue(true)
    const log = vi.spyOn(console, 'log')
    onTestFinished(() => void vi.restoreAllMocks())
    const board = createBoard()
    board.circuit('a.test')
    await cloudwatch(board).flush()
    const calls = write.mock.calls.map(([text]) => String(text))
    write.mockRestore()
    expect(log).not.toHaveBeenCalled()
    expect(calls).toEqual([expect.stringMatching(/^\{"_aws":[^\n]*"Host":"a\.test","CircuitBreakerState":0\}\n$/)])
  })

  test('is one for circuits of the same label', async () => {
    const { board, metrics, lines } = scene({}, { hosts: { '*.paypal.com': { label: 'paypal' } } })
    call(board, 'api.paypal.com', 503, 2)
    board.circuit('www.paypal.com').trip()
    lines()
    await metrics.flush()
    expect(lines().map(valuesOf)).toEqual([{ Host: 'paypal', CircuitBreakerState: 1, CallFailures: 2 }])
  })

  test.each([
    ['Bücher', 'B?cher'],
    ['a\nb', 'a?b'],
    [' : ', '?:'],
    ['x'.repeat(2_000), 'x'.repeat(255)],
    ['   ', '?'],
  ])('takes only names that CloudWatch takes: %j', async (label, name) => {
    const { board, metrics, lines } = scene({}, { label })
    board.circuit('a.test')
    await metrics.flush()
    expect(lines().map((line) => line['Host'])).toEqual([name])
  })

  test('keeps within the limits: under 100 metrics and 30 dimensions', async () => {
    const { board, metrics, lines } = scene()
    call(board, 'a.test', 503, 3)
    await metrics.flush()
    for (const { _aws } of lines()) {
      expect(_aws.CloudWatchMetrics).toHaveLength(1)
      expect(_aws.CloudWatchMetrics[0]?.Metrics.length).toBeLessThanOrEqual(100)
      expect(_aws.CloudWatchMetrics[0]?.Dimensions).toEqual([['Host']])
    }
  })
})

describe('many circuits', () => {
  test('have names of their own up to so many, and are one together beyond', async () => {
    const { board, metrics, lines } = scene({ hosts: 2 })
    for (const host of ['a.test', 'b.test', 'c.test', 'd.test']) call(board, host, 503)
    await metrics.flush()
    board.circuit('d.test').trip()
    await metrics.flush()
    expect(lines().map(valuesOf)).toEqual([
      { Host: 'a.test', CircuitBreakerState: 0, CallFailures: 1 },
      { Host: 'b.test', CircuitBreakerState: 0, CallFailures: 1 },
      { Host: '_other', CircuitBreakerState: 0, CallFailures: 2 },
      { Host: '_other', CircuitBreakerState: 1, CircuitOpened: 1 },
      { Host: 'a.test', CircuitBreakerState: 0 },
      { Host: 'b.test', CircuitBreakerState: 0 },
      { Host: '_other', CircuitBreakerState: 1 },
    ])
  })

  test('leave the hosts that the board names their own, however late they are called', async () => {
    const { board, metrics, lines } = scene({ hosts: 1 }, { hosts: { 'named.test': { label: 'named' } } })
    call(board, 'a.test', 503)
    call(board, 'named.test', 503)
    await metrics.flush()
    expect(lines().map((line) => line['Host'])).toEqual(['_other', 'named'])
  })

  test('lose no count when they make room, and tell none twice', async () => {
    const { board, metrics, lines } = scene({}, { maxCircuits: 2 })
    const failures = (): Record<string, unknown> =>
      Object.fromEntries(lines().map((line) => [line['Host'], line['CallFailures']]))
    call(board, 'a.test', 503)
    await metrics.flush()
    expect(failures()).toEqual({ 'a.test': 1 })

    call(board, 'a.test', 503)
    for (const host of ['b.test', 'c.test', 'd.test', 'e.test']) call(board, host, 503)
    await metrics.flush()
    expect(failures()).toEqual({ 'a.test': 1, 'd.test': 1, 'e.test': 1, _other: 2 })

    await metrics.flush()
    expect(failures()).toEqual({ 'd.test': undefined, 'e.test': undefined })
  })

  test('may come again after they made room', async () => {
    const { board, metrics, lines } = scene({}, { maxCircuits: 1 })
    for (const host of ['a.test', 'b.test', 'a.test']) {
      call(board, host, 503)
      await metrics.flush()
    }
    const counts = lines().map((line) => [line['Host'], line['CallFailures']])
    expect(counts.filter(([, count]) => count !== undefined)).toEqual([
      ['a.test', 1],
      ['b.test', 1],
      ['a.test', 1],
    ])
  })
})

describe('an outbox', () => {
  test('is told of without a dimension, its age in seconds', async () => {
    const depth = { pending: 3, oldest: Date.now() - 90_000, dead: 1 }
    const { metrics, lines } = scene({ outbox: { depth: async () => depth } })
    await metrics.flush()
    const [line] = lines() as [Line]
    expect(directiveOf(line)).toEqual({
      Namespace: 'CircuitBreakers',
      Dimensions: [[]],
      Metrics: [
        { Name: 'OutboxDepth', Unit: 'Count' },
        { Name: 'OutboxOldestAge', Unit: 'Seconds' },
      ],
    })
    expect(valuesOf(line)).toEqual({ OutboxDepth: 3, OutboxOldestAge: 90 })
  })

  test('that is empty has an age of 0', async () => {
    const { metrics, lines } = scene({ outbox: { depth: async () => ({ pending: 0, dead: 0 }) } })
    await metrics.flush()
    expect(lines().map(valuesOf)).toEqual([{ OutboxDepth: 0, OutboxOldestAge: 0 }])
  })

  test.each([
    ['throws', () => Promise.reject(new Error('locked')), /outbox: locked$/],
    ['gives nonsense', async () => ({ pending: 'many', dead: 0 }), /no number$/],
    ['gives nothing', async () => undefined, /outbox: /],
  ])('that %s is a warning, and the circuits are told all the same', async (_what, depth, message) => {
    const { board, metrics, lines, warnings } = scene({ outbox: { depth: depth as never } })
    board.circuit('a.test')
    await metrics.flush()
    expect(lines()).toHaveLength(1)
    expect(warnings).toEqual([expect.stringMatching(message)])
  })

  test('that hangs keeps no flush waiting', async () => {
    vi.useFakeTimers()
    onTestFinished(() => void vi.useRealTimers())
    const { metrics, warnings } = scene({ outbox: { depth: () => new Promise(() => {}) } })
    const flushed = metrics.flush()
    await vi.advanceTimersByTimeAsync(1_000)
    await flushed
    expect(warnings).toEqual([expect.stringMatching(/outbox: no answer within 1000 ms$/)])
    expect(vi.getTimerCount()).toBe(0)
  })
})

test('there is no timer', async () => {
  vi.useFakeTimers()
  onTestFinished(() => void vi.useRealTimers())
  const { board, metrics } = scene()
  call(board, 'a.test', 503, 3)
  await metrics.flush()
  expect(vi.getTimerCount()).toBe(0)
})

test('a writer that throws hurts no call, and is told of once', async () => {
  const broken = (): never => {
    throw new Error('EPIPE')
  }
  const { board, metrics, warnings } = scene({ write: broken })
  call(board, 'a.test', 503, 3)
  await metrics.flush()
  expect(board.circuit('a.test').state).toBe('open')
  expect(warnings).toEqual(['cloudwatch.write threw: EPIPE'])
})

test('stopped, it leaves the board alone', () => {
  const { board, metrics, lines } = scene()
  metrics[Symbol.dispose]()
  call(board, 'a.test', 503, 3)
  expect(lines()).toEqual([])
})

test('it is flushed at the end of an invocation', async () => {
  const { board, metrics, lines } = scene()
  const handler = withBoard(board, async (host: string) => {
    try {
      call(board, host, 503)
      return 'done'
    } finally {
      await metrics.flush()
    }
  })
  expect(await handler('a.test')).toBe('done')
  expect(lines().map(valuesOf)).toEqual([{ Host: 'a.test', CircuitBreakerState: 0, CallFailures: 1 }])
})

test.each([
  [undefined, {}, /^cloudwatch needs a board first, got undefined$/],
  [{}, {}, /^cloudwatch needs a board first, got an object$/],
  [createBoard(), null, /^the options of cloudwatch must be an object, got null$/],
  [createBoard(), { nameSpace: 'x' }, /^cloudwatch has no option nameSpace; there are namespace, /],
  [createBoard(), { namespace: '' }, /^cloudwatch\.namespace must be 1 to 255 letters.*, got ""$/],
  [createBoard(), { namespace: ':a' }, /^cloudwatch\.namespace must be/],
  [createBoard(), { namespace: 'AWS/EC2' }, /^cloudwatch\.namespace must be/],
  [createBoard(), { namespace: 7 }, /^cloudwatch\.namespace must be.*got 7$/],
  [createBoard(), { dimension: 'Höst' }, /^cloudwatch\.dimension must be 1 to 255 characters of ASCII/],
  [createBoard(), { dimension: 'CallFailures' }, /^cloudwatch\.dimension must not be CallFailures/],
  [createBoard(), { dimension: '_aws' }, /^cloudwatch\.dimension must not be _aws/],
  [createBoard(), { hosts: 0 }, /^cloudwatch\.hosts must be a whole number from 1 to 1000, got 0$/],
  [createBoard(), { outbox: {} }, /^cloudwatch\.outbox must have a method depth, got an object$/],
  [createBoard(), { write: 'stdout' }, /^cloudwatch\.write must be a function, got "stdout"$/],
])('bad input is told: %# %j', (board, options, message) => {
  expect(() => cloudwatch(board as never, options as never)).toThrow(message)
})
