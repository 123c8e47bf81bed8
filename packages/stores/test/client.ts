// A guarded fetch over a store, which tells what the store was asked and what went wrong.
import { createBoard, guardFetch, staleIfError, type ReplyStore } from '@fuseboard/core'

export interface Client {
  readonly fetch: typeof fetch
  /** Resolves once the store was written so many times, or refused to be. */
  written(times: number): Promise<void>
  /** What the store events told, as `action fault`. */
  readonly faults: string[]
}

/** @param wall what its clock shows, in milliseconds */
export function makeClient(store: ReplyStore, wall: () => number): Client {
  let writes = 0
  const waiting = new Set<() => void>()
  const count = async (write: unknown): Promise<void> => {
    try {
      await write
    } finally {
      writes++
      for (const look of waiting) look()
    }
  }
  const board = createBoard({
    fallback: staleIfError({ keepFor: '7d' }),
    consecutiveFailures: false,
    failureRate: false,
    clock: { now: () => performance.now(), wall },
    replies: {
      get: (key) => store.get(key),
      set: (key, replies, options) => count(store.set(key, replies, options)),
      delete: (key) => count(store.delete(key)),
    },
  })
  const faults: string[] = []
  board.on('store', ({ action, fault }) => void faults.push(`${action} ${fault}`))
  return {
    fetch: guardFetch(board),
    faults,
    written: (times) =>
      new Promise((resolve) => {
        const look = (): void => {
          if (writes < times) return
          waiting.delete(look)
          resolve()
        }
        waiting.add(look)
        look()
      }),
  }
}
