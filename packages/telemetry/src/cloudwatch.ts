// Circuits in CloudWatch: as Embedded Metric Format on stdout, or through the caller's own client.
import type { Board } from '@fuseboard/core'
import { checkBoard, checkFunction, wordsOf } from './checks.ts'
import { readMetricOptions, type MetricOptions } from './metric-options.ts'
import { metricsOf, metricsOfOutbox, Tally, type Metric } from './tally.ts'

export type { MetricOptions } from './metric-options.ts'
export type { OutboxDepth, OutboxLike } from './outbox.ts'
export { putMetricData, type CloudWatchClientLike, type PutMetricDataOptions } from './put-metric-data.ts'

/** How circuits are told of on stdout. */
export interface CloudWatchOptions extends MetricOptions {
  /** Takes each line, without its end. @default writes it to stdout */
  write?: (line: string) => void
}

/** What tells CloudWatch of circuits. */
export interface CloudWatchMetrics extends Disposable {
  /** Tells how every circuit is, and what it counted since the last time. It never rejects: what fails is a warning of the board. */
  flush(): Promise<void>
  /** Leaves the board alone from now on. */
  stop(): void
}

/**
 * Writes one line of Embedded Metric Format for each circuit, on `flush()` and on every change of its state: what AWS Lambda,
 * ECS and the CloudWatch agent make metrics of. There are no timers: call `flush()` at the end of an invocation, or as often as
 * a server should be seen. The lines go to `process.stdout`, since `console.log` is wrapped by Lambda's JSON log format.
 *
 * @example
 * const metrics = cloudwatch(board, { namespace: 'CCT/CircuitBreakers', dimension: 'ServiceName' })
 * await metrics.flush()
 * @throws TypeError or RangeError where the board or an option is wrong
 */
export function cloudwatch(board: Board, options: CloudWatchOptions = {}): CloudWatchMetrics {
  checkBoard('cloudwatch', board)
  const { namespace, dimension, hosts } = readMetricOptions('cloudwatch', options, ['write'])
  checkFunction('cloudwatch.write', options.write)
  const { write = toStdout, outbox } = options
  const tally = new Tally(board, hosts)

  const tell = (at: number, metrics: readonly Metric[], name?: string): void => {
    try {
      write(emf(namespace, name === undefined ? {} : { [dimension]: name }, metrics, at))
    } catch (error) {
      board.warn('cloudwatch', `cloudwatch.write threw: ${wordsOf(error)}`)
    }
  }
  const stop = board.on('transition', ({ key, label, to, at }) => {
    const circuit = board.peek(key)
    if (circuit !== undefined) tell(at, metricsOf(tally.takeOne(circuit, to)), tally.nameOf(label))
  })

  return {
    async flush() {
      const now = Date.now()
      for (const [name, row] of tally.take()) tell(now, metricsOf(row), name)
      if (outbox === undefined) return
      try {
        tell(now, await metricsOfOutbox(outbox, now))
      } catch (error) {
        board.warn('cloudwatch', `cloudwatch could not ask the outbox: ${wordsOf(error)}`)
      }
    },
    stop,
    [Symbol.dispose]: stop,
  }
}

function toStdout(line: string): void {
  process.stdout.write(`${line}\n`)
}

function emf(
  namespace: string,
  dimensions: Readonly<Record<string, string>>,
  metrics: readonly Metric[],
  at: number,
): string {
  const Metrics = metrics.map(({ name, unit }) => ({ Name: name, Unit: unit }))
  const directive = { Namespace: namespace, Dimensions: [Object.keys(dimensions)], Metrics }
  const values = Object.fromEntries(metrics.map(({ name, value }) => [name, value]))
  return JSON.stringify({ _aws: { Timestamp: at, CloudWatchMetrics: [directive] }, ...dimensions, ...values })
}
