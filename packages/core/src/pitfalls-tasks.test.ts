// Functions under a circuit and what stands in for them: whatever they give, throw or break is taken as it comes.
import { expect, test } from 'vitest'
import { circuitOpen, createBoard, guardFetch, type BoardOptions } from './index.ts'

const PAGE = 'https://host.test/x'

function hostOf(options: BoardOptions = {}) {
  const clock = { ms: 1_000_000, now: (): number => clock.ms }
  const board = createBoard({ consecutiveFailures: 3, openFor: '10s', ...options, clock })
  return { clock, board, circuit: board.circuit('host.test') }
}

test('#27 what throws synchronously is counted, and run rejects with it', async () => {
  const { board, circuit } = hostOf()
  const broken = (): never => {
    throw new Error('at once')
  }
  for (let i = 0; i < 2; i++) await expect(board.run('host.test', broken)).rejects.toThrow('at once')
  await expect(board.run('host.test', broken, {})).rejects.toThrow('at once')
  expect(circuit.counters).toMatchObject({ failures: 3, inFlight: 0 })
  expect(circuit.state).toBe('open')
})

test('#27 a guarded function that throws synchronously still does, and is counted', () => {
  const { board } = hostOf()
  const guarded = board.guard('task', (): never => {
    throw new Error('at once')
  })
  for (let i = 0; i < 3; i++) expect(guarded).toThrow('at once')
  expect(guarded.circuit.counters).toMatchObject({ failures: 3, inFlight: 0 })
  expect(guarded).toThrow('is open')
})

// oxlint-disable-next-line unicorn/no-thenable
test.each([undefined, null, 0, '', false, { then: 'no function' }])('#27 the value %o is a success', async (value) => {
  const { board, circuit } = hostOf()
  await expect(board.run('host.test', () => value)).resolves.toBe(value)
  await expect(board.run('host.test', () => value, {})).resolves.toBe(value)
  await expect(board.run('host.test', async () => value)).resolves.toBe(value)
  expect(board.guard('host.test', () => value)()).toBe(value)
  expect(circuit.counters).toMatchObject({ successes: 4, failures: 0, inFlight: 0 })
})

test.each([undefined, null, 'text', 42])('#27 %o thrown or rejected is a failure like any other', async (thrown) => {
  const { board, circuit } = hostOf({ consecutiveFailures: false })
  const broken = (): never => {
    throw thrown as unknown as Error
  }
  for (const options of [undefined, {}]) {
    await expect(board.run('host.test', broken, options)).rejects.toBe(thrown)
    await expect(board.run('host.test', () => Promise.reject(thrown as unknown as Error), options)).rejects.toBe(thrown)
  }
  expect(circuit.counters).toMatchObject({ failures: 4, inFlight: 0 })
})

test('#27 a thenable that is no promise is waited for', async () => {
  const { board, circuit } = hostOf()
  const thenable = (use: (then: (value: string) => void, no: (error: unknown) => void) => void) =>
    // oxlint-disable-next-line unicorn/no-thenable
    ({ then: use }) as PromiseLike<string>
  await expect(board.run('host.test', () => thenable((yes) => yes('well')))).resolves.toBe('well')
  await expect(board.run('host.test', () => thenable((_, no) => no(new Error('no'))))).rejects.toThrow('no')
  expect(circuit.counters).toMatchObject({ successes: 1, failures: 1, inFlight: 0 })
})

test.each([
  ['run', (board: ReturnType<typeof hostOf>['board'], task: () => PromiseLike<string>) => board.run('host.test', task)],
  [
    'guard',
    (board: ReturnType<typeof hostOf>['board'], task: () => PromiseLike<string>) => board.guard('host.test', task)(),
  ],
] as const)('#27 a result that throws when it is looked at keeps no place: %s', async (_, call) => {
  const { board, circuit } = hostOf()
  const trap = new Proxy({} as PromiseLike<string>, {
    get() {
      throw new Error('a trap')
    },
    has: () => true,
  })
  await expect((async () => call(board, () => trap))()).rejects.toThrow('a trap')
  expect(circuit.counters.inFlight).toBe(0)
})

test('#32 a fallback that throws goes along as the cause of the refusal, and counts for nothing', async () => {
  const broken = new Error('no reply here')
  const { board, circuit } = hostOf({ fallback: () => Promise.reject(broken) })
  const warnings: string[] = []
  board.on('warning', ({ message }) => warnings.push(message))
  circuit.trip()
  const guarded = guardFetch(board, { fetch: () => Promise.reject(new Error('never sent')) })
  const refusal = circuitOpen(await guarded(PAGE).catch((error: unknown) => error))
  expect([refusal?.reason, refusal?.cause]).toEqual(['open', broken])
  expect(circuit.counters).toMatchObject({ failures: 0, refused: 1, fallbacks: 0 })
  expect(warnings).toEqual(['A fallback of host.test failed: Error: no reply here'])
})

test('#32 where the call itself failed, its own error or answer is what the caller gets, and one failure counts', async () => {
  const { board, circuit } = hostOf({
    fallback: () => {
      throw new Error('no reply here')
    },
  })
  board.on('warning', () => {})
  const down = Object.assign(new Error('down'), { code: 'ECONNRESET' })
  await expect(guardFetch(board, { fetch: () => Promise.reject(down) })(PAGE)).rejects.toBe(down)
  const answer = new Response('busy', { status: 503 })
  const given = await guardFetch(board, { fetch: async () => answer })(PAGE)
  expect([given.status, await given.text()]).toEqual([503, 'busy'])
  expect(circuit.counters).toMatchObject({ failures: 2, fallbacks: 0, inFlight: 0 })
})

test('#32 a fallback that has nothing to say is no reply of null', async () => {
  const { board, circuit } = hostOf({ fallback: [() => undefined, () => null as unknown as undefined] })
  circuit.trip()
  const guarded = guardFetch(board, { fetch: () => Promise.reject(new Error('never sent')) })
  expect(circuitOpen(await guarded(PAGE).catch((error: unknown) => error))?.cause).toBeUndefined()
})

function bodyOf(chunks: number, end: 'closes' | 'breaks' | 'goes on'): Response {
  let sent = 0
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      if (sent++ < chunks) controller.enqueue(new Uint8Array([sent]))
      else if (end === 'closes') controller.close()
      else if (end === 'breaks') controller.error(Object.assign(new Error('terminated'), { code: 'ECONNRESET' }))
      else return new Promise<void>(() => {})
      return undefined
    },
  })
  return new Response(body)
}

test('#36 a body that breaks after a good head makes one failure of the success', async () => {
  const { board, circuit } = hostOf()
  const told: unknown[] = []
  board.on('settled', ({ verdict, amended }) => told.push([verdict, amended]))
  const guarded = guardFetch(board, { fetch: async () => bodyOf(3, 'breaks') })
  for (let i = 1; i <= 3; i++) {
    const response = await guarded(PAGE)
    expect([response.status, circuit.counters.successes]).toEqual([200, 1])
    await expect(response.text()).rejects.toThrow('terminated')
    expect(circuit.counters).toMatchObject({ successes: 0, failures: i, inFlight: 0 })
  }
  expect(told.slice(0, 2)).toEqual([
    ['success', false],
    ['failure', true],
  ])
  expect(circuit.state).toBe('open')
})

test('#36 a body that comes whole, one that its reader leaves and one that never ends change nothing', async () => {
  const { board, circuit } = hostOf()
  await (await guardFetch(board, { fetch: async () => bodyOf(3, 'closes') })(PAGE)).text()
  await (await guardFetch(board, { fetch: async () => bodyOf(3, 'breaks') })(PAGE)).body?.cancel()
  const endless = await guardFetch(board, { fetch: async () => bodyOf(1, 'goes on') })(PAGE)
  await endless.body?.getReader().read()
  expect(circuit.counters).toMatchObject({ successes: 3, failures: 0, inFlight: 0 })
})

test('#36 a body that breaks because its caller aborted is no failure', async () => {
  const { board, circuit } = hostOf()
  const leave = new AbortController()
  const response = await guardFetch(board, { fetch: async () => bodyOf(1, 'breaks') })(PAGE, { signal: leave.signal })
  leave.abort()
  await expect(response.text()).rejects.toThrow('terminated')
  expect(circuit.counters).toMatchObject({ successes: 1, failures: 0 })
})
