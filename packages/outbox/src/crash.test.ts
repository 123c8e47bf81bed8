// A process that is killed in the middle of it all, for `test`: the soak does it with more customers and more deaths.
import { expect, test } from 'vitest'
import { trial } from '../test/crash/trial.ts'

test('through an outage and several deaths no subscription that was answered for is lost, and none is made twice', async () => {
  const { kills, made, pending, failed, untold, lost, twice, dead } = await trial({
    customers: 80,
    processes: 2,
    kills: 4,
    seed: 7,
  })
  expect({ failed, lost, twice, dead }).toEqual({ failed: [], lost: [], twice: [], dead: 0 })
  expect(made + pending + untold).toBe(80)
  // It was an outage, and there were deaths.
  expect(kills).toBeGreaterThanOrEqual(4)
  expect(Math.min(made, pending)).toBeGreaterThan(0)
}, 60_000)
