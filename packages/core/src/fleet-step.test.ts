// The rules of a fleet's record, one by one.
import { expect, test } from 'vitest'
import { CLEAN } from './fleet-record.ts'
import { step } from './fleet-step.ts'

const NOW = 1_700_000_000_000
const OPEN = { from: 5_000, to: 30_000, factor: 2, stretch: 1, atLeast: 0 }
const open = step(CLEAN, { do: 'open', ms: 0 }, NOW) ?? CLEAN
const tripped = { do: 'trip', epoch: 0, by: 'a', quorum: 1, within: 10_000 } as const

test('moments are whole milliseconds, whatever a policy says', () => {
  const third = 10_000 / 3
  const all = [
    step(CLEAN, { ...tripped, open: { ...OPEN, from: third } }, NOW),
    step(CLEAN, { ...tripped, open: { ...OPEN, atLeast: third } }, NOW),
    step(CLEAN, { do: 'open', ms: third }, NOW),
  ]
  expect(all.map((record) => record && record.until - NOW)).toEqual([3_334, 5_000, 3_334])
  expect(step(open, { do: 'lease', token: 'p', ms: third, permits: 1 }, NOW)?.leases).toEqual([
    { token: 'p', until: NOW + 3_334 },
  ])
})
