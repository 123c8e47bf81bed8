// Puts a reply beside the other variants of its key.
import { after } from './awaitable.ts'
import { header } from './headers.ts'
import type { AnswerHead, Replies, StoredReply } from './reply.ts'
import type { HttpRequest } from './request.ts'
import { isFor, sizeOf } from './stored-reply.ts'

/** How many answers of one key are kept, each for requests with other headers. */
const MOST_VARIANTS = 8

/** @internal How long the body is to be, where the bytes counted are those that will come. */
export function lengthOf({ headers, decoded }: AnswerHead): number | undefined {
  const length = header(headers, 'content-length')
  if (length === undefined || (decoded && header(headers, 'content-encoding') !== undefined)) return undefined
  return /^\d+$/.test(length) ? Number(length) : NaN
}

/**
 * @internal Keeps an entry as the first of its key.
 * @param isDropped whether the key was dropped since the answer was on its way
 */
export function keep(entry: StoredReply, request: HttpRequest, replies: Replies, isDropped: () => boolean): void {
  const alone = Object.keys(entry.vary).length === 0
  if (alone) put([entry], replies, isDropped)
  else {
    void after(replies.get(entry.key), (known = []) => {
      const others = known.filter((other) => !isFor(other, request) && other.expiresAt > replies.wall())
      put([entry, ...others.slice(0, MOST_VARIANTS - 1)], replies, isDropped)
    })
  }
}

function put(variants: readonly [StoredReply, ...StoredReply[]], replies: Replies, isDropped: () => boolean): void {
  if (isDropped()) return
  let expiresAt = 0
  let bytes = 0
  for (const variant of variants) {
    expiresAt = Math.max(expiresAt, variant.expiresAt)
    bytes += sizeOf(variant)
  }
  replies.tally.stored()
  replies.set(variants[0].key, variants, { ttlMs: expiresAt - replies.wall(), bytes })
}
