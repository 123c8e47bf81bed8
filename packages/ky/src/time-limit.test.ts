// Which abort is a time limit of ky's, at the edges of time.
import type { Options } from 'ky'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { TimeLimit } from './time-limit.ts'

beforeEach(() => void vi.useFakeTimers({ toFake: ['performance'] }))
afterEach(() => void vi.useRealTimers())

/** The name of what ended an attempt that was aborted some milliseconds after it, or its head, began. */
function reasonAfter(ms: number, call: Options, { answeredAfter }: { answeredAfter?: number } = {}): unknown {
  const limit = new TimeLimit(call, performance.now())
  if (answeredAfter !== undefined) {
    vi.advanceTimersByTime(answeredAfter)
    limit.answered()
  }
  vi.advanceTimersByTime(ms)
  const { reason } = AbortSignal.abort()
  return (limit.ranOut(reason) ?? (reason as Error)).name
}

describe('before the head', () => {
  test.each<[ms: number, call: Options, name: string]>([
    [9_990, {}, 'AbortError'],
    [10_000, {}, 'TimeoutError'],
    [90_000, {}, 'TimeoutError'],
    [90, { timeout: 100 }, 'AbortError'],
    [99, { timeout: 100 }, 'TimeoutError'],
    [90_000, { timeout: false }, 'AbortError'],
    [490, { timeout: false, totalTimeout: 500 }, 'AbortError'],
    [500, { timeout: false, totalTimeout: 500 }, 'TimeoutError'],
    [500, { totalTimeout: 500 }, 'TimeoutError'],
    [500, { totalTimeout: false }, 'AbortError'],
  ])('an abort after %d ms under %j ends with %s', (ms, call, name) => {
    expect(reasonAfter(ms, call)).toBe(name)
  })

  test('an abort by a caller with a signal is theirs at any time', () => {
    expect(reasonAfter(20_000, { signal: AbortSignal.abort() })).toBe('AbortError')
    expect(reasonAfter(20_000, { signal: new AbortController().signal })).toBe('TimeoutError')
  })

  test('a reason of the caller’s own is theirs at any time', () => {
    const limit = new TimeLimit({ timeout: 100 }, performance.now())
    vi.advanceTimersByTime(100)
    expect(limit.ranOut('enough')).toBeUndefined()
    expect(limit.ranOut(AbortSignal.abort().reason)).toMatchObject({ name: 'TimeoutError' })
  })
})

describe('in the body', () => {
  test.each<[ms: number, call: Options, name: string]>([
    [80, { timeout: 100 }, 'AbortError'],
    [100, { timeout: 100 }, 'TimeoutError'],
    [1_000, { timeout: 100 }, 'TimeoutError'],
    [1_200, { timeout: 100 }, 'AbortError'],
    [60_000, {}, 'AbortError'],
    [50, { timeout: 100, totalTimeout: 140 }, 'TimeoutError'],
  ])('an abort %d ms after the head under %j ends with %s', (ms, call, name) => {
    expect(reasonAfter(ms, call, { answeredAfter: 90 })).toBe(name)
  })
})
