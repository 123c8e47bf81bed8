// The options of a fleet: what is taken where none is given, and a wrong one is told by name, rule and value.
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { createBoard } from './board.ts'
import { fleet, type Fleet } from './fleet.ts'
import type { FleetOptions } from './fleet-terms.ts'
import type { SharedStore } from './shared-store.ts'

const STORE: SharedStore = {
  read: async () => ({ version: 0, now: 0 }),
  swap: async () => ({ version: 0, now: 0, won: false }),
}
const PUSHING: SharedStore = { ...STORE, watch: () => () => {} }

// Whoever runs the tests may be a function itself.
beforeEach(() => void vi.stubEnv('AWS_LAMBDA_FUNCTION_NAME', undefined))
afterEach(() => void vi.unstubAllEnvs())

describe('a fleet of which nothing is said', () => {
  test('corroborates, and polls once a second', () => {
    expect(fleet(STORE)).toMatchObject({
      store: STORE,
      terms: {
        quorum: 0,
        polls: true,
        refresh: 1_000,
        staleAfter: 2_000,
        wait: 100,
        timeout: 1_000,
        jitter: 1_000,
      },
    })
  })

  test('polls less where the store pushes', () => {
    expect(fleet(PUSHING).terms).toMatchObject({ refresh: 10_000, staleAfter: 20_000 })
  })

  test('looks on suspicion alone in a function of AWS Lambda', () => {
    vi.stubEnv('AWS_LAMBDA_FUNCTION_NAME', 'verse-of-the-day')
    expect(fleet(STORE).terms.polls).toBe(false)
    expect(fleet(STORE, { reads: 'polling' }).terms.polls).toBe(true)
  })

  test('polls where there is no environment to ask', () => {
    vi.stubGlobal('process', undefined)
    try {
      expect(fleet(STORE).terms.polls).toBe(true)
    } finally {
      vi.unstubAllGlobals()
    }
  })
})

describe('an option of a fleet', () => {
  test.each<[FleetOptions, Partial<Fleet['terms']>]>([
    [{ trust: 'corroborate' }, { quorum: 0 }],
    [{ trust: 'follow' }, { quorum: 1 }],
    [{ trust: { quorum: 3 } }, { quorum: 3 }],
    [{ reads: 'suspicion' }, { polls: false }],
    [{ refresh: '5s' }, { refresh: 5_000, staleAfter: 10_000 }],
    [
      { refresh: 500, staleAfter: 500 },
      { refresh: 500, staleAfter: 500 },
    ],
    [{ wait: '20ms' }, { wait: 20 }],
    [{ timeout: '2s' }, { timeout: 2_000 }],
    [{ jitter: 0 }, { jitter: 0 }],
    [{ trust: undefined, refresh: undefined } as unknown as FleetOptions, { quorum: 0, refresh: 1_000 }],
  ])('%o is read', (options, terms) => {
    expect(fleet(STORE, options).terms).toMatchObject(terms)
  })
})

const TIME = "must be milliseconds or text such as '30s'"
const COUNT = 'must be a whole number from 1 to 1000000'

describe('a wrong option of a fleet', () => {
  test.each<[options: unknown, message: string]>([
    [null, 'TypeError: the options of fleet must be an object, got null'],
    ['follow', 'TypeError: the options of fleet must be an object, got "follow"'],
    [
      { trusts: 'follow' },
      'TypeError: fleet.trusts is not an option; did you mean trust? There are trust, reads, refresh, staleAfter, wait, timeout, jitter',
    ],
    [{ trust: 'all' }, 'TypeError: fleet.trust must be one of "corroborate", "follow", got "all"'],
    [{ trust: null }, 'TypeError: fleet.trust must be one of "corroborate", "follow", got null'],
    [{ trust: 2 }, 'TypeError: fleet.trust must be one of "corroborate", "follow", got 2'],
    [{ trust: {} }, 'TypeError: fleet.trust.quorum must be a number, got undefined'],
    [{ trust: { quorum: 0 } }, `RangeError: fleet.trust.quorum ${COUNT}, got 0`],
    [{ trust: { quorum: 1.5 } }, `RangeError: fleet.trust.quorum ${COUNT}, got 1.5`],
    [{ trust: { quorum: 2, of: 3 } }, 'TypeError: fleet.trust.of is not an option; there are quorum'],
    [{ reads: 'always' }, 'TypeError: fleet.reads must be one of "polling", "suspicion", got "always"'],
    [{ refresh: 0 }, 'RangeError: fleet.refresh must be longer than 0, got 0'],
    [{ refresh: 'often' }, `TypeError: fleet.refresh ${TIME}, got "often"`],
    [{ staleAfter: 0 }, 'RangeError: fleet.staleAfter must be longer than 0, got 0'],
    [{ staleAfter: '999ms' }, 'RangeError: fleet.staleAfter must be at least refresh (1000 ms), got "999ms"'],
    [{ refresh: '3s', staleAfter: '2s' }, 'RangeError: fleet.staleAfter must be at least refresh (3000 ms), got "2s"'],
    [{ wait: 0 }, 'RangeError: fleet.wait must be longer than 0, got 0'],
    [{ wait: -1 }, `TypeError: fleet.wait ${TIME}, got -1`],
    [{ timeout: 0 }, 'RangeError: fleet.timeout must be longer than 0, got 0'],
    [{ timeout: Infinity }, `TypeError: fleet.timeout ${TIME}, got Infinity`],
    [{ jitter: NaN }, `TypeError: fleet.jitter ${TIME}, got NaN`],
  ])('%o is told', (options, message) => {
    expect(told(() => fleet(STORE, options as FleetOptions))).toBe(message)
  })
})

describe('what is no store', () => {
  test.each<[store: unknown, message: string]>([
    [undefined, 'TypeError: The store of a fleet must have a method read, got undefined'],
    [null, 'TypeError: The store of a fleet must have a method read, got null'],
    ['redis://localhost', 'TypeError: The store of a fleet must have a method read, got "redis://localhost"'],
    [{ read: () => {} }, 'TypeError: The store of a fleet must have a method swap, got {}'],
  ])('is told: %o', (store, message) => {
    expect(told(() => fleet(store as SharedStore))).toBe(message)
  })
})

describe('what is no fleet', () => {
  test.each([[null], [STORE], [{ terms: {} }], ['redis']])('is told by the board: %o', (given) => {
    expect(told(() => createBoard({ fleet: given as Fleet }))).toMatch(
      /^TypeError: fleet must be redisFleet\(\.\.\.\), dynamoFleet\(\.\.\.\) or fleet\(store\), got /,
    )
  })
})

/** What a call throws, as `Kind: message`. */
function told(call: () => unknown): string {
  try {
    call()
    return 'nothing'
  } catch (error) {
    return String(error)
  }
}

describe('a board with a fleet', () => {
  test('asks the key of a request once, though it looks at the circuit before the attempt too', () => {
    const key = vi.fn<() => string>(() => 'one')
    const board = createBoard({ key, fleet: fleet(STORE) })
    const request = { method: 'GET', url: 'http://a.test/' }
    void board.consult(request)
    expect(board.attempt(request).settle({ status: 200 })).toBe('success')
    expect(key).toHaveBeenCalledTimes(1)
    board.attempt(request).release()
    expect(key).toHaveBeenCalledTimes(2)
  })
})
