// The clock of a store, from the dates of its answers.
import { describe, expect, test } from 'vitest'
import { StoreClock } from './store-clock.ts'

const NOON = Date.parse('2026-11-23T12:00:00Z')
const dateAt = (ms: number): string => new Date(ms).toUTCString()

/** Lets a clock hear answers of a store that is ahead by so much, each under way for some milliseconds both ways. */
function listen(clock: StoreClock, ahead: number, answers: number, from = NOON, way = 3): number {
  let local = from
  for (let n = 0; n < answers; n++) {
    clock.hear(dateAt(local + way + ahead), local, local + 2 * way)
    // Dates turn at whole seconds, and these come at any time within one.
    local += 1_037
  }
  return local
}

describe('before any answer', () => {
  test("our clock is the store's", () => {
    expect(new StoreClock().at(NOON)).toBe(NOON)
  })
})

describe('after an answer', () => {
  test.each([-1_000, 0, 500])('our clock is left alone while it may be right: %d ms behind', (ahead) => {
    const clock = new StoreClock()
    clock.hear(dateAt(NOON), NOON - ahead, NOON - ahead + 500)
    expect(clock.at(NOON)).toBe(NOON)
  })

  test.each([
    ['ahead', 90_000, 90_000 - 6],
    ['behind', -90_000, -90_000 + 1_000],
  ])('it is corrected as little as may be: %s', (_name, ahead, corrected) => {
    const clock = new StoreClock()
    clock.hear(dateAt(NOON + ahead), NOON, NOON + 6)
    expect(clock.at(NOON) - NOON).toBe(corrected)
  })

  test('one that took long tells less, and nothing wrong', () => {
    const clock = new StoreClock()
    clock.hear(dateAt(NOON + 5_000), NOON, NOON + 5_500)
    expect(clock.at(NOON)).toBe(NOON)
  })
})

describe('after many answers', () => {
  test.each([-3_600_000, -90_000, -1_500, 1_500, 90_000, 86_400_000])(
    'it is right to some 10 ms: %d ms ahead',
    (ahead) => {
      const clock = new StoreClock()
      const local = listen(clock, ahead, 200)
      expect(Math.abs(clock.at(local) - local - ahead)).toBeLessThanOrEqual(30)
    },
  )

  test.each([-800, -50, 0, 50, 800])('it is never off by more than our own: %d ms ahead', (ahead) => {
    const clock = new StoreClock()
    let local = NOON
    for (let n = 0; n < 200; n++) {
      local = listen(clock, ahead, 1, local)
      expect(Math.abs(clock.at(local) - local - ahead)).toBeLessThanOrEqual(Math.abs(ahead))
    }
  })

  test('it starts anew where a clock was set', () => {
    const clock = new StoreClock()
    const local = listen(clock, 0, 200)
    clock.hear(dateAt(local + 60_000), local, local + 6)
    expect(clock.at(local) - local).toBe(Date.parse(dateAt(local + 60_000)) - local - 6)
    const later = listen(clock, 60_000, 200, local)
    expect(Math.abs(clock.at(later) - later - 60_000)).toBeLessThanOrEqual(30)
  })
})

test.each([undefined, null, '', 'yesterday', 5, ['Mon, 23 Nov 2026 12:00:00 GMT']])(
  'a date that is none is nothing: %j',
  (date) => {
    const clock = new StoreClock()
    clock.hear(date, NOON + 500_000, NOON + 500_001)
    expect(clock.at(NOON)).toBe(NOON)
  },
)

test('an answer from before it was asked for, since our clock was set back, is nothing', () => {
  const clock = new StoreClock()
  clock.hear(dateAt(NOON), NOON + 500_000, NOON)
  expect(clock.at(NOON)).toBe(NOON)
})
