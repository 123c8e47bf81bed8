// The count of overdue calls against a plain list.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Pending } from './pending.ts'

test('counts a call as overdue no earlier than slowAfter, and a 16th of it later at the latest', () => {
  const step = fc.record({ gap: fc.integer({ min: 0, max: 1_500 }), end: fc.option(fc.nat(10)) })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const pending = new Pending(800)
      const calls: number[] = []
      let now = 0
      for (const { gap, end } of steps) {
        now += gap
        if (end === null) {
          pending.add(now)
          calls.push(now)
        } else if (end < calls.length) pending.remove(calls.splice(end, 1)[0] as number, now)
        const overdue = pending.overdue(now)
        expect(overdue).toBeLessThanOrEqual(calls.filter((at) => now - at >= 800).length)
        expect(overdue).toBeGreaterThanOrEqual(calls.filter((at) => now - at >= 850).length)
      }
    }),
  )
})
