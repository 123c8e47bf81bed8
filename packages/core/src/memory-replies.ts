// Replies kept in memory: the least recently used go first, one at a time, when they take too many bytes.
import { Check } from './check.ts'
import type { ReplyStore, StoredReply } from './reply.ts'
import { sizeOf } from './stored-reply.ts'

/** The limits of a store in memory. */
export interface MemoryRepliesOptions {
  /** Bodies, headers and keys together, with 256 bytes for each reply besides. @default 33_554_432 (32 MiB) */
  maxBytes?: number
  /** How many keys. @default 2_000 */
  maxEntries?: number
}

/** A {@link ReplyStore} that answers at once. */
export interface MemoryReplies extends ReplyStore {
  get(key: string): readonly StoredReply[] | undefined
  set(key: string, replies: readonly StoredReply[]): void
  delete(key: string): void
  /** What it holds, in bytes and in keys. */
  readonly bytes: number
  readonly size: number
  /** How many keys have made room for others. */
  readonly evicted: number
}

/**
 * Keeps replies in memory, as every board does unless its `replies` says otherwise. A reply that takes more than an eighth
 * of `maxBytes` is not kept.
 *
 * @throws TypeError or RangeError where an option is wrong
 */
export function memoryReplies(options: MemoryRepliesOptions = {}): MemoryReplies {
  const check = new Check('memoryReplies')
  new Check('').object(options, 'the options of memoryReplies')
  check.known(options, { maxBytes: true, maxEntries: true })
  return new LeastRecentlyUsed(
    readBytes(options.maxBytes ?? 32 << 20, 'maxBytes', check),
    check.count(options.maxEntries ?? 2_000, 'maxEntries'),
  )
}

/** @internal A whole number of bytes, above 0. */
export function readBytes(value: unknown, name: string, check: Check): number {
  if (typeof value !== 'number') check.fail(name, 'must be a number of bytes', value, TypeError)
  if (!(Number.isSafeInteger(value) && value >= 1)) check.fail(name, 'must be a whole number of bytes above 0', value)
  return value
}

interface Entry {
  readonly replies: readonly StoredReply[]
  readonly bytes: number
}

class LeastRecentlyUsed implements MemoryReplies {
  // A Map keeps the order of insertion: the first is the least recently used.
  readonly #entries = new Map<string, Entry>()
  readonly #maxBytes: number
  readonly #maxEntries: number
  #bytes = 0
  #evicted = 0

  constructor(maxBytes: number, maxEntries: number) {
    this.#maxBytes = maxBytes
    this.#maxEntries = maxEntries
  }

  get bytes(): number {
    return this.#bytes
  }

  get size(): number {
    return this.#entries.size
  }

  get evicted(): number {
    return this.#evicted
  }

  get(key: string): readonly StoredReply[] | undefined {
    const entry = this.#entries.get(key)
    if (entry === undefined) return undefined
    this.#entries.delete(key)
    this.#entries.set(key, entry)
    return entry.replies
  }

  set(key: string, replies: readonly StoredReply[]): void {
    this.delete(key)
    const kept = replies.filter((reply) => sizeOf(reply) <= this.#maxBytes / 8)
    if (kept.length === 0) return

    const bytes = kept.reduce((sum, reply) => sum + sizeOf(reply), 0)
    this.#entries.set(key, { replies: kept, bytes })
    this.#bytes += bytes
    for (const oldest of this.#entries.keys()) {
      if (this.#bytes <= this.#maxBytes && this.size <= this.#maxEntries) break
      this.delete(oldest)
      this.#evicted++
    }
  }

  delete(key: string): void {
    this.#bytes -= this.#entries.get(key)?.bytes ?? 0
    this.#entries.delete(key)
  }
}
