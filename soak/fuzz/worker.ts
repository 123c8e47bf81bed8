// The process that draws the cases: beside the chaos, which measures a heap of its own.
import fc from 'fast-check'
import { FUZZ } from '../../packages/core/test/fuzz/index.ts'
import type { Fuzz } from '../../packages/core/test/fuzz/fuzz.ts'
import { STORED_BYTES } from './bytes.ts'
import type { Found, Orders } from './main.ts'

const { seed, cases, length } = JSON.parse(process.argv[2] ?? '') as Orders
process.on('disconnect', () => process.exit())

const promises: readonly Fuzz[] = [...FUZZ, STORED_BYTES]
const shares = promises.reduce((sum, { share }) => sum + share, 0)
const end = Date.now() + length * 1_000
const found: Found[] = []
for (const [nth, promise] of promises.entries()) found.push(await hold(promise, promises.length - nth))
process.send?.(found, () => process.exit())

/** Each promise has its share of the cases, and of what is left of the time. */
async function hold({ what, share, holds }: Fuzz, left: number): Promise<Found> {
  const { failed, numRuns, errorInstance, counterexample, counterexamplePath } = await fc.check(holds, {
    seed,
    numRuns: Math.ceil((cases * share) / shares),
    interruptAfterTimeLimit: Math.max(1, (end - Date.now()) / left),
  })
  const broken = failed
    ? `${String(errorInstance)}, for ${fc.stringify(counterexample)}, path ${counterexamplePath}`
    : undefined
  return { what, cases: numRuns, broken }
}
