// A policy that is changed while the program runs.
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { createBoard, guardFetch, isFallback, reply } from './index.ts'
import { manualClock, scriptedHost } from './testing.ts'

const GET = { method: 'GET', url: 'https://a.test/x' }

function fail(board: ReturnType<typeof createBoard>, times: number, url: string = GET.url): void {
  for (let i = 0; i < times; i++) board.attempt({ method: 'GET', url }).settle({ status: 503 })
}

describe('board.configure', () => {
  test('is laid over what the host had, which was laid over the board’s own', () => {
    const clock = manualClock()
    const board = createBoard({ clock, openFor: '7s', hosts: { 'a.test': { consecutiveFailures: 5, label: 'a' } } })
    fail(board, 3)
    board.configure('a.test', { consecutiveFailures: 4 })
    fail(board, 1)
    expect(board.circuit('a.test').explain()).toMatch(/^a is open\. .* open for 7 s: 4 calls in a row failed/)
  })

  test('finds a host that was not named before, and one that was asked already', () => {
    const board = createBoard()
    fail(board, 1)
    board.configure('a.test', { consecutiveFailures: 2 })
    fail(board, 1)
    expect(board.circuit('a.test').state).toBe('open')
    expect(board.names('a.test')).toBe(true)
  })

  test('leaves the state as it is', () => {
    const board = createBoard({ clock: manualClock(), consecutiveFailures: 1 })
    fail(board, 1)
    board.configure('a.test', { window: '60s', slowAfter: '1s', consecutiveFailures: 5 })
    expect(board.circuit('a.test').state).toBe('open')
  })

  test('keeps what was seen where it was seen alike, and forgets it where the window is another', () => {
    const board = createBoard({ clock: manualClock() })
    fail(board, 3)
    board.configure('a.test', { failureRate: 0.9 })
    expect(board.circuit('a.test').window.calls).toBe(3)
    board.configure('a.test', { window: '60s' })
    expect(board.circuit('a.test').window.calls).toBe(0)
  })

  test('forgets with the window how many failed in a row', () => {
    const board = createBoard({ clock: manualClock(), consecutiveFailures: 3 })
    fail(board, 2)
    board.configure('a.test', { mode: 'off' })
    board.configure('a.test', { mode: 'on' })
    fail(board, 1)
    expect(board.circuit('a.test').state).toBe('closed')
  })

  test('of something else leaves alone what is under way', () => {
    const clock = manualClock()
    const board = createBoard({ clock, slowAfter: '1s', minimumCalls: 4, consecutiveFailures: false })
    const before = Array.from({ length: 4 }, () => board.attempt(GET))
    board.configure('a.test', { label: 'a' })
    clock.advance(100)
    for (const attempt of before) attempt.settle({ status: 200 })
    clock.advance(31_000)
    for (let i = 0; i < 4; i++) board.attempt(GET)
    clock.advance(1_100)
    expect(board.attempt(GET).refusal).toMatchObject({ reason: 'open' })
  })

  test('of something else leaves the throttle what it has seen', () => {
    const random = vi.spyOn(Math, 'random').mockReturnValue(0.5)
    onTestFinished(() => random.mockRestore())
    const board = createBoard({ clock: manualClock(), throttle: 2, failureRate: false, consecutiveFailures: false })
    fail(board, 20)
    expect(board.attempt(GET).refused).toBe(true)
    board.configure('a.test', { label: 'a' })
    expect(board.attempt(GET).refused).toBe(true)
    board.configure('a.test', { minimumCalls: 1_000 })
    expect(board.attempt(GET).refused).toBe(false)
  })

  test('of a host is laid over the wildcard that it went by, and of a port over its host', () => {
    const board = createBoard({
      hosts: { '*.pay.test': { label: 'pay', consecutiveFailures: 2 }, 'a.test': { label: 'a' } },
    })
    board.configure('api.pay.test', { openFor: '7s' })
    board.configure('*.api.pay.test', { openFor: '8s' })
    board.configure('a.test:8080', { openFor: '9s' })
    fail(board, 2, 'https://api.pay.test/')
    expect(board.circuit('api.pay.test').explain()).toMatch(/^pay is open/)
    expect(board.circuit('eu.api.pay.test').label).toBe('pay')
    expect(board.circuit('a.test:8080').label).toBe('a')
  })

  test('of a wildcard reaches the circuits of its hosts', () => {
    const board = createBoard({ hosts: { '*.pay.test': { consecutiveFailures: 5 } } })
    fail(board, 2, 'https://api.pay.test/')
    board.configure('*.pay.test', { consecutiveFailures: 3 })
    fail(board, 1, 'https://api.pay.test/')
    expect(board.circuit('api.pay.test').state).toBe('open')
  })

  test('reaches the circuits of a host whose policy has keys of its own', () => {
    const board = createBoard({ hosts: { 'a.test': { key: ({ url }) => url, consecutiveFailures: 5 } } })
    fail(board, 2)
    board.configure('a.test', { consecutiveFailures: 3 })
    fail(board, 1)
    expect(board.circuit(GET.url).state).toBe('open')
  })

  test('reaches the circuits of a host that was not named, at their next calls; of hosts that share one the last counts', () => {
    const board = createBoard({ clock: manualClock(), key: () => 'tenant', consecutiveFailures: 1 })
    fail(board, 1)
    fail(board, 1, 'https://b.test/')
    board.configure('a.test', { mode: 'shadow' })
    expect(board.attempt(GET).refused).toBe(false)
    expect(board.attempt({ method: 'GET', url: 'https://b.test/' }).refused).toBe(false)
    board.configure('b.test', { label: 'b' })
    expect(board.attempt({ method: 'GET', url: 'https://b.test/' }).refused).toBe(true)
    expect(board.attempt(GET).refused).toBe(true)
    expect(board.circuit('tenant').label).toBe('b')
  })

  test('is laid over what a function says of the host', () => {
    const board = createBoard({
      hosts: (host) => (host === 'a.test' ? { label: 'a', consecutiveFailures: 5 } : undefined),
    })
    board.configure('a.test', { consecutiveFailures: 1 })
    fail(board, 1)
    expect(board.circuit('a.test')).toMatchObject({ label: 'a', state: 'open' })
    fail(board, 1, 'https://b.test/')
    expect(board.circuit('b.test').state).toBe('closed')
  })

  test('switches a host off, and on again', () => {
    const board = createBoard({ clock: manualClock(), consecutiveFailures: 1 })
    fail(board, 1)
    board.configure('a.test', { mode: 'off' })
    expect(board.attempt(GET)).toMatchObject({ guarded: false, refused: false })
    expect(board.circuit('a.test').explain()).toContain('It is off: calls pass it by.')
    board.configure('a.test', { mode: 'on' })
    expect(board.attempt(GET).refused).toBe(true)
  })

  test('puts a host in shadow, and what is under way ends in peace', () => {
    const board = createBoard({ clock: manualClock(), consecutiveFailures: 1 })
    const before = board.attempt(GET)
    board.configure('a.test', { mode: 'shadow' })
    before.settle({ status: 200 })
    fail(board, 2)
    expect(board.attempt(GET).refused).toBe(false)
    expect(board.circuit('a.test').counters).toMatchObject({ failures: 2, refused: 0, inFlight: 1 })
  })

  test('gives a host a fallback', async () => {
    const board = createBoard()
    const fetch = guardFetch(board, { fetch: scriptedHost(503).fetch })
    expect((await fetch(GET.url)).status).toBe(503)
    board.configure('a.test', { fallback: reply({ text: 'made' }) })
    expect(isFallback(await fetch(GET.url))).toMatchObject({ source: 'made' })
  })

  test('leaves the policy of a guard alone', () => {
    const board = createBoard()
    const job = board.guard('a.test', () => 1, { consecutiveFailures: 2 })
    board.configure('a.test', { mode: 'off' })
    job.circuit.trip()
    expect(job).toThrow('a.test is open')
  })

  test('leaves the policy of a guard alone whose circuits depend on what it is called with', () => {
    const board = createBoard()
    const job = board.guard(
      (host: string) => host,
      (host: string) => host,
      { consecutiveFailures: 2 },
    )
    job('a.test')
    board.configure('a.test', { mode: 'off' })
    job.circuit('a.test').trip()
    expect(() => job('a.test')).toThrow('a.test is open')
  })

  test.each([
    [
      'a.test',
      { openfor: 1 },
      /^TypeError: hosts\["a\.test"\]\.openfor is not an option; did you mean openFor\? There are label/,
    ],
    ['a.test', { failureRate: 50 }, 'RangeError: hosts["a.test"].failureRate must be above 0 and at most 1, got 50'],
    ['a.test', { throttle: 0.5 }, 'RangeError: hosts["a.test"].throttle must be a number of at least 1, got 0.5'],
    [
      'a.test',
      { maxInFlight: 0 },
      'RangeError: hosts["a.test"].maxInFlight must be a whole number from 1 to 1000000, got 0',
    ],
    ['a.test', { mode: 'dark' }, 'TypeError: hosts["a.test"].mode must be one of "on", "shadow", "off", got "dark"'],
    ['a.test', false, 'TypeError: hosts["a.test"] must be an object, got false'],
    ['A.test', {}, 'TypeError: hosts["A.test"] must be a host, host:port or *.wildcard in lower case, got "A.test"'],
    [7, {}, 'TypeError: hosts[7] must be a host, host:port or *.wildcard in lower case, got 7'],
  ])('%o with %o is told, and changes nothing', (host, patch, message) => {
    const board = createBoard({ hosts: { 'a.test': { consecutiveFailures: 2 } } })
    const said = (() => {
      try {
        return board.configure(host as string, patch as never)
      } catch (error) {
        return String(error)
      }
    })()
    expect(said).toMatch(message)
    fail(board, 2)
    expect(board.circuit('a.test').state).toBe('open')
  })
})
