// What a board knows, kept over a restart (pitfall 19).
import { describe, expect, test } from 'vitest'
import { createBoard, type Board, type BoardOptions } from './index.ts'
import { manualClock, type ManualClock } from './testing.ts'

const NOW = 1_700_000_000_000

function fresh(options: BoardOptions = {}, wall: number = NOW): { board: Board; clock: ManualClock } {
  const clock = manualClock(wall)
  return { board: createBoard({ openFor: '10s', clock, ...options }), clock }
}

/** As it comes from a disk, and cannot be changed. */
const kept = (board: Board): unknown => Object.freeze(JSON.parse(JSON.stringify(board.snapshot())))

describe('a snapshot', () => {
  test('holds what is not simply closed', () => {
    const { board, clock } = fresh()
    board.circuit('closed.test')
    board.circuit('open.test').trip()
    clock.advance(1_000)
    board.circuit('paused.test').pause(5_000)
    expect(board.snapshot()).toEqual({
      version: 1,
      at: NOW + 1_000,
      circuits: [
        { key: 'open.test', state: 'open', until: NOW + 10_000, trips: 1 },
        { key: 'paused.test', state: 'closed', pausedUntil: NOW + 6_000 },
      ],
    })
  })

  test('of a half-open circuit says until when it was open', () => {
    const { board, clock } = fresh()
    const circuit = board.circuit('a.test')
    circuit.trip()
    clock.advance(10_000)
    circuit.admit()
    expect(circuit.state).toBe('half-open')
    expect(board.snapshot().circuits).toMatchObject([{ state: 'open', until: NOW + 10_000 }])
  })

  test('holds no holds', () => {
    const { board } = fresh()
    board.circuit('a.test').isolate()
    expect(board.snapshot().circuits).toEqual([])
  })

  test('restores the rest of the open time, up to a fifth of it longer', () => {
    const before = fresh()
    before.board.circuit('a.test').trip()
    const { board, clock } = fresh({}, NOW + 4_000)
    expect(board.restore(kept(before.board))).toEqual([])
    const circuit = board.circuit('a.test')
    expect(circuit.state).toBe('open')
    expect(circuit.explain()).toContain('as it was before a restart')
    clock.advance(5_999)
    expect(circuit.state).toBe('open')
    clock.advance(2_002)
    expect(circuit.state).toBe('half-open')
  })

  test('does not let all probe at once that were saved together', () => {
    const before = fresh()
    for (let i = 0; i < 50; i++) before.board.circuit(`${i}.test`).trip()
    before.clock.advance(3_600_000)
    const { board, clock } = fresh({}, NOW + 3_600_000)
    board.restore(kept(before.board))
    clock.advance(1_000)
    const states = [...board.circuits()].map(({ state }) => state)
    expect(new Set(states)).toEqual(new Set(['open', 'half-open']))
  })

  test('restores a pause, and for how long the next open time has grown', () => {
    const grows = { openFor: { from: '10s', to: '40s' } } as const
    const before = fresh(grows)
    before.board.circuit('a.test').trip()
    before.board.circuit('b.test').pause(9_000)
    const { board, clock } = fresh(grows)
    board.restore(kept(before.board))
    const [circuit, paused] = [board.circuit('a.test'), board.circuit('b.test')]
    expect(paused.refusal(paused.admit())).toMatchObject({ reason: 'paused', retryAfterMs: 9_000 })
    clock.advance(15_000)
    circuit.settle(circuit.admit(), 'failure')
    expect(circuit.refusal(circuit.admit()).retryAfterMs).toBeGreaterThanOrEqual(20_000)
  })

  test.each([
    ['an hour ahead', 3_600_000],
    ['an hour behind', -3_600_000],
  ])('made by a clock that was %s stops nobody for longer than the policy would', (_what, skew) => {
    const before = fresh({}, NOW + skew)
    before.board.circuit('a.test').trip()
    const { board, clock } = fresh({ maxPause: '20s' })
    expect(board.restore(kept(before.board))).toEqual([])
    clock.advance(22_001)
    expect(board.circuit('a.test').state).toBe('half-open')
  })

  test('is believed up to the longest open time of the policy, or its longest pause where that is longer', () => {
    const openFor = { from: '5s', to: '20s' } as const
    for (const [maxPause, longest] of [
      ['1s', 24_000],
      ['1m', 60_000],
    ] as const) {
      const { board, clock } = fresh({ openFor, maxPause })
      const entry = { key: 'a.test', state: 'open', until: NOW + 3_600_000, trips: 1 }
      board.restore({ version: 1, at: NOW, circuits: [entry] })
      clock.advance(longest - 1)
      expect(board.circuit('a.test').state).toBe('open')
      clock.advance(1_001)
      expect(board.circuit('a.test').state).toBe('half-open')
    }
  })

  test('of a circuit that was only paused leaves it closed', () => {
    const { board, clock } = fresh()
    const entry = { key: 'a.test', state: 'closed', pausedUntil: NOW + 2_000 }
    expect(board.restore({ version: 1, at: NOW, circuits: [entry] })).toEqual([])
    const circuit = board.circuit('a.test')
    expect([circuit.state, circuit.counters.trips]).toEqual(['closed', 0])
    clock.advance(1_999)
    expect(circuit.admit()).toBeLessThan(0)
    clock.advance(1)
    expect(circuit.admit()).toBeGreaterThanOrEqual(0)
  })

  test('of a circuit that was open and not paused leaves it without a pause', () => {
    const before = fresh()
    before.board.circuit('a.test').trip()
    const { board } = fresh()
    board.restore(kept(before.board))
    expect(board.snapshot().circuits[0]).not.toHaveProperty('pausedUntil')
    expect(board.circuit('a.test').refusal(board.circuit('a.test').admit()).reason).toBe('open')
  })

  test('leaves a circuit alone that is open or held already', () => {
    const before = fresh()
    before.board.circuit('a.test').trip()
    before.board.circuit('b.test').trip()
    const { board } = fresh()
    board.circuit('a.test').trip('1h')
    board.circuit('b.test').bypass()
    const whys = board.restore(kept(before.board)).map(({ why }) => why)
    expect(whys).toEqual(['it is open already', 'it is bypassed already'])
  })

  test.each([
    [undefined, 'no snapshot of a board'],
    ['{}', 'no snapshot of a board'],
    [{ version: 2, circuits: [] }, 'a snapshot of version 2, and 1 is known'],
    [{ version: 1 }, 'a snapshot without a list of circuits'],
    [{ version: { toString: 1 } }, 'a snapshot of version {"toString":1}, and 1 is known'],
  ])('%o is none, and is given back', (snapshot, why) => {
    expect(fresh().board.restore(snapshot)).toEqual([{ entry: snapshot, why }])
  })

  test.each([
    [null, 'no entry'],
    [{ state: 'open', until: NOW }, 'without a key'],
    [{ key: 'a.test', state: 'half-open', until: NOW }, 'the state "half-open" is none that is kept'],
    [{ key: 'a.test', state: { toString: 1 } }, 'the state {"toString":1} is none that is kept'],
    [{ key: 'a.test', state: 'open' }, 'open without a moment until when'],
    [{ key: 'a.test', state: 'open', until: -1 }, 'open without a moment until when'],
    [{ key: 'a.test', state: 'open', until: NOW, trips: 0.5 }, 'trips must be a count'],
    [{ key: 'a.test', state: 'closed', pausedUntil: 'x' }, 'pausedUntil must be a moment'],
  ])('the entry %o is given back, and the others are taken', (entry, why) => {
    const { board } = fresh()
    const good = { key: 'good.test', state: 'open', until: NOW + 5_000, trips: 1 }
    expect(board.restore({ version: 1, at: NOW, circuits: [entry, good] })).toEqual([{ entry, why }])
    expect(board.peek('a.test')).toBeUndefined()
    expect(board.peek('good.test')?.state).toBe('open')
  })

  test('of a host that is off now is given back', () => {
    const { board } = fresh({ mode: 'off' })
    const entry = { key: 'a.test', state: 'open', until: NOW + 5_000 }
    expect(board.restore({ version: 1, at: NOW, circuits: [entry] })).toMatchObject([{ entry }])
  })
})
