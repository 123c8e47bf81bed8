// All circuits of a program: made, looked at, bounded, reset, and shared through the default board.
import { describe, expect, test, vi } from 'vitest'
import { circuitOpen, createBoard, defaultBoard, reply, toBoard, type Board, type BoardOptions } from './index.ts'

const DEFAULT = Symbol.for('fuseboard.board.default.0')

function boardAt(options: BoardOptions = {}): { board: Board; pass: (ms: number) => void; warnings: string[] } {
  let now = 1_000
  const board = createBoard({ openFor: '5s', consecutiveFailures: false, ...options, clock: { now: () => now } })
  const warnings: string[] = []
  board.on('warning', ({ code }) => warnings.push(code))
  return { board, pass: (ms) => void (now += ms), warnings }
}

const ask = (board: Board, host: string) => board.attempt({ method: 'GET', url: `http://${host}/` })
const visit = (board: Board, ...hosts: string[]): unknown =>
  hosts.map((host) => ask(board, host).settle({ status: 200 }))
const keysOf = (board: Board): string[] => [...board.circuits()].map(({ key }) => key)

describe('a circuit', () => {
  test('is warned of where its key is a URL, since no request meets it by default', () => {
    const board = createBoard()
    const warnings: string[] = []
    board.on('warning', ({ message }) => warnings.push(message))
    board.circuit('a.test').isolate()
    board.circuit('PayPal: subscriptions')
    expect(warnings).toEqual([])
    board.circuit('https://A.test/').isolate()
    expect(warnings).toEqual(['"https://A.test/" is a URL: the circuit of its requests is "a.test", by default'])
  })

  test('is made by circuit(), and not by peek()', () => {
    const board = createBoard()
    expect(board.peek('a.test')).toBeUndefined()
    const circuit = board.circuit('a.test')
    expect([board.circuit('a.test'), board.peek('a.test'), ...board.circuits()]).toEqual([circuit, circuit, circuit])
    expect(circuit).toMatchObject({ key: 'a.test', label: 'a.test', state: 'closed' })
  })

  test('is the one that requests meet', () => {
    const { board } = boardAt()
    board.circuit('a.test').trip()
    expect(ask(board, 'a.test').refusal).toMatchObject({ key: 'a.test', retryAfterMs: 5_000 })
  })

  test('of a host that is left unguarded is made too, and no request meets it', () => {
    const board = createBoard({ hosts: { 'a.test': false } })
    board.circuit('a.test').isolate()
    expect(ask(board, 'a.test')).toMatchObject({ guarded: false, refused: false })
  })
})

describe('at most maxCircuits', () => {
  test('are kept: the least recently used makes room', () => {
    const { board } = boardAt({ maxCircuits: 3 })
    visit(board, 'a', 'b', 'c', 'a', 'd')
    expect(keysOf(board).toSorted()).toEqual(['a', 'c', 'd'])
    visit(board, 'e')
    expect(keysOf(board).toSorted()).toEqual(['a', 'd', 'e'])
  })

  test('are 1,024 by default', () => {
    const { board } = boardAt()
    visit(board, ...Array.from({ length: 1_030 }, (_, n) => `h${n}`))
    expect(keysOf(board)).toHaveLength(1_024)
    expect([board.peek('h0'), board.peek('h1029')]).toMatchObject([undefined, { key: 'h1029' }])
  })

  test('and one that went comes back as new, for its requests and for run', async () => {
    const { board } = boardAt({ maxCircuits: 1 })
    const before = board.circuit('a')
    await board.run('a', () => 1)
    visit(board, 'a', 'b')
    expect([board.peek('a'), before.counters.successes]).toEqual([undefined, 2])
    visit(board, 'a')
    expect(board.peek('a')?.counters.successes).toBe(1)
    visit(board, 'b')
    await board.run('a', () => 1)
    expect(board.circuit('a')).not.toBe(before)
    expect(before.counters.successes).toBe(2)
  })

  test('and an open one stays, until nobody has asked for a window past its end', () => {
    const { board, pass } = boardAt({ maxCircuits: 2, window: '30s' })
    board.circuit('open').trip('5s')
    visit(board, 'a', 'b')
    expect(keysOf(board).toSorted()).toEqual(['b', 'open'])
    pass(35_000)
    visit(board, 'c')
    expect(keysOf(board).toSorted()).toEqual(['c', 'open'])
    pass(1)
    board.circuit('c').trip('1h')
    visit(board, 'd')
    expect(keysOf(board).toSorted()).toEqual(['c', 'd'])
  })

  test('and one that is held, paused, or at work stays', () => {
    const { board, warnings } = boardAt({ maxCircuits: 4, rateLimit: 'pause' })
    board.circuit('isolated').isolate()
    board.circuit('bypassed').bypass()
    const headers = [['retry-after', '60']] as const
    ask(board, 'paused').settle({ status: 429, headers })
    const atWork = ask(board, 'at-work')
    expect(ask(board, 'new').guarded).toBe(false)
    expect(keysOf(board).toSorted()).toEqual(['at-work', 'bypassed', 'isolated', 'paused'])
    expect(warnings).toEqual(['maxCircuits'])
    atWork.settle({ status: 200 })
    expect(ask(board, 'new').guarded).toBe(true)
    expect(board.peek('at-work')).toBeUndefined()
  })

  test('and where none may go, the new host goes unguarded, warned of once', () => {
    const { board, warnings } = boardAt({ maxCircuits: 2 })
    for (const host of ['a', 'b']) board.circuit(host).trip('1h')
    for (const host of ['c', 'd', 'c'])
      expect(ask(board, host)).toMatchObject({ guarded: false, refused: false, refusal: undefined })
    expect([keysOf(board), warnings]).toEqual([['a', 'b'], ['maxCircuits']])
  })

  test('and a guard with a name is pinned', () => {
    const { board } = boardAt({ maxCircuits: 2 })
    const guarded = board.guard('job', () => 1)
    guarded()
    visit(board, 'a', 'b', 'c')
    expect(keysOf(board).toSorted()).toEqual(['c', 'job'])
    expect(board.peek('job')).toBe(guarded.circuit)
  })

  test('and so it is where its circuit was there before', () => {
    const { board } = boardAt({ maxCircuits: 2 })
    board.circuit('job')
    const guarded = board.guard('job', () => 1)
    visit(board, 'a', 'b', 'c')
    expect(board.peek('job')).toBe(guarded.circuit)
  })

  test('hold for the keys of run as well', async () => {
    const { board } = boardAt({ maxCircuits: 2 })
    for (let key = 0; key < 10; key++) await board.run(`tenant ${key}`, () => key)
    expect(keysOf(board).length).toBeLessThanOrEqual(2)
  })

  test('hold for the keys of a guard by key as well', () => {
    const { board } = boardAt({ maxCircuits: 2 })
    const guarded = board.guard(
      (key: string) => key,
      (key: string) => key,
    )
    for (let key = 0; key < 10; key++) guarded(`tenant ${key}`)
    expect(keysOf(board).length).toBeLessThanOrEqual(2)
  })
})

describe('credentials of a URL', () => {
  test('are in no key, label, refusal or explanation', () => {
    const { board } = boardAt({ consecutiveFailures: 1 })
    const url = 'http://user:secret@a.test/'
    const transitions: unknown[] = []
    board.on('transition', (event) => transitions.push(event))
    board.attempt({ method: 'GET', url }).settle({ status: 503 })
    const { refusal } = board.attempt({ method: 'GET', url })
    const circuits = [...board.circuits()].map((circuit) => [circuit.key, circuit.label, circuit.explain()])
    const told = JSON.stringify([circuits, transitions, refusal, refusal?.message, refusal?.why])
    expect([refusal?.host, told.includes('secret'), told.includes('user')]).toEqual(['a.test', false, false])
  })

  test('are in no event, which goes to logs', async () => {
    const { board } = boardAt({ fallback: reply({ text: 'made' }) })
    const events: unknown[] = []
    for (const name of ['refused', 'fallback', 'settled', 'transition'] as const)
      board.on(name, (event) => events.push(event))
    board.circuit('a.test').trip()
    await board.attempt({ method: 'GET', url: 'http://user:secret@a.test/' }).standIn()
    expect(events).toHaveLength(3)
    expect(JSON.stringify(events)).not.toContain('secret')
  })
})

describe('run()', () => {
  test('gives what the task gives, now or later', async () => {
    const { board } = boardAt()
    expect([await board.run('job', () => 1), await board.run('job', async () => 2)]).toEqual([1, 2])
    expect(board.circuit('job').counters).toMatchObject({ successes: 2, inFlight: 0 })
  })

  test('rejects with what the task throws, and with the refusal where it is not run', async () => {
    const { board } = boardAt({ consecutiveFailures: 1 })
    const error = new Error('broken')
    const task = vi.fn<() => never>(() => {
      throw error
    })
    await expect(board.run('job', task)).rejects.toBe(error)
    const refusal = await board.run('job', task).catch((thrown: unknown) => circuitOpen(thrown))
    expect([refusal, task.mock.calls.length]).toMatchObject([{ key: 'job', retryAfterMs: 5_000 }, 1])
  })

  const abort = (): unknown => new DOMException('gone', 'AbortError')
  const aborted = AbortSignal.abort()
  const late = AbortSignal.abort(new DOMException('late', 'TimeoutError'))
  const mine = new Error('mine')

  test.each([
    ['an AbortError without a signal', 'failures', abort(), undefined],
    ['an AbortError whose signal had not aborted', 'failures', abort(), new AbortController().signal],
    ['an AbortError whose signal had aborted', 'ignored', abort(), aborted],
    ['the reason of the signal', 'ignored', mine, AbortSignal.abort(mine)],
    ['another error while the signal had aborted', 'failures', new Error('x'), aborted],
    ['a TimeoutError', 'failures', new DOMException('late', 'TimeoutError'), undefined],
    ['the TimeoutError of its signal', 'failures', late.reason, late],
  ] as const)('%s is one of the %s', async (_what, counted, error, signal) => {
    const { board } = boardAt()
    const task = (): Promise<never> => Promise.reject(error as Error)
    await expect(board.run('job', task, signal && { signal })).rejects.toBe(error)
    expect(board.circuit('job').counters).toMatchObject({ [counted]: 1, successes: 0, inFlight: 0 })
  })

  test('is judged by classify and expected', async () => {
    const { board } = boardAt()
    const fails = (): Promise<never> => Promise.reject(new RangeError('x'))
    await expect(board.run('job', fails, { expected: TypeError })).rejects.toThrow('x')
    await expect(board.run('job', fails, { expected: [TypeError, RangeError] })).rejects.toThrow('x')
    expect(await board.run('job', () => 0, { classify: () => 'failure' })).toBe(0)
    expect(board.circuit('job').counters).toMatchObject({ ignored: 1, failures: 2, successes: 0 })
  })
})

describe('reset()', () => {
  test('closes every circuit and forgets what it saw', () => {
    const { board } = boardAt({ consecutiveFailures: 2 })
    board.circuit('open').trip()
    const hold = board.circuit('held').isolate()
    ask(board, 'ill').settle({ status: 503 })
    board.reset()
    expect([...board.circuits()].map(({ state }) => state)).toEqual(['closed', 'closed', 'closed'])
    ask(board, 'ill').settle({ status: 503 })
    hold.release()
    expect([board.circuit('ill').state, board.circuit('held').state]).toEqual(['closed', 'closed'])
  })
})

describe('the default board', () => {
  test('is one for the process, through a symbol', () => {
    const board = defaultBoard()
    expect([defaultBoard(), toBoard(), toBoard(undefined)]).toEqual([board, board, board])
    expect((globalThis as Record<symbol, unknown>)[DEFAULT]).toBe(board)
  })

  test('of another copy of this code is taken up', async () => {
    const board = defaultBoard()
    vi.resetModules()
    const copy = await import('./index.ts')
    expect(copy.Board).not.toBe(board.constructor)
    expect([copy.defaultBoard(), copy.toBoard(), copy.toBoard(board)]).toEqual([board, board, board])
  })
})

describe('toBoard()', () => {
  test('gives a board back, and makes one of options', () => {
    const board = createBoard()
    expect(toBoard(board)).toBe(board)
    expect(toBoard({ label: 'x' }).circuit('a').label).toBe('x')
    expect(toBoard({})).not.toBe(defaultBoard())
  })
})
