// The fetch of a whole process, guarded beneath by its global dispatcher.
import { circuitOpen, guardFetch } from '@fuseboard/core'
import { guardGlobalFetch } from '@fuseboard/undici'
import { once } from 'node:events'
import type { Driver } from '../driver.ts'
import { nodeDispatcher } from './node-dispatcher.ts'
import { overFetch } from './over-fetch.ts'

export const nativeFetch: Driver = {
  name: 'native fetch',
  retries: false,
  refusedBody: 'untouched',
  isNative: (response) => response instanceof Response,
  isOwnRefusal: (error) =>
    error instanceof TypeError && error.cause !== undefined && circuitOpen(error) === error.cause,
  open(board, settings) {
    const earlier = globalThis.fetch
    const { dispatcher, restore } = nodeDispatcher(settings)
    const undo = [guardGlobalFetch(board)]
    if (settings.twice) undo.unshift(guardGlobalFetch(board))
    return {
      ...overFetch(settings.layers ? guardFetch(board) : globalThis.fetch, dispatcher),
      child: () => ({ ...overFetch(earlier, dispatcher), close: () => Promise.resolve() }),
      uninstall: () => undo.splice(0).forEach((put) => put()),
      async upgrade(url) {
        const socket = new WebSocket(url.replace('http', 'ws'))
        const [outcome] = (await Promise.race([once(socket, 'open'), once(socket, 'error')])) as [Event]
        if (outcome.type === 'error') throw new Error('The WebSocket did not open', { cause: outcome })
        return socket
      },
      async close() {
        for (const put of undo) put()
        await restore()
      },
    }
  },
}
