// What is counted by host: nothing is lost, nothing is counted twice, and no counter goes down.
import { describe, expect, test } from 'vitest'
import { benchOf } from '../test/troubled-board.ts'
import { familiesOf } from './families.ts'
import { ledgerOf, type Attributes } from './ledger.ts'

type Bench = ReturnType<typeof benchOf>

/** The values of a metric that are not 0, by host and the value of its own attribute. */
function shown({ board }: Pick<Bench, 'board'>, name: string, most = 100): Record<string, number> {
  const family = familiesOf(board, most).find(({ metric }) => metric.name === name)
  if (family === undefined) throw new Error(`no ${name}`)
  const id = ({ 'server.address': address, ...rest }: Attributes): string => [address, ...Object.values(rest)].join(' ')
  return Object.fromEntries(
    family.samples.filter(({ value }) => value !== 0).map(({ value, attributes }) => [id(attributes), value]),
  )
}

const STATE = 'fuseboard.circuit.state'
const CALLS = 'fuseboard.calls'

describe('hosts beyond the most', () => {
  test('are one, with how many of them are in each state', () => {
    const bench = benchOf()
    for (const host of ['a.test', 'b.test', 'c.test', 'd.test']) bench.call(host, 200)
    bench.board.circuit('d.test').trip()
    expect(shown(bench, CALLS, 2)).toEqual({ 'a.test success': 1, 'b.test success': 1, '_other success': 2 })
    expect(shown(bench, STATE, 2)).toEqual({
      'a.test closed': 1,
      'b.test closed': 1,
      '_other closed': 1,
      '_other open': 1,
    })
    expect(shown(bench, 'fuseboard.circuit.transitions', 2)).toEqual({})
    bench.clock.advance(10_000)
    bench.call('d.test', 200)
    expect(shown(bench, 'fuseboard.circuit.transitions', 2)).toEqual({
      '_other open half-open elapsed': 1,
      '_other half-open closed probe-succeeded': 1,
    })
    expect(shown(bench, 'fuseboard.open.time', 2)).toEqual({ _other: 10 })
  })

  test('are none where there are no more', () => {
    const bench = benchOf()
    bench.call('a.test', 200)
    expect(Object.keys(shown(bench, STATE, 1))).toEqual(['a.test closed'])
  })

  test('are never those that the policy names, and these are shown before their first call', () => {
    const bench = benchOf({ hosts: { 'pay.test': { label: 'pay' }, '*.b.test': { label: 'b' }, 'off.test': false } })
    for (const host of ['a.test', 'c.test', 'x.b.test']) bench.call(host, 200)
    expect(shown(bench, STATE, 2)).toEqual({ 'pay.test pay closed': 1, 'a.test closed': 1, '_other closed': 2 })
  })

  test('are those beyond a thousand, however many are wanted', () => {
    const bench = benchOf({ maxCircuits: 2_000 })
    for (let host = 0; host < 1_003; host++) bench.call(`h${host}.test`, 200)
    const calls = shown(bench, CALLS, 1_000)
    expect([Object.keys(calls).length, calls['_other success']]).toEqual([1_001, 3])
    expect(ledgerOf(bench.board).read(5_000)).toHaveLength(1_001)
    bench.board.circuit('h1002.test').trip()
    expect(shown(bench, 'fuseboard.circuit.transitions', 1_000)).toEqual({ '_other closed open by-hand': 1 })
  })
})

describe('a circuit that makes room', () => {
  test('leaves its counts to its host, which goes on with its next circuit', () => {
    const bench = benchOf({ maxCircuits: 2 })
    bench.call('a.test', 200)
    expect(shown(bench, CALLS)).toEqual({ 'a.test success': 1 })
    bench.call('a.test', 404)
    bench.call('b.test', 200)
    bench.call('c.test', 200)
    expect(bench.board.peek('a.test')).toBeUndefined()
    expect(shown(bench, CALLS)).toEqual({ 'a.test success': 2, 'b.test success': 1, 'c.test success': 1 })
    expect(shown(bench, STATE)).toEqual({ 'a.test closed': 1, 'b.test closed': 1, 'c.test closed': 1 })
    bench.call('a.test', 200)
    expect(shown(bench, CALLS)).toEqual({ 'a.test success': 3, 'b.test success': 1, 'c.test success': 1 })
  })

  test('is counted with the others where it came and went unseen, and the sum is that of all calls', () => {
    const bench = benchOf({ maxCircuits: 3 })
    shown(bench, CALLS)
    let before = 0
    for (let call = 1; call <= 500; call++) {
      bench.call(`h${(call * 7) % 23}.test`, 200)
      if (call % 17 !== 0) continue
      const calls = shown(bench, CALLS, 5)
      const sum = Object.values(calls).reduce((one, other) => one + other)
      expect(sum).toBe(call)
      expect(calls['_other success'] ?? 0).toBeGreaterThanOrEqual(before)
      before = calls['_other success'] ?? 0
    }
    expect(before).toBeGreaterThan(0)
  })
})

test('circuits without a host of their own that make room are counted once', async () => {
  const bench = benchOf({ maxCircuits: 1 })
  for (const key of ['/a', '/b', '/c']) {
    await bench.board.run(key, () => 1)
    shown(bench, CALLS)
  }
  expect(shown(bench, CALLS)).toEqual({ '_other success': 3 })
  expect(shown(bench, STATE)).toEqual({ '_other closed': 1 })
})

test('a success that is taken back does not let a counter go down', () => {
  const bench = benchOf()
  const attempt = bench.call('a.test', 200)
  bench.call('a.test', 200)
  expect(shown(bench, CALLS)).toEqual({ 'a.test success': 2 })
  attempt.amend({ error: Object.assign(new Error('cut short'), { code: 'ECONNRESET' }) })
  expect(bench.board.circuit('a.test').counters).toMatchObject({ successes: 1, failures: 1 })
  expect(shown(bench, CALLS)).toEqual({ 'a.test success': 2, 'a.test failure': 1 })
  bench.call('a.test', 200)
  bench.call('a.test', 200)
  expect(shown(bench, CALLS)).toEqual({ 'a.test success': 3, 'a.test failure': 1 })
})

test('circuits whose keys a policy makes are one host where only path, query or credentials tell them apart', () => {
  const bench = benchOf()
  bench.board.circuit('a.test/one').trip()
  bench.board.circuit('a.test/two?token=x')
  bench.board.circuit('me@a.test')
  bench.board.circuit('a.test tenant-1')
  expect(shown(bench, STATE)).toEqual({ 'a.test open': 1, 'a.test closed': 2, 'a.test tenant-1 closed': 1 })
})

test('what is shown with a host is the same object each time', () => {
  const bench = benchOf()
  bench.call('a.test', 200)
  const attributes = (): Attributes[] =>
    familiesOf(bench.board, 100).flatMap(({ metric, samples }) =>
      metric.name === CALLS ? samples.map((sample) => sample.attributes) : [],
    )
  const first = attributes()
  expect(attributes().map((one, index) => one === first[index])).toEqual([true, true, true, true])
})

test('all exporters of a board count the same', () => {
  const bench = benchOf()
  familiesOf(bench.board, 100)
  bench.board.circuit('a.test').trip()
  expect(shown(bench, 'fuseboard.circuit.transitions', 7)).toEqual({ 'a.test closed open by-hand': 1 })
})
