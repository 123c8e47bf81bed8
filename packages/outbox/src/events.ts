// What an outbox tells: events by name, to listeners that cannot hurt it.
import type { Receipt } from './store.ts'

/** A request waits in the outbox, was sent, or was given up. */
interface About {
  readonly id: string
  readonly circuit: string
  readonly idempotencyKey: string
}

/** The events of an outbox, by name. */
export interface OutboxEvents {
  queued: About
  sent: About & { readonly receipt: Receipt }
  /** It was sent in vain, or could not be: it is tried again, not before `at` (milliseconds since the epoch). */
  retry: About & { readonly error: string; readonly at: number; readonly attempts: number }
  dead: About & { readonly error: string; readonly receipt: Receipt | undefined }
}

type Listeners = { [Name in keyof OutboxEvents]: Set<(event: OutboxEvents[Name]) => unknown> }

/** @internal */
export class Events {
  readonly #listeners: Listeners = { queued: new Set(), sent: new Set(), retry: new Set(), dead: new Set() }
  readonly #threw: (message: string) => void

  constructor(threw: (message: string) => void) {
    this.#threw = threw
  }

  /** @throws TypeError where there is no such event, or the listener is no function */
  on<Name extends keyof OutboxEvents>(name: Name, listener: (event: OutboxEvents[Name]) => unknown): () => void {
    if (!Object.hasOwn(this.#listeners, name)) {
      const names = Object.keys(this.#listeners).join(', ')
      throw new TypeError(`There is no event ${JSON.stringify(name)}; there are ${names}`)
    }
    if (typeof listener !== 'function') throw new TypeError(`A listener must be a function, got ${String(listener)}`)
    const own = (event: OutboxEvents[Name]): unknown => listener(event)
    this.#listeners[name].add(own)
    return () => void this.#listeners[name].delete(own)
  }

  tell<Name extends keyof OutboxEvents>(name: Name, event: OutboxEvents[Name]): void {
    for (const listener of this.#listeners[name]) void this.#call(name, listener, event)
  }

  async #call<Name extends keyof OutboxEvents>(
    name: Name,
    listener: (event: OutboxEvents[Name]) => unknown,
    event: OutboxEvents[Name],
  ): Promise<void> {
    try {
      await listener(event)
    } catch (error) {
      this.#threw(`A listener of '${name}' of the outbox threw: ${String(error)}`)
    }
  }
}
