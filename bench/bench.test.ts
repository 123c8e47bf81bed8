// The statistics of the bench and its verdicts; what it measures is measured by running it.
import { describe, expect, test } from 'vitest'
import { bootstrap, median, pairedRatio, quantile, seeded, shuffle } from './stats.ts'
import { best, exitCode, isSettled, judge, TARGETS, type Figure, type Row, type Target } from './targets.ts'

describe('statistics', () => {
  test('the median is the middle value, or half way between the two in the middle', () => {
    expect(median([3, 1, 2])).toBe(2)
    expect(median([4, 1, 3, 2])).toBe(2.5)
    expect(median([7])).toBe(7)
    expect(median([])).toBeNaN()
  })

  test('a quantile lies between its neighbours, and the values are left in their order', () => {
    const values = [30, 10, 20, 50, 40]
    expect(quantile(values, 0)).toBe(10)
    expect(quantile(values, 0.1)).toBe(14)
    expect(quantile(values, 1)).toBe(50)
    expect(values).toEqual([30, 10, 20, 50, 40])
  })

  test('the bootstrap interval holds the true median in about 95 of 100 samples', () => {
    const random = seeded(7)
    let held = 0
    for (let i = 0; i < 100; i++) {
      const { value, low, high } = bootstrap(Array.from({ length: 60 }, random), random)
      expect(low).toBeLessThanOrEqual(value)
      expect(high).toBeGreaterThanOrEqual(value)
      if (low <= 0.5 && 0.5 <= high) held++
    }
    expect(held).toBeGreaterThanOrEqual(88)
  })

  test('the interval of values that are all the same is that value', () => {
    expect(bootstrap([5, 5, 5, 5])).toEqual({ value: 5, low: 5, high: 5 })
  })

  test('a slow machine cancels out of paired ratios', () => {
    const random = seeded(3)
    const pace = Array.from({ length: 300 }, () => 1 + 9 * random())
    const { value, low, high } = pairedRatio(
      pace.map((pace) => 3 * pace),
      pace.map((pace) => 2 * pace),
    )
    expect(value).toBeCloseTo(1.5, 10)
    expect(high - low).toBeCloseTo(0, 10)
  })

  test('a shuffle keeps all items and puts each everywhere equally often', () => {
    const random = seeded(11)
    const first = [0, 0, 0]
    for (let i = 0; i < 3_000; i++) {
      const order = shuffle([0, 1, 2], random)
      expect(new Set(order)).toEqual(new Set([0, 1, 2]))
      first[order[0]!]!++
    }
    for (const times of first) expect(Math.abs(times - 1_000)).toBeLessThan(120)
  })
})

describe('verdicts', () => {
  const control = { figure: 'bare again', from: 0.9, to: 1.1 }
  const targets: Target[] = [
    { section: 'closed', figure: 'run', atMost: 3, control },
    { section: 'closed', figure: 'bytes', atMost: 400 },
    { section: 'closed', figure: 'throughput', atLeast: 0.97 },
  ]
  const calm: Figure = { name: 'bare again', unit: 'x', value: 1, low: 0.99, high: 1.01 }
  const noisy: Figure = { ...calm, high: 1.2 }
  test('a target is met up to its limit, and the exit status is then 0', () => {
    const rows = judge('closed', [calm, run(3), bytes(400), throughput(0.97)], targets)
    expect(verdicts(rows)).toEqual({ 'bare again': 'shown', run: 'met', bytes: 'met', throughput: 'met' })
    expect(exitCode(rows)).toBe(0)
    expect(isSettled(rows)).toBe(true)
  })

  test('a missed target exits 1', () => {
    for (const figures of [
      [calm, run(3.01), bytes(1), throughput(1)],
      [calm, run(1), bytes(401), throughput(1)],
      [calm, run(1), bytes(1), throughput(0.96)],
      [calm, run(NaN), bytes(1), throughput(1)],
    ]) {
      const rows = judge('closed', figures, targets)
      expect(exitCode(rows)).toBe(1)
      expect(isSettled(rows)).toBe(false)
    }
  })

  test('a control out of its band leaves its own targets without a verdict, and exits 2', () => {
    for (const value of [1, 99]) {
      const rows = judge('closed', [noisy, run(value), bytes(1), throughput(1)], targets)
      expect(verdicts(rows)).toEqual({ 'bare again': 'shown', run: 'noisy', bytes: 'met', throughput: 'met' })
      expect(exitCode(rows)).toBe(2)
    }
  })

  test('a missing control is a noisy one, and a missed target outranks it', () => {
    expect(exitCode(judge('closed', [run(1), bytes(1), throughput(1)], targets))).toBe(2)
    expect(exitCode(judge('closed', [run(1), bytes(401), throughput(1)], targets))).toBe(1)
  })

  test('a target that nothing was measured for is missed', () => {
    const rows = judge('closed', [calm, run(1), bytes(1)], targets)
    expect(verdicts(rows)['throughput']).toBe('missed')
    expect(exitCode(rows)).toBe(1)
  })

  test('a figure of another section is not judged', () => {
    expect(verdicts(judge('failing', [run(99)], targets))).toEqual({ run: 'shown' })
  })

  test('of two tries the better counts, figure by figure', () => {
    const one = judge('closed', [calm, run(3.2), bytes(390), throughput(0.99)], targets)
    const other = judge('closed', [calm, run(2.9), bytes(410), throughput(0.98)], targets)
    const rows = best(one, other)
    expect(rows.map(({ figure }) => figure.value)).toEqual([1, 2.9, 390, 0.99])
    expect(exitCode(rows)).toBe(0)
    expect(exitCode(best(other, one))).toBe(0)
  })

  test('a try with a verdict counts before one without', () => {
    const unsure = judge('closed', [noisy, run(1), bytes(1), throughput(1)], targets)
    const missed = judge('closed', [calm, run(3.5), bytes(1), throughput(1)], targets)
    expect(verdicts(best(unsure, missed))['run']).toBe('missed')
    expect(verdicts(best(missed, unsure))['run']).toBe('missed')
  })

  test('every target has one limit, and a name of its own', () => {
    for (const { atMost, atLeast } of TARGETS) expect((atMost === undefined) !== (atLeast === undefined)).toBe(true)
    expect(new Set(TARGETS.map(({ section, figure }) => `${section}: ${figure}`)).size).toBe(TARGETS.length)
  })
})

const run = (value: number): Figure => ({ name: 'run', unit: 'x', value })
const bytes = (value: number): Figure => ({ name: 'bytes', unit: 'B', value })
const throughput = (value: number): Figure => ({ name: 'throughput', unit: 'x', value })

function verdicts(rows: Row[]): Record<string, string> {
  return Object.fromEntries(rows.map(({ figure, verdict }) => [figure.name, verdict]))
}
