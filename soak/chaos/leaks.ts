// What a process must not pile up: heap, listeners, timers and sockets.
import { getEventListeners } from 'node:events'
import { setImmediate, setTimeout as sleep } from 'node:timers/promises'
import { getHeapSpaceStatistics } from 'node:v8'

/** What there is while nothing is under way. */
export interface Burden {
  /** Bytes, after collection. */
  readonly heap: number
  readonly buffers: number
  /** By what they are of. */
  readonly counts: Readonly<Record<string, number>>
}

/** Collects what nobody holds, and measures what is left. */
export async function burden(signals: Readonly<Record<string, AbortSignal>>): Promise<Burden> {
  for (let round = 0; round < 4; round++) {
    globalThis.gc?.()
    // What the collector gives back is seen to in turns of its own.
    await setImmediate()
    await sleep(20)
  }
  globalThis.gc?.()
  const { arrayBuffers } = process.memoryUsage()
  const counts: Record<string, number> = {}
  for (const name of process.eventNames()) counts[`process.on('${String(name)}')`] = process.listenerCount(name)
  for (const [name, signal] of Object.entries(signals)) {
    counts[`signal of ${name}`] = getEventListeners(signal, 'abort').length
  }
  for (const kind of process.getActiveResourcesInfo()) counts[kind] = (counts[kind] ?? 0) + 1
  return { heap: heapUsed(), buffers: arrayBuffers, counts }
}

/** Without code, which an engine makes, throws away and makes again as it likes. */
const heapUsed = (): number =>
  getHeapSpaceStatistics()
    .filter(({ space_name: name }) => !/code|trusted|read_only/.test(name))
    .reduce((sum, { space_used_size: bytes }) => sum + bytes, 0)

/** How much more the last third of some figures is than the middle third: 0.02 is two in a hundred. */
export function growth(figures: readonly number[]): number {
  const third = Math.floor(figures.length / 3)
  const [middle, last] = [figures.slice(-2 * third, -third), figures.slice(-third)].map(medianOf)
  return (last as number) / (middle as number) - 1
}

/** What there is more of in the last third than ever in the middle third. */
export function grown(burdens: readonly Burden[]): readonly string[] {
  const third = Math.floor(burdens.length / 3)
  const most = (name: string, some: readonly Burden[]): number =>
    Math.max(...some.map(({ counts }) => counts[name] ?? 0))
  const [middle, last] = [burdens.slice(-2 * third, -third), burdens.slice(-third)]
  const names = new Set(last.flatMap(({ counts }) => Object.keys(counts)))
  return [...names]
    .filter((name) => most(name, last) > most(name, middle))
    .map((name) => `${name}: ${most(name, middle)}, then ${most(name, last)}`)
}

function medianOf(figures: readonly number[]): number {
  const sorted = figures.toSorted((one, other) => one - other)
  return sorted[sorted.length >> 1] ?? 0
}
