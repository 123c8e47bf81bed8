// Which policy and which circuit a request gets: by host and port, host, wildcard, or function, however its URL is written.
import { describe, expect, test, vi } from 'vitest'
import { createBoard, type Board, type BoardOptions, type Circuit } from './index.ts'

const attemptAt = (board: Board, url: string) => board.attempt({ method: 'GET', url })

/** The circuit that a request meets; undefined where it is unguarded. */
function circuitOf(board: Board, url: string): Circuit | undefined {
  const earlier = new Set(board.circuits())
  const attempt = attemptAt(board, url)
  attempt.release()
  if (!attempt.guarded) return undefined
  const made = [...board.circuits()].find((circuit) => !earlier.has(circuit))
  return made ?? board.peek(attempt.host)
}

/** The label of the policy that a request meets. */
const labelAt = (options: BoardOptions, url: string): string | undefined => circuitOf(createBoard(options), url)?.label

describe('the policy of a host', () => {
  const hosts = {
    'a.test': { label: 'host' },
    'a.test:8080': { label: 'host and port' },
    '*.a.test': { label: 'far wildcard' },
    '*.b.a.test': { label: 'near wildcard' },
    'named.b.a.test': { label: 'named' },
    localhost: false,
    'localhost:9000': { label: 'one port' },
    '[::1]': { label: 'six' },
  } as const

  test.each([
    ['http://a.test/', 'host'],
    ['https://a.test/', 'host'],
    ['http://a.test:8080/', 'host and port'],
    ['http://a.test:8081/', 'host'],
    ['http://x.a.test/', 'far wildcard'],
    ['http://x.a.test:8080/', 'far wildcard'],
    ['http://x.y.a.test/', 'far wildcard'],
    ['http://b.a.test/', 'far wildcard'],
    ['http://x.b.a.test/', 'near wildcard'],
    ['http://x.y.b.a.test/', 'near wildcard'],
    ['http://named.b.a.test/', 'named'],
    ['http://xa.test/', 'own'],
    ['http://test/', 'own'],
    ['http://localhost/', undefined],
    ['http://localhost:3000/', undefined],
    ['http://localhost:9000/', 'one port'],
    ['http://[::1]/', 'six'],
    ['http://[::1]:8080/', 'six'],
  ])('%s: %s', (url, label) => {
    expect(labelAt({ label: 'own', hosts }, url)).toBe(label)
  })

  test('does not match the apex of a wildcard', () => {
    expect(labelAt({ label: 'own', hosts: { '*.paypal.test': { label: 'wild' } } }, 'http://paypal.test/')).toBe('own')
  })

  test('is merged over the board’s own, option by option and no deeper', () => {
    const board = createBoard({
      openFor: '9s',
      consecutiveFailures: 2,
      probes: { permits: 2, need: 2, within: '1s' },
      hosts: { 'a.test': { openFor: '5s', probes: { within: '2s' } } },
      clock: { now: () => 0 },
    })
    const opened = (host: string) => {
      for (let call = 0; call < 2; call++) attemptAt(board, `http://${host}/`).settle({ status: 503 })
      return attemptAt(board, `http://${host}/`).refusal?.retryAfterMs
    }
    expect([opened('a.test'), opened('b.test')]).toEqual([5_000, 9_000])
    expect([board.circuit('a.test').rules.permits, board.circuit('b.test').rules.permits]).toEqual([1, 2])
  })

  test('leaves an option that is undefined to the board’s own', () => {
    const board = createBoard({ openFor: '9s', hosts: { 'a.test': { openFor: undefined } as never } })
    board.circuit('a.test').trip()
    expect(Math.round((attemptAt(board, 'http://a.test/').refusal?.retryAfterMs as number) / 1_000)).toBe(9)
  })

  test('gives each host of a wildcard a circuit of its own', () => {
    const board = createBoard({ hosts: { '*.a.test': { label: 'all' } } })
    const [x, y] = [circuitOf(board, 'http://x.a.test/'), circuitOf(board, 'http://y.a.test/')]
    expect([x?.key, y?.key, x?.label]).toEqual(['x.a.test', 'y.a.test', 'all'])
  })

  test('may be a function’s to say, which is asked once for each origin', () => {
    const answers = { 'a.test': { label: 'said' }, 'b.test': false } as const
    const ask = vi.fn<(host: string) => (typeof answers)[keyof typeof answers] | undefined>(
      (host) => answers[host as keyof typeof answers],
    )
    const board = createBoard({ label: 'own', hosts: ask })
    const urls = ['http://a.test/1', 'http://a.test/2', 'http://b.test/', 'http://b.test/', 'http://c.test/']
    expect(urls.map((url) => circuitOf(board, url)?.label)).toEqual(['said', 'said', undefined, undefined, 'own'])
    expect(ask.mock.calls.flat()).toEqual(['a.test', 'b.test', 'c.test'])
  })

  test('is not asked for of what is no web', () => {
    const ask = vi.fn<() => undefined>()
    const board = createBoard({ hosts: ask })
    for (const url of ['data:,x', 'blob:http://a.test/1', 'ftp://a.test/', 'about:blank', '/relative', ''])
      expect(attemptAt(board, url)).toMatchObject({ guarded: false, refused: false, host: '' })
    expect([ask.mock.calls.length, [...board.circuits()]]).toEqual([0, []])
  })

  test('of false leaves its requests alone: they are neither counted nor refused', () => {
    const board = createBoard({ hosts: { 'a.test': false } })
    const attempt = attemptAt(board, 'http://a.test/')
    expect(attempt).toMatchObject({ guarded: false, refused: false, refusal: undefined, headers: [] })
    expect([attempt.settle({ status: 503 }), attempt.standIn()]).toEqual(['ignored', undefined])
    expect([...board.circuits()]).toEqual([])
  })

  test('is what names() tells of, by itself or by a wildcard', () => {
    const board = createBoard({ hosts })
    const named = ['a.test', 'A.TEST.', 'x.a.test', 'localhost:1', '[::1]'].map((host) => board.names(host))
    expect(named).toEqual([true, true, true, true, true])
    expect([board.names('b.test'), createBoard().names('a.test')]).toEqual([false, false])
  })
})

describe('the hosts that a board names', () => {
  test('are known before they are called, by what their circuits will be called', () => {
    const board = createBoard({
      hosts: {
        'a.test': {},
        'b.test:8080': { label: 'b' },
        '*.c.test': {},
        '*.d.test': { label: 'd' },
        'e.test': { key: ({ method }) => method },
        'f.test': { key: ({ method }) => method, label: 'f' },
        localhost: false,
      },
    })
    expect(board.hosts().map(({ name, label }) => [name, label])).toEqual([
      ['a.test', 'a.test'],
      ['b.test:8080', 'b'],
      ['*.c.test', undefined],
      ['*.d.test', 'd'],
      ['e.test', undefined],
      ['f.test', 'f'],
    ])
    expect([...board.circuits()]).toEqual([])
  })

  test('are called by the board’s own label where they have none', () => {
    expect(createBoard({ label: 'own', hosts: { 'a.test': {} } }).hosts()).toEqual([{ name: 'a.test', label: 'own' }])
  })

  test('are none where there are none, or where a function says', () => {
    expect([createBoard().hosts(), createBoard({ hosts: () => ({}) }).hosts()]).toEqual([[], []])
  })
})

describe('the host of a request', () => {
  test.each([
    ['http://a.test', 'a.test'],
    ['HTTP://A.Test/x', 'a.test'],
    ['https://a.test:443/x', 'a.test'],
    ['http://a.test:80/x', 'a.test'],
    ['http://a.test:443/', 'a.test:443'],
    ['https://a.test:80/', 'a.test:80'],
    ['http://a.test./', 'a.test'],
    ['http://a.test.:8080/', 'a.test:8080'],
    ['http://a.test?q=://b.test/', 'a.test'],
    ['http://a.test#@b.test', 'a.test'],
    ['http://a.test\\@b.test/', 'a.test'],
    ['http://user:secret@a.test/', 'a.test'],
    ['http://b.test@a.test/', 'a.test'],
    ['http://a%2Etest/', 'a.test'],
    ['http://[0:0:0:0:0:0:0:1]/', '[::1]'],
    ['http://[::1]:8080/', '[::1]:8080'],
    ['http://127.1/', '127.0.0.1'],
    ['http://0x7f.0.0.1:80/', '127.0.0.1'],
    ['http://Bücher.test/', 'xn--bcher-kva.test'],
    ['http://xn--bcher-kva.test/', 'xn--bcher-kva.test'],
  ])('of %s is %s', (url, host) => {
    const attempt = attemptAt(createBoard(), url)
    expect([attempt.host, attempt.request.host]).toEqual([host, host])
  })

  test('is the key of one circuit, however it is written', () => {
    const board = createBoard()
    for (const url of ['http://a.test/', 'https://A.test/', 'http://a.test.:80/', 'http://u:p@a.test/'])
      attemptAt(board, url).settle({ status: 200 })
    expect([...board.circuits()].map(({ key, counters }) => [key, counters.successes])).toEqual([['a.test', 4]])
  })

  test('may be known by the adapter already', () => {
    const board = createBoard()
    const request = {
      method: 'GET',
      origin: 'http://A.test:80',
      get url(): string {
        throw new Error('not to be read')
      },
    }
    expect(board.attempt(request)).toMatchObject({ host: 'a.test', guarded: true })
    const longer = { method: 'GET', origin: 'http://A.test:80/any/path', url: '' }
    expect(board.attempt(longer)).toMatchObject({ host: 'a.test', guarded: true })
    expect([...board.circuits()]).toHaveLength(1)
  })
})

describe('the key of a request', () => {
  test('may be what the policy makes of it', () => {
    const board = createBoard({
      hosts: {
        'api.test': {
          key: ({ host, headers }) => `${host} ${new Headers([...headers] as [string, string][]).get('x-tenant')}`,
        },
      },
    })
    const ask = (tenant: string, status: number) =>
      board.attempt({ method: 'GET', url: 'http://api.test/', headers: [['X-Tenant', tenant]] }).settle({ status })
    expect([ask('one', 200), ask('two', 503), ask('one', 200)]).toEqual(['success', 'failure', 'success'])
    expect([...board.circuits()].map(({ key, counters }) => [key, counters.successes, counters.failures])).toEqual([
      ['api.test one', 2, 0],
      ['api.test two', 0, 1],
    ])
  })

  test('sees method, URL, host and credentials', () => {
    const key = vi.fn<() => string>(() => 'k')
    const headers = [['a', 'b']] as const
    createBoard({ key }).attempt({ method: 'post', url: 'http://A.test:80/x?y', headers, credentials: 'include' })
    const request = { method: 'POST', url: 'http://A.test:80/x?y', host: 'a.test', headers, credentials: 'include' }
    expect(key.mock.calls).toMatchObject([[request]])
  })

  test('of two hosts may be one', () => {
    const board = createBoard({ key: () => 'the group', consecutiveFailures: 1 })
    attemptAt(board, 'http://a.test/').settle({ status: 503 })
    const { refusal } = attemptAt(board, 'http://b.test/')
    expect(refusal).toMatchObject({ key: 'the group', host: 'b.test', label: 'the group' })
  })

  test('is the label too, unless there is one', () => {
    const board = createBoard({ hosts: { 'a.test': { label: 'the A service' } } })
    expect(['a.test', 'b.test'].map((key) => board.circuit(key).label)).toEqual(['the A service', 'b.test'])
  })
})
