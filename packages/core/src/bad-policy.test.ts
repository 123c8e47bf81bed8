// A wrong policy: each option is told at once, by its name, its rule, and the value that was given.
import { describe, expect, test } from 'vitest'
import { createBoard, reply, staleIfError, type BoardOptions } from './index.ts'

/** What a call throws, as `Kind: message`. */
function told(call: () => unknown): string {
  try {
    call()
    return 'nothing'
  } catch (error) {
    return String(error)
  }
}

const RATIO = 'must be above 0 and at most 1'
const COUNT = 'must be a whole number from 1 to 1000000'
const TIME = "must be milliseconds or text such as '30s'"
const POLICY =
  'label, key, window, failureRate, minimumCalls, consecutiveFailures, slowAfter, slowRate, openFor, maxPause, probes, ' +
  'abandonedAfter, rateLimit, maxInFlight, throttle, mode, stack, probe, classify, fallback'
const circle: Record<string, unknown> = {}
circle['self'] = circle

const WRONG: readonly [options: Record<string, unknown>, message: string][] = [
  [{ label: 5 }, 'TypeError: label must be a string, got 5'],
  [{ label: null }, 'TypeError: label must be a string, got null'],
  [{ label: '' }, 'RangeError: label must not be empty, got ""'],
  [{ key: 'host' }, 'TypeError: key must be a function, got "host"'],
  [{ window: 'half a minute' }, `TypeError: window ${TIME}, got "half a minute"`],
  [{ window: 0 }, 'RangeError: window must be longer than 0, got 0'],
  [{ window: false }, `TypeError: window ${TIME}, got false`],
  [{ window: [] }, 'TypeError: window must be an object, got []'],
  [{ window: {} }, 'TypeError: window.calls must be a number, got undefined'],
  [{ window: { calls: 2.5 } }, `RangeError: window.calls ${COUNT}, got 2.5`],
  [{ window: { calls: 1_000_001 } }, `RangeError: window.calls ${COUNT}, got 1000001`],
  [{ window: { calls: 5, over: '1s' } }, 'TypeError: window.over is not an option; there are calls'],
  [{ failureRate: 50 }, `RangeError: failureRate ${RATIO}, got 50`],
  [{ failureRate: 0 }, `RangeError: failureRate ${RATIO}, got 0`],
  [{ failureRate: NaN }, `RangeError: failureRate ${RATIO}, got NaN`],
  [{ failureRate: '50%' }, 'TypeError: failureRate must be a number, got "50%"'],
  [{ failureRate: true }, 'TypeError: failureRate must be a number, got true'],
  [{ minimumCalls: 0 }, `RangeError: minimumCalls ${COUNT}, got 0`],
  [{ minimumCalls: Infinity }, `RangeError: minimumCalls ${COUNT}, got Infinity`],
  [{ minimumCalls: '10' }, 'TypeError: minimumCalls must be a number, got "10"'],
  [{ consecutiveFailures: 0 }, `RangeError: consecutiveFailures ${COUNT}, got 0`],
  [{ consecutiveFailures: true }, 'TypeError: consecutiveFailures must be a number, got true'],
  [{ consecutiveFailures: [5] }, 'TypeError: consecutiveFailures must be an object, got [5]'],
  [{ consecutiveFailures: { calls: 5 } }, `TypeError: consecutiveFailures.over ${TIME}, got undefined`],
  [{ consecutiveFailures: { calls: -1, over: 0 } }, `RangeError: consecutiveFailures.calls ${COUNT}, got -1`],
  [
    { consecutiveFailures: { calls: 1, within: 1 } },
    'TypeError: consecutiveFailures.within is not an option; there are calls, over',
  ],
  [{ slowAfter: '2 seconds' }, `TypeError: slowAfter ${TIME}, got "2 seconds"`],
  [{ slowAfter: 0 }, 'RangeError: slowAfter must be longer than 0, got 0'],
  [{ slowAfter: 5, slowRate: 1.5 }, `RangeError: slowRate ${RATIO}, got 1.5`],
  [{ slowRate: 0.5 }, 'RangeError: slowRate needs slowAfter, got 0.5'],
  [{ openFor: -1 }, `TypeError: openFor ${TIME}, got -1`],
  [{ openFor: NaN }, `TypeError: openFor ${TIME}, got NaN`],
  [{ openFor: '30 parsecs' }, `TypeError: openFor ${TIME}, got "30 parsecs"`],
  [{ openFor: '0s' }, 'RangeError: openFor must be longer than 0, got "0s"'],
  [{ openFor: { from: '5s' } }, `TypeError: openFor.to ${TIME}, got undefined`],
  [{ openFor: { from: '30s', to: '5s' } }, 'RangeError: openFor.to must be at least openFor.from (30 s), got "5s"'],
  [
    { openFor: { from: 100, to: 200, factor: 0.5 } },
    'RangeError: openFor.factor must be a number of at least 1, got 0.5',
  ],
  [
    { openFor: { from: 100, to: 200, factor: 'two' } },
    'RangeError: openFor.factor must be a number of at least 1, got "two"',
  ],
  [{ openFor: { for: 1 } }, 'TypeError: openFor.for is not an option; there are from, to, factor'],
  [{ maxPause: 0 }, 'RangeError: maxPause must be longer than 0, got 0'],
  [{ maxPause: false }, `TypeError: maxPause ${TIME}, got false`],
  [{ probes: 0 }, `RangeError: probes ${COUNT}, got 0`],
  [{ probes: 'one' }, 'TypeError: probes must be a number, got "one"'],
  [{ probes: { permits: 0 } }, `RangeError: probes.permits ${COUNT}, got 0`],
  [{ probes: { need: '1' } }, 'TypeError: probes.need must be a number, got "1"'],
  [{ probes: { within: 0 } }, 'RangeError: probes.within must be longer than 0, got 0'],
  [{ probes: { calls: 1 } }, 'TypeError: probes.calls is not an option; there are permits, need, within'],
  [{ probes: { constructor: 1 } }, 'TypeError: probes.constructor is not an option; there are permits, need, within'],
  [{ probe: true }, 'TypeError: probe must be a function, got true'],
  [{ abandonedAfter: '-5s' }, `TypeError: abandonedAfter ${TIME}, got "-5s"`],
  [{ rateLimit: 'wait' }, 'TypeError: rateLimit must be one of "ignore", "pause", "failure", got "wait"'],
  [{ classify: {} }, 'TypeError: classify must be a function, got {}'],
  [
    { fallback: 'stale' },
    'RangeError: fallback must be staleIfError(...), reply(...), a function, or a list of these, got "stale"',
  ],
  [
    { fallback: [staleIfError(), { json: 1 }] },
    'RangeError: fallback must be staleIfError(...), reply(...), a function, or a list of these, got {"json":1}',
  ],
  [
    { fallback: [null] },
    'RangeError: fallback must be staleIfError(...), reply(...), a function, or a list of these, got null',
  ],
  [{ throttle: 0.5 }, 'RangeError: throttle must be a number of at least 1, got 0.5'],
  [{ throttle: Infinity }, 'RangeError: throttle must be a number of at least 1, got Infinity'],
  [{ throttle: '2' }, 'RangeError: throttle must be a number of at least 1, got "2"'],
  [{ stack: 1 }, 'TypeError: stack must be a boolean, got 1'],
]

describe('a wrong policy', () => {
  test.each(WRONG)('%o is told', (options, message) => {
    expect(told(() => createBoard(options as BoardOptions))).toBe(message)
  })

  test.each(WRONG)('%o is told where it is a host’s', (options, message) => {
    const [kind, text] = message.split(': ', 2) as [string, string]
    expect(told(() => createBoard({ hosts: { 'a.test': options } as never }))).toBe(`${kind}: hosts["a.test"].${text}`)
  })

  test('a name that is none is told, with those that there are', () => {
    const message = `TypeError: failuresRate is not an option; did you mean failureRate? There are ${POLICY}, hosts, replies, maxCircuits, fleet, clock`
    expect(told(() => createBoard({ failuresRate: 0.5 } as never))).toBe(message)
    const host = `TypeError: hosts["a.test"].failuresRate is not an option; did you mean failureRate? There are ${POLICY}`
    expect(told(() => createBoard({ hosts: { 'a.test': { failuresRate: 0.5 } as never } }))).toBe(host)
  })

  test.each([
    ['openfor', 'openFor'],
    ['opnFor', 'openFor'],
    ['fallbacks', 'fallback'],
    ['minimunCalls', 'minimumCalls'],
    ['consecutiveFails', 'consecutiveFailures'],
    ['host', 'hosts'],
    ['keys', 'key'],
    ['timeout', undefined],
    ['errorThresholdPercentage', undefined],
    ['', undefined],
    ['x'.repeat(10_000), undefined],
  ])('a name that is near to one is told with it: %s, %s', (name, near) => {
    const meant = /did you mean (\w+)\? There are label/.exec(told(() => createBoard({ [name]: 1 })))
    expect(meant?.[1]).toBe(near)
  })

  test.each([
    [reply, 'reply'],
    [[staleIfError(), reply], 'reply'],
    [staleIfError, 'staleIfError'],
  ])('%o, what makes a fallback and was not called, is told', (fallback, name) => {
    const rule = 'it must be staleIfError(...), reply(...), a function, or a list of these'
    const message = `fallback was not called: ${rule}, got function ${name}`
    expect(told(() => createBoard({ fallback: fallback as never }))).toBe(`RangeError: ${message}`)
    expect(told(() => createBoard().configure('a.test', { fallback: fallback as never }))).toBe(
      `RangeError: hosts["a.test"].${message}`,
    )
  })

  test('a function of the same name is a fallback', () => {
    const own = { reply: () => reply({ text: '' }) }
    expect(told(() => createBoard({ fallback: own.reply }))).toBe('nothing')
  })

  test('what cannot be shown as JSON is told all the same', () => {
    expect(told(() => createBoard({ label: circle } as never))).toBe('TypeError: label must be a string, got an object')
    expect(told(() => createBoard({ label: Symbol('x') } as never))).toMatch(/got Symbol\(x\)$/)
    expect(told(() => createBoard({ minimumCalls: 10n } as never))).toMatch(/must be a number, got 10$/)
    expect(told(() => createBoard({ label: () => 'x' } as never))).toMatch(/must be a string, got function label$/)
  })

  test('an open time that is likely in seconds is warned of, once, and taken', () => {
    const messages: string[] = []
    const warn = console.warn
    console.warn = (message: string) => messages.push(message)
    try {
      createBoard({ openFor: 60, hosts: { 'a.test': { openFor: 30 } } })
      createBoard({ window: 30, slowAfter: '50ms', abandonedAfter: 5 })
    } finally {
      console.warn = warn
    }
    expect(messages).toEqual([
      "fuseboard: openFor is 60 ms: durations are milliseconds, or text such as '60s'",
      'fuseboard: hosts["a.test"].openFor is 30 ms: durations are milliseconds, or text such as \'30s\'',
      "fuseboard: window is 30 ms: durations are milliseconds, or text such as '30s'",
      "fuseboard: abandonedAfter is 5 ms: durations are milliseconds, or text such as '5s'",
    ])
  })

  test.each(['window', 'failureRate', 'consecutiveFailures', 'openFor', 'probes', 'rateLimit', 'stack'])(
    'null is no value of %s',
    (name) => expect(told(() => createBoard({ [name]: null }))).toMatch(new RegExp(`^TypeError: ${name} must be`)),
  )

  test('a window of so few calls that no rate is ever looked at is told', () => {
    const message = 'RangeError: minimumCalls must be at most window.calls (5), got 6'
    expect(told(() => createBoard({ window: { calls: 5 }, minimumCalls: 6 }))).toBe(message)
  })

  test('a window of few calls is looked at when it is full', () => {
    const circuit = createBoard({ window: { calls: 5 }, consecutiveFailures: false }).circuit('a.test')
    for (let call = 0; call < 4; call++) circuit.settle(circuit.admit(), 'failure')
    expect(circuit.state).toBe('closed')
    circuit.settle(circuit.admit(), 'failure')
    expect(circuit.state).toBe('open')
  })
})
