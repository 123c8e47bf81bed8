// One guarded fetch, above a process that is not guarded.
import { circuitOpen, guardFetch } from '@fuseboard/core'
import { guardGlobalFetch } from '@fuseboard/undici'
import type { Driver } from '../driver.ts'
import { nodeDispatcher } from './node-dispatcher.ts'
import { overFetch } from './over-fetch.ts'

export const guardedFetch: Driver = {
  name: 'guardFetch',
  retries: false,
  refusedBody: 'untouched',
  isNative: (response) => response instanceof Response,
  isOwnRefusal: (error) => error !== undefined && circuitOpen(error) === error,
  open(board, { onSend, ...settings }) {
    const { dispatcher, restore } = nodeDispatcher(settings)
    const undo = settings.layers && guardGlobalFetch(board)
    const own: typeof fetch = (input, init) => {
      onSend?.()
      return fetch(input, init)
    }
    const guarded = guardFetch(board, onSend && { fetch: own })
    return {
      ...overFetch(settings.twice ? guardFetch(board, { fetch: guarded }) : guarded, dispatcher),
      child: () => ({ ...overFetch(guardFetch(board), dispatcher), close: () => Promise.resolve() }),
      async close() {
        if (undo) undo()
        await restore()
      },
    }
  },
}
