// Counts the bytes that a call allocates: what the heap grew by over a thousand calls with no collection between. The same
// number every time, whatever else the machine does.
import { json } from 'node:stream/consumers'
import { getHeapSnapshot } from 'node:v8'
import { loopOf, type Ending, type Loop, type Subject } from './loops.ts'
import { median } from './stats.ts'

const CALLS = 1_000
const WARM_MS = 200
const REPEATS = 9

/** The young generation that a process needs for this, so that nothing is collected between. */
export const ROOMY: readonly string[] = ['--min-semi-space-size=64', '--max-semi-space-size=64']

/** @param calls fewer where a call allocates so much that a thousand would not fit into the young generation */
export async function bytesPerCall(
  subject: Subject,
  ending: Ending,
  calls: number = CALLS,
  repeats: number = REPEATS,
): Promise<number> {
  const loop = loopOf(subject, ending)
  for (const end = performance.now() + WARM_MS; performance.now() < end;) await loop(calls)
  const grown: number[] = []
  for (let i = 0; i < repeats; i++) {
    // Of two runs that differ by a thousand calls, the difference: taking the measure allocates as well.
    const once = await growth(loop, calls)
    grown.push((await growth(loop, 2 * calls)) - once)
  }
  return Math.round(median(grown) / calls)
}

async function growth(loop: Loop, calls: number): Promise<number> {
  collect()
  const before = heapUsed()
  await loop(calls)
  return heapUsed() - before
}

/** The bytes of one instance, without what it refers to: the size that most objects of its class have in a snapshot of the heap. */
export async function shallowSize(instances: readonly object[]): Promise<number> {
  const { snapshot, nodes, strings } = (await json(getHeapSnapshot())) as Snapshot
  const fields = snapshot.meta.node_fields
  const [name, size] = [fields.indexOf('name'), fields.indexOf('self_size')]
  const named = strings.indexOf(instances[0]!.constructor.name)
  const sizes: number[] = []
  for (let at = 0; at < nodes.length; at += fields.length) if (nodes[at + name] === named) sizes.push(nodes[at + size]!)
  return median(sizes)
}

interface Snapshot {
  readonly snapshot: { readonly meta: { readonly node_fields: readonly string[] } }
  readonly nodes: readonly number[]
  readonly strings: readonly string[]
}

/** Collects garbage, all of it. */
export function collect(): void {
  if (globalThis.gc === undefined) throw new Error('Run this with node --expose-gc')
  globalThis.gc()
}

export function heapUsed(): number {
  return process.memoryUsage().heapUsed
}
