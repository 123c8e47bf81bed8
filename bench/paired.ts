// Times subjects against each other: blocks of a millisecond, all subjects in a new order each round, so that whatever else the
// machine does hits all of them alike and cancels out of the ratios.
import { setImmediate as turn } from 'node:timers/promises'
import { loopOf, type Ending, type Loop, type Subject } from './loops.ts'
import { pairedRatio, quantile, shuffle, type Estimate } from './stats.ts'

const BLOCK_MS = 1
const WARM_MS = 150

/** What the rounds found: nanoseconds a call, round by round, for each subject. */
export class Times {
  readonly #ns = new Map<string, number[]>()

  of(name: string): number[] {
    let ns = this.#ns.get(name)
    if (ns === undefined) this.#ns.set(name, (ns = []))
    return ns
  }

  /** Nanoseconds a call in a quiet round: the tenth percentile. */
  quiet(name: string): number {
    return quantile(this.of(name), 0.1)
  }

  ratio(of: string, to: string): Estimate {
    return pairedRatio(this.of(of), this.of(to))
  }
}

/** Runs all subjects side by side. */
export async function paired(subjects: readonly Subject[], ending: Ending, rounds: number): Promise<Times> {
  const blocks: { name: string; loop: Loop; calls: number }[] = []
  for (const subject of subjects) {
    const loop = loopOf(subject, ending)
    blocks.push({ name: subject.name, loop, calls: subject.block ?? (await fill(loop)) })
  }
  const times = new Times()
  for (let round = 0; round < rounds; round++) {
    for (const { name, loop, calls } of shuffle(blocks)) {
      // What clients put off until the event loop turns would pile up, and whoever comes next would pay for it.
      await turn()
      times.of(name).push(((await time(loop, calls)) * 1e6) / calls)
    }
  }
  return times
}

/** Warms a loop up, and finds how many calls fill a block. */
async function fill(loop: Loop): Promise<number> {
  let calls = 16
  for (const end = performance.now() + WARM_MS; performance.now() < end;) {
    await turn()
    const took = await time(loop, calls)
    calls = Math.max(1, Math.round(calls * Math.min(4, BLOCK_MS / Math.max(took, 0.01))))
  }
  return calls
}

async function time(loop: Loop, calls: number): Promise<number> {
  const from = performance.now()
  await loop(calls)
  return performance.now() - from
}
