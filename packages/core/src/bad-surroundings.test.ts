// What surrounds a board and fails: listeners, the clock, the store of replies, and URLs that are none. No request ends otherwise for it.
import { afterEach, describe, expect, test, vi } from 'vitest'
import { circuitOpen, createBoard, guardFetch, staleIfError, type BoardEvents, type ReplyStore } from './index.ts'

afterEach(() => {
  vi.useRealTimers()
  vi.restoreAllMocks()
})

const broken = (): never => {
  throw new Error('broken')
}
const rejects = ((): unknown => Promise.reject(new Error('broken'))) as () => never
const OFTEN = { failureRate: false, consecutiveFailures: 2, openFor: '5s' } as const

const MADE = {
  status: 200,
  statusText: '',
  headers: [],
  body: new Uint8Array(),
  decoded: true,
  mark: { source: 'made', reason: 'failed' },
} as const

/** The texts that go to the console. */
function printed(): string[] {
  const lines: string[] = []
  vi.spyOn(console, 'warn').mockImplementation((line: string) => void lines.push(line))
  return lines
}

describe('a listener', () => {
  test.each<keyof BoardEvents>(['transition', 'refused', 'settled', 'fallback'])(
    'of %s that throws, or rejects, hurts neither the request nor the other listeners',
    async (name) => {
      const masked = name === 'fallback'
      const board = createBoard({ ...OFTEN, ...(masked && { fallback: { standIn: () => MADE } }) })
      const seen: unknown[] = []
      const warnings: string[] = []
      board.on('warning', ({ code, message }) => warnings.push(`${code}: ${message}`))
      board.on(name, broken)
      board.on(name, rejects)
      board.on(name, (event) => seen.push(event))

      const send = guardFetch(board, { fetch: async () => new Response('down', { status: 503 }) })
      const ask = (): Promise<unknown> => send('http://a.test/').then(({ status }) => status, circuitOpen)
      const life = [await ask(), await ask(), await ask()]
      expect(life).toMatchObject(masked ? [200, 200, 200] : [503, 503, { reason: 'open' }])
      const { state, counters } = board.circuit('a.test')
      expect([state, counters.failures, counters.refused, counters.inFlight]).toEqual(['open', 2, 1, 0])
      expect(seen.length).toBeGreaterThan(0)
      expect(warnings).toEqual([`listener: A listener of '${name}' threw: Error: broken`])
    },
  )

  test('of warnings that throws is told of on the console', () => {
    const lines = printed()
    const board = createBoard({ classify: broken })
    board.on('warning', broken)
    expect(board.attempt({ method: 'GET', url: 'http://a.test/' }).settle({ status: 200 })).toBe('success')
    expect(lines).toEqual(["fuseboard: A listener of 'warning' threw: Error: broken"])
  })

  test('that begins a request, or takes itself away, is called in its turn', () => {
    const board = createBoard(OFTEN)
    const seen: string[] = []
    const undo = board.on('settled', ({ key }) => {
      undo()
      board.attempt({ method: 'GET', url: 'http://b.test/' }).settle({ status: 200 })
      seen.push(`first ${key}`)
    })
    board.on('settled', ({ key }) => seen.push(`second ${key}`))
    board.attempt({ method: 'GET', url: 'http://a.test/' }).settle({ status: 200 })
    expect(seen).toEqual(['first a.test', 'second a.test', 'second b.test'])
  })

  test('put on twice is called twice, and each undo takes one away, once', () => {
    const board = createBoard()
    const listener = vi.fn<() => void>()
    const undo = board.on('settled', listener)
    const undoAgain = board.on('settled', listener)
    const settle = (): number => {
      listener.mockClear()
      board.attempt({ method: 'GET', url: 'http://a.test/' }).settle({ status: 200 })
      return listener.mock.calls.length
    }
    expect(settle()).toBe(2)
    undo()
    undo()
    expect(settle()).toBe(1)
    undoAgain()
    expect(settle()).toBe(0)
  })
})

describe('a warning that nobody listens to', () => {
  test('goes to the console, once', () => {
    const lines = printed()
    const board = createBoard({ key: broken })
    for (let call = 0; call < 3; call++) board.attempt({ method: 'GET', url: 'http://a.test/' }).settle({ status: 200 })
    expect(lines).toEqual(['fuseboard: key of a.test failed, the host is taken instead: Error: broken'])
  })

  test('is not told again to who listens later', () => {
    printed()
    const board = createBoard({ key: broken })
    const ask = (host: string): unknown =>
      board.attempt({ method: 'GET', url: `http://${host}/` }).settle({ status: 200 })
    ask('a.test')
    const heard: string[] = []
    board.on('warning', ({ message }) => heard.push(message))
    ask('a.test')
    ask('b.test')
    expect(heard).toEqual(['key of b.test failed, the host is taken instead: Error: broken'])
  })

  test('is one of a thousand at most', () => {
    const board = createBoard({ key: broken })
    const heard = vi.fn<() => void>()
    board.on('warning', heard)
    for (let host = 0; host < 1_100; host++) board.attempt({ method: 'GET', url: `http://a${host}.test/` }).release()
    expect(heard).toHaveBeenCalledTimes(1_000)
  })
})

describe('a clock', () => {
  const failing = (fail: () => unknown) => {
    let fails = false
    let ms = 1_000
    const read = (): number => (fails ? (fail() as number) : ms)
    const board = createBoard({ ...OFTEN, clock: { now: read, wall: () => (fails ? (fail() as number) : Date.now()) } })
    const warnings: string[] = []
    board.on('warning', ({ code, message }) => warnings.push(`${code}: ${message}`))
    const settle = (status: number): unknown =>
      board.attempt({ method: 'GET', url: 'http://a.test/' }).settle({ status })
    return { board, warnings, settle, pass: (by: number) => (ms += by), turn: (on: boolean) => (fails = on) }
  }

  test.each([
    ['throws', broken, 'threw: Error: broken'],
    ['gives NaN', () => NaN, 'gave NaN where milliseconds were wanted'],
    ['gives text', () => '5', 'gave 5 where milliseconds were wanted'],
    ['gives nothing', () => undefined, 'gave undefined where milliseconds were wanted'],
  ])('that %s stands still, and goes on where it can', (_what, fail, says) => {
    const { board, warnings, settle, pass, turn } = failing(fail)
    settle(200)
    turn(true)
    for (let call = 0; call < 2; call++) settle(503)
    const circuit = board.circuit('a.test')
    expect([circuit.state, circuit.counters.inFlight]).toEqual(['open', 0])
    pass(60_000)
    expect(board.attempt({ method: 'GET', url: 'http://a.test/' }).refused).toBe(true)
    turn(false)
    expect(settle(200)).toBe('success')
    expect([circuit.state, circuit.counters.inFlight]).toEqual(['closed', 0])
    expect(warnings.toSorted()).toEqual([`clock: clock.now ${says}`, `clock: clock.wall ${says}`])
  })

  test('that fails from the first is told of, and a board is made all the same', () => {
    const lines = printed()
    const board = createBoard({ clock: { now: broken } })
    expect(board.attempt({ method: 'GET', url: 'http://a.test/' }).settle({ status: 200 })).toBe('success')
    expect(lines).toEqual(['fuseboard: clock.now threw: Error: broken'])
  })

  test('of its own time whose wall fails once opens nothing early', () => {
    let fails = false
    const wall = (): number => (fails ? broken() : 1_000_000)
    const board = createBoard({ clock: { now: () => 0, wall } })
    board.on('warning', () => {})
    board.circuit('a.test').trip('1h')
    fails = true
    expect(board.circuit('a.test').state).toBe('open')
  })
})

describe('a store of replies', () => {
  const good: ReplyStore = { get: () => undefined, set: () => {}, delete: () => {} }
  const hangs = (): Promise<never> => new Promise(() => {})

  const asked = async (replies: ReplyStore): Promise<{ life: string[]; faults: string[] }> => {
    let status = 200
    const board = createBoard({ ...OFTEN, fallback: staleIfError({ keepFor: '1d' }), replies })
    const faults: string[] = []
    board.on('store', ({ action, fault }) => faults.push(`${action}: ${fault}`))
    const send = guardFetch(board, { fetch: async () => new Response('text', { status }) })
    const life: string[] = []
    for (status of [200, 404, 503, 503, 503]) {
      const answer = send('http://a.test/').then(
        async (response) => `${response.status} ${await response.text()}`,
        (error: unknown) => (circuitOpen(error) ? 'refused' : String(error)),
      )
      await vi.advanceTimersByTimeAsync(200)
      life.push(await answer)
    }
    expect(board.circuit('a.test').counters.inFlight).toBe(0)
    return { life, faults: [...new Set(faults)] }
  }

  test.each<[what: string, store: ReplyStore, faults: string[]]>([
    ['is empty', good, []],
    ['throws', { get: broken, set: broken, delete: broken }, ['set: broken', 'delete: broken']],
    ['throws at get', { ...good, get: broken }, ['get: broken']],
    ['rejects', { get: rejects, set: rejects, delete: rejects }, ['set: broken', 'delete: broken']],
    ['rejects at get', { ...good, get: rejects }, ['get: broken']],
    ['hangs', { get: hangs, set: hangs, delete: hangs }, []],
    ['hangs at get', { ...good, get: hangs }, ['get: no answer within 100 ms']],
    ['lies with a number', { ...good, get: () => 5 as never }, ['get: no list of entries']],
    [
      'lies with entries',
      { ...good, get: () => [{ v: 1 }, null] as never },
      ['get: an entry of another key', 'get: an entry of another version'],
    ],
    [
      'answers with a foreign entry',
      { ...good, get: () => [{ v: 1, key: 'GET\nhttp://b.test/' }] as never },
      ['get: an entry of another key'],
    ],
    [
      'answers with a malformed one',
      { ...good, get: (key: string) => [{ v: 1, key }] as never },
      ['get: a malformed entry'],
    ],
  ])('that %s is a miss', async (_what, store, faults) => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    expect(await asked(store)).toEqual({ life: ['200 text', '404 text', '503 text', '503 text', 'refused'], faults })
  })
})

describe('a URL that is none', () => {
  test.each([
    '',
    '/relative',
    'a.test',
    'http://',
    'http://[::1',
    'http://a b/',
    'ftp://a.test/',
    'about:blank',
    'http://u:p@a.test/',
  ])('%j fails as it does without', async (url) => {
    const board = createBoard()
    const fails = (send: typeof fetch): Promise<unknown> => send(url).catch((error: unknown) => error)
    const [bare, guarded] = [await fails(fetch), await fails(guardFetch(board))] as [Error, Error]
    expect(bare).toBeInstanceOf(TypeError)
    expect([guarded.constructor, guarded.message, String(guarded.cause)]).toEqual([
      bare.constructor,
      bare.message,
      String(bare.cause),
    ])
    expect([...board.circuits()].flatMap(({ counters: { failures, inFlight } }) => [failures, inFlight])).not.toContain(
      1,
    )
  })

  const outcome = (send: typeof fetch, input: unknown): Promise<unknown> =>
    send(input as never).catch((error: unknown) => String(error))

  test.each([[5], [undefined], [{}], [Symbol('x')]])('%s fails as it does without', async (input) => {
    expect(await outcome(guardFetch(createBoard()), input)).toEqual(await outcome(fetch, input))
  })

  test.each([[null], [Object.create(null)]])('%s rejects, and does not throw', async (input) => {
    expect(await outcome(guardFetch(createBoard()), input)).toEqual(await outcome(fetch, input))
  })
})
