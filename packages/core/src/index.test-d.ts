// The types of core, as who uses it meets them.
import { describe, expectTypeOf, test } from 'vitest'
import {
  circuitOpen,
  createBoard,
  defaultBoard,
  duration,
  guardFetch,
  isFallback,
  policy,
  reply,
  staleIfError,
  toBoard,
  type Attempt,
  type Board,
  type BoardEvents,
  type BoardOptions,
  type Circuit,
  type CircuitOpenError,
  type Counters,
  type Duration,
  type Evidence,
  type Failure,
  type Fallback,
  type FallbackMark,
  type Hold,
  type HttpRequest,
  type Outcome,
  type Policy,
  type RefusalReason,
  type Reply,
  type SettledEvent,
  type State,
  type TaskOutcome,
  type TransitionEvent,
  type Verdict,
} from './index.ts'

const board = createBoard()

describe('durations', () => {
  test('are numbers or a number with a unit', () => {
    expectTypeOf<30 | '30s' | '500ms' | '1.5m' | '2h' | '7d'>().toExtend<Duration>()
    // @ts-expect-error a duration has one of the units
    createBoard({ openFor: '30 parsecs' })
    // @ts-expect-error a duration has a unit
    createBoard({ window: '30' })
    // @ts-expect-error false is no duration where a rule cannot be off
    createBoard({ maxPause: false })
    // @ts-expect-error a text of run time is for duration() to read
    createBoard({ openFor: process.env['OPEN_FOR'] ?? '30s' })
    expectTypeOf(createBoard).toBeCallableWith({ openFor: duration(process.env['OPEN_FOR'] ?? '30s') })
    expectTypeOf(duration).returns.toBeNumber()
  })

  test('may be given to trip', () => {
    expectTypeOf<Circuit['trip']>().parameter(0).toEqualTypeOf<Duration | undefined>()
  })
})

describe('a policy', () => {
  test('that stands by itself keeps its literals', () => {
    const slow = policy({ openFor: '30s', rateLimit: 'pause', consecutiveFailures: { calls: 3, over: '1s' } })
    expectTypeOf(slow.openFor).toEqualTypeOf<'30s'>()
    expectTypeOf(slow.rateLimit).toEqualTypeOf<'pause'>()
    expectTypeOf(slow.consecutiveFailures).toEqualTypeOf<{ readonly calls: 3; readonly over: '1s' }>()
    expectTypeOf(createBoard).toBeCallableWith({ ...slow, hosts: { 'a.test': slow, 'b.test': false } })
    // @ts-expect-error there is no such option
    policy({ openForever: true })
  })

  test('has options of these names only', () => {
    expectTypeOf<keyof BoardOptions>().toEqualTypeOf<
      keyof Policy | 'hosts' | 'replies' | 'maxCircuits' | 'fleet' | 'clock'
    >()
    // @ts-expect-error there is no such option
    createBoard({ failuresRate: 0.5 })
    // @ts-expect-error nor in a host's
    createBoard({ hosts: { 'a.test': { failuresRate: 0.5 } } })
    // @ts-expect-error a host has no hosts
    createBoard({ hosts: { 'a.test': { hosts: {} } } })
    // @ts-expect-error true is no policy
    createBoard({ hosts: { 'a.test': true } })
    // @ts-expect-error one of three
    createBoard({ rateLimit: 'wait' })
    // @ts-expect-error no such part
    createBoard({ probes: { calls: 1 } })
  })

  test('has functions that are given typed things', () => {
    const options: BoardOptions = {
      hosts: (host) => {
        expectTypeOf(host).toBeString()
        return undefined
      },
      key: (request) => {
        expectTypeOf(request).toEqualTypeOf<HttpRequest>()
        return request.host
      },
      classify: (outcome, request) => {
        expectTypeOf(outcome).toEqualTypeOf<Outcome>()
        expectTypeOf(request).toEqualTypeOf<HttpRequest>()
        return 'status' in outcome && outcome.status === 420 ? { pause: 1_000 } : undefined
      },
      probe: ({ method }) => method === 'GET',
      fallback: [
        staleIfError(),
        (failure) => {
          expectTypeOf(failure).toEqualTypeOf<Failure>()
          return reply({ text: '' })
        },
        async () => undefined,
      ],
    }
    expectTypeOf(options).toExtend<BoardOptions>()
    // @ts-expect-error a verdict is one of three
    createBoard({ classify: () => 'bad' })
    // @ts-expect-error a fallback answers with a Fallback or a Reply
    createBoard({ fallback: () => new Response() })
    // @ts-expect-error a key is text
    createBoard({ key: () => 5 })
    // @ts-expect-error classify answers at once
    createBoard({ classify: async () => 'success' as const })
  })
})

describe('run()', () => {
  test('gives a promise of what the task gives', () => {
    expectTypeOf(board.run('k', () => 5)).toEqualTypeOf<Promise<number>>()
    expectTypeOf(board.run('k', async () => 'x')).toEqualTypeOf<Promise<string>>()
    expectTypeOf(board.run('k', () => fetch('x'))).toEqualTypeOf<Promise<Response>>()
    expectTypeOf(board.circuit('k').run(() => undefined)).toEqualTypeOf<Promise<undefined>>()
    expectTypeOf(board.run<5>('k', () => 5)).resolves.toEqualTypeOf<5>()
  })

  test('is judged by typed options', () => {
    void board.run('k', () => {}, { signal: AbortSignal.timeout(1), expected: [TypeError] })
    void board.run('k', () => 5, {
      classify: (outcome) => {
        expectTypeOf(outcome).toEqualTypeOf<TaskOutcome>()
        return 'error' in outcome ? 'ignored' : undefined
      },
      expected: (error) => {
        expectTypeOf(error).toBeUnknown()
        return true
      },
    })
    // @ts-expect-error there is no such option
    void board.run('k', () => 5, { timeout: 1 })
    // @ts-expect-error a class of errors, a list, or a predicate
    void board.run('k', () => 5, { expected: 'TypeError' })
  })
})

describe('events', () => {
  test('are told by name', () => {
    expectTypeOf<keyof BoardEvents>().toEqualTypeOf<
      'transition' | 'refused' | 'settled' | 'fallback' | 'store' | 'warning'
    >()
    const undo = board.on('transition', (event) => {
      expectTypeOf(event).toEqualTypeOf<TransitionEvent>()
      expectTypeOf(event.to).toEqualTypeOf<State>()
      expectTypeOf(event.evidence).toEqualTypeOf<Evidence>()
      expectTypeOf(event.until).toEqualTypeOf<number | undefined>()
    })
    expectTypeOf(undo).toEqualTypeOf<() => void>()
    board.on('settled', ({ error, verdict }) => {
      expectTypeOf(error).toBeUnknown()
      expectTypeOf(verdict).toEqualTypeOf<Verdict>()
    })
    board.on('refused', ({ reason }) => expectTypeOf(reason).toEqualTypeOf<RefusalReason>())
    // @ts-expect-error there is no such event
    board.on('open', () => {})
    // @ts-expect-error of another event
    board.on('warning', (event: SettledEvent) => event.verdict)
  })
})

describe('what is told apart', () => {
  test('an outcome, by its status', () => {
    const read = (outcome: Outcome): unknown => {
      if ('status' in outcome) return expectTypeOf(outcome.status).toBeNumber()
      expectTypeOf(outcome.error).toBeUnknown()
      return expectTypeOf(outcome).not.toHaveProperty('status')
    }
    expectTypeOf(read).parameter(0).toEqualTypeOf<Outcome>()
    expectTypeOf<Response>().toExtend<Outcome>()
    // @ts-expect-error neither a status nor an error
    expectTypeOf({ headers: [] }).toExtend<Outcome>()
  })

  test('a mark, by what it masks', () => {
    expectTypeOf(isFallback(undefined)).toEqualTypeOf<FallbackMark | undefined>()
    const read = ({ source, masked, age }: FallbackMark): void => {
      expectTypeOf(source).toEqualTypeOf<'stored' | 'made'>()
      expectTypeOf(age).toEqualTypeOf<number | undefined>()
      if (masked && 'status' in masked) expectTypeOf(masked.status).toBeNumber()
      else if (masked) expectTypeOf(masked.error).toBeUnknown()
    }
    expectTypeOf(read).returns.toBeVoid()
  })

  test('a refusal', () => {
    expectTypeOf(circuitOpen).parameter(0).toBeUnknown()
    expectTypeOf(circuitOpen(5)).toEqualTypeOf<CircuitOpenError | undefined>()
    expectTypeOf<CircuitOpenError>().toExtend<Error>()
    expectTypeOf<CircuitOpenError['retryAfterMs']>().toEqualTypeOf<number | undefined>()
    expectTypeOf<CircuitOpenError['code']>().toEqualTypeOf<'EOPENBREAKER'>()
  })
})

describe('a board', () => {
  test('is one, or the options of one', () => {
    expectTypeOf([createBoard(), defaultBoard(), toBoard(), toBoard(board), toBoard({})]).toEqualTypeOf<Board[]>()
    // @ts-expect-error a number is no board
    toBoard(5)
  })

  test('gives circuits and attempts', () => {
    expectTypeOf(board.peek('k')).toEqualTypeOf<Circuit | undefined>()
    expectTypeOf(board.circuits()).toEqualTypeOf<Iterable<Circuit>>()
    expectTypeOf(board.circuit('k').counters).toEqualTypeOf<Counters>()
    expectTypeOf(board.circuit('k').isolate()).toEqualTypeOf<Hold>()
    expectTypeOf<Hold>().toExtend<Disposable>()
    expectTypeOf(board.attempt(new Request('http://a.test/'))).toEqualTypeOf<Attempt>()
    expectTypeOf<Attempt>().toExtend<Disposable>()
    expectTypeOf<ReturnType<Attempt['standIn']>>().toEqualTypeOf<Promise<Reply | undefined> | undefined>()
  })

  test('guards a fetch, which stays one', () => {
    expectTypeOf(guardFetch(board, { refusal: 'response' })).toEqualTypeOf<typeof fetch>()
    // @ts-expect-error one of two
    guardFetch(board, { refusal: 'reject' })
    // @ts-expect-error there is no such option
    guardFetch(board, { refuse: 'throw' })
  })

  test('has fallbacks made by functions with typed options', () => {
    expectTypeOf([staleIfError({ keepFor: '7d' }), reply({ json: {} })]).toEqualTypeOf<Fallback[]>()
    // @ts-expect-error there is no such option
    staleIfError({ maxAge: '1d' })
    // @ts-expect-error nothing beats no-store
    staleIfError({ ignore: ['no-store'] })
    // @ts-expect-error a stand-in can always be told
    staleIfError({ mark: false })
    // @ts-expect-error a partition is told at once
    staleIfError({ partition: async () => 'alice' })
    expectTypeOf<Failure['stored']>().toEqualTypeOf<Reply | undefined>()
    expectTypeOf(board.replyCounters.refused['too-old']).toEqualTypeOf<number | undefined>()
    // @ts-expect-error there is no such option
    reply({ html: '' })
  })
})
