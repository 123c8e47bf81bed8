// Circuits in OpenTelemetry, as its SDK collects them.
import { AsyncLocalStorage } from 'node:async_hooks'
import { context, ROOT_CONTEXT, trace, type Context, type ContextManager } from '@opentelemetry/api'
import {
  AggregationTemporality,
  DataPointType,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics'
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { benchOf, makeTrouble, troubledBench } from '../test/troubled-board.ts'
import { METRICS } from './names.ts'
import { otel, type MeterLike } from './otel.ts'

const closers: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of closers.splice(0)) await close()
})

/** A meter of the real SDK, and what it has collected since the last time. */
function meterOf() {
  const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE)
  const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 })
  const provider = new MeterProvider({ readers: [reader] })
  closers.push(() => provider.shutdown())
  const collect = async () => {
    exporter.reset()
    await reader.forceFlush()
    return exporter.getMetrics().flatMap(({ scopeMetrics }) => scopeMetrics.flatMap(({ metrics }) => metrics))
  }
  const points = async (name: string) => {
    const metric = (await collect()).find(({ descriptor }) => descriptor.name === name)
    return metric?.dataPoints.map(({ attributes, value }) => [attributes, value]) ?? []
  }
  return { meter: provider.getMeter('fuseboard'), collect, points }
}

const DOWN = { 'server.address': 'down.test', 'fuseboard.label': 'the "bad"\n\\one' }

describe('the meter', () => {
  test('collects every metric, as its kind and with its unit', async () => {
    const { meter, collect } = meterOf()
    const bench = troubledBench()
    otel(bench.board, { meter })
    await makeTrouble(bench)
    const told = (await collect()).map(({ descriptor, dataPointType }) => ({
      name: descriptor.name,
      unit: descriptor.unit,
      kind: dataPointType === DataPointType.SUM ? 'counter' : 'gauge',
      help: descriptor.description,
    }))
    expect(told).toEqual(Object.values(METRICS))
  })

  test('is given hosts by server.address and server.port, and nothing of a URL', async () => {
    const { meter, points, collect } = meterOf()
    const bench = troubledBench()
    otel(bench.board, { meter })
    await makeTrouble(bench)
    const calls = (await points('fuseboard.calls')).filter(([, value]) => value !== 0)
    const well = { 'server.address': 'well.test', 'server.port': 8_443 }
    expect(calls).toEqual([
      [{ ...DOWN, 'fuseboard.outcome': 'failure' }, 2],
      [{ ...DOWN, 'fuseboard.outcome': 'refused' }, 2],
      [{ ...well, 'fuseboard.outcome': 'success' }, 2],
      [{ ...well, 'fuseboard.outcome': 'ignored' }, 1],
    ])
    const states = (await points('fuseboard.circuit.state')).filter(
      ([attributes]) => (attributes as typeof DOWN)['server.address'] === 'down.test',
    )
    expect(states).toEqual([
      [{ ...DOWN, 'fuseboard.circuit.state': 'closed' }, 0],
      [{ ...DOWN, 'fuseboard.circuit.state': 'open' }, 1],
      [{ ...DOWN, 'fuseboard.circuit.state': 'half-open' }, 0],
      [{ ...DOWN, 'fuseboard.circuit.state': 'isolated' }, 0],
      [{ ...DOWN, 'fuseboard.circuit.state': 'bypassed' }, 0],
    ])
    expect(await points('fuseboard.time_saved')).toContainEqual([DOWN, 4])
    expect(JSON.stringify(await collect())).not.toMatch(/path|query/)
  })

  test('shows at most so many hosts, and the others as one', async () => {
    const { meter, points } = meterOf()
    const { board, call } = benchOf()
    otel(board, { meter, hosts: 2 })
    for (let host = 0; host < 50; host++) call(`h${host}.test`, 200)
    const good = (await points('fuseboard.calls')).filter(([, value]) => value !== 0)
    expect(good.map(([attributes, value]) => [(attributes as typeof DOWN)['server.address'], value])).toEqual([
      ['h0.test', 1],
      ['h1.test', 1],
      ['_other', 48],
    ])
  })

  test('is told nothing more once it is stopped, by call or by using', async () => {
    const { meter, points } = meterOf()
    const { board, call } = benchOf()
    const good = async () => (await points('fuseboard.calls')).map(([, value]) => value)[0]
    const stop = otel(board, { meter })
    call('a.test', 200)
    expect(await good()).toBe(1)
    stop()
    stop()
    call('a.test', 200)
    expect(await good()).toBe(1)
    {
      using _ = otel(board, { meter })
      expect(await good()).toBe(2)
    }
    call('a.test', 200)
    expect(await good()).toBe(2)
  })

  test('that throws fails otel and no request, and leaves no listener behind', () => {
    const { meter } = meterOf()
    const on = vi.fn<() => () => void>()
    const { board, call } = benchOf()
    board.on = on
    const broken = () => {
      throw new Error('no meter')
    }
    expect(() => otel(board, { meter: { ...methods(meter), createObservableGauge: broken }, trace })).toThrow(
      'no meter',
    )
    expect(() => otel(board, { meter: { ...methods(meter), addBatchObservableCallback: broken }, trace })).toThrow(
      'no meter',
    )
    expect(on).not.toHaveBeenCalled()
    expect(call('a.test', 200).refused).toBe(false)
  })
})

const methods = (meter: MeterLike): MeterLike => ({
  createObservableCounter: (name, about) => meter.createObservableCounter(name, about),
  createObservableGauge: (name, about) => meter.createObservableGauge(name, about),
  addBatchObservableCallback: (callback, all) => meter.addBatchObservableCallback(callback, all),
  removeBatchObservableCallback: (callback, all) => meter.removeBatchObservableCallback(callback, all),
})

describe('the active span', () => {
  const spans = new InMemorySpanExporter()
  const tracer = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(spans)] }).getTracer('test')

  beforeEach(() => {
    const storage = new AsyncLocalStorage<Context>()
    const manager: ContextManager = {
      active: () => storage.getStore() ?? ROOT_CONTEXT,
      with: (active, fn, that, ...args) => storage.run(active, () => fn.apply(that, args)),
      bind: (_active, target) => target,
      enable: () => manager,
      disable: () => manager,
    }
    context.setGlobalContextManager(manager)
    return () => context.disable()
  })

  test('gets an event for each change of a state, with its reason and the host', () => {
    const { meter } = meterOf()
    const { board, call } = benchOf({ hosts: { 'a.test:81': { label: 'a' } } })
    const stop = otel(board, { meter, trace })
    const span = tracer.startSpan('checkout')
    context.with(trace.setSpan(context.active(), span), () => {
      call('a.test:81', 503)
      call('a.test:81', 503)
      stop()
      board.circuit('a.test:81').trip('5m')
      board.circuit('a.test:81').isolate()
    })
    span.end()
    expect(spans.getFinishedSpans().map(({ name, events }) => [name, events])).toMatchObject([
      [
        'checkout',
        [
          {
            name: 'circuitbreaker.state_change',
            attributes: {
              'circuitbreaker.name': 'a',
              'circuitbreaker.state': 'open',
              'server.address': 'a.test',
              'server.port': 81,
              'fuseboard.from': 'closed',
              'fuseboard.to': 'open',
              'fuseboard.reason': 'consecutive-failures',
            },
          },
        ],
      ],
    ])
    expect(spans.getFinishedSpans()[0]?.events).toHaveLength(1)
    spans.reset()
  })

  test('that throws hurts no call: the board warns', () => {
    const { meter } = meterOf()
    const { board, call } = benchOf()
    const warned: string[] = []
    board.on('warning', ({ message }) => warned.push(message))
    const stop = otel(board, {
      meter,
      trace: {
        getActiveSpan() {
          throw new Error('no span')
        },
      },
    })
    call('a.test', 503)
    call('a.test', 503)
    expect([call('a.test', 200).refusal?.reason, warned]).toEqual([
      'open',
      ["A listener of 'transition' threw: Error: no span"],
    ])
    stop()
  })
})

test('wrong arguments are told by name', () => {
  const { meter } = meterOf()
  const { board } = benchOf()
  expect(() => otel(undefined as never, { meter })).toThrow('otel needs a board first, got undefined')
  expect(() => otel(board, undefined as never)).toThrow('the options of otel must be an object, got undefined')
  expect(() => otel(board, {} as never)).toThrow('otel.meter must have a method createObservableCounter, got undefined')
  expect(() => otel(board, { meter, trace: {} as never })).toThrow('otel.trace must have a method getActiveSpan')
  expect(() => otel(board, { meter, hosts: 1_001 })).toThrow(RangeError)
  expect(() => otel(board, { meter, tracer: trace } as never)).toThrow('otel has no option tracer; there are meter')
})
