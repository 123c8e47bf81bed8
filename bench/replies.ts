// What stored replies cost: to keep an answer that passes, to let one stand in, and to wait for a store that hangs.
import { bytesPerCall } from './bytes.ts'
import { hangingStore, healthy, standIns } from './keepers.ts'
import type { Subject } from './loops.ts'
import { paired } from './paired.ts'
import { median } from './stats.ts'
import type { Figure } from './targets.ts'

const HANGS = 9
/** Few enough for all that they allocate to be there at the end. */
const CALLS = 200
const REPEATS = 3

/** What is compared: with keeping, the same without, and what the ratio of the two is called. */
const KEPT: readonly (readonly [on: string, off: string, ratio: string])[] = [
  ['guardFetch, keeping on', 'guardFetch, keeping off', 'guardFetch, keeping on / off'],
  ['undici breaker, keeping on', 'undici breaker, keeping off', 'undici breaker, keeping on / off'],
  ['undici cache interceptor', 'undici', 'undici cache interceptor / undici'],
  ['axios-cache-interceptor', 'axios', 'axios-cache-interceptor / axios'],
]

export async function times(rounds: number): Promise<Figure[]> {
  const kept = await paired(healthy(), 'resolves', rounds)
  const figures = KEPT.flatMap(([on, off, ratio]): Figure[] => [
    { name: `healthy, ${off}`, unit: 'us', value: kept.quiet(off) / 1_000 },
    { name: `healthy, ${on}`, unit: 'us', value: kept.quiet(on) / 1_000 },
    { name: `healthy, ${ratio}`, unit: 'x', ...kept.ratio(on, off) },
  ])
  const subjects = await standIns()
  const stood = await paired(subjects, 'resolves', rounds)
  for (const { name } of subjects) {
    figures.push({ name: `stand-in, ${name}`, unit: 'us', value: stood.quiet(name) / 1_000 })
  }
  const waits: number[] = []
  for (let i = 0; i < HANGS; i++) waits.push(await hangingStore())
  return [...figures, { name: 'a store that hangs is a miss within', unit: 'ms', value: median(waits) }]
}

export async function bytes(): Promise<Figure[]> {
  const figures: Figure[] = []
  const count = async (what: string, subjects: readonly Subject[]): Promise<void> => {
    for (const subject of subjects) {
      figures.push({
        name: `${what}, ${subject.name}`,
        unit: 'B',
        value: await bytesPerCall(subject, 'resolves', CALLS, REPEATS),
      })
    }
  }
  await count('healthy', healthy())
  await count('stand-in', await standIns())
  return figures
}
