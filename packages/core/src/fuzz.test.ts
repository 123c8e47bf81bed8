// What `soak` holds against a million cases, held against a few hundred here.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { FUZZ } from '../test/fuzz/index.ts'

test.each(FUZZ)('$what', async ({ holds }) => {
  const { failed, errorInstance, counterexample, seed } = await fc.check(holds, { numRuns: 500 })
  expect(failed, `${String(errorInstance)}\n${fc.stringify(counterexample)}, seed ${seed}`).toBe(false)
})
