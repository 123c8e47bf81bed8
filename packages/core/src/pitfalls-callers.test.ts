// The caller's side: aborts, signals, thrown things, shared options, and bodies that break.
import { getEventListeners } from 'node:events'
import { expect, test } from 'vitest'
import { createBoard, guardFetch, reply, type Attempt, type BoardOptions } from './index.ts'

const PAGE = 'https://host.test/x'

function hostOf(options: BoardOptions = {}) {
  const clock = { ms: 1_000_000, now: (): number => clock.ms }
  const board = createBoard({ consecutiveFailures: 3, openFor: '10s', ...options, clock })
  const circuit = board.circuit('host.test')
  const begin = () => board.attempt({ method: 'GET', url: PAGE })
  return { clock, board, circuit, begin }
}

/** A host behind fetch that answers only when told to, and honours signals as fetch does. */
function silentHost() {
  const waiting: { resolve(response: Response): void }[] = []
  const fetch = (_: unknown, init?: { signal?: AbortSignal | null }): Promise<Response> =>
    new Promise((resolve, reject) => {
      init?.signal?.addEventListener('abort', () => reject(init.signal?.reason as Error), { once: true })
      waiting.push({ resolve })
    })
  return { waiting, fetch }
}

const aborted = (): object => ({ error: new DOMException('left', 'AbortError') })

test('#5 a hundred callers that leave early open nothing', () => {
  const { clock, begin, circuit } = hostOf()
  for (let i = 0; i < 100; i++) {
    const attempt = begin()
    clock.ms += 4_999
    expect(attempt.settle(aborted() as { error: unknown })).toBe('ignored')
  }
  expect(circuit.state).toBe('closed')
  expect(circuit.counters).toMatchObject({ ignored: 100, failures: 0, inFlight: 0 })
})

test('#5 who leaves after ten seconds without a head adds one failure; where abandonedAfter is off, none', () => {
  for (const [abandonedAfter, failures] of [['5s', 1] as const, ['20s', 0] as const, [false, 0] as const]) {
    const { clock, begin, circuit } = hostOf({ abandonedAfter })
    const attempt = begin()
    clock.ms += 10_000
    attempt.settle(aborted() as { error: unknown })
    expect(circuit.counters).toMatchObject({ failures, ignored: 1 - failures })
  }
})

test('#5 a time limit is a failure, however it comes about', async () => {
  const { board, circuit, begin } = hostOf()
  const { fetch } = silentHost()
  await expect(guardFetch(board, { fetch })(PAGE, { signal: AbortSignal.timeout(1) })).rejects.toThrow('timeout')
  begin().settle({ error: new DOMException('too long', 'TimeoutError') })
  begin().settle({ error: Object.assign(new Error('x'), { name: 'AbortError' }), cause: 'deadline' })
  expect(circuit.state).toBe('open')
})

test("#5 in a task, an AbortError is the caller's doing only where the caller's own signal had aborted", async () => {
  const { board, circuit } = hostOf()
  const leave = new AbortController()
  const task = (signal: AbortSignal) => () => {
    leave.abort()
    return Promise.reject(signal === leave.signal ? signal.reason : new DOMException('left', 'AbortError'))
  }
  const run = (given: AbortSignal) => board.run('host.test', task(given), { signal: given }).catch(() => {})
  await run(leave.signal)
  expect(circuit.counters).toMatchObject({ ignored: 1, failures: 0 })
  await run(new AbortController().signal)
  await board.run('host.test', task(leave.signal)).catch(() => {})
  await board
    .run('host.test', task(leave.signal), { signal: AbortSignal.abort(new DOMException('', 'TimeoutError')) })
    .catch(() => {})
  expect(circuit.counters).toMatchObject({ ignored: 1, failures: 3 })
})

test('#5 who ends a task after ten seconds by its signal adds a failure, too', async () => {
  const { clock, board, circuit } = hostOf()
  const leave = new AbortController()
  const { waiting, fetch } = silentHost()
  const call = board.run('host.test', () => fetch(PAGE, leave), { signal: leave.signal })
  expect(waiting).toHaveLength(1)
  clock.ms += 10_000
  leave.abort()
  await expect(call).rejects.toThrow('aborted')
  expect(circuit.counters).toMatchObject({ failures: 1, ignored: 0 })
})

test('#20 two circuits of one options object share nothing, and what becomes of the object later is nothing to them', async () => {
  const shared = { consecutiveFailures: { calls: 2, over: 0 }, probes: { permits: 1 }, expected: [TypeError] }
  const { board } = hostOf()
  const fail = (): never => {
    throw new TypeError('no')
  }
  const [one, other] = [board.guard('one', fail, shared), board.guard('other', fail, shared)]
  shared.consecutiveFailures.calls = 50
  shared.probes.permits = 0
  for (let i = 0; i < 2; i++) expect(one).toThrow('no')
  expect([one.circuit.state, other.circuit.state]).toEqual(['open', 'closed'])
  expect(other.circuit.counters.failures).toBe(0)
})

test('#20 a policy is read once: the hosts of a board, and the fallbacks of a host, are copies', async () => {
  const fallback = [reply({ json: 'kept' })]
  const hosts = { 'host.test': { consecutiveFailures: 1, fallback } }
  const { begin, circuit } = hostOf({ hosts })
  hosts['host.test'].consecutiveFailures = 9
  fallback.pop()
  begin().settle({ status: 503 })
  expect(circuit.state).toBe('open')
  expect((await begin().standIn())?.status).toBe(200)
})

test('#20 the errors that a guard expects are a copy, too', () => {
  const expected = [TypeError]
  const { board } = hostOf()
  const guarded = board.guard('task', () => Promise.reject(new TypeError('no')), { expected })
  expected.length = 0
  return guarded().catch(() => expect(guarded.circuit.counters.failures).toBe(1))
})

test('#21 of two calls at once, one that times out takes nothing from the other', async () => {
  const { board, circuit } = hostOf()
  const { waiting, fetch } = silentHost()
  const guarded = guardFetch(board, { fetch })
  const other = guarded(PAGE, { signal: new AbortController().signal })
  const slow = guarded(PAGE, { signal: AbortSignal.timeout(1) })
  await expect(slow).rejects.toThrow('timeout')
  waiting[0]?.resolve(new Response('well'))
  expect(await (await other).text()).toBe('well')
  expect(circuit.counters).toMatchObject({ successes: 1, failures: 1, inFlight: 0 })
})

test('#22 a thousand calls on one signal leave no listener on it', async () => {
  const { signal } = new AbortController()
  const { board } = hostOf({ fallback: async () => (await Promise.resolve(), reply({ json: {} })) })
  const answers = [
    () => Response.json({}),
    () => new Response(null, { status: 503 }),
    () => Promise.reject(new Error('x')),
  ]
  let calls = 0
  const guarded = guardFetch(board, { fetch: async () => (answers[calls++ % 3] as () => Response)() })
  for (let i = 0; i < 500; i++) await (await guarded(PAGE, { signal })).text()
  for (let i = 0; i < 500; i++) await board.run('task', async () => i, { signal })
  expect(calls).toBeGreaterThan(2)
  expect(board.circuit('host.test').counters.fallbacks).toBeGreaterThan(400)
  expect(getEventListeners(signal, 'abort')).toEqual([])
})

test('#23 a call that outlives slowAfter, its lease and its circuit is under way until it is settled', () => {
  const { clock, circuit, begin } = hostOf({ slowAfter: '1s', minimumCalls: 100 })
  const hung: Attempt[] = [begin()]
  clock.ms += 60_000
  expect(circuit.counters.inFlight).toBe(1)
  circuit.trip('1s')
  clock.ms += 1_000
  hung.push(begin())
  clock.ms += 60_000
  hung.push(begin())
  expect(circuit.counters.inFlight).toBe(3)
  for (const attempt of hung) attempt.settle({ error: new Error('x') })
  hung[0]?.settle({ status: 200 })
  hung[1]?.release()
  expect(circuit.counters).toMatchObject({ inFlight: 0, failures: 3, successes: 0 })
})
