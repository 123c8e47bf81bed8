// Circuits in CloudWatch through PutMetricData: for servers whose stdout nobody makes metrics of.
import type { Board, Duration } from '@fuseboard/core'
import { checkBoard, checkFunction, checkMethod, checkSpan, wordsOf } from './checks.ts'
import type { CloudWatchMetrics } from './cloudwatch.ts'
import { within } from './deadline.ts'
import { readMetricOptions, type MetricOptions } from './metric-options.ts'
import { addRow, isOpen, metricsOf, metricsOfOutbox, Tally, type Metric, type Row } from './tally.ts'

/** What is needed of a client: a `CloudWatchClient` of the AWS SDK v3. */
export interface CloudWatchClientLike {
  send(command: never, options?: { abortSignal?: AbortSignal }): Promise<unknown>
}

/** How circuits are told of through a client. */
export interface PutMetricDataOptions extends MetricOptions {
  /** The caller's own, which is neither made nor closed here. */
  client: CloudWatchClientLike
  /** The class `PutMetricDataCommand`. @default imported from `@aws-sdk/client-cloudwatch` when it is first needed */
  command?: new (input: never) => object
  /** How long one flush may take. @default '5s' */
  timeout?: Duration
}

/** A request takes 1,000 metrics, and a row has no more than 5. */
const ROWS_A_REQUEST = 200

/**
 * Sends what {@link cloudwatch} would write, through the caller's own client, when `flush()` is called and at no other time. One
 * flush is under way at a time; what could not be sent goes with the next. A circuit that was open at any time since the last
 * flush is told of as open.
 *
 * @example
 * const metrics = putMetricData(board, { client: new CloudWatchClient() })
 * setInterval(() => void metrics.flush(), 60_000).unref()
 * @throws TypeError or RangeError where the board or an option is wrong
 */
export function putMetricData(board: Board, options: PutMetricDataOptions): CloudWatchMetrics {
  checkBoard('putMetricData', board)
  const { namespace, dimension, hosts } = readMetricOptions('putMetricData', options, ['client', 'command', 'timeout'])
  const { client, outbox, timeout = '5s' } = options
  checkMethod('putMetricData.client', client, 'send')
  checkFunction('putMetricData.command', options.command)
  const ms = checkSpan('putMetricData.timeout', timeout)

  const tally = new Tally(board, hosts)
  const openSince = new Set<string>()
  let unsent: ReadonlyMap<string, Row> = new Map()
  let sending: Promise<void> | undefined
  let next: Promise<void> | undefined

  const send = async (data: readonly Datum[], signal: AbortSignal): Promise<void> => {
    const Command: NonNullable<typeof options.command> =
      options.command ?? (await import('@aws-sdk/client-cloudwatch')).PutMetricDataCommand
    const input = { Namespace: namespace, MetricData: data }
    await client.send(new Command(input as never) as never, { abortSignal: signal })
  }
  const sendRows = async (rows: Map<string, Row>, now: number, signal: AbortSignal): Promise<void> => {
    while (rows.size > 0) {
      const batch = [...rows].slice(0, ROWS_A_REQUEST)
      signal.throwIfAborted()
      await send(
        batch.flatMap(([name, row]) => data(metricsOf(row), now, [{ Name: dimension, Value: name }])),
        signal,
      )
      for (const [name] of batch) rows.delete(name)
    }
  }
  const sendOutbox = async (now: number, signal: AbortSignal): Promise<void> => {
    if (outbox !== undefined) await send(data(await metricsOfOutbox(outbox, now), now), signal)
  }
  const flush = async (): Promise<void> => {
    const now = Date.now()
    const rows = tally.take()
    for (const [name, row] of rows) row.open ||= openSince.has(name)
    openSince.clear()
    for (const [name, row] of unsent) addRow(rows, name, row)
    unsent = rows
    const failed = (error: unknown): void =>
      board.warn('cloudwatch', `putMetricData could not tell CloudWatch: ${wordsOf(error)}`)
    await Promise.all([
      within(ms, (signal) => sendRows(rows, now, signal)).catch(failed),
      within(ms, (signal) => sendOutbox(now, signal)).catch(failed),
    ])
  }
  const begin = (): Promise<void> => {
    next = undefined
    sending = flush().finally(() => {
      sending = undefined
    })
    return sending
  }
  const stop = board.on('transition', ({ label, to, shadow }) => {
    if (isOpen(to) && !shadow) openSince.add(tally.nameOf(label))
  })

  return {
    flush() {
      if (next === undefined && sending === undefined) return begin()
      return (next ??= (sending as Promise<void>).then(begin))
    },
    stop,
    [Symbol.dispose]: stop,
  }
}

interface Datum {
  readonly MetricName: string
  readonly Dimensions?: readonly { readonly Name: string; readonly Value: string }[]
  readonly Timestamp: Date
  readonly Value: number
  readonly Unit: Metric['unit']
}

function data(metrics: readonly Metric[], now: number, Dimensions?: Datum['Dimensions']): readonly Datum[] {
  const Timestamp = new Date(now)
  const where = Dimensions === undefined ? {} : { Dimensions }
  return metrics.map(({ name, unit, value }) => ({ MetricName: name, ...where, Timestamp, Value: value, Unit: unit }))
}
