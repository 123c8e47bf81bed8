// A store behind fences: slow, failing or lying, it is a miss and an event, and never a matter of the request.
import { isPromise, type Awaitable } from './awaitable.ts'
import { remember } from './bounded.ts'
import { Check } from './policy.ts'
import type { Replies, ReplyStore, StoredReply } from './reply.ts'
import { faultOf } from './stored-reply.ts'

/** What a request waits for a store at most. */
const READ_WITHIN = 100
/** After this a write is given up, and another may have its place. */
const WRITE_WITHIN = 5_000
const MOST_WRITES = 16
/** How many deletions that did not come through are remembered. */
const MOST_GONE = 1_000

/** @internal What a fenced store needs of its board. */
export interface Fence {
  readonly wall: () => number
  readonly warn: (code: string, message: string) => void
  readonly onFault: (action: 'get' | 'set' | 'delete', key: string, fault: string) => void
}

/** @internal The store of a board, as its fallbacks see it. */
export class FencedReplies implements Replies {
  readonly #store: ReplyStore
  readonly #fence: Fence
  // Keys that the store may still hold though they were deleted: an answer that was taken back must not stand in.
  readonly #gone = new Map<string, symbol>()
  #writing = 0

  /** @throws TypeError where the store is none */
  constructor(store: ReplyStore, fence: Fence) {
    const fits = (['get', 'set', 'delete'] as const).every((name) => typeof store?.[name] === 'function')
    if (!fits) new Check('').fail('replies', 'must have the methods get, set and delete', store, TypeError)
    this.#store = store
    this.#fence = fence
  }

  wall(): number {
    return this.#fence.wall()
  }

  warn(code: string, message: string): void {
    this.#fence.warn(code, message)
  }

  get(key: string): Awaitable<readonly StoredReply[] | undefined> {
    if (this.#gone.has(key)) return undefined
    let answer: unknown
    try {
      answer = this.#store.get(key)
    } catch (error) {
      return this.#fault('get', key, error)
    }
    if (!isPromise(answer)) return this.#sound(key, answer)

    return within(READ_WITHIN, answer).then((end) => {
      if ('fault' in end) return this.#fault('get', key, end.fault)
      return this.#gone.has(key) ? undefined : this.#sound(key, end.value)
    })
  }

  set(key: string, replies: readonly StoredReply[], options: { ttlMs: number; bytes: number }): void {
    const gone = this.#gone.get(key)
    this.#write('set', key, gone, () => this.#store.set(key, replies, options))
  }

  delete(key: string): void {
    const gone = Symbol(key)
    remember(this.#gone, key, gone, MOST_GONE)
    this.#write('delete', key, gone, () => this.#store.delete(key))
  }

  /** @param gone the deletion that is made good once this is through, unless another has come since */
  #write(action: 'set' | 'delete', key: string, gone: symbol | undefined, act: () => unknown): void {
    if (this.#writing >= MOST_WRITES) {
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
    if (isPromise(answer)) void this.#finish(action, key, gone, answer)
    else this.#makeGood(key, gone)
  }

  async #finish(
    action: 'set' | 'delete',
    key: string,
    gone: symbol | undefined,
    answer: PromiseLike<unknown>,
  ): Promise<void> {
    this.#writing++
    const end = await within(WRITE_WITHIN, answer)
    this.#writing--
    if ('fault' in end) this.#fault(action, key, end.fault)
    else this.#makeGood(key, gone)
  }

  #makeGood(key: string, gone: symbol | undefined): void {
    if (this.#gone.get(key) === gone) this.#gone.delete(key)
  }

  /** What of an answer of the store can be trusted. */
  #sound(key: string, answer: unknown): readonly StoredReply[] | undefined {
    if (answer === undefined || answer === null) return undefined
    if (!Array.isArray(answer)) return this.#fault('get', key, 'no list of entries')
    return answer.filter((entry) => {
      const fault = faultOf(entry, key)
      if (fault !== undefined) this.#fault('get', key, fault)
      return fault === undefined
    }) as StoredReply[]
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
    // A browser's timer is a number.
    ;(timer as { unref?: () => unknown }).unref?.()
  })
  try {
    return await Promise.race([Promise.resolve(answer).then((value) => ({ value })), late])
  } catch (fault) {
    return { fault }
  } finally {
    clearTimeout(timer as number)
  }
}
