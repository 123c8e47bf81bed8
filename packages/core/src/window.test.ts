// Both windows against a plain list of calls.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { CountWindow, TimeWindow, type Window } from './window.ts'

type Step =
  | { readonly gap: number; readonly failed: boolean; readonly slow: boolean }
  | { readonly gap: number; readonly amend: number }

interface Call {
  readonly at: number
  failed: boolean
  readonly slow: boolean
}

const EDGES = [0, 1, 99, 100, 101, 899, 900, 901, 999, 1_000, 1_001]
const gap = fc.oneof(
  { weight: 8, arbitrary: fc.nat(200) },
  { weight: 2, arbitrary: fc.constantFrom(...EDGES) },
  { weight: 1, arbitrary: fc.nat(5_000) },
)
const steps = fc.array(
  fc.oneof(
    fc.record({ gap, failed: fc.boolean(), slow: fc.boolean() }),
    fc.record({ gap: fc.nat(100), amend: fc.nat(15) }),
  ),
  { maxLength: 80, size: 'max' },
)

function agrees(
  window: Window,
  list: readonly Step[],
  kept: (calls: readonly Call[], now: number) => readonly Call[],
): void {
  const calls: Call[] = []
  let now = 0
  for (const step of list) {
    now += step.gap
    if ('amend' in step) {
      const number = calls.length - step.amend
      const call = calls[number - 1]
      const amended = call !== undefined && kept(calls, now).includes(call)
      if (call?.failed) continue
      expect(window.amend(number, now)).toBe(amended)
      if (amended) call.failed = true
    } else {
      calls.push({ at: now, failed: step.failed, slow: step.slow })
      window.roll(now)
      expect(window.record(step.failed, step.slow)).toBe(calls.length)
    }
    window.roll(now)
    expect(window.end).toBeGreaterThan(now)
    const rest = kept(calls, now)
    expect({ calls: window.calls, failures: window.failures, slow: window.slow }).toEqual({
      calls: rest.length,
      failures: rest.filter(({ failed }) => failed).length,
      slow: rest.filter(({ slow }) => slow).length,
    })
  }
}

describe('a window of time', () => {
  test('holds what a plain list holds of its ten slots', () => {
    const slot = (at: number): number => Math.floor(at / 100)
    fc.assert(
      fc.property(steps, (list) =>
        agrees(new TimeWindow(1_000, true), list, (calls, now) => calls.filter(({ at }) => slot(at) > slot(now) - 10)),
      ),
    )
  })

  test('is empty after an idle hour', () => {
    const window = new TimeWindow(30_000, false)
    window.roll(1_000)
    for (let i = 0; i < 4; i++) window.record(true, false)
    window.roll(3_601_000)
    expect([window.calls, window.failures]).toEqual([0, 0])
  })

  test('is empty after any time, at once', () => {
    const window = new TimeWindow(1_000, false)
    window.roll(0)
    window.record(true, false)
    window.roll(Number.MAX_SAFE_INTEGER)
    expect([window.calls, window.failures]).toEqual([0, 0])
  })

  test('emptied, it holds nothing', () => {
    const window = new TimeWindow(1_000, true)
    window.roll(10)
    const call = window.record(false, true)
    window.clear()
    expect([window.calls, window.failures, window.slow, window.amend(call, 10)]).toEqual([0, 0, 0, false])
  })
})

describe('a window of calls', () => {
  test('holds what a plain list holds of its last calls', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 12 }), steps, (size, list) =>
        agrees(new CountWindow(size), list, (calls) => calls.slice(-size)),
      ),
    )
  })

  test('emptied, it holds nothing', () => {
    const window = new CountWindow(3)
    window.record(true, true)
    window.clear()
    expect([window.calls, window.failures, window.slow]).toEqual([0, 0, 0])
  })
})
