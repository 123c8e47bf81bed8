// A process that downloads in one way and tells the most that it held meanwhile: what it is asked for comes as its arguments.
import { setImmediate } from 'node:timers/promises'
import { createBoard, guardFetch, staleIfError } from '@fuseboard/core'
import { breaker } from '@fuseboard/undici'
import { Agent, request } from 'undici'

/** What the process that forked it is told, in bytes. */
export interface Held {
  readonly read: number
  readonly most: number
}

type Body = AsyncIterable<Uint8Array>

const board = createBoard({ fallback: staleIfError({ keepFor: '1h' }) })
const bodyOf = async (response: Promise<Response>): Promise<Body> => (await response).body as unknown as Body
const bodyBy = async (url: string, dispatcher?: Agent): Promise<Body> =>
  (await request(url, dispatcher && { dispatcher })).body

/** Ways to download. */
export const WAYS = {
  fetch: (url: string) => bodyOf(fetch(url)),
  guardFetch: (url: string) => bodyOf(guardFetch(board)(url)),
  'a clone': async (url: string) => {
    const response = await fetch(url)
    unread.push(response.clone())
    return bodyOf(Promise.resolve(response))
  },
  undici: (url: string) => bodyBy(url),
  breaker: (url: string) => bodyBy(url, new Agent().compose(breaker(board)) as Agent),
} satisfies Record<string, (url: string) => Promise<Body>>

/** Held as a cache that reads no further would. */
const unread: Response[] = []
const SAMPLE = 32 << 20

if (process.send) {
  const [way = '', url = ''] = process.argv.slice(2)
  process.send(await downloaded(await WAYS[way as keyof typeof WAYS](url)), () => process.exit())
}

async function downloaded(body: Body): Promise<Held> {
  const before = await held()
  let [read, sampled, most] = [0, 0, 0]
  for await (const chunk of body) {
    read += chunk.byteLength
    // A reader who is slower than the host: what is in between has to wait there.
    await setImmediate()
    if (read - sampled < SAMPLE) continue
    sampled = read
    most = Math.max(most, (await held()) - before)
  }
  return { read, most }
}

/** What is reachable. V8 sweeps dead buffers after a collection, beside the program: one alone leaves tens of MiB counted. */
async function held(): Promise<number> {
  globalThis.gc?.()
  await setImmediate()
  await setImmediate()
  globalThis.gc?.()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}
