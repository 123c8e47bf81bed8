// Circuits as Prometheus scrapes them: by text, and through the real prom-client.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import client from 'prom-client'
import { afterEach, describe, expect, test } from 'vitest'
import { benchOf, makeTrouble, troubledBench } from '../test/troubled-board.ts'
import { contentType, promClient, prometheusText } from './prometheus.ts'

const closers: (() => void)[] = []
afterEach(() => {
  for (const close of closers.splice(0)) close()
})

/** Serves a text on 127.0.0.1, and reads it as Prometheus does. */
async function scrape(type: string, text: () => string | Promise<string>): Promise<Map<string, number>> {
  const server = createServer((_request, response) => {
    void Promise.resolve(text()).then((body) => response.setHeader('content-type', type).end(body))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  closers.push(() => server.close())
  const response = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/metrics`)
  expect(response.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8')
  return parse(await response.text())
}

const LINE = /^([a-z_]+)\{((?:[a-z_]+="(?:[^"\\\n]|\\["\\n])*",?)*)\} (\S+)$/

/** The samples by name and sorted labels; it throws where the text is none. */
function parse(text: string): Map<string, number> {
  const samples = new Map<string, number>()
  const types = new Map<string, string>()
  expect(text.endsWith('\n')).toBe(true)
  for (const line of text.trimEnd().split('\n')) {
    const [, word, name = '', rest] = /^# (HELP|TYPE) (\S+) (.+)$/.exec(line) ?? []
    if (word === 'TYPE') types.set(name, rest ?? '')
    if (word !== undefined || line === '') continue
    const [, metric = '', labels = '', value] = LINE.exec(line) ?? []
    if (!types.has(metric)) throw new Error(`no sample of a known metric: ${line}`)
    const sorted = [...labels.matchAll(/[a-z_]+="(?:[^"\\]|\\.)*"/g)].map(([label]) => label).toSorted()
    const id = `${metric}{${sorted.join(',')}}`
    if (samples.has(id)) throw new Error(`twice the same: ${id}`)
    samples.set(id, Number(value))
  }
  return samples
}

const BAD = String.raw`fuseboard_label="the \"bad\"\n\\one",`

describe('a scrape', () => {
  test('shows states, calls, fallbacks, times and faults of stores', async () => {
    const bench = troubledBench()
    prometheusText(bench.board)
    await makeTrouble(bench)
    const samples = await scrape(contentType, () => prometheusText(bench.board))
    const of = (start: string): Record<string, number> =>
      Object.fromEntries([...samples].filter(([id, value]) => id.startsWith(start) && value !== 0))

    expect(of('fuseboard_circuit_state')).toEqual({
      [`fuseboard_circuit_state{fuseboard_circuit_state="open",${BAD}server_address="down.test"}`]: 1,
      'fuseboard_circuit_state{fuseboard_circuit_state="closed",server_address="well.test",server_port="8443"}': 1,
      'fuseboard_circuit_state{fuseboard_circuit_state="isolated",server_address="held.test"}': 1,
    })
    expect(of('fuseboard_circuit_transitions')).toEqual({
      [`fuseboard_circuit_transitions_total{fuseboard_from="closed",${BAD}fuseboard_reason="consecutive-failures",fuseboard_to="open",server_address="down.test"}`]: 1,
      'fuseboard_circuit_transitions_total{fuseboard_from="closed",fuseboard_reason="by-hand",fuseboard_to="isolated",server_address="held.test"}': 1,
    })
    expect(of('fuseboard_calls')).toEqual({
      'fuseboard_calls_total{fuseboard_outcome="success",server_address="well.test",server_port="8443"}': 2,
      'fuseboard_calls_total{fuseboard_outcome="ignored",server_address="well.test",server_port="8443"}': 1,
      [`fuseboard_calls_total{${BAD}fuseboard_outcome="failure",server_address="down.test"}`]: 2,
      [`fuseboard_calls_total{${BAD}fuseboard_outcome="refused",server_address="down.test"}`]: 2,
    })
    expect(of('fuseboard_slow_calls')).toEqual({
      'fuseboard_slow_calls_total{server_address="well.test",server_port="8443"}': 1,
      [`fuseboard_slow_calls_total{${BAD}server_address="down.test"}`]: 2,
    })
    expect(of('fuseboard_fallbacks')).toEqual({
      [`fuseboard_fallbacks_total{${BAD}fuseboard_source="made",server_address="down.test"}`]: 2,
    })
    expect(of('fuseboard_failure_rate')).toEqual({
      [`fuseboard_failure_rate_ratio{${BAD}server_address="down.test"}`]: 1,
    })
    expect(of('fuseboard_slow_rate')).toMatchObject({
      'fuseboard_slow_rate_ratio{server_address="well.test",server_port="8443"}': 0.5,
    })
    expect(of('fuseboard_open_time')).toEqual({
      [`fuseboard_open_time_seconds_total{${BAD}server_address="down.test"}`]: 5,
      'fuseboard_open_time_seconds_total{server_address="held.test"}': 5,
    })
    expect(of('fuseboard_time_saved')).toEqual({
      [`fuseboard_time_saved_seconds_total{${BAD}server_address="down.test"}`]: 4,
    })
    expect(of('fuseboard_store_errors')).toEqual({
      'fuseboard_store_errors_total{fuseboard_action="get"}': 2,
    })
  })

  test('shows the same through prom-client', async () => {
    const bench = troubledBench()
    const register = new client.Registry()
    promClient(bench.board, { client, register })
    await makeTrouble(bench)
    const own = await scrape(contentType, () => prometheusText(bench.board))
    const theirs = await scrape(register.contentType, () => register.metrics())
    expect(own.size).toBeGreaterThan(40)
    expect([...own.keys()].filter((id) => id.startsWith('fuseboard_circuit_transitions'))).toHaveLength(2)
    expect(theirs).toEqual(own)
    bench.call('well.test:8443', 200)
    const again = await scrape(register.contentType, () => register.metrics())
    const well = 'fuseboard_calls_total{fuseboard_outcome="success",server_address="well.test",server_port="8443"}'
    expect([theirs.get(well), again.get(well)]).toEqual([2, 3])
    bench.clock.advance(3_600_000)
    const later = await scrape(register.contentType, () => register.metrics())
    const rates = (samples: Map<string, number>) => [...samples.keys()].filter((id) => id.includes('_rate_ratio'))
    expect([rates(theirs).length, rates(later).length]).toEqual([4, 0])
  })

  test('can be read whatever the keys of a policy are, and tells no path, query or credential of them', () => {
    const keys = [
      'a"b\\c\nd',
      'https://u:secret@x.test/secret?secret#secret',
      '[::1]:80',
      'ü\ud800',
      '/',
      '_other',
      ' ',
    ]
    const { board } = benchOf()
    for (const key of keys) board.circuit(key).trip()
    board.circuit('x'.repeat(300)).trip()
    const text = prometheusText(board)
    const open = [...parse(text)].filter(([id, value]) => id.includes('state="open"') && value > 0)
    expect(open.map(([id, value]) => [/address="((?:[^"\\]|\\.)*)"/.exec(id)?.[1], value])).toEqual([
      [String.raw`a\"b`, 1],
      ['x.test', 1],
      ['::1', 1],
      ['ü?', 1],
      [' ', 1],
      ['x'.repeat(255), 1],
      ['_other', 2],
    ])
    expect(text).not.toContain('secret')
  })

  test('has a prefix where one is wanted', async () => {
    const { board } = benchOf()
    const register = new client.Registry()
    promClient(board, { client, register, prefix: 'shop_' })
    const names = [...parse(prometheusText(board, { prefix: 'shop_' })).keys()]
    expect(names.length).toBeGreaterThan(0)
    expect(names.every((name) => name.startsWith('shop_fuseboard_'))).toBe(true)
    expect(register.getMetricsAsArray().every(({ name }) => name.startsWith('shop_fuseboard_'))).toBe(true)
  })
})

describe('promClient', () => {
  test('takes its own metrics out again, and no others', () => {
    const { board } = benchOf()
    const register = new client.Registry()
    const own = new client.Gauge({ name: 'own', help: 'own', registers: [register] })
    const stop = promClient(board, { client, register })
    expect(register.getMetricsAsArray().length).toBeGreaterThan(5)
    stop()
    stop()
    expect(register.getMetricsAsArray()).toEqual([own])
    const again = promClient(board, { client, register })
    stop()
    expect(register.getMetricsAsArray().length).toBeGreaterThan(5)
    again[Symbol.dispose]()
    expect(register.getMetricsAsArray()).toEqual([own])
  })

  test('takes the registry of prom-client where none is named', () => {
    const { board } = benchOf()
    using _ = promClient(board, { client })
    expect(client.register.getSingleMetric('fuseboard_calls_total')).toBeDefined()
  })

  test('leaves nothing behind where a name is taken', () => {
    const register = new client.Registry()
    const taken = new client.Gauge({ name: 'fuseboard_calls_total', help: 'x', registers: [register] })
    expect(() => promClient(benchOf().board, { client, register })).toThrow('already been registered')
    expect(register.getMetricsAsArray()).toEqual([taken])
  })

  test('shows one moment in all metrics of a scrape', async () => {
    const { board, call } = benchOf()
    const register = new client.Registry()
    promClient(board, { client, register })
    let asked = 0
    const circuits = board.circuits.bind(board)
    board.circuits = () => {
      asked++
      return circuits()
    }
    call('a.test', 200)
    await register.metrics()
    expect(asked).toBe(1)
    await register.metrics()
    expect(asked).toBe(2)
  })
})

test('wrong arguments are told by name', () => {
  const { board } = benchOf()
  expect(() => prometheusText({} as never)).toThrow('prometheusText needs a board first, got an object')
  expect(() => prometheusText(board, { prefix: 'a-b' })).toThrow('prometheusText.prefix must be letters')
  expect(() => prometheusText(board, { hosts: 0 })).toThrow(
    'prometheusText.hosts must be a whole number from 1 to 1000',
  )
  expect(() => prometheusText(board, { host: 1 } as never)).toThrow('prometheusText has no option host')
  expect(() => promClient(board, {} as never)).toThrow('promClient.client must have a method Counter, got undefined')
  expect(() => promClient(board, { client, register: {} } as never)).toThrow('promClient.register must have a method')
  expect(() => promClient(undefined as never, { client })).toThrow('promClient needs a board first, got undefined')
})
