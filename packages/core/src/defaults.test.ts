// The defaults that the documentation of each option states are those that the code has.
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { createBoard, guardFetch, isFallback, memoryReplies, reply, staleIfError, type StoredReply } from './index.ts'
import { policy, POLICY_OPTIONS, readPolicy, type Policy } from './policy.ts'

/** What the comments of an interface say after `@default`, by option. */
function statedIn(file: string, of: string): Map<string, string> {
  const source = readFileSync(new URL(file, import.meta.url), 'utf8')
  const start = source.indexOf(`export interface ${of} `)
  const body = source.slice(start, source.indexOf('\n}', start))
  const options = body.matchAll(/\/\*\*(.*?)\*\/\s+(\w+)\??:/gs)
  return new Map(
    [...options].map(([, comment = '', option = '']) => {
      const words = comment.replaceAll(/\s*\n\s*\*\s*/g, ' ')
      return [option, words.split('@default ')[1]?.trim() ?? '']
    }),
  )
}

/** A default that is written as a value; undefined for one in words. */
function valueOf(stated: string): unknown {
  try {
    const json = stated
      .replaceAll("'", '"')
      .replaceAll(/(\w+):/g, '"$1":')
      .replaceAll(/(?<=\d)_(?=\d)/g, '')
    return JSON.parse(json.replace(/ \(.*\)$|, or .*$/, ''))
  } catch {
    return undefined
  }
}

const rulesOf = (policy: Policy) => readPolicy(policy, '', () => expect.unreachable())

describe('of a policy', () => {
  const stated = statedIn('policy.ts', 'Policy')
  const values = [...stated].flatMap(([option, text]) => {
    const value = valueOf(text)
    return value === undefined ? [] : [[option, value] as const]
  })

  test('every option is documented, with its default where it has one', () => {
    expect([...stated.keys()].toSorted()).toEqual([...POLICY_OPTIONS].toSorted())
    const without = POLICY_OPTIONS.filter((option) => !values.some(([name]) => name === option))
    expect(without.map((option) => [option, stated.get(option)])).toEqual([
      ['label', 'its key'],
      ['key', "the host, with its port where that is not the scheme's own"],
      ['probe', ''],
      ['classify', ''],
    ])
  })

  test.each(values)('%s is %o', (option, value) => {
    // A rate of slow calls is read only where there are any.
    const base: Policy = option === 'slowRate' ? { slowAfter: '1s' } : {}
    expect(rulesOf({ ...base, [option]: value })).toEqual(rulesOf(base))
  })

  test('another value than the default is another rule', () => {
    const others: Policy = {
      window: '31s',
      failureRate: 0.6,
      minimumCalls: 11,
      consecutiveFailures: { calls: 5, over: '3s' },
      slowAfter: '1s',
      openFor: { from: '5s', to: '30s', factor: 3 },
      maxPause: '4m',
      probes: { permits: 1, need: 1, within: '31s' },
      abandonedAfter: '6s',
      rateLimit: 'pause',
      maxInFlight: 10,
      throttle: 1.2,
      mode: 'shadow',
      fallback: reply({ text: '' }),
      stack: true,
    }
    for (const [option, value] of Object.entries(others)) expect(rulesOf({ [option]: value })).not.toEqual(rulesOf({}))
    expect(Object.keys(others)).toEqual(values.map(([option]) => option).filter((option) => option !== 'slowRate'))
  })

  test('parts that are left out are those of the default', () => {
    const { permits, need, within, openFactor } = rulesOf({ probes: { need: 2 }, openFor: { from: 100, to: 200 } })
    expect({ permits, need, within, openFactor }).toEqual({ permits: 1, need: 2, within: 30_000, openFactor: 2 })
    expect([rulesOf({ window: { calls: 5 } }).minimumCalls, rulesOf({ window: { calls: 50 } }).minimumCalls]).toEqual([
      5, 10,
    ])
    expect(rulesOf({ probes: 3 })).toMatchObject({ permits: 3, need: 3, within: 30_000 })
    expect(rulesOf({ consecutiveFailures: 3 })).toMatchObject({ streak: 3, streakOver: 0 })
    expect(rulesOf({ openFor: '7s' })).toMatchObject({ openFrom: 7_000, openTo: 7_000, openFactor: 1, openJitter: 0 })
  })

  test('a rule that is switched off is never met', () => {
    const off = { failureRate: false, consecutiveFailures: false, abandonedAfter: false, maxInFlight: false } as const
    expect(rulesOf({ ...off, slowAfter: false, throttle: false })).toMatchObject({
      failureRate: Infinity,
      streak: Infinity,
      abandonedAfter: Infinity,
      maxInFlight: Infinity,
      slowAfter: Infinity,
      slowRate: Infinity,
      throttle: Infinity,
    })
  })

  test('the least and the most that are allowed are allowed', () => {
    expect(rulesOf({ throttle: 1, openFor: { from: 100, to: 100, factor: 1 } })).toMatchObject({
      throttle: 1,
      openFrom: 100,
      openTo: 100,
      openFactor: 1,
    })
    expect(rulesOf({ failureRate: 1, minimumCalls: 1, maxInFlight: 1_000_000 })).toMatchObject({
      failureRate: 1,
      minimumCalls: 1,
      maxInFlight: 1_000_000,
    })
  })

  test('a fallback may be one, a function, or a list of these', () => {
    const [made, says] = [reply({ text: '' }), () => undefined]
    expect([made, says, [made, says]].map((fallback) => rulesOf({ fallback }).fallbacks)).toEqual([
      [made],
      [says],
      [made, says],
    ])
  })

  test('policy() gives back what it is given', () => {
    const options = { openFor: '7s' } as const
    expect(policy(options)).toBe(options)
  })

  test('the label is the key, and the key the host with a port that is not the scheme’s own', () => {
    const board = createBoard()
    for (const url of ['http://a.test:80/', 'http://a.test:81/']) board.attempt({ method: 'GET', url }).release()
    expect([...board.circuits()].map(({ key, label }) => [key, label])).toEqual([
      ['a.test', 'a.test'],
      ['a.test:81', 'a.test:81'],
    ])
  })
})

describe('of a board', () => {
  const stated = statedIn('board.ts', 'BoardOptions')

  test('maxCircuits is as stated', () => {
    const most = valueOf(stated.get('maxCircuits') ?? '') as number
    const board = createBoard()
    for (let host = 0; host <= most; host++) board.attempt({ method: 'GET', url: `http://h${host}.test/` }).release()
    expect([most, [...board.circuits()].length]).toEqual([1_024, most])
  })

  test('replies are kept in memory', async () => {
    expect(stated.get('replies')).toBe('memoryReplies()')
    const answers = [new Response('kept'), new Response('down', { status: 503 })]
    const board = createBoard({ fallback: staleIfError({ keepFor: '1h' }) })
    const send = guardFetch(board, { fetch: async () => answers.shift() as Response })
    await (await send('http://a.test/')).text()
    const response = await send('http://a.test/')
    expect([await response.text(), isFallback(response)?.source]).toEqual(['kept', 'stored'])
  })
})

describe('of the rest', () => {
  const entryOf = (bytes: number): StoredReply => ({
    v: 1,
    key: '',
    vary: {},
    status: 200,
    statusText: '',
    headers: [],
    body: new Uint8Array(bytes),
    decoded: true,
    storedAt: 0,
    ageAtStore: 0,
    staleAt: 0,
    expiresAt: 0,
  })

  test('memoryReplies() holds as many bytes and keys as stated', () => {
    const stated = statedIn('memory-replies.ts', 'MemoryRepliesOptions')
    const [maxBytes, maxEntries] = ['maxBytes', 'maxEntries'].map((name) => valueOf(stated.get(name) ?? '') as number)
    expect([maxBytes, maxEntries]).toEqual([32 * 1024 * 1024, 2_000])

    const few = memoryReplies()
    const eighth = (32 * 1024 * 1024) / 8 - 256
    few.set('too big', [entryOf(eighth + 1)])
    for (let key = 0; key < 9; key++) few.set(`k${key}`, [entryOf(eighth)])
    expect([few.size, few.bytes]).toEqual([8, maxBytes])

    const many = memoryReplies()
    for (let key = 0; key < 2_001; key++) many.set(`k${key}`, [entryOf(0)])
    expect(many.size).toBe(maxEntries)
  })

  test('staleIfError() keeps bodies as big as stated', async () => {
    const most = valueOf(statedIn('stale-options.ts', 'StaleIfErrorOptions').get('maxEntryBytes') ?? '') as number
    expect(most).toBe(1024 * 1024)
    for (const [bytes, status] of [
      [most, 200],
      [most + 1, 503],
    ] as const) {
      const answers = [new Response(new Uint8Array(bytes)), new Response('down', { status: 503 })]
      const board = createBoard({ fallback: staleIfError({ keepFor: '1h' }) })
      const send = guardFetch(board, { fetch: async () => answers.shift() as Response })
      await (await send('http://a.test/')).arrayBuffer()
      expect((await send('http://a.test/')).status).toBe(status)
    }
  })

  test('guardFetch() throws its refusals, as stated', async () => {
    expect(valueOf(statedIn('fetch.ts', 'GuardFetchOptions').get('refusal') ?? '')).toBe('throw')
    const board = createBoard()
    board.circuit('a.test').trip()
    await expect(guardFetch(board)('http://a.test/')).rejects.toMatchObject({ code: 'EOPENBREAKER' })
  })

  test('reply() is a 200 without a phrase, for GET and HEAD, as stated', async () => {
    const stated = statedIn('made-reply.ts', 'MadeReply')
    expect([valueOf(stated.get('status') ?? ''), valueOf(stated.get('statusText') ?? '')]).toEqual([200, ''])
    expect(stated.get('methods')).toMatch(/^GET and HEAD/)
    const board = createBoard({ fallback: reply({ text: 'made' }) })
    board.circuit('a.test').trip()
    const ask = (method: string): Promise<unknown> =>
      guardFetch(board)('http://a.test/', { method }).then(
        ({ status, statusText }) => [status, statusText],
        () => 'refused',
      )
    expect(await Promise.all(['GET', 'HEAD', 'POST'].map(ask))).toEqual([[200, ''], [200, ''], 'refused'])
  })
})
