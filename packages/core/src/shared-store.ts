// What a store has to do so that many instances share the verdict on a host: one register a key, compared and set.
import type { Awaitable } from './awaitable.ts'

/** What a store holds under a key. */
export interface Snapshot {
  /** Rises with every write; 0 where there is nothing. */
  readonly version: number
  /** Undefined where there is nothing. */
  readonly value?: string | undefined
  /** The store's own time, in milliseconds since the epoch. */
  readonly now: number
}

/** What a write came to: what the store holds now, whoever wrote it. */
export interface Swapped extends Snapshot {
  /** Whether this write is what made it so. */
  readonly won: boolean
}

/** How a write is meant. */
export interface SwapOptions {
  /** Milliseconds after which the store may forget it. */
  readonly ttl: number
  /** The write is void once the store's time is past this: a client that queues it up must not act on old evidence. */
  readonly notAfter: number
  /** Aborts when nobody waits for the answer any more. */
  readonly signal: AbortSignal
}

/**
 * A store that instances share: Redis, DynamoDB, or anything that can compare and set. What it answers may be wrong, late or
 * missing; it is never in a request's way.
 */
export interface SharedStore {
  /** What it holds; may be a little old. It must reject when the signal aborts. */
  read(key: string, signal: AbortSignal): Promise<Snapshot>
  /**
   * Writes if the version is still the expected one (0: nothing is there), and in any case answers what it holds now. The new
   * version must be greater than every earlier one of the key, also after the key was lost: `max(expected + 1, now)`.
   */
  swap(key: string, expected: number, value: string, options: SwapOptions): Promise<Swapped>
  /**
   * Where the store can push: calls back at each change of the key.
   * @returns what ends it
   */
  watch?(key: string, changed: (snapshot: Snapshot) => void): Awaitable<() => void>
}
