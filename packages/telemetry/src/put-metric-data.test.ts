// PutMetricData: the AWS SDK against a server that keeps what it was sent.
import { CloudWatchClient, PutMetricDataCommand } from '@aws-sdk/client-cloudwatch'
import { createBoard, type Board } from '@fuseboard/core'
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { aws, type Aws } from '../test/aws.ts'
import { putMetricData, type CloudWatchMetrics, type PutMetricDataOptions } from './cloudwatch.ts'

interface Sent {
  readonly Namespace: string
  readonly MetricData: readonly {
    readonly MetricName: string
    readonly Value: number
    readonly Dimensions?: readonly { Name: string; Value: string }[]
  }[]
}

let server: Aws
beforeEach(async () => {
  server = await aws()
})
afterEach(() => server[Symbol.asyncDispose]())

function scene(options: Partial<PutMetricDataOptions> = {}): {
  board: Board
  metrics: CloudWatchMetrics
  warnings: string[]
} {
  const board = createBoard({ consecutiveFailures: 3, openFor: '30s', clock: { now: () => 0, wall: () => 0 } })
  const warnings: string[] = []
  board.on('warning', ({ message }) => warnings.push(message))
  const client = new CloudWatchClient(server.config)
  onTestFinished(() => client.destroy())
  return { board, metrics: putMetricData(board, { client, ...options }), warnings }
}

function fail(board: Board, host: string, times = 1): void {
  for (let n = 0; n < times; n++) board.attempt({ method: 'GET', url: `https://${host}/` }).settle({ status: 503 })
}

const sent = (): Sent[] => server.received.map(({ body }) => JSON.parse(body) as Sent)

/** Name, dimension's value and value of all that was sent. */
const told = (): unknown[] =>
  sent().flatMap(({ MetricData }) =>
    MetricData.map(({ MetricName, Dimensions, Value }) => [MetricName, Dimensions?.[0]?.Value, Value]),
  )

describe('on the wire', () => {
  test('is JSON 1.0 for PutMetricData, as the installed client sends it', async () => {
    const { board, metrics } = scene({ namespace: 'CCT/CircuitBreakers', dimension: 'ServiceName' })
    fail(board, 'a.test', 3)
    const before = Date.now() / 1_000
    await metrics.flush()
    expect(server.received).toHaveLength(1)
    expect(server.received[0]?.headers).toMatchObject({
      'content-type': 'application/x-amz-json-1.0',
      'x-amz-target': 'GraniteServiceVersion20100801.PutMetricData',
    })
    const Dimensions = [{ Name: 'ServiceName', Value: 'a.test' }]
    const Timestamp = expect.closeTo(before, 0) as number
    expect(sent()[0]).toEqual({
      Namespace: 'CCT/CircuitBreakers',
      MetricData: [
        { MetricName: 'CircuitBreakerState', Dimensions, Timestamp, Unit: 'Count', Value: 1 },
        { MetricName: 'CircuitOpened', Dimensions, Timestamp, Unit: 'Count', Value: 1 },
        { MetricName: 'CallFailures', Dimensions, Timestamp, Unit: 'Count', Value: 3 },
      ],
    })
  })

  test('says nothing of what a circuit in shadow would have done', async () => {
    const { board, metrics } = scene()
    board.configure('a.test', { mode: 'shadow' })
    fail(board, 'a.test', 5)
    await metrics.flush()
    expect(told()).toEqual([
      ['CircuitBreakerState', 'a.test', 0],
      ['CallFailures', 'a.test', 5],
    ])
  })

  test('is at most 1,000 metrics a request', async () => {
    const { board, metrics, warnings } = scene({ hosts: 1_000 })
    for (let n = 0; n < 450; n++) {
      board.circuit(`host-${n}.test`).trip()
      fail(board, `host-${n}.test`)
      board.circuit(`host-${n}.test`).stoodIn()
    }
    await metrics.flush()
    expect(warnings).toEqual([])
    const sizes = sent().map(({ MetricData }) => MetricData.length)
    expect(Math.max(...sizes)).toBeLessThanOrEqual(1_000)
    expect([sizes.length, new Set(told().map(String)).size]).toEqual([3, sizes.reduce((sum, size) => sum + size)])
  })

  test('takes a command that is passed in', async () => {
    const { board, metrics } = scene({ command: PutMetricDataCommand })
    fail(board, 'a.test')
    await metrics.flush()
    expect(told()).toEqual([
      ['CircuitBreakerState', 'a.test', 0],
      ['CallFailures', 'a.test', 1],
    ])
  })

  test('has the outbox without a dimension', async () => {
    const { metrics } = scene({ outbox: { depth: async () => ({ pending: 2, oldest: Date.now() - 5_000, dead: 0 }) } })
    await metrics.flush()
    expect(told()).toEqual([
      ['OutboxDepth', undefined, 2],
      ['OutboxOldestAge', undefined, 5],
    ])
  })

  test('is nothing where there is nothing to tell', async () => {
    await scene().metrics.flush()
    expect(server.received).toEqual([])
  })
})

describe('a flush', () => {
  test('sends nothing before it is asked to, and says that a circuit was open in between', async () => {
    const { board, metrics } = scene()
    board.circuit('a.test').isolate().release()
    expect(server.received).toEqual([])
    await metrics.flush()
    await metrics.flush()
    expect(told()).toEqual([
      ['CircuitBreakerState', 'a.test', 1],
      ['CircuitBreakerState', 'a.test', 0],
    ])
  })

  test('is one at a time: a second one waits, and takes what a third would', async () => {
    const going: (() => void)[] = []
    const sendings: number[] = []
    let under = 0
    const client = {
      async send() {
        sendings.push(++under)
        await new Promise<void>((done) => going.push(done))
        under--
      },
    }
    const { board, metrics } = scene({ client, command: PutMetricDataCommand })
    fail(board, 'a.test')
    const all = [metrics.flush(), metrics.flush(), metrics.flush()]
    await vi.waitFor(() => expect(going).toHaveLength(1))
    going[0]?.()
    await vi.waitFor(() => expect(going).toHaveLength(2))
    going[1]?.()
    await Promise.all(all)
    expect(sendings).toEqual([1, 1])
  })

  test('that fails rejects nothing, and what it counted goes with the next', async () => {
    const { board, metrics, warnings } = scene()
    server.answers = 'failure'
    fail(board, 'a.test', 2)
    await metrics.flush()
    expect(warnings).toEqual([expect.stringMatching(/^putMetricData could not tell CloudWatch: /)])

    server.answers = 'well'
    server.received.length = 0
    fail(board, 'a.test')
    await metrics.flush()
    await metrics.flush()
    expect(told()).toEqual([
      ['CircuitBreakerState', 'a.test', 1],
      ['CircuitOpened', 'a.test', 1],
      ['CallFailures', 'a.test', 3],
      ['CircuitBreakerState', 'a.test', 1],
    ])
  })

  test('ends in time where CloudWatch does not answer', async () => {
    const { board, metrics, warnings } = scene({ timeout: 50 })
    server.answers = 'never'
    fail(board, 'a.test')
    await metrics.flush()
    expect(warnings).toEqual(['putMetricData could not tell CloudWatch: no answer within 50 ms'])
  })

  test('ends in time where the client does not answer, whatever it is told', async () => {
    const client = { send: () => new Promise<never>(() => {}) }
    const { board, metrics, warnings } = scene({ client, timeout: 20 })
    fail(board, 'a.test')
    await metrics.flush()
    expect(warnings).toHaveLength(1)
  })

  test('survives a client that throws', async () => {
    const client = {
      send(): never {
        throw new Error('destroyed')
      },
    }
    const { board, metrics, warnings } = scene({ client })
    fail(board, 'a.test')
    await metrics.flush()
    expect(warnings).toEqual(['putMetricData could not tell CloudWatch: destroyed'])
  })

  test('tells of the circuits where the outbox fails', async () => {
    const { board, metrics, warnings } = scene({ outbox: { depth: () => Promise.reject(new Error('locked')) } })
    fail(board, 'a.test')
    await metrics.flush()
    expect([told().length, warnings]).toEqual([2, ['putMetricData could not tell CloudWatch: locked']])
  })
})

test.each([
  [undefined, {}, /^putMetricData needs a board first/],
  [createBoard(), undefined, /^the options of putMetricData must be an object, got undefined$/],
  [createBoard(), {}, /^putMetricData\.client must have a method send, got undefined$/],
  [createBoard(), { client: { send() {} }, write: () => {} }, /^putMetricData has no option write/],
  [createBoard(), { client: { send() {} }, command: 'x' }, /^putMetricData\.command must be a function/],
  [createBoard(), { client: { send() {} }, timeout: 'soon' }, /^putMetricData\.timeout must be milliseconds or text/],
  [createBoard(), { client: { send() {} }, timeout: 0 }, /^putMetricData\.timeout must be longer than 0, got 0$/],
])('bad input is told: %#', (board, options, message) => {
  expect(() => putMetricData(board as never, options as never)).toThrow(message)
})
