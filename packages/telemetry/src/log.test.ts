// Circuits in a log, by the real pino and by the console.
import { createBoard } from '@fuseboard/core'
import { pino, type LevelWithSilent } from 'pino'
import { describe, expect, test, vi } from 'vitest'
import { benchOf, makeTrouble, troubledBench } from '../test/troubled-board.ts'
import { consoleLogger, log, type LoggerLike } from './log.ts'

/** A pino, and the lines that it wrote. */
function pinoOf(level: LevelWithSilent = 'debug') {
  const lines: Record<string, unknown>[] = []
  const write = (line: string): void => void lines.push(JSON.parse(line) as Record<string, unknown>)
  const logger = pino(
    { level, base: null, timestamp: false, formatters: { level: (label) => ({ level: label }) } },
    { write },
  )
  return { logger, lines, short: () => lines.map(({ level, msg }) => `${String(level)}: ${String(msg)}`) }
}

describe('a log', () => {
  test('has each change with its evidence, and nothing of a URL', async () => {
    const { logger, lines, short } = pinoOf()
    const bench = troubledBench()
    log(bench.board, logger)
    await makeTrouble(bench)
    expect(lines[0]).toEqual({
      level: 'warn',
      event: 'transition',
      host: 'down.test',
      label: 'the "bad"\n\\one',
      from: 'closed',
      to: 'open',
      reason: 'consecutive-failures',
      until: expect.any(Number) as number,
      evidence: { calls: 2, failures: 2, slow: 2, overdue: 0, streak: 2, streakMs: 2_000, kinds: { '503': 2 } },
      msg: expect.stringMatching(/open for 10 s: 2 calls in a row failed in 2 s \(2x 503\)$/) as string,
    })
    expect(short().slice(1)).toEqual([
      'debug: the "bad"\n\\one refused a call: open',
      'warn: get of a store failed: the store is down',
      'warn: get of a store failed: the store is down',
      'warn: held.test isolated: by hand',
    ])
    expect(JSON.stringify(lines)).not.toMatch(/path|query/)
  })

  test('has what a circuit in shadow would have done as something to know, and no warning', () => {
    const { logger, lines, short } = pinoOf()
    const board = createBoard({ mode: 'shadow', consecutiveFailures: 1, openFor: '10s' })
    log(board, logger)
    for (let n = 0; n < 2; n++) board.attempt({ method: 'GET', url: 'https://a.test/' }).settle({ status: 503 })
    expect(short()).toEqual([
      'info: a.test (in shadow) open for 10 s: 1 call in a row failed (1x 503)',
      'debug: a.test would have refused a call: open',
    ])
    expect(lines.map(({ shadow }) => shadow)).toEqual([true, true])
  })

  test('has debug lines only where they are wanted', () => {
    const { logger, short } = pinoOf('info')
    const { board, clock, call } = benchOf()
    log(board, logger)
    board.circuit('a.test').trip()
    call('a.test', 200)
    clock.advance(10_000)
    call('a.test', 200)
    expect(short()).toEqual(['warn: a.test open for 10 s: by hand', 'info: a.test closed: the host answers again'])
  })

  test('has warnings', () => {
    const { logger, lines } = pinoOf()
    const { board } = benchOf({
      key: () => {
        throw new Error('no key')
      },
    })
    log(board, logger)
    board.attempt({ method: 'GET', url: 'https://a.test/' }).release()
    expect(lines).toEqual([
      { level: 'warn', event: 'warning', code: 'key', msg: expect.stringContaining('key of a.test failed') as string },
    ])
  })

  test('is as grave as it is told to be', () => {
    const { logger, short } = pinoOf()
    const { board, clock, call } = benchOf()
    log(board, logger, { levels: { open: 'error', 'half-open': false, refused: false, closed: undefined as never } })
    board.circuit('a.test').trip()
    call('a.test', 200)
    clock.advance(10_000)
    call('a.test', 200)
    expect(short()).toEqual(['error: a.test open for 10 s: by hand', 'info: a.test closed: the host answers again'])
  })

  test('is left alone once it is stopped', () => {
    const { logger, lines } = pinoOf()
    const { board, call } = benchOf()
    const stop = log(board, logger)
    stop()
    board.circuit('a.test').trip()
    call('a.test', 200)
    expect(lines).toEqual([])
  })
})

describe('refusals', () => {
  test('are logged once a second and host, with how many were left out', () => {
    const { logger, lines } = pinoOf()
    const { board, clock, call } = benchOf({ openFor: '1m' })
    log(board, logger)
    board.circuit('a.test').trip()
    board.circuit('b.test').trip()
    lines.length = 0
    for (let at = 0; at < 2_500; at += 100) {
      call('a.test', 200)
      if (at === 500) call('b.test', 200)
      clock.advance(100)
    }
    expect(
      lines.map(({ host, reason, method, retryAfterMs, refusalsLeftOut }) => [
        host,
        reason,
        method,
        retryAfterMs,
        refusalsLeftOut,
      ]),
    ).toEqual([
      ['a.test', 'open', 'GET', 60_000, undefined],
      ['b.test', 'open', 'GET', 59_500, undefined],
      ['a.test', 'open', 'GET', 59_000, 9],
      ['a.test', 'open', 'GET', 58_000, 9],
    ])
    board.circuit('a.test').reset()
    expect(lines.at(-1)).toMatchObject({ host: 'a.test', to: 'closed', refusalsLeftOut: 4 })
  })

  test('are logged again after a clock was set back', () => {
    const { logger, lines } = pinoOf()
    const { board, clock, call } = benchOf({ openFor: '10m' })
    log(board, logger)
    board.circuit('a.test').trip()
    call('a.test', 200)
    const wall = clock.wall()
    clock.wall = () => wall - 3_600_000
    lines.length = 0
    call('a.test', 200)
    expect(lines).toMatchObject([{ event: 'refused' }])
  })

  test('of ever new hosts are not remembered for ever', () => {
    const { logger, lines } = pinoOf()
    const { board, call } = benchOf({ maxCircuits: 3_000 })
    log(board, logger)
    for (let host = 0; host < 1_025; host++) board.circuit(`h${host}.test`).trip()
    lines.length = 0
    for (let host = 0; host < 1_025; host++) call(`h${host}.test`, 200)
    call('h1024.test', 200)
    expect(lines).toHaveLength(1_025)
    call('h0.test', 200)
    expect(lines).toHaveLength(1_026)
  })
})

test('a logger that throws or rejects hurts no call', async () => {
  const print = vi.spyOn(console, 'warn').mockImplementation(() => {})
  const { board, call } = benchOf()
  const bad: LoggerLike = {
    debug: () => Promise.reject(new Error('disk full')),
    info: () => {},
    warn: () => {
      throw new Error('disk full')
    },
    error: () => {},
  }
  log(board, bad)
  call('a.test', 503)
  call('a.test', 503)
  expect(call('a.test', 200).refusal?.reason).toBe('open')
  await new Promise((resolve) => setImmediate(resolve))
  expect(print.mock.calls.flat().join('\n')).toContain("A listener of 'warning' threw: Error: disk full")
  print.mockRestore()
})

test('the console is given the message first', () => {
  const lines: unknown[][] = []
  const to =
    (level: string) =>
    (...line: unknown[]) =>
      void lines.push([level, ...line])
  const logger = consoleLogger({ debug: to('debug'), info: to('info'), warn: to('warn'), error: to('error') })
  for (const level of ['debug', 'info', 'warn', 'error'] as const) logger[level]({ a: 1 }, 'said')
  expect(lines).toEqual(['debug', 'info', 'warn', 'error'].map((level) => [level, 'said', { a: 1 }]))
  const print = vi.spyOn(console, 'info').mockImplementation(() => {})
  consoleLogger().info({ a: 1 }, 'said')
  expect(print.mock.calls).toEqual([['said', { a: 1 }]])
  print.mockRestore()
})

test('wrong arguments are told by name', () => {
  const { board } = benchOf()
  const { logger } = pinoOf()
  expect(() => log({} as never, logger)).toThrow('log needs a board first, got an object')
  expect(() => log(board, console.log as never)).toThrow('the logger of log must have a method debug, got function log')
  expect(() => log(board, logger, { levels: { opened: 'warn' } as never })).toThrow('log.levels has no option opened')
  expect(() => log(board, logger, { levels: { open: 'fatal' as never } })).toThrow(
    'log.levels.open must be one of debug, info, warn, error, or false, got "fatal"',
  )
  expect(() => log(board, logger, { level: 'warn' } as never)).toThrow('log has no option level; there are levels')
})
