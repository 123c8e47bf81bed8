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
  check.known(options, ['maxBytes', 'maxEntries'])
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

/** One key, between the key used before it and the key used after it. */
interface Entry {
  readonly key: string
  readonly replies: readonly StoredReply[]
  readonly bytes: number
  older: Entry | undefined
  newer: Entry | undefined
}

class LeastRecentlyUsed implements MemoryReplies {
  readonly #entries = new Map<string, Entry>()
  readonly #maxBytes: number
  readonly #maxEntries: number
  // The order of use is in the entries: the first key of a Map is behind all that were deleted before it.
  #oldest: Entry | undefined = undefined
  #newest: Entry | undefined = undefined
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
    this.#unlink(entry)
    this.#link(entry)
    return entry.replies
  }

  set(key: string, replies: readonly StoredReply[]): void {
    const before = this.#entries.get(key)
    if (before !== undefined) this.#remove(before)
    const kept: StoredReply[] = []
    let bytes = 0
    for (const reply of replies) {
      const size = sizeOf(reply)
      if (size > this.#maxBytes / 8) continue
      kept.push(reply)
      bytes += size
    }
    if (kept.length === 0) return void this.#entries.delete(key)

    const entry: Entry = { key, replies: kept, bytes, older: undefined, newer: undefined }
    this.#entries.set(key, entry)
    this.#bytes += bytes
    this.#link(entry)
    while (this.#oldest !== undefined && (this.#bytes > this.#maxBytes || this.size > this.#maxEntries)) {
      this.delete(this.#oldest.key)
      this.#evicted++
    }
  }

  delete(key: string): void {
    const entry = this.#entries.get(key)
    if (entry === undefined) return
    this.#entries.delete(key)
    this.#remove(entry)
  }

  #remove(entry: Entry): void {
    this.#bytes -= entry.bytes
    this.#unlink(entry)
  }

  /** Puts an entry last in the order of use. */
  #link(entry: Entry): void {
    entry.older = this.#newest
    if (this.#newest === undefined) this.#oldest = entry
    else this.#newest.newer = entry
    this.#newest = entry
  }

  #unlink(entry: Entry): void {
    const { older, newer } = entry
    // What is gone is not to hold on to what is there: the collector would take it for old.
    entry.older = entry.newer = undefined
    if (older === undefined) this.#oldest = newer
    else older.newer = newer
    if (newer === undefined) this.#newest = older
    else newer.older = older
  }
}
