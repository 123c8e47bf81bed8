// What is asked of a store of replies, and what stands for one where no fallback wants any.
import { Check } from './check.ts'
import { ReplyTally } from './reply-counters.ts'
import type { Fence, Replies, ReplyStore } from './reply.ts'

/**
 * @internal
 * @throws TypeError where the store is none
 */
export function checkStore(store: ReplyStore): void {
  const fits = (['get', 'set', 'delete'] as const).every((name) => typeof store?.[name] === 'function')
  if (!fits) new Check('').fail('replies', 'must have the methods get, set and delete', store, TypeError)
}

/** @internal Replies of which none are kept. */
export function noReplies({ wall, warn }: Fence): Replies {
  return { get: () => undefined, set() {}, delete() {}, wall, warn, tally: new ReplyTally(() => 0) }
}
