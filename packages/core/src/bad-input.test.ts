// Wrong input to what is no policy: told at once, by its name, its rule, and the value that was given.
import { describe, expect, test, vi } from 'vitest'
import { createBoard, duration, guard, guardFetch, memoryReplies, reply, staleIfError, toBoard } from './index.ts'

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

describe('wrong options of a board', () => {
  test.each([
    [{ maxCircuits: 0 }, `RangeError: maxCircuits ${COUNT}, got 0`],
    [{ maxCircuits: '5' }, 'TypeError: maxCircuits must be a number, got "5"'],
    [{ clock: {} }, 'TypeError: clock must have a method now, got {}'],
    [{ clock: null }, 'TypeError: clock must have a method now, got null'],
    [{ replies: {} }, 'TypeError: replies must have the methods get, set and delete, got {}'],
    [{ replies: 'memory' }, 'TypeError: replies must have the methods get, set and delete, got "memory"'],
    [{ hosts: 'a.test' }, 'TypeError: hosts must be an object, got "a.test"'],
    [{ hosts: ['a.test'] }, 'TypeError: hosts must be an object, got ["a.test"]'],
    [{ hosts: { 'a.test': true } }, 'TypeError: hosts["a.test"] must be an object, got true'],
    [{ hosts: { 'a.test': null } }, 'TypeError: hosts["a.test"] must be an object, got null'],
  ])('%o is told', (options, message) => {
    expect(told(() => createBoard(options as never))).toBe(message)
    expect(told(() => toBoard(options as never))).toBe(message)
    expect(told(() => guardFetch(options as never))).toBe(message)
  })

  test.each([
    [null, 'null'],
    [42, '42'],
    [[], '[]'],
    ['a.test', '"a.test"'],
    [createBoard, 'function createBoard'],
    [new Map([['a.test', { openFor: '5s' }]]), 'object Map'],
    [Promise.resolve({ openFor: '5s' }), 'object Promise'],
  ])('%o is told where a board or its options are wanted', (given, shown) => {
    expect(told(() => createBoard(given as never))).toBe(
      `TypeError: the options of a board must be an object, got ${shown}`,
    )
    const message = `TypeError: a board or its options must be an object, got ${shown}`
    expect(told(() => toBoard(given as never))).toBe(message)
    expect(told(() => guardFetch(given as never))).toBe(message)
  })

  test('hosts in a Map, of which none would be met, are told', () => {
    const hosts = new Map([['a.test', { openFor: '5s' }]]) as never
    expect(told(() => createBoard({ hosts }))).toBe('TypeError: hosts must be an object, got object Map')
  })

  test('nothing is shown of what is in a client', () => {
    class Redis {
      options = { password: 'secret' }
    }
    const message = 'TypeError: replies must have the methods get, set and delete, got object Redis'
    expect(told(() => createBoard({ replies: new Redis() as never }))).toBe(message)
  })

  test('a board is told where options belong, and where a policy does', () => {
    const board = createBoard()
    expect(told(() => createBoard(board as never))).toBe('TypeError: The options of a board are wanted, got a board')
    expect(told(() => guard(board as never))).toBe(
      'TypeError: A guard takes a policy, got a board: use board.guard(name, fn)',
    )
  })

  test.each([undefined, 5, ''])('%o names no circuit', (key) => {
    expect(told(() => createBoard().circuit(key as never))).toMatch(/^TypeError: A key must be text, got/)
  })

  test.each(['A.test', 'http://a.test', 'a.test/v1', 'a.test.', 'u@a.test', '*', '*.', 'a.*.test', 'a test', ''])(
    '%j is no name of a host',
    (name) => {
      const message = `TypeError: hosts["${name}"] must be a host, host:port or *.wildcard in lower case, got "${name}"`
      expect(told(() => createBoard({ hosts: { [name]: {} } }))).toBe(message)
    },
  )

  test.each(['bücher.test', '*.a.test:8080', '[0:0:0:0:0:0:0:1]', '127.1'])(
    '%j, which no request would ever meet, is told or meant',
    (name) => {
      const url = `http://${name.replace('*', 'sub')}/`
      const guarded = (): boolean => createBoard({ hosts: { [name]: false } }).attempt({ method: 'GET', url }).guarded
      expect([false, 'told']).toContain(told(guarded) === 'nothing' ? guarded() : 'told')
    },
  )

  test('a clock whose wall is no function is told', () => {
    const clock = { now: () => 0, wall: 5 } as never
    expect(told(() => createBoard({ clock }))).toBe('TypeError: clock.wall must be a function, got 5')
  })

  test('a rate that a host has no use for, since it switched the rule off, is no mistake', () => {
    const hosts = { 'llm.test': { slowAfter: false } } as const
    expect(told(() => createBoard({ slowAfter: '5s', slowRate: 0.3, hosts }))).toBe('nothing')
  })
})

describe('a wrong policy of a guard', () => {
  const board = createBoard()
  const fn = (): number => 1

  test.each([
    [{ failureRate: 2 }, `RangeError: guard("bad").failureRate ${RATIO}, got 2`],
    [{ openFor: '5 s' }, `TypeError: guard("bad").openFor ${TIME}, got "5 s"`],
  ])('%o is told with the name of the guard', (policy, message) => {
    expect(told(() => board.guard('bad', fn, policy as never))).toBe(message)
    expect(board.peek('bad')).toBeUndefined()
    expect(told(() => board.guard(() => 'bad', fn, policy as never))).toBe(message.replace('("bad")', ''))
  })

  test.each([
    [null, 'TypeError: the policy of a guard must be an object, got null'],
    [{ classify: 'failure' }, 'TypeError: classify must be a function, got "failure"'],
    [{ expected: 'Error' }, 'TypeError: expected must be an error class, a list of them, or a predicate, got "Error"'],
    [
      { expected: [Error, 5] },
      'TypeError: expected must be an error class, a list of them, or a predicate, got [null,5]',
    ],
    [
      { fallback: [] },
      /^TypeError: fallback is not an option; there are label, window, .*, maxInFlight, throttle, mode, stack, classify, expected$/,
    ],
    [{ key: fn }, /^TypeError: key is not an option/],
    [{ probe: fn }, /^TypeError: probe is not an option/],
    [{ rateLimit: 'pause' }, /^TypeError: rateLimit is not an option/],
    [{ abandonedAfter: 1 }, /^TypeError: abandonedAfter is not an option/],
  ])('%o is told', (policy, message) => {
    expect(told(() => board.guard('bad', fn, policy as never))).toMatch(message)
    expect(told(() => guard(policy as never))).toMatch(message)
  })

  test('what is no function, and what is no name, is told', () => {
    expect(told(() => board.guard('x', 5 as never))).toBe('TypeError: A guard needs a function, got 5')
    expect(told(() => board.guard(5 as never, fn))).toBe(
      'TypeError: A guard needs a name or a function that gives one, got 5',
    )
    expect(told(() => board.guard('', fn))).toBe('TypeError: A guard needs a name or a function that gives one, got ""')
    expect(told(() => guard()(5 as never))).toBe('TypeError: guard() guards functions and methods, got 5')
  })
})

describe('wrong input to the rest', () => {
  const board = createBoard()
  const events = 'transition, refused, settled, fallback, store, warning'

  test.each([
    [() => guardFetch(board, { fetch: 'x' as never }), 'TypeError: fetch must be a function, got "x"'],
    [
      () => guardFetch(board, { refusal: 'reject' as never }),
      'TypeError: refusal must be one of "throw", "response", got "reject"',
    ],
    [
      () => memoryReplies({ maxBytes: '1MB' as never }),
      'TypeError: memoryReplies.maxBytes must be a number of bytes, got "1MB"',
    ],
    [
      () => memoryReplies({ maxEntries: '9' as never }),
      'TypeError: memoryReplies.maxEntries must be a number, got "9"',
    ],
    [
      () => staleIfError({ maxEntryBytes: 0 }),
      'RangeError: staleIfError.maxEntryBytes must be a whole number of bytes above 0, got 0',
    ],
    [() => staleIfError({ keepFor: -1 }), `TypeError: staleIfError.keepFor ${TIME}, got -1`],
    [() => reply({ text: '', status: 600 }), 'RangeError: reply.status must be from 200 to 599, got 600'],
    [() => board.circuit('a').trip(0), 'RangeError: trip(for) must be a duration longer than 0, got 0'],
    [
      () => board.circuit('a').trip('soon' as never),
      'RangeError: trip(for) must be a duration longer than 0, got "soon"',
    ],
    [() => duration('30 s'), "TypeError: A duration is milliseconds or text such as '30s' or '5m', got \"30 s\""],
    [() => duration('30'), "TypeError: A duration is milliseconds or text such as '30s' or '5m', got \"30\""],
    [() => duration(-1), "TypeError: A duration is milliseconds or text such as '30s' or '5m', got -1"],
    [() => board.on('trip' as never, () => {}), `TypeError: There is no event "trip"; there are ${events}`],
    [
      () => board.on('constructor' as never, () => {}),
      `TypeError: There is no event "constructor"; there are ${events}`,
    ],
    [() => board.on('warning', 'x' as never), 'TypeError: A listener must be a function, got x'],
  ])('%s is told', (call, message) => {
    expect(told(call)).toBe(message)
    expect(board.peek('a')?.state ?? 'closed').toBe('closed')
  })

  test.each([[null], [[]]])('%j is told as the options of guardFetch', (given) => {
    expect(told(() => guardFetch(board, given as never))).toMatch(
      /^TypeError: the options of guardFetch must be an object, got/,
    )
  })

  test('a task that is no function is told, and says nothing of its circuit', async () => {
    for (const task of [5, undefined, Promise.resolve(5)])
      await expect(board.run('task', task as never)).rejects.toThrow(TypeError)
    expect(board.circuit('task').counters).toMatchObject({ failures: 0, inFlight: 0 })
  })

  test.each([
    [undefined, 'undefined'],
    [null, 'null'],
    [42, '42'],
    ['', '""'],
    [{ id: 7 }, '{"id":7}'],
  ])('%j, under which nothing could be found again, is told as the key of a task', async (key, shown) => {
    const own = createBoard()
    await expect(own.run(key as never, () => 1)).rejects.toThrow(new TypeError(`A key must be text, got ${shown}`))
    expect([...own.circuits()]).toEqual([])
  })

  test.each([
    [null, 'the options of run must be an object, got null'],
    ['5s', 'the options of run must be an object, got "5s"'],
    [{ timeout: 5 }, 'run.timeout is not an option; there are signal, classify, expected'],
    [{ expect: Error }, 'run.expect is not an option; did you mean expected? There are signal, classify, expected'],
  ])('%o is told as the options of a task, which is not run', async (options, message) => {
    const task = vi.fn<() => number>()
    await expect(board.run('task', task, options as never)).rejects.toThrow(new TypeError(message))
    expect([task.mock.calls, board.circuit('task').counters.inFlight]).toEqual([[], 0])
  })

  test.each([[[]], [{}], ['redis']])('%o is told where a fleet is wanted', (given) => {
    expect(told(() => createBoard({ fleet: given as never }))).toMatch(/^TypeError: fleet must be redisFleet\(\.\.\.\)/)
  })

  test('an option that guardFetch does not have is told', () => {
    const message = /^TypeError: refuse is not an option; there are fetch, refusal/
    expect(told(() => guardFetch(board, { refuse: 'throw' } as never))).toMatch(message)
  })

  test('durations are read in each unit', () => {
    expect(['500ms', '30s', '1.5m', '2h', '7d', 250].map(duration)).toEqual([
      500, 30_000, 90_000, 7_200_000, 604_800_000, 250,
    ])
  })
})
