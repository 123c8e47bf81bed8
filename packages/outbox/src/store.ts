// Where requests wait: what an entry is, and the six methods that an engine has.
import type { Awaitable } from '@fuseboard/core'

/** A request at rest: without its secrets, and with its whole body. */
export interface StoredRequest {
  readonly method: string
  readonly url: string
  readonly headers: readonly (readonly [name: string, value: string])[]
  readonly body: Uint8Array | undefined
}

/** A request that waits to be sent. */
export interface Entry {
  /** Made of the method, the URL and the idempotency key: the same request has the same id, however often it is queued. */
  readonly id: string
  /** The key of the circuit that it goes through: by default the host. */
  readonly circuit: string
  readonly request: StoredRequest
  readonly idempotencyHeader: string
  readonly idempotencyKey: string
  /** Milliseconds since the epoch, as all times here. */
  readonly queuedAt: number
  /** Not to be claimed before. */
  readonly notBefore: number
  /** Not to be sent any more from then on: the API may have forgotten the key. */
  readonly expiresAt: number
  /** How often it was sent from here, in vain. */
  readonly attempts: number
}

/** An entry that a worker has for itself until its lease runs out. */
export interface Claim extends Entry {
  /** Tells this claim from a later one of the same entry. */
  readonly lease: string
}

/** The answer of the host to a request that was sent. */
export interface Receipt {
  readonly status: number
  readonly headers: readonly (readonly [name: string, value: string])[]
  /** At most 64 KiB of it, as text. */
  readonly body: string
}

/** How an entry ended. */
export type Ending =
  | { readonly state: 'sent'; readonly at: number; readonly receipt: Receipt }
  | { readonly state: 'dead'; readonly at: number; readonly error: string; readonly receipt?: Receipt | undefined }

/** What has become of a request. */
export type Result =
  | { readonly state: 'pending'; readonly attempts: number; readonly error: string | undefined }
  | Ending

/** How much waits. */
export interface Depth {
  readonly pending: number
  /** Since when the oldest of them waits, in milliseconds since the epoch; undefined where none does, or the engine cannot tell. */
  readonly oldest: number | undefined
  readonly dead: number
  /** The circuits that requests wait for. */
  readonly circuits: readonly string[]
}

/**
 * An engine. What `put` has answered is there after a crash, and a claimed entry is given out again once its lease has run out:
 * each entry is given out at least once, and to one worker at a time.
 */
export interface OutboxStore {
  /**
   * Takes an entry in. One with an id that is known changes nothing, unless that one is dead: then it waits once more.
   * @returns whether it was known
   */
  put(entry: Entry): Awaitable<'queued' | 'duplicate'>
  /**
   * Gives out what is due, the oldest first; none while an earlier one with the same idempotency key waits or is under way, where
   * the engine can tell.
   */
  claim(circuit: string, most: number, now: number, leasedUntil: number): Awaitable<readonly Claim[]>
  /** Puts an entry back. It does nothing where the claim is no longer the latest. */
  retry(claim: Claim, again: { at: number; attempts: number; error: string | undefined }): Awaitable<void>
  /** Ends an entry: as sent in any case, since it was; as dead only where the claim is the latest. */
  settle(claim: Claim, ending: Ending): Awaitable<void>
  /** What has become of an entry; undefined where it is not known, or no longer. */
  result(id: string): Awaitable<Result | undefined>
  depth(): Awaitable<Depth>
  /** Closes what the engine has opened itself, and nothing of its user's. Called when the outbox is disposed of. */
  [Symbol.dispose]?(): void
}
