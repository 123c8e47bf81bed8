// What is asked of an outbox: how much waits in it, and since when.
import { within } from './deadline.ts'

/** How much waits in an outbox. */
export interface OutboxDepth {
  /** Requests that are still to be sent. */
  readonly pending: number
  /** Since when the oldest of them waits, in milliseconds since the epoch; undefined where none does. */
  readonly oldest?: number | undefined
  /** Requests that were given up. */
  readonly dead: number
}

/** What is needed of an outbox. */
export interface OutboxLike {
  depth(): Promise<OutboxDepth>
}

/** An outbox that takes longer is not waited for. */
const LONGEST = 1_000

/** @internal @throws Error where it fails, is late, or gives no numbers */
export async function askOutbox(
  outbox: OutboxLike,
  now: number,
): Promise<{ pending: number; ageMs: number; dead: number }> {
  const { pending, oldest, dead } = await within(LONGEST, () => outbox.depth())
  const numbers = [pending, dead, ...(oldest === undefined ? [] : [oldest])]
  if (!numbers.every((number) => Number.isFinite(number))) throw new Error('its depth is no number')
  return { pending, ageMs: oldest === undefined || pending === 0 ? 0 : Math.max(0, now - oldest), dead }
}
