// Hands an attempt down from a client to the dispatcher that its request goes through, so that it counts once.
import { ATTEMPT, type Attempt } from '@fuseboard/core'
import type { Dispatcher } from 'undici'
import { dispatcherIn, slotOfFetch } from './globals.ts'
import { shell } from './shell.ts'

/** @internal A fetch init whose dispatcher tags what it sends with the attempt. */
export function carry(init: object | undefined, attempt: Attempt): object {
  const { dispatcher = dispatcherIn(slotOfFetch()) } = (init ?? {}) as { dispatcher?: Dispatcher }
  if (!dispatcher) return { ...init }
  const tagged: Dispatcher.Dispatch = (options, handler) =>
    dispatcher.dispatch({ ...options, [ATTEMPT]: attempt } as Dispatcher.DispatchOptions, handler)
  return { ...init, dispatcher: shell(dispatcher, tagged) }
}
