// One request on the wire: one admission, one settlement, at most one amendment, at most one adoption.
import { describe, expect, test, vi } from 'vitest'
import { Attempt, createBoard, type Board, type BoardOptions, type Fallback, type Outcome, type Sink } from './index.ts'

const GET = { method: 'GET', url: 'http://a.test/x' }
const HEAD = { status: 200, statusText: 'OK', headers: [], decoded: true }
const reset = Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' })
const gone = new DOMException('gone', 'AbortError')

function boardAt(options: BoardOptions = {}) {
  let now = 1_000
  const board = createBoard({
    consecutiveFailures: false,
    failureRate: false,
    openFor: '5s',
    ...options,
    clock: { now: () => now },
  })
  const settled: string[] = []
  board.on('settled', ({ verdict, amended, stale }) =>
    settled.push(`${amended ? 'amended to ' : ''}${verdict}${stale ? ', stale' : ''}`),
  )
  const counters = () => board.circuit('a.test').counters
  return { board, settled, counters, pass: (ms: number) => void (now += ms) }
}

describe('an attempt', () => {
  test('takes a place until it is settled, and is settled once', () => {
    const { board, counters, settled } = boardAt()
    const attempt = board.attempt(GET)
    expect(attempt).toMatchObject({ guarded: true, refused: false, refusal: undefined, adopted: false, host: 'a.test' })
    expect(counters().inFlight).toBe(1)
    expect(['success', attempt.settle({ status: 200 }), attempt.settle({ status: 503 })]).toEqual(
      Array(3).fill('success'),
    )
    expect([counters(), settled]).toMatchObject([{ successes: 1, failures: 0, inFlight: 0 }, ['success']])
  })

  test('that is released says nothing, and can no longer be settled', () => {
    const { board, counters, settled } = boardAt()
    const attempt = board.attempt(GET)
    attempt.release()
    attempt.release()
    expect(attempt.settle({ status: 503 })).toBe('ignored')
    expect([counters(), settled]).toMatchObject([{ ignored: 1, failures: 0, inFlight: 0 }, ['ignored']])
  })

  test('that is settled is not released any more', () => {
    const { board, counters, settled } = boardAt()
    const attempt = board.attempt(GET)
    attempt.settle({ status: 503 })
    attempt.release()
    attempt[Symbol.dispose]()
    expect([counters(), settled]).toMatchObject([{ failures: 1, ignored: 0, inFlight: 0 }, ['failure']])
  })

  test('that is disposed of gives its place back', () => {
    const { board, counters } = boardAt()
    {
      using attempt = board.attempt(GET)
      expect([attempt.refused, counters().inFlight]).toEqual([false, 1])
    }
    expect(counters()).toMatchObject({ ignored: 1, inFlight: 0 })
  })

  test.each<[what: string, outcome: Outcome, verdict: string]>([
    ['a good answer', { status: 200 }, 'success'],
    ['a bad one', { status: 500 }, 'failure'],
    ['one to wait for', { status: 429 }, 'ignored'],
    ['an unknown error', { error: reset }, 'failure'],
    ['an unknown thing', { error: undefined }, 'failure'],
    ['an abort', { error: gone }, 'ignored'],
    ['a deadline by its name', { error: new DOMException('late', 'TimeoutError') }, 'failure'],
    ['a deadline as the adapter knows it', { error: gone, cause: 'deadline' }, 'failure'],
    ['a mistake as the adapter knows it', { error: reset, cause: 'caller' }, 'ignored'],
    ['a refusal further in', { error: gone, cause: 'refused' }, 'ignored'],
  ])('with %s', (_what, outcome, verdict) => {
    const { board, counters } = boardAt()
    expect(board.attempt(GET).settle(outcome)).toBe(verdict)
    expect(counters().inFlight).toBe(0)
  })

  test('that its caller gave up late is a failure, unless that is off', () => {
    const after = (ms: number, options: BoardOptions): string => {
      const { board, pass } = boardAt(options)
      const attempt = board.attempt(GET)
      pass(ms)
      return attempt.settle({ error: gone })
    }
    expect([after(4_999, {}), after(5_000, {}), after(1_000, { abandonedAfter: '1s' })]).toEqual([
      'ignored',
      'failure',
      'failure',
    ])
    expect(after(3_600_000, { abandonedAfter: false })).toBe('ignored')
  })

  test('gives classify the outcome and the request', () => {
    const classify = vi.fn<() => 'failure'>(() => 'failure')
    const { board } = boardAt({ classify })
    const outcome = { status: 200, headers: [['a', 'b']] } as const
    expect(board.attempt(GET).settle(outcome)).toBe('failure')
    expect(classify.mock.calls).toMatchObject([[outcome, { ...GET, host: 'a.test' }]])
  })
})

describe('an amendment', () => {
  test('makes one failure of one success, once', () => {
    const { board, counters, settled } = boardAt()
    const attempt = board.attempt(GET)
    attempt.settle({ status: 200 })
    attempt.amend({ error: reset })
    attempt.amend({ error: reset })
    attempt.release()
    expect(attempt.settle({ status: 200 })).toBe('success')
    expect(counters()).toMatchObject({ successes: 0, failures: 1, ignored: 0, inFlight: 0 })
    expect(settled).toEqual(['success', 'amended to failure'])
  })

  test.each<[what: string, begin: Outcome | undefined]>([
    ['a failure', { status: 503 }],
    ['what was ignored', { status: 429 }],
    ['what was not settled', undefined],
  ])('changes nothing of %s', (_what, outcome) => {
    const { board, counters } = boardAt()
    const attempt = board.attempt(GET)
    if (outcome) attempt.settle(outcome)
    const before = counters()
    attempt.amend({ error: reset })
    expect(counters()).toEqual(before)
  })

  test.each([
    [{ error: gone }, 'success'],
    [{ error: reset, cause: 'abort' }, 'success'],
    [{ error: reset, cause: 'caller' }, 'success'],
    [{ error: gone, cause: 'deadline' }, 'failure'],
    [{ error: gone, cause: 'unknown' }, 'failure'],
    [{ error: undefined }, 'failure'],
  ] as const)('by %o leaves a %s', (loss, verdict) => {
    const { board, counters } = boardAt()
    const attempt = board.attempt(GET)
    attempt.settle({ status: 200 })
    attempt.amend(loss)
    expect(counters()).toMatchObject({
      successes: verdict === 'success' ? 1 : 0,
      failures: verdict === 'success' ? 0 : 1,
    })
  })

  test('of an attempt from an earlier state changes counters only', () => {
    const { board, settled, counters } = boardAt({ consecutiveFailures: 1 })
    const attempt = board.attempt(GET)
    attempt.settle({ status: 200 })
    board.circuit('a.test').trip()
    board.reset()
    attempt.amend({ error: reset })
    expect([board.circuit('a.test').state, counters().stale]).toEqual(['closed', 1])
    expect(settled).toEqual(['success', 'amended to failure, stale'])
  })
})

describe('a refused attempt', () => {
  test('has an error, is told of, and takes no place whatever is said of it', () => {
    const { board, counters, settled } = boardAt()
    const refusals: unknown[] = []
    board.on('refused', (event) => refusals.push(event))
    board.circuit('a.test').trip()
    const attempt = board.attempt(GET)
    expect(attempt.refused).toBe(true)
    expect(attempt.refusal).toBe(attempt.refusal)
    expect(attempt.settle({ status: 200 })).toBe('ignored')
    attempt.release()
    attempt.amend({ error: reset })
    expect(counters()).toMatchObject({ refused: 1, successes: 0, ignored: 0, failures: 0, inFlight: 0 })
    const told = {
      key: 'a.test',
      label: 'a.test',
      host: 'a.test',
      reason: 'open',
      retryAfterMs: 5_000,
      shadow: false,
      ...GET,
    }
    expect([refusals, settled]).toEqual([[{ ...told, at: expect.any(Number) as number }], []])
  })

  test('is asked for no answer to keep', () => {
    const capture = vi.fn<() => undefined>()
    const { board } = boardAt({ fallback: { standIn: () => undefined, capture } })
    board.circuit('a.test').trip()
    expect(board.attempt(GET).capture(HEAD)).toBe(false)
    expect(capture).not.toHaveBeenCalled()
  })
})

describe('an attempt that is handed down', () => {
  test('is adopted once, by its own board', () => {
    const { board, counters } = boardAt()
    const other = createBoard()
    const outer = board.attempt(GET)
    expect(other.attempt(GET, outer)).not.toBe(outer)
    expect(outer.adopted).toBe(false)
    expect(board.attempt(GET, outer)).toBe(outer)
    expect([outer.adopted, counters().inFlight]).toEqual([true, 1])
    const next = board.attempt(GET, outer)
    expect([next === outer, next.adopted, counters().inFlight]).toEqual([false, false, 2])
  })

  test('is not adopted once it is settled or released: a retry is an attempt of its own', () => {
    const { board } = boardAt()
    const [settled, released] = [board.attempt(GET), board.attempt(GET)]
    settled.settle({ status: 503 })
    released.release()
    expect(board.attempt(GET, settled)).not.toBe(settled)
    expect(board.attempt(GET, released)).not.toBe(released)
  })

  test.each([undefined, null, 5, {}, 'attempt', { adopt: () => true }])('is no %o', (handed) => {
    const { board, counters } = boardAt()
    expect(board.attempt(GET, handed)).toBeInstanceOf(Attempt)
    expect(counters().inFlight).toBe(1)
  })
})

describe('what an attempt keeps', () => {
  function keeping(over: Partial<Fallback> = {}): { board: Board; log: string[] } {
    const log: string[] = []
    const sink: Sink = {
      write: (chunk) => log.push(`write ${chunk.byteLength}`),
      end: () => log.push('end'),
      abort: () => log.push('abort'),
    }
    const fallback: Fallback = {
      standIn: () => undefined,
      capture: () => sink,
      superseded: () => log.push('superseded'),
      ...over,
    }
    return { board: boardAt({ fallback: [fallback, () => undefined] }).board, log }
  }
  const begin = (board: Board, status = 200) => {
    const attempt = board.attempt(GET)
    attempt.settle({ status })
    return attempt
  }

  test('comes in chunks, to its end', () => {
    const { board, log } = keeping()
    const attempt = begin(board)
    expect(attempt.capture(HEAD)).toBe(true)
    attempt.chunk(new Uint8Array(3))
    attempt.end()
    attempt.chunk(new Uint8Array(3))
    attempt.end()
    attempt.drop()
    expect(log).toEqual(['write 3', 'end'])
  })

  test('is dropped where the body breaks or is given up, once', () => {
    for (const does of ['amend', 'drop'] as const) {
      const { board, log } = keeping()
      const attempt = begin(board)
      attempt.capture(HEAD)
      for (const _ of [1, 2]) attempt[does]({ error: gone })
      attempt.end()
      expect(log).toEqual(['abort'])
    }
  })

  test('is nothing where nobody wants it, the verdict is none of success, or there is no fallback', () => {
    const { board, log } = keeping({ capture: () => undefined })
    expect(begin(board).capture(HEAD)).toBe(false)
    expect(begin(board, 429).capture({ ...HEAD, status: 429 })).toBe(false)
    expect(log).toEqual(['superseded', 'superseded'])
    expect(begin(board, 503).capture({ ...HEAD, status: 503 })).toBe(false)
    expect(begin(boardAt().board).capture(HEAD)).toBe(false)
    expect(log).toHaveLength(2)
  })

  test('wants header fields on the wire by the policy’s order', () => {
    const wanting = (name: string): Fallback => ({ standIn: () => undefined, prepare: ({ host }) => [[name, host]] })
    const { board } = boardAt({ fallback: [wanting('x-one'), () => undefined, wanting('x-two')] })
    expect(board.attempt(GET).headers).toEqual([
      ['x-one', 'a.test'],
      ['x-two', 'a.test'],
    ])
    expect(boardAt().board.attempt(GET).headers).toEqual([])
  })
})
