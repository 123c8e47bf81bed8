// A store behind fences: slow, failing or lying, it is a miss and an event, and never a matter of the request.
import { isPromise, type Awaitable } from './awaitable.ts'
import { remember } from './bounded.ts'
import { ReplyTally } from './reply-counters.ts'
import type { Fence, Replies, ReplyStore, StoredReply } from './reply.ts'
import { checkStore } from './reply-store.ts'
import { faultOf, MALFORMED } from './stored-reply.ts'

/** What a request waits for a store at most. */
const READ_WITHIN = 100
/** After this a write is given up, and another may have its place. */
const WRITE_WITHIN = 5_000
const MOST_WRITES = 16
/** How many deletions that did not come through are remembered. */
const MOST_GONE = 1_000

const GARBLED =
  'The store of replies does not give back what it was given, so nothing of that stands in. @fuseboard/stores has one for Redis, DynamoDB, SQLite and Keyv'

export type { Fence } from './reply.ts'

interface Write {
  readonly action: 'set' | 'delete'
  readonly key: string
  /** The deletion that is made good once this is through, unless another has come since. */
  readonly gone: symbol | undefined
  readonly act: () => unknown
}

type Read = Awaitable<readonly StoredReply[] | undefined>

/** @internal The store of a board, as its fallbacks see it. */
export class FencedReplies implements Replies {
  readonly #store: ReplyStore
  readonly #fence: Fence
  // Keys that the store may still hold though they were deleted: an answer that was taken back must not stand in.
  readonly #gone = new Map<string, symbol>()
  // Many who fail at once ask the store once.
  readonly #reading = new Map<string, Read>()
  readonly tally: ReplyTally = new ReplyTally(() => this.#store.evicted)
  // The keys that are written to, with what waits for that: on a store with several connections a deletion could overtake what it
  // deletes. Of those that wait the latest counts.
  readonly #writes = new Map<string, Write | undefined>()

  /** @throws TypeError where the store is none */
  constructor(store: ReplyStore, fence: Fence) {
    checkStore(store)
    this.#store = store
    this.#fence = fence
  }

  wall(): number {
    return this.#fence.wall()
  }

  warn(code: string, message: string): void {
    this.#fence.warn(code, message)
  }

  get(key: string): Read {
    return this.#gone.has(key) ? undefined : (this.#reading.get(key) ?? this.#read(key))
  }

  #read(key: string): Read {
    let answer: unknown
    try {
      answer = this.#store.get(key)
    } catch (error) {
      return this.#fault('get', key, error)
    }
    if (!isPromise(answer)) return this.#sound(key, answer)

    const reading = within(READ_WITHIN, answer).then((end) => {
      if (this.#reading.get(key) === reading) this.#reading.delete(key)
      if ('fault' in end) return this.#fault('get', key, end.fault)
      return this.#gone.has(key) ? undefined : this.#sound(key, end.value)
    })
    this.#reading.set(key, reading)
    return reading
  }

  set(key: string, replies: readonly StoredReply[], options: { ttlMs: number; bytes: number }): void {
    this.#write({ action: 'set', key, gone: this.#gone.get(key), act: () => this.#store.set(key, replies, options) })
  }

  delete(key: string): void {
    const gone = Symbol(key)
    remember(this.#gone, key, gone, MOST_GONE)
    this.#write({ action: 'delete', key, gone, act: () => this.#store.delete(key) })
  }

  #write(write: Write): void {
    const { action, key, gone, act } = write
    // Whoever asks from now on is to see what this does.
    this.#reading.delete(key)
    if (this.#writes.has(key)) return void this.#writes.set(key, write)
    if (this.#writes.size >= MOST_WRITES) {
      this.#fault(action, key, `dropped, ${MOST_WRITES} writes are under way`)
      return
    }
    let answer: unknown
    try {
      answer = act()
    } catch (error) {
      this.#fault(action, key, error)
      return
    }
    if (isPromise(answer)) void this.#finish(write, answer)
    else this.#makeGood(key, gone)
  }

  async #finish({ action, key, gone }: Write, answer: PromiseLike<unknown>): Promise<void> {
    this.#writes.set(key, undefined)
    const end = await within(WRITE_WITHIN, answer)
    const next = this.#writes.get(key)
    this.#writes.delete(key)
    if ('fault' in end) this.#fault(action, key, end.fault)
    else this.#makeGood(key, gone)
    if (next) this.#write(next)
  }

  #makeGood(key: string, gone: symbol | undefined): void {
    if (this.#gone.get(key) === gone) this.#gone.delete(key)
  }

  /** What of an answer of the store can be trusted. */
  #sound(key: string, answer: unknown): readonly StoredReply[] | undefined {
    if (answer === undefined || answer === null) return undefined
    if (!Array.isArray(answer)) return this.#garbled(key, 'no list of entries')
    return answer.filter((entry) => {
      const fault = faultOf(entry, key)
      if (fault === MALFORMED) this.#garbled(key, fault)
      else if (fault !== undefined) this.#fault('get', key, fault)
      return fault === undefined
    }) as StoredReply[]
  }

  // With such a store nothing ever stands in, and who listens to no events would never learn why.
  #garbled(key: string, fault: string): undefined {
    this.warn('replies', GARBLED)
    return this.#fault('get', key, fault)
  }

  #fault(action: 'get' | 'set' | 'delete', key: string, fault: unknown): undefined {
    this.#fence.onFault(action, key, fault instanceof Error ? fault.message : String(fault))
  }
}

/** How a promise ended, or that it did not in time. It never rejects. */
async function within(ms: number, answer: PromiseLike<unknown>): Promise<{ value: unknown } | { fault: unknown }> {
  let timer: unknown
  const late = new Promise<{ fault: unknown }>((resolve) => {
    timer = setTimeout(() => resolve({ fault: `no answer within ${ms} ms` }), ms)
    // Nobody waits for a write. A browser's timer is a number.
    if (ms === WRITE_WITHIN) (timer as { unref?: () => unknown }).unref?.()
  })
  try {
    return await Promise.race([Promise.resolve(answer).then((value) => ({ value })), late])
  } catch (fault) {
    return { fault }
  } finally {
    clearTimeout(timer as number)
  }
}
