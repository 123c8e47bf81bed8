// A store for a fleet within one process: for tests, and the shortest example of what a store has to do.
import type { SharedStore, Snapshot } from './shared-store.ts'

interface Entry {
  readonly version: number
  readonly value: string
  readonly until: number
}

/**
 * A store in memory for `fleet(store)`: the boards of a test that are given the same one are a fleet. Changes are pushed.
 *
 * @param now milliseconds since the epoch; a manual clock's `wall`, for one. @default Date.now
 * @example
 * const store = memoryStore(() => clock.wall())
 * const boards = [1, 2].map(() => createBoard({ clock, fleet: fleet(store) }))
 */
export function memoryStore(now: () => number = Date.now): Required<SharedStore> {
  const entries = new Map<string, Entry>()
  const watching = new Map<string, Set<(snapshot: Snapshot) => void>>()
  let newest = 0

  const look = (key: string): Snapshot => {
    const at = now()
    const entry = entries.get(key)
    if (entry !== undefined && entry.until > at) return { version: entry.version, value: entry.value, now: at }
    entries.delete(key)
    return { version: 0, now: at }
  }

  return {
    async read(key, signal) {
      signal.throwIfAborted()
      return look(key)
    },
    async swap(key, expected, value, { ttl, notAfter, signal }) {
      signal.throwIfAborted()
      const held = look(key)
      if (held.version !== expected || held.now > notAfter) return { ...held, won: false }
      newest = Math.max(expected, newest, Math.floor(held.now) - 1) + 1
      entries.set(key, { version: newest, value, until: held.now + ttl })
      const snapshot = look(key)
      // As by a network: not within the call that writes.
      for (const changed of watching.get(key) ?? []) queueMicrotask(() => changed(snapshot))
      return { ...snapshot, won: true }
    },
    watch(key, changed) {
      const all = watching.get(key) ?? new Set()
      const told = (snapshot: Snapshot): void => changed(snapshot)
      watching.set(key, all.add(told))
      return () => void all.delete(told)
    },
  }
}
