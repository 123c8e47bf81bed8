// The native fetch of a whole process, guarded where its requests are sent.
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { toBoard, type Board, type BoardOptions } from '@fuseboard/core'
import type { Dispatcher } from 'undici'
import { guard } from './breaker.ts'
import { carry } from './carry.ts'
import { dispatcherIn, put, slotOfFetch, SLOTS, type Slot } from './globals.ts'
import { inContext } from './in-context.ts'
import { isLocal } from './local.ts'
import { shell } from './shell.ts'

/**
 * Guards native `fetch` and `WebSocket` for the whole process, and npm undici where it uses its global dispatcher. Hosts on
 * loopback and link-local addresses are left out unless `hosts` names them.
 *
 * @param options a board, or the options of one of its own; nothing means the default board of the process
 * @returns the undo
 * @example guardGlobalFetch({ hosts: { 'bible-api.com': { consecutiveFailures: 3 } } })
 * @throws TypeError or RangeError where an option is wrong
 */
export function guardGlobalFetch(options?: Board | BoardOptions): () => void {
  const installed = new GlobalGuard(toBoard(options))
  return () => installed.remove()
}

/** Every copy of undici publishes here the requests that it is about to send. */
const REQUESTS = 'undici:request:create'

class GlobalGuard {
  readonly #board: Board
  readonly #own = new Map<Slot, { readonly inner: Dispatcher; readonly guarded: Dispatcher }>()
  #on = true
  #passing = false

  constructor(board: Board) {
    this.#board = board
    for (const slot of SLOTS) {
      const inner = dispatcherIn(slot)
      if (!inner) continue
      const guarded = shell(inner, this.#before(inner))
      if (put(slot, guarded)) this.#own.set(slot, { inner, guarded })
    }
    if (this.#own.size === 0 || !isOwn(globalThis.fetch))
      board.warn('global-fetch', 'fetch is not guarded: this runtime has no global dispatcher of undici to guard')
    if (this.#own.size === 0) return
    board.carry(carry)
    subscribe(REQUESTS, this.#watch)
  }

  remove(): void {
    this.#on = false
    unsubscribe(REQUESTS, this.#watch)
    for (const [slot, { inner, guarded }] of this.#own) if (dispatcherIn(slot) === guarded) put(slot, inner)
  }

  #before(inner: Dispatcher): Dispatcher.Dispatch {
    const forward: Dispatcher.Dispatch = (options, handler) => inner.dispatch(options, handler)
    const besides: Dispatcher.Dispatch = (options, handler) => forward(options, inContext(this.#board, handler))
    const guarded = guard(this.#board, forward)
    return (options, handler) => {
      this.#passing = true
      try {
        return (this.#on && this.#covers(options) ? guarded : besides)(options, handler)
      } finally {
        this.#passing = false
      }
    }
  }

  #covers(options: Dispatcher.DispatchOptions | undefined): boolean {
    const origin = String(options?.origin ?? '')
    return !isLocal(origin) || this.#board.names(new URL(origin).host)
  }

  // Whoever takes the place of a global dispatcher tells nobody, so it is looked for at each request, the first time only.
  #watch = (): void => {
    const slot = slotOfFetch()
    if (this.#passing || dispatcherIn(slot) === this.#own.get(slot)?.guarded) return
    unsubscribe(REQUESTS, this.#watch)
    this.#board.warn(
      'global-fetch',
      'fetch is no longer guarded: another global dispatcher took the place of the guarded one. Call guardGlobalFetch after ' +
        'the last setGlobalDispatcher and after undici itself is imported, or compose breaker() into that dispatcher',
    )
  }
}

/** Whether a function is of this global object: the sandbox of Jest has Node's fetch, and nothing of what that sends through. */
const isOwn = (fn: unknown): boolean => Object.prototype.isPrototypeOf.call(Function.prototype, fn as object)
