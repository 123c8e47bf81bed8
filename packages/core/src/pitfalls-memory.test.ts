// Memory: circuits are bounded whatever hosts are asked, and nothing of a failure is kept alive. Then, that no pitfall is lost.
import { readdirSync, readFileSync } from 'node:fs'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, test } from 'vitest'
import { createBoard, type BoardOptions } from './index.ts'

function boardOf(options: BoardOptions = {}) {
  const clock = { ms: 1_000_000, now: (): number => clock.ms }
  const board = createBoard({ consecutiveFailures: 3, openFor: '10s', ...options, clock })
  const warnings: string[] = []
  board.on('warning', ({ code }) => warnings.push(code))
  const begin = (host: string) => board.attempt({ method: 'GET', url: `https://${host}/x` })
  const outage = (host: string): void => {
    for (let i = 0; i < 3; i++) begin(host).settle({ status: 503 })
  }
  return { clock, board, begin, outage, warnings, size: () => [...board.circuits()].length }
}

test('#24 a hundred thousand hosts leave no more than maxCircuits, and the one that is open among them', () => {
  const { board, begin, outage, size, warnings } = boardOf()
  outage('down.test')
  for (let i = 0; i < 100_000; i++) begin(`h${i}.test`).settle({ status: i % 2 === 0 ? 200 : 503 })
  expect(size()).toBe(1_024)
  expect(begin('down.test').refusal?.reason).toBe('open')
  expect([board.peek('h0.test'), board.peek('h99999.test')?.key]).toEqual([undefined, 'h99999.test'])
  expect(warnings).toEqual([])
})

test('#24 only who is closed and idle goes: not the half-open, the held, the paused, the busy, or a guard with a name', () => {
  const { clock, board, begin, outage, size } = boardOf({ maxCircuits: 8, rateLimit: 'pause' })
  outage('half-open.test')
  clock.ms += 10_000
  begin('half-open.test')
  outage('open.test')
  board.circuit('isolated.test').isolate()
  board.circuit('bypassed.test').bypass()
  begin('paused.test').settle({ status: 429, headers: [['retry-after', '60']] })
  const busy = begin('busy.test')
  board.guard('named', () => {})
  for (let i = 0; i < 1_000; i++) begin(`h${i}.test`).settle({ status: 200 })
  const kept = [...board.circuits()].map(({ key, state }) => `${key} ${state}`)
  expect(kept.toSorted()).toEqual([
    'busy.test closed',
    'bypassed.test bypassed',
    'h999.test closed',
    'half-open.test half-open',
    'isolated.test isolated',
    'named closed',
    'open.test open',
    'paused.test closed',
  ])
  busy.settle({ status: 200 })
  for (let i = 0; i < 8; i++) begin(`later${i}.test`).settle({ status: 200 })
  expect([board.peek('busy.test'), size()]).toEqual([undefined, 8])
})

test('#24 the least recently used goes first', () => {
  const { board, begin } = boardOf({ maxCircuits: 3 })
  for (const host of ['a.test', 'b.test', 'c.test', 'a.test']) begin(host).settle({ status: 200 })
  begin('d.test').settle({ status: 200 })
  expect([...board.circuits()].map(({ key }) => key)).toEqual(['a.test', 'c.test', 'd.test'])
})

test('#24 one that is open and that nobody asks for any more goes a window after its time', () => {
  const { clock, board, begin, outage } = boardOf({ maxCircuits: 1, window: '30s' })
  outage('down.test')
  clock.ms += 10_000 + 30_000
  begin('new.test').settle({ status: 200 })
  expect(board.peek('down.test')?.state).toBe('half-open')
  clock.ms += 1
  begin('new.test').settle({ status: 200 })
  expect([board.peek('down.test'), board.peek('new.test')?.state]).toEqual([undefined, 'closed'])
})

test('#24 where none may go, a new host is admitted unguarded, and warned of once', () => {
  const { board, begin, outage, warnings, size } = boardOf({ maxCircuits: 2 })
  outage('one.test')
  outage('two.test')
  for (let i = 0; i < 50; i++) {
    const attempt = begin(`h${i}.test`)
    expect([attempt.refused, attempt.guarded]).toEqual([false, false])
    attempt.settle({ status: 503 })
  }
  expect([size(), warnings, board.peek('h0.test')]).toEqual([2, ['maxCircuits'], undefined])
})

test('#24 the keys of tasks and of keyed guards are bounded, too', async () => {
  const { board, size } = boardOf({ maxCircuits: 8 })
  const guarded = board.guard(
    (id: number) => `guard ${id}`,
    (id: number) => id,
  )
  for (let i = 0; i < 100; i++) {
    await board.run(`task ${i}`, () => i)
    guarded(i)
  }
  expect(size()).toBe(8)
})

test('#25 no response and no error is kept alive by the circuit that counted it', async () => {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  const { board, begin } = boardOf()
  const circuit = board.circuit('host.test')
  const gone: WeakRef<object>[] = []
  await (async () => {
    const head = { status: 503, headers: [['retry-after', '3']] as const }
    const error = Object.assign(new Error('socket hang up'), { code: 'ECONNRESET', cause: { big: 'x' } })
    const thrown = new RangeError('of a task')
    gone.push(new WeakRef(head), new WeakRef(error), new WeakRef(error.cause), new WeakRef(thrown))
    begin('host.test').settle(head)
    begin('host.test').settle({ error })
    await board.run('host.test', () => Promise.reject(thrown)).catch(() => {})
  })()
  for (let turn = 0; turn < 3; turn++) {
    await new Promise((resolve) => setImmediate(resolve))
    collect()
  }
  expect(gone.map((ref) => ref.deref())).toEqual([undefined, undefined, undefined, undefined])
  for (const kind of ['1x 503', '1x ECONNRESET', '1x RangeError']) expect(circuit.explain()).toContain(kind)
})

test('every pitfall of the engine has a test', () => {
  const files = readdirSync(import.meta.dirname).filter((file) => /^pitfalls-.*\.test\.ts$/.test(file))
  const titles = files.flatMap((file) => [
    ...readFileSync(new URL(file, import.meta.url), 'utf8').matchAll(/['"]#(\d+) /g),
  ])
  const rows = new Set(titles.map(([, row]) => Number(row)))
  // The others are the business of the fleet, the throttle, snapshots and the adapters.
  const elsewhere = new Set([19, 26, 28, 29, 30, 31, 37])
  const ours = Array.from({ length: 37 }, (_, index) => index + 1).filter((row) => !elsewhere.has(row))
  expect([...rows].toSorted((a, b) => a - b)).toEqual(ours)
})
