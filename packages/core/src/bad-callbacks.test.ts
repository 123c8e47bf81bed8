// Functions of a policy that throw, or answer nonsense: the request ends as without Fuseboard, and it is told once.
import { setImmediate } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { circuitOpen, createBoard, guardFetch, type BoardOptions, type Circuit, type Fallback } from './index.ts'

const broken = (): never => {
  throw new Error('broken')
}
const rejecting = ((): unknown => Promise.reject(new Error('broken'))) as () => never
const later = (): Promise<undefined> => Promise.resolve(undefined)

const MADE = {
  status: 200,
  statusText: '',
  headers: [],
  body: new Uint8Array(),
  decoded: true,
  mark: { source: 'made', reason: 'failed' },
}

/** What a request meets in turn: health, a bad answer, none, a refusal, a probe, and health again. */
const LIFE = ['200 hello', '200 hello', '503 down', 'reset', 'refused', '200 hello', '200 hello']

/** The life of a host under options, as its caller sees it, and what was warned of. */
async function live(options: BoardOptions): Promise<{ life: string[]; warnings: string[]; circuits: Circuit[] }> {
  let now = 1_000
  let answer = (): Response => new Response('hello')
  const board = createBoard({
    clock: { now: () => now },
    failureRate: false,
    consecutiveFailures: false,
    openFor: '5s',
    ...options,
  })
  const warnings: string[] = []
  board.on('warning', ({ code }) => warnings.push(code))
  const send = guardFetch(board, { fetch: async () => answer() })
  const life: string[] = []
  const ask = async (): Promise<unknown> => {
    try {
      const response = await send('http://a.test/')
      return life.push(`${response.status} ${await response.text()}`)
    } catch (error) {
      return life.push(circuitOpen(error) ? 'refused' : (error as Error).message)
    }
  }

  await ask()
  await ask()
  answer = () => new Response('down', { status: 503 })
  await ask()
  answer = () => {
    throw new Error('reset')
  }
  await ask()
  answer = () => new Response('hello')
  for (const circuit of board.circuits()) circuit.trip()
  await ask()
  now += 5_000
  await ask()
  await ask()
  return { life, warnings, circuits: [...board.circuits()] }
}

async function expectUnharmed(options: BoardOptions, code: string | undefined): Promise<void> {
  const { life, warnings, circuits } = await live(options)
  expect(life).toEqual(LIFE)
  expect(circuits.map(({ key, state, counters }) => [key, state, counters.inFlight])).toEqual([['a.test', 'closed', 0]])
  expect(warnings).toEqual(code === undefined ? [] : [code])
}

/** The rejections that nobody handled while something ran: each would end a process. */
async function unhandledIn(run: () => Promise<unknown>): Promise<unknown[]> {
  const seen: unknown[] = []
  const others = process.rawListeners('unhandledRejection') as NodeJS.UnhandledRejectionListener[]
  process.removeAllListeners('unhandledRejection').on('unhandledRejection', (reason) => seen.push(reason))
  try {
    await run()
    await setImmediate()
  } finally {
    process.removeAllListeners('unhandledRejection')
    for (const other of others) process.on('unhandledRejection', other)
  }
  return seen
}

test('the life of a host without such functions', () => expectUnharmed({}, undefined))

describe('classify', () => {
  test('that throws', () => expectUnharmed({ classify: broken }, 'classify'))

  test.each(['yes', 5, true, null, {}, { pause: '1s' }, { pause: -1 }, { pause: NaN }, later()])(
    'that answers %o',
    (said) => expectUnharmed({ classify: () => said as never }, 'classify'),
  )
})

describe('key', () => {
  test('that throws', () => expectUnharmed({ key: broken }, 'key'))

  test.each([5, '', undefined, null, { host: 'x' }, later()])('that answers %o', (key) =>
    expectUnharmed({ key: () => key as never }, 'key'),
  )
})

describe('probe', () => {
  test('that throws', () => expectUnharmed({ probe: broken }, 'probe'))

  test.each([undefined, 5, later()])('that answers %o', (said) =>
    expectUnharmed({ probe: () => said as never }, 'probe'),
  )
})

describe('hosts', () => {
  test('that throws', () => expectUnharmed({ hosts: broken }, 'hosts'))

  test.each([5, true, 'a.test', null, { failureRate: 50 }, { openForever: true }])('that answers %o', (policy) =>
    expectUnharmed({ hosts: () => policy as never }, 'hosts'),
  )

  test.each([[later()], [[]], [() => false]])('that answers %o', (policy) =>
    expectUnharmed({ hosts: () => policy as never }, 'hosts'),
  )
})

describe('a fallback', () => {
  const none: Fallback = { standIn: () => undefined }

  test.each<[what: string, fallback: Fallback | (() => never)]>([
    ['function that throws', broken],
    ['function that rejects', rejecting],
    ['function that answers 5', (() => 5) as never],
    ['function that answers text', (() => 'unavailable') as never],
    ['function that answers with one whose covers throws', (() => ({ ...none, covers: broken })) as never],
    ['function that answers with one whose standIn throws', (() => ({ standIn: broken })) as never],
    ['whose prepare throws', { ...none, prepare: broken }],
    ['whose covers throws', { ...none, covers: broken }],
    ['whose standIn throws', { standIn: broken }],
    ['whose standIn rejects', { standIn: rejecting }],
    ['whose capture throws', { ...none, capture: broken }],
    ['whose superseded throws', { ...none, superseded: broken }],
  ])('%s', (_what, fallback) => expectUnharmed({ fallback }, 'fallback'))

  test.each(['write', 'end', 'abort'] as const)('whose sink throws at %s', async (does) => {
    const quiet = { write: () => {}, end: () => {}, abort: () => {} }
    const fallback: Fallback = { ...none, capture: () => ({ ...quiet, [does]: broken }) }
    await expectUnharmed({ fallback }, does === 'abort' ? undefined : 'sink')
  })

  test.each([5, {}, later()])('whose sink is %o', async (sink) => {
    const { life, warnings } = await live({ fallback: { ...none, capture: () => sink as never } })
    expect([life, new Set(warnings)]).toEqual([LIFE, new Set(['fallback'])])
  })

  test.each([[{}], [{ text: 'unavailable' }], [new Response('unavailable')], [[]]])(
    'that answers with %o, which is no reply',
    async (said) => {
      await expectUnharmed({ fallback: () => said as never }, 'fallback')
      await expectUnharmed({ fallback: { standIn: () => said as never } }, 'fallback')
    },
  )

  test.each([{ status: 100 }, { status: 600 }, { statusText: 'a\r\nb' }, { mark: null }])(
    'that answers with a reply of %o, which no response can have',
    (part) => expectUnharmed({ fallback: () => ({ ...MADE, ...part }) as never }, 'fallback'),
  )

  test.each([[5], [{}], [[5]], [[['a b', 'c']]], [[['a', '1\r\n2']]], [later()]])(
    'whose prepare answers %o',
    (fields) => expectUnharmed({ fallback: { ...none, prepare: () => fields as never } }, 'fallback'),
  )
})

describe('a function that is async where none may be, and fails,', () => {
  test.each<[what: string, options: BoardOptions]>([
    ['classify', { classify: rejecting }],
    ['key', { key: rejecting }],
    ['probe', { probe: rejecting }],
    ['hosts', { hosts: rejecting }],
    ['covers', { fallback: { standIn: () => undefined, covers: rejecting } }],
    ['capture', { fallback: { standIn: () => undefined, capture: rejecting } }],
    ['superseded', { fallback: { standIn: () => undefined, superseded: rejecting } }],
  ])('ends no process: %s', async (_what, options) => {
    expect(await unhandledIn(() => live(options))).toEqual([])
  })
})

test('what is thrown need not be text', async () => {
  const thrown: unknown = Object.create(null)
  await expectUnharmed(
    {
      classify: () => {
        throw thrown
      },
    },
    'classify',
  )
})

describe('a task', () => {
  test('whose classify throws ends as it ended', async () => {
    const board = createBoard({ probes: 1, openFor: '5s' })
    const warnings: string[] = []
    board.on('warning', ({ code }) => warnings.push(code))
    const { circuit } = board.guard('job', () => 1)
    expect(await board.run('job', () => 5, { classify: broken })).toBe(5)
    await expect(board.run('job', rejecting, { classify: () => 'no' as never })).rejects.toThrow('broken')
    await expect(board.run('job', rejecting, { classify: () => 'no' as never })).rejects.toThrow('broken')
    expect(circuit.counters).toMatchObject({ successes: 1, failures: 2, inFlight: 0 })
    expect(warnings).toEqual(['classify', 'classify'])
  })

  test('whose expected throws ends as it ended, and its error counts', async () => {
    const board = createBoard()
    const guarded = board.guard('job', broken, { expected: broken })
    expect(guarded).toThrow('broken')
    await expect(board.run('job', rejecting, { expected: broken })).rejects.toThrow('broken')
    expect(guarded.circuit.counters).toMatchObject({ failures: 2, inFlight: 0 })
  })

  test('whose expected throws is told of, once', () => {
    const board = createBoard()
    const warnings: string[] = []
    board.on('warning', ({ code }) => warnings.push(code))
    const guarded = board.guard('job', broken, {
      expected: () => {
        throw new Error('of the predicate')
      },
    })
    expect(guarded).toThrow('broken')
    expect(guarded).toThrow('broken')
    expect(warnings).toHaveLength(1)
  })

  test('whose key throws, or gives no text, is run under its own name', () => {
    const board = createBoard()
    const warnings: string[] = []
    board.on('warning', ({ message }) => warnings.push(message))
    const job = (): number => 5
    const keys = [board.guard(broken, job), board.guard(() => 7 as never, job), board.guard(() => '', job)]
    expect(keys.map((guarded) => [guarded(), guarded()])).toEqual(keys.map(() => [5, 5]))
    expect([...board.circuits()].map(({ key, counters }) => [key, counters.successes])).toEqual([['job', 6]])
    expect(warnings).toEqual([
      'The key of a guarded function failed, its name is taken instead: Error: broken',
      'The key of a guarded function failed, its name is taken instead: TypeError: it must give a string, got 7',
      'The key of a guarded function failed, its name is taken instead: TypeError: it must give a string, got ""',
    ])
  })
})
