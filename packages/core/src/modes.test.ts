// A policy in shadow, and one that is off: by its option, and by the environment.
import { afterEach, describe, expect, test, vi } from 'vitest'
import { circuitOpen, createBoard, guardFetch, isFallback, reply, type BoardOptions } from './index.ts'
import { manualClock, scriptedHost, type Scripted } from './testing.ts'

const URL = 'https://a.test/x'
const GET = { method: 'GET', url: URL }
const POLICY = { consecutiveFailures: 3, openFor: '10s' } as const

function guarded(options: BoardOptions, ...script: Scripted[]) {
  const clock = manualClock(1_700_000_000_000)
  const board = createBoard({ ...POLICY, clock, ...options })
  const host = scriptedHost(...script)
  const fetch = guardFetch(board, { fetch: host.fetch })
  const call = async (): Promise<number> => (await fetch(URL)).status
  return { board, clock, host, call, fetch, circuit: board.circuit('a.test') }
}

afterEach(() => void vi.unstubAllEnvs())

describe('in shadow', () => {
  test('nothing is refused, and what would have been is told', async () => {
    const { board, host, call, circuit } = guarded({ mode: 'shadow' }, 503, 503, 503, 200)
    const told: unknown[] = []
    board.on('transition', ({ shadow, message }) => told.push([shadow, message]))
    board.on('refused', ({ shadow, reason, method, url }) => told.push([shadow, reason, method, url]))
    for (let i = 0; i < 3; i++) expect(await call()).toBe(503)
    expect(circuit.state).toBe('open')
    expect(await call()).toBe(200)
    expect(told).toEqual([
      [true, 'a.test (in shadow) open for 10 s: 3 calls in a row failed (3x 503)'],
      [true, 'open', 'GET', URL],
    ])
    expect(host.requests).toHaveLength(4)
    expect(circuit.explain()).toContain('It is in shadow: it refuses nothing.')
  })

  test('the report says what switching it on would have cost', async () => {
    const { board, clock, call } = guarded({ mode: 'shadow' }, 503, 503, 503, 200, 200, 503, 200)
    for (let i = 0; i < 6; i++) await call()
    clock.advance(4_000)
    expect(board.shadowReport()).toEqual([
      {
        key: 'a.test',
        label: 'a.test',
        state: 'open',
        opened: 1,
        openMs: 4_000,
        refused: 3,
        ofThoseWell: 2,
        ofThoseFailed: 1,
        why: 'a.test (in shadow) open for 10 s: 3 calls in a row failed (3x 503)',
      },
    ])
  })

  test('what would have been refused stays out of the window, and a probe closes it as it would', async () => {
    const { clock, call, circuit } = guarded({ mode: 'shadow' }, 503, 503, 503, 200)
    for (let i = 0; i < 10; i++) await call()
    expect(circuit.window).toEqual({ calls: 3, failures: 3, slow: 0 })
    clock.advance(10_000)
    await call()
    expect(circuit.state).toBe('closed')
    expect(circuit.counters).toMatchObject({ successes: 8, failures: 3, refused: 0, inFlight: 0 })
  })

  test('what was refused in earnest before is not in the report', async () => {
    const { board, clock, call, circuit } = guarded({}, 503, 503, 503, 200)
    for (let i = 0; i < 3; i++) await call()
    await expect(call()).rejects.toThrow('open')
    clock.advance(1_000)
    board.configure('a.test', { mode: 'shadow' })
    clock.advance(2_000)
    await call()
    expect(board.shadowReport()).toMatchObject([
      { opened: 0, openMs: 2_000, refused: 1, ofThoseWell: 1, ofThoseFailed: 0, why: undefined },
    ])
    expect(circuit.counters).toMatchObject({ trips: 1, refused: 1, openMs: 3_000 })
  })

  test('calls that would have been refused are not among those under way', () => {
    const board = createBoard({ mode: 'shadow', maxInFlight: 1 })
    const [first, second] = [board.attempt(GET), board.attempt(GET)]
    first.settle({ status: 200 })
    board.attempt(GET).settle({ status: 200 })
    second.settle({ status: 200 })
    expect(board.shadowReport()).toMatchObject([{ refused: 1, ofThoseWell: 1 }])
  })

  test('a call that would have been refused is not asked when to come back', () => {
    const { board, clock, circuit } = guarded({ mode: 'shadow', rateLimit: 'pause' }, 200)
    circuit.trip()
    const headers = [['retry-after', '120']] as const
    for (const status of [503, 429]) board.attempt(GET).settle({ status, headers })
    clock.advance(10_000)
    expect(circuit.state).toBe('half-open')
    expect(board.attempt(GET).refused).toBe(false)
    expect(board.shadowReport()).toMatchObject([{ refused: 2 }])
  })

  test('a call that would have been refused, and whose body breaks, is none that went well', () => {
    const { board, circuit } = guarded({ mode: 'shadow' }, 200)
    circuit.trip()
    const attempt = board.attempt(GET)
    attempt.settle({ status: 200 })
    expect(board.shadowReport()).toMatchObject([{ refused: 1, ofThoseWell: 1, ofThoseFailed: 0 }])
    attempt.amend({ error: new Error('cut short') })
    expect(board.shadowReport()).toMatchObject([{ refused: 1, ofThoseWell: 0, ofThoseFailed: 1 }])
  })

  test('it does not say that calls are refused', () => {
    const { board, circuit } = guarded({ mode: 'shadow' }, 200)
    circuit.trip()
    expect(circuit.explain()).toContain('Calls would be refused for another 10 s.')
    board.configure('a.test', { mode: 'off' })
    expect(circuit.explain()).not.toContain('refused for another')
    board.configure('a.test', { mode: 'on' })
    expect(circuit.explain()).toContain('Calls are refused for another 10 s.')
  })

  test('nothing stands in', async () => {
    const { fetch } = guarded({ mode: 'shadow', fallback: reply({ text: 'made' }) }, 503)
    for (let i = 0; i < 5; i++) {
      const response = await fetch(URL)
      expect([response.status, isFallback(response)]).toEqual([503, undefined])
    }
  })

  test('an isolation holds nobody up', async () => {
    const { call, circuit } = guarded({ mode: 'shadow' }, 200)
    circuit.isolate()
    expect([circuit.state, await call()]).toEqual(['isolated', 200])
  })

  test('a guarded function runs', () => {
    const board = createBoard()
    const job = board.guard('job', () => 1, { mode: 'shadow' })
    job.circuit.trip()
    expect(job()).toBe(1)
    expect(board.shadowReport()).toMatchObject([{ key: 'job', refused: 1, ofThoseWell: 1 }])
  })
})

describe('off', () => {
  test('calls pass by: nothing is counted, refused or stood in for', async () => {
    const { board, call } = guarded({ hosts: { 'b.test': { mode: 'off', fallback: reply({ text: 'made' }) } } }, 503)
    const fetch = guardFetch(board, { fetch: scriptedHost(503).fetch })
    for (let i = 0; i < 20; i++) expect((await fetch('https://b.test/')).status).toBe(503)
    expect(board.peek('b.test')).toBeUndefined()
    await call()
    expect(board.peek('a.test')?.counters.failures).toBe(1)
  })

  test('tasks and guarded functions pass by', async () => {
    const board = createBoard({ mode: 'off', consecutiveFailures: 1 })
    const job = board.guard('job', () => {
      throw new Error('broken')
    })
    for (let i = 0; i < 3; i++) {
      expect(job).toThrow('broken')
      await expect(board.run('task', () => Promise.reject(new Error('down')))).rejects.toThrow('down')
    }
    expect(job.circuit.state).toBe('closed')
  })
})

describe('FUSEBOARD', () => {
  test('=off switches every board of the process off', async () => {
    vi.stubEnv('FUSEBOARD', 'off')
    const { call } = guarded({ hosts: { 'a.test': { mode: 'on' } } }, 503)
    for (let i = 0; i < 5; i++) expect(await call()).toBe(503)
  })

  test('=shadow puts every board in shadow, but for what is off', async () => {
    vi.stubEnv('FUSEBOARD', 'shadow')
    const { board, call } = guarded({ hosts: { 'b.test': { mode: 'off' } } }, 503)
    for (let i = 0; i < 5; i++) expect(await call()).toBe(503)
    expect(board.shadowReport()).toMatchObject([{ opened: 1, refused: 2 }])
    await expect(board.run('b.test', () => Promise.reject(new Error('down')))).rejects.toThrow('down')
    expect(board.peek('b.test')).toBeUndefined()
  })

  test.each([undefined, '', 'on'])('=%s changes nothing', async (said) => {
    vi.stubEnv('FUSEBOARD', said)
    const { call } = guarded({}, 503)
    for (let i = 0; i < 3; i++) await call()
    await expect(call()).rejects.toSatisfy((error) => circuitOpen(error)?.reason === 'open')
  })

  test('that may not be read is none', () => {
    const env = new Proxy({}, { get: () => expect.unreachable('no leave') })
    vi.stubGlobal('process', { env })
    try {
      expect(createBoard({ mode: 'shadow' }).shadowReport()).toEqual([])
    } finally {
      vi.unstubAllGlobals()
    }
  })

  test('of another word is warned of, and not heeded', () => {
    vi.stubEnv('FUSEBOARD', 'disabled')
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {})
    createBoard()
    expect(warn).toHaveBeenCalledWith(
      'fuseboard: FUSEBOARD must be on, shadow or off, got "disabled": it is not heeded',
    )
    warn.mockRestore()
  })
})
