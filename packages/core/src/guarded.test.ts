// A function under a circuit of a board: how it is asked, how it is judged, and that it keeps its shape.
import { describe, expect, test } from 'vitest'
import { circuitOpen, createBoard, type Board, type BoardOptions, type GuardPolicy } from './index.ts'

class TimeUp extends Error {}
class NotFound extends Error {}

const ONE = { consecutiveFailures: 1, openFor: '5s' } as const

function boardAt(options: BoardOptions = {}): { board: Board; pass: (ms: number) => void } {
  let now = 1_000
  const board = createBoard({ ...options, clock: { now: () => now } })
  return { board, pass: (ms) => void (now += ms) }
}

const thrown = (call: () => unknown): unknown => {
  try {
    call()
    return 'nothing'
  } catch (error) {
    return error
  }
}

describe('a guarded function', () => {
  test('stays synchronous, and gives back the very result', () => {
    const { board } = boardAt()
    const result = { of: 'the function' }
    const guarded = board.guard('job', () => result)
    expect(guarded()).toBe(result)
    expect(guarded.circuit).toBe(board.circuit('job'))
    expect(guarded.circuit.counters).toMatchObject({ successes: 1, inFlight: 0 })
  })

  test('that is async settles when its promise does', async () => {
    const { board } = boardAt()
    let resolve = (_text: string): void => {}
    const guarded = board.guard('job', async () => new Promise<string>((done) => (resolve = done)))
    const call = guarded()
    expect(guarded.circuit.counters).toMatchObject({ successes: 0, inFlight: 1 })
    resolve('done')
    expect(await call).toBe('done')
    expect(guarded.circuit.counters).toMatchObject({ successes: 1, inFlight: 0 })
  })

  test('throws and rejects what it threw and rejected', async () => {
    const { board } = boardAt({ consecutiveFailures: false })
    const error = new Error('broken')
    const sync = board.guard('job', () => {
      throw error
    })
    const late = board.guard('job', () => Promise.reject(error))
    expect(thrown(sync)).toBe(error)
    await expect(late()).rejects.toBe(error)
    expect(sync.circuit.counters).toMatchObject({ failures: 2, inFlight: 0 })
  })

  test('is given its this and its arguments, and keeps its name and length', () => {
    const { board } = boardAt()
    function add(this: { base: number }, a: number, b: number): number {
      return this.base + a + b
    }
    const guarded = board.guard('job', add)
    expect(guarded.call({ base: 1 }, 2, 3)).toBe(6)
    expect([guarded.name, guarded.length]).toEqual(['add', 2])
    const anonymous = board.guard(
      'job',
      (
        () => () =>
          1
      )(),
    )
    expect([anonymous.name, anonymous.length]).toEqual(['', 0])
  })

  test('keeps a promise of its own kind', () => {
    class Own<T> extends Promise<T> {}
    const { board } = boardAt()
    expect(board.guard('job', () => Own.resolve(1))()).toBeInstanceOf(Own)
  })

  test('that gives a generator is done when it has given it', () => {
    const { board } = boardAt()
    const guarded = board.guard('job', function* count() {
      yield 1
      throw new Error('later')
    })
    const numbers = guarded()
    expect(guarded.circuit.counters).toMatchObject({ successes: 1, inFlight: 0 })
    expect(numbers.next()).toEqual({ value: 1, done: false })
    expect(thrown(() => numbers.next())).toEqual(new Error('later'))
    expect(guarded.circuit.counters).toMatchObject({ successes: 1, failures: 0 })
  })

  test('that gives an async generator stays one, refused or not', async () => {
    const { board } = boardAt()
    const guarded = board.guard('job', async function* count() {
      yield 1
    })
    for await (const value of guarded()) expect(value).toBe(1)
    guarded.circuit.trip()
    expect(circuitOpen(thrown(guarded))).toMatchObject({ key: 'job' })
  })

  test('that gives a thenable settles when that does', async () => {
    const { board } = boardAt({ consecutiveFailures: false })
    const thenable = (ok: boolean): PromiseLike<number> => ({
      // oxlint-disable-next-line unicorn/no-thenable -- that is the point
      then: (good, bad) => (ok ? Promise.resolve(7) : Promise.reject(new Error('broken'))).then(good, bad),
    })
    const guarded = board.guard('job', thenable)
    expect(await guarded(true)).toBe(7)
    await expect(Promise.resolve(guarded(false))).rejects.toThrow('broken')
    expect(guarded.circuit.counters).toMatchObject({ successes: 1, failures: 1, inFlight: 0 })
  })

  test('that gives a thenable which throws leaves no place taken', async () => {
    const { board } = boardAt()
    const guarded = board.guard('job', () => ({
      // oxlint-disable-next-line unicorn/no-thenable -- that is the point
      then() {
        throw new Error('broken')
      },
    }))
    await expect(guarded()).rejects.toThrow('broken')
    expect(guarded.circuit.counters.inFlight).toBe(0)
  })

  test('that gives what cannot be asked whether it is a promise leaves no place taken', async () => {
    const { board } = boardAt()
    const revoked = (): object => {
      const { proxy, revoke } = Proxy.revocable({}, {})
      revoke()
      return proxy
    }
    const guarded = board.guard('job', revoked)
    thrown(guarded)
    await board.run('job', revoked).catch(() => {})
    expect(guarded.circuit.counters.inFlight).toBe(0)
  })
})

describe('a refused call', () => {
  test('of a synchronous function throws, and it is not run', () => {
    const { board } = boardAt()
    let runs = 0
    const guarded = board.guard('job', () => ++runs, { label: 'the job' })
    guarded.circuit.trip('5s')
    const error = circuitOpen(thrown(guarded))
    expect(error).toMatchObject({ key: 'job', host: 'job', label: 'the job', reason: 'open', retryAfterMs: 5_000 })
    expect(error?.message).toBe('the job is open, retry in 5 s')
    expect([runs, guarded.circuit.counters]).toMatchObject([0, { refused: 1, inFlight: 0 }])
  })

  test('of an async function rejects', async () => {
    const { board } = boardAt()
    const guarded = board.guard('job', async () => 1)
    guarded.circuit.trip()
    await expect(guarded()).rejects.toMatchObject({ code: 'EOPENBREAKER' })
  })

  test('of one that was seen to give promises rejects', async () => {
    const { board } = boardAt()
    const guarded = board.guard('job', () => Promise.resolve(1))
    await guarded()
    guarded.circuit.trip()
    await expect(guarded()).rejects.toMatchObject({ code: 'EOPENBREAKER' })
  })

  test('is told of, without a host’s method and URL', () => {
    const { board } = boardAt()
    const refusals: unknown[] = []
    board.on('refused', (event) => refusals.push(event))
    const guarded = board.guard('job', () => 1)
    guarded.circuit.isolate()
    thrown(guarded)
    expect(refusals).toEqual([
      {
        key: 'job',
        label: 'job',
        host: 'job',
        at: 1_000,
        reason: 'isolated',
        retryAfterMs: undefined,
        method: undefined,
        url: undefined,
        shadow: false,
      },
    ])
  })

  test('of a guarded function within another is no failure of the outer one', () => {
    const { board } = boardAt(ONE)
    const inner = board.guard('inner', () => 1)
    const outer = board.guard('outer', () => inner())
    inner.circuit.trip()
    thrown(outer)
    expect(outer.circuit).toMatchObject({ state: 'closed', counters: { ignored: 1, failures: 0, inFlight: 0 } })
  })
})

describe('which errors count', () => {
  const judged = (policy: GuardPolicy, error: unknown): string => {
    const { board } = boardAt()
    const guarded = board.guard(
      'job',
      () => {
        throw error
      },
      policy,
    )
    expect(thrown(guarded)).toBe(error)
    const { failures, ignored, successes, inFlight } = guarded.circuit.counters
    expect(inFlight).toBe(0)
    return failures ? 'failure' : ignored ? 'ignored' : `${successes} success`
  }

  test.each<[GuardPolicy, unknown, string]>([
    [{}, new Error('x'), 'failure'],
    [{}, 'text', 'failure'],
    [{}, undefined, 'failure'],
    [{}, new DOMException('late', 'TimeoutError'), 'failure'],
    [{}, new DOMException('gone', 'AbortError'), 'failure'],
    [{ expected: TimeUp }, new TimeUp(), 'failure'],
    [{ expected: TimeUp }, new NotFound(), 'ignored'],
    [{ expected: TimeUp }, new DOMException('late', 'TimeoutError'), 'ignored'],
    [{ expected: [TimeUp, RangeError] }, new RangeError('x'), 'failure'],
    [{ expected: [TimeUp, RangeError] }, new TypeError('x'), 'ignored'],
    [{ expected: [] }, new TypeError('x'), 'ignored'],
    [{ expected: Error }, new TimeUp(), 'failure'],
    [{ expected: Error }, 'text', 'ignored'],
    [{ expected: (error) => !(error instanceof NotFound) }, new TimeUp(), 'failure'],
    [{ expected: (error) => !(error instanceof NotFound) }, new NotFound(), 'ignored'],
    [{ classify: () => 'success' }, new Error('x'), '1 success'],
    [{ classify: () => 'ignored' }, new Error('x'), 'ignored'],
    [{ classify: () => undefined, expected: TimeUp }, new NotFound(), 'ignored'],
    [{ classify: () => 'failure', expected: TimeUp }, new NotFound(), 'failure'],
  ])('under %o, %o is %s', (policy, error, verdict) => {
    expect(judged(policy, error)).toBe(verdict)
  })

  test('is for classify to say of results too, and a pause refuses the next call', async () => {
    const { board, pass } = boardAt()
    const guarded = board.guard('job', (value: number) => value, {
      classify: (outcome) => ('value' in outcome && outcome.value === 0 ? { pause: 3_000 } : undefined),
    })
    expect(guarded(0)).toBe(0)
    expect(circuitOpen(thrown(() => guarded(1)))).toMatchObject({ reason: 'paused', retryAfterMs: 3_000 })
    pass(3_000)
    expect(guarded(1)).toBe(1)
    expect(guarded.circuit.counters).toMatchObject({ ignored: 1, successes: 1, refused: 1, inFlight: 0 })
  })
})

describe('a guard by key', () => {
  test('has a circuit for each key, which its circuit gives for the arguments of a call', () => {
    const { board } = boardAt(ONE)
    const failing = new Set(['a'])
    const send = (tenant: string, _text: string): string => {
      if (failing.has(tenant)) throw new Error('broken')
      return tenant
    }
    const guarded = board.guard((tenant) => `mail ${tenant}`, send, { label: 'mail' })
    thrown(() => guarded('a', ''))
    expect(guarded('b', '')).toBe('b')
    expect(circuitOpen(thrown(() => guarded('a', '')))).toMatchObject({ key: 'mail a', label: 'mail' })
    expect(guarded.circuit('a', '')).toBe(board.peek('mail a'))
    expect([guarded.circuit('a', '').state, guarded.circuit('b', '').state]).toEqual(['open', 'closed'])
    expect([guarded.name, guarded.length]).toEqual(['send', 2])
  })
})

describe('a guard by name', () => {
  test('takes its policy over the board’s own', () => {
    const { board } = boardAt({ consecutiveFailures: 3, openFor: '9s' })
    const guarded = board.guard('job', () => 1, { openFor: '5s' })
    for (let call = 0; call < 3; call++) guarded.circuit.settle(guarded.circuit.admit(), 'failure')
    expect(circuitOpen(thrown(guarded))).toMatchObject({ retryAfterMs: 5_000 })
  })

  test('shares its circuit with the others of that name', () => {
    const { board } = boardAt()
    const [one, two] = [board.guard('job', () => 1), board.guard('job', () => 2)]
    one.circuit.trip()
    expect([two.circuit === one.circuit, circuitOpen(thrown(two))]).toMatchObject([true, { reason: 'open' }])
  })

  test('has its policy also where somebody had looked at its circuit before', () => {
    const { board } = boardAt({ consecutiveFailures: false })
    expect(board.circuit('job').state).toBe('closed')
    const guarded = board.guard('job', () => Promise.reject(new Error('broken')), ONE)
    guarded.circuit.settle(guarded.circuit.admit(), 'failure')
    expect(guarded.circuit.state).toBe('open')
  })
})

test('a guard by key that meets a circuit with another policy says so, once; one without a policy takes what there is', () => {
  const board = createBoard()
  const warnings: string[] = []
  board.on('warning', ({ message }) => warnings.push(message))
  board.circuit('videos.test')
  const hostOf = (url: string): string => new URL(url).host
  const read = (url: string): string => url
  board.guard(hostOf, read)('https://videos.test/1')
  board.guard(hostOf, read, { minimumCalls: 10 })('https://videos.test/1')
  expect(warnings).toEqual([])
  const guarded = board.guard(hostOf, read, { consecutiveFailures: 3 })
  for (let n = 0; n < 3; n++) guarded('https://videos.test/1')
  guarded('https://films.test/1')
  expect(warnings).toEqual(['guard("videos.test") is there already with another policy, which counts'])
})
