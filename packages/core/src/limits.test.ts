// What a closed circuit does not let through: more than maxInFlight at a time, and what a throttle leaves out.
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { createBoard } from './index.ts'
import { manualClock } from './testing.ts'

const GET = { method: 'GET', url: 'https://a.test/' }

describe('maxInFlight', () => {
  test('refuses one more, as full, and lets it through once the head of another has come', () => {
    const board = createBoard({ maxInFlight: 2 })
    const [first, second, third] = [board.attempt(GET), board.attempt(GET), board.attempt(GET)]
    expect([first.refused, second.refused, third.refused]).toEqual([false, false, true])
    expect(third.refusal).toMatchObject({ reason: 'full', retryAfterMs: undefined })
    expect(String(third.refusal)).toContain('a.test has as many calls under way as it may')
    first.settle({ status: 200 })
    expect(board.attempt(GET).refused).toBe(false)
  })

  test('does not count what it refuses, and opens nothing', () => {
    const board = createBoard({ maxInFlight: 1 })
    board.attempt(GET)
    for (let i = 0; i < 50; i++) expect(board.attempt(GET).refused).toBe(true)
    expect(board.circuit('a.test')).toMatchObject({ state: 'closed', window: { calls: 0 } })
    expect(board.circuit('a.test').counters).toMatchObject({ refused: 50, failures: 0, inFlight: 1 })
  })

  test('is no matter while it is bypassed', () => {
    const board = createBoard({ maxInFlight: 1 })
    using hold = board.circuit('a.test').bypass()
    expect([board.attempt(GET).refused, board.attempt(GET).refused]).toEqual([false, false])
    hold.release()
  })
})

describe('throttle', () => {
  /** Chance by turns: each hundredth is one. */
  function evenChance(): void {
    let n = 0
    const random = vi.spyOn(Math, 'random').mockImplementation(() => ((n++ * 37) % 100) / 100 + 0.005)
    onTestFinished(() => random.mockRestore())
  }

  function subject(options: object = {}) {
    evenChance()
    const clock = manualClock()
    const board = createBoard({ clock, throttle: 1.2, failureRate: false, consecutiveFailures: false, ...options })
    const call = (status: number): boolean => {
      clock.advance(10)
      const attempt = board.attempt(GET)
      attempt.settle({ status })
      return !attempt.refused
    }
    const sent = (calls: number, status: (n: number) => number): number => {
      let count = 0
      for (let n = 0; n < calls; n++) if (call(status(n))) count++
      return count
    }
    return { clock, board, sent }
  }

  test('lets everything through to a host that accepts it, and with a few failures too', () => {
    const { sent } = subject()
    expect(sent(500, (n) => (n % 20 === 19 ? 503 : 200))).toBe(500)
  })

  test('refuses what a host would not accept, and says so', () => {
    const { board, sent } = subject()
    // It accepts half of what it is asked for: a share of about 1.2 times that still goes through.
    const through = sent(2_000, (n) => (n % 2 === 0 ? 503 : 200))
    expect(through).toBeLessThan(1_300)
    expect(through).toBeGreaterThan(100)
    let refusal
    for (let i = 0; i < 50 && refusal === undefined; i++) refusal = board.attempt(GET).refusal
    expect(refusal).toMatchObject({ reason: 'throttled', retryAfterMs: undefined })
  })

  test('still lets a tenth through to a host that accepts nothing, so that it is seen to recover', () => {
    const { sent } = subject({ window: '1s' })
    sent(200, () => 503)
    expect(sent(1_000, () => 503)).toBe(100)
    // A fifth more with each window: it forgives, but slowly.
    sent(100, () => 200)
    expect(sent(100, () => 200)).toBeLessThan(30)
    sent(2_000, () => 200)
    expect(sent(100, () => 200)).toBe(100)
  })

  test('asks for nothing less before minimumCalls', () => {
    const { sent } = subject({ minimumCalls: 20 })
    expect(sent(20, () => 503)).toBe(20)
  })

  test('forgets in an idle window', () => {
    const { clock, sent } = subject()
    sent(300, () => 503)
    clock.advance(31_000)
    expect(sent(10, () => 503)).toBe(10)
  })

  test('makes failureRate 0.9 where that is not given', () => {
    const { board, sent } = subject({ failureRate: undefined })
    expect(sent(100, (n) => (n % 4 === 0 ? 200 : 503))).toBeGreaterThan(0)
    expect(board.circuit('a.test').state).toBe('closed')
    sent(500, () => 503)
    expect(board.circuit('a.test').state).toBe('open')
  })
})
