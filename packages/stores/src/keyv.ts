// Replies wherever Keyv keeps things.
import type { ReplyStore, StoredReply } from '@fuseboard/core'
import { decode, encode } from './encoding.ts'
import { checkMethods, hashOf, lifetimeOf } from './names.ts'
import { Turns } from './turns.ts'

/** What is needed of a Keyv 5 or 6. */
export interface KeyvLike {
  get(key: string): Promise<unknown>
  set(key: string, value: string, ttl?: number): Promise<unknown>
  delete(key: string): Promise<unknown>
  on(event: 'error', listener: (error: unknown) => void): unknown
}

/**
 * Keeps replies in a Keyv, each as one text in base64 under a name of 70 letters and digits.
 *
 * @param keyv the caller's own, best with a namespace for this alone; it gets a listener for `error`
 * @example createBoard({ fallback: staleIfError(), replies: keyvReplies(new Keyv({ store, namespace: 'shop-replies' })) })
 * @throws TypeError where it is no Keyv, or one that hides its errors
 */
export function keyvReplies(keyv: KeyvLike): ReplyStore {
  checkMethods(keyv, 'keyvReplies needs a Keyv 5 or 6', ['get', 'set', 'delete', 'on'])
  if ((keyv as { opts?: { emitErrors?: boolean } }).opts?.emitErrors === false) {
    throw new TypeError('keyvReplies needs a Keyv that tells its errors, got one with emitErrors: false')
  }
  const turns = new Turns()
  // Keyv answers a fault like a miss, and tells it beside.
  let faults = 0
  let latest: unknown
  keyv.on('error', (error) => {
    faults++
    latest = error
  })
  const told = async <T>(call: () => Promise<T>, isWell: (answer: T) => boolean): Promise<T> => {
    const before = faults
    const answer = await call()
    if (faults !== before && !isWell(answer)) throw latest
    return answer
  }
  // Whether a write of another call failed cannot be told, so that none counts as done.
  const never = (): boolean => false

  return {
    async get(key: string): Promise<readonly StoredReply[] | undefined> {
      const value = await turns.read(() =>
        told(
          () => keyv.get(nameOf(key)),
          (answer) => answer !== undefined,
        ),
      )
      if (value === undefined || value === null) return undefined
      if (typeof value !== 'string') throw new Error('a malformed entry')
      return decode(Buffer.from(value, 'base64'))
    },
    set(key, replies, { ttlMs }) {
      const value = encode(replies).toString('base64')
      return turns.write(key, async () => {
        const done = await told(() => keyv.set(nameOf(key), value, lifetimeOf(ttlMs)), never)
        if (done === false) throw new Error('Keyv did not set it')
      })
    },
    delete(key) {
      return turns.write(key, () => told(() => keyv.delete(nameOf(key)), never))
    },
  }
}

// Databases behind Keyv take names of 255 letters, or fewer.
const nameOf = (key: string): string => `reply-${hashOf(key)}`
