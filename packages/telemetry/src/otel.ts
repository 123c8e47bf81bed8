// Circuits in OpenTelemetry: instruments that are read when the SDK asks, and an event on the span of the call that opened one.
import type { Board, TransitionEvent } from '@fuseboard/core'
import { addressOf } from './address.ts'
import { checkBoard, checkMethod, checkOptions } from './checks.ts'
import { familiesOf } from './families.ts'
import { readHosts } from './hosts-option.ts'
import { ledgerOf } from './ledger.ts'
import { ATTRIBUTES, METRICS, SPAN_EVENT, type Metric } from './names.ts'
import { stopOf, type Stop } from './stop.ts'

export type { Stop } from './stop.ts'

type Values = Record<string, string | number>

/** What is needed of a `Meter` of `@opentelemetry/api`. */
export interface MeterLike {
  createObservableCounter(name: string, options: { description: string; unit: string }): object
  createObservableGauge(name: string, options: { description: string; unit: string }): object
  addBatchObservableCallback(callback: (result: ObservableResultLike) => void, instruments: object[]): void
  removeBatchObservableCallback(callback: (result: ObservableResultLike) => void, instruments: object[]): void
}

/** What the SDK takes values by. */
export interface ObservableResultLike {
  observe(instrument: object, value: number, attributes: Values): void
}

/** What is needed of the `trace` API of `@opentelemetry/api`. */
export interface TraceLike {
  getActiveSpan(): { addEvent(name: string, attributes: Values): unknown } | undefined
}

/** What is shown where. */
export interface OtelOptions {
  /** `metrics.getMeter('fuseboard')` */
  meter: MeterLike
  /** `trace` of `@opentelemetry/api`: a change of state is an event on the active span. @default none */
  trace?: TraceLike
  /** How many hosts are told apart, 1 to 1,000; the others are `_other`. @default 100 */
  hosts?: number
}

/**
 * Shows the circuits of a board in OpenTelemetry. No call pays for it: the instruments are observable, and read what the
 * circuits count anyway when the SDK collects.
 *
 * @returns what takes it away again
 * @example
 * import { metrics, trace } from '@opentelemetry/api'
 * const stop = otel(board, { meter: metrics.getMeter('fuseboard'), trace })
 * @throws TypeError or RangeError where the board or an option is wrong; what the meter throws
 */
export function otel(board: Board, options: OtelOptions): Stop {
  checkBoard('otel', board)
  checkOptions('otel', options, ['meter', 'trace', 'hosts'])
  const { meter, trace } = options
  for (const method of METER) checkMethod('otel.meter', meter, method)
  if (trace !== undefined) checkMethod('otel.trace', trace, 'getActiveSpan')
  const hosts = readHosts('otel', options.hosts)

  const instruments = new Map<Metric, object>()
  for (const metric of Object.values(METRICS)) instruments.set(metric, instrumentOf(meter, metric))
  const collect = (result: ObservableResultLike): void => {
    for (const { metric, samples } of familiesOf(board, hosts)) {
      const instrument = instruments.get(metric) as object
      for (const { value, attributes } of samples) result.observe(instrument, value, attributes)
    }
  }
  const all = [...instruments.values()]
  meter.addBatchObservableCallback(collect, all)
  ledgerOf(board)
  const untrace = trace && board.on('transition', (event) => addToSpan(trace, event))
  return stopOf(() => {
    untrace?.()
    meter.removeBatchObservableCallback(collect, all)
  })
}

const METER = [
  'createObservableCounter',
  'createObservableGauge',
  'addBatchObservableCallback',
  'removeBatchObservableCallback',
] as const

function instrumentOf(meter: MeterLike, { name, kind, unit, help }: Metric): object {
  const about = { description: help, unit }
  return kind === 'counter' ? meter.createObservableCounter(name, about) : meter.createObservableGauge(name, about)
}

function addToSpan(trace: TraceLike, { key, label, from, to, reason }: TransitionEvent): void {
  const span = trace.getActiveSpan()
  if (span === undefined) return
  const { host, port } = addressOf(key)
  span.addEvent(SPAN_EVENT.name, {
    [SPAN_EVENT.circuit]: label === key ? host : label,
    [SPAN_EVENT.state]: to,
    [ATTRIBUTES.address]: host,
    ...(port === undefined ? {} : { [ATTRIBUTES.port]: port }),
    [ATTRIBUTES.from]: from,
    [ATTRIBUTES.to]: to,
    [ATTRIBUTES.reason]: reason,
  })
}
