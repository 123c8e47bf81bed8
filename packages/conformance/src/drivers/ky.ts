// Ky, guarded by its init hook, above a process that is not guarded.
import { Readable } from 'node:stream'
import { circuitOpen } from '@fuseboard/core'
import { breaker } from '@fuseboard/ky'
import { guardGlobalFetch } from '@fuseboard/undici'
import ky, { isHTTPError, KyError, type KyInstance, type Options } from 'ky'
import type { CallOptions, Client, Driver, Settings } from '../driver.ts'
import { nodeDispatcher } from './node-dispatcher.ts'

export const kyDriver: Driver = {
  name: 'ky',
  retries: true,
  refusedBody: 'untouched',
  isNative: (response) => response instanceof Response,
  isOwnRefusal: (error) => error instanceof KyError && circuitOpen(error) !== undefined,
  statusOf: (error) => (isHTTPError(error) ? error.response.status : undefined),
  open(board, settings) {
    // The time limit is ky's own.
    const { restore } = nodeDispatcher({ http2: settings.http2 ?? false })
    const undo = settings.layers && guardGlobalFetch(board)
    const guarded = ky.extend(breaker(board))
    return {
      ...over((settings.twice ? guarded.extend(breaker(board)) : guarded).extend(optionsOf(settings))),
      async close() {
        if (undo) undo()
        await restore()
      },
    }
  },
}

function optionsOf({ timeout, retries = 0, base, onSend }: Settings): Options {
  return {
    ...(timeout !== undefined && { timeout }),
    ...(retries !== 'default' && { retry: { limit: retries, delay: () => 0 } }),
    ...(base !== undefined && { baseUrl: base }),
    ...(onSend && { fetch: spying(onSend) }),
  }
}

function over(api: KyInstance): Omit<Client, 'close'> {
  const ask = (url: string, { onSend, anyStatus, body, ...rest }: CallOptions = {}) =>
    api(url, {
      ...rest,
      ...(anyStatus && { throwHttpErrors: false }),
      ...(body !== undefined && { body: body as string }),
      ...(onSend && { fetch: spying(onSend) }),
    })
  return {
    async call(url, options) {
      const answer = ask(url, options)
      const text = await answer.text()
      const native = await answer
      return { status: native.status, headers: native.headers, text, native }
    },
    async stream(url, options) {
      const { status, headers, body } = await ask(url, options)
      return { status, headers, body: body ? Readable.fromWeb(body) : Readable.from([]) }
    },
    read: (url, as) => ask(url)[as](),
    child: () => ({ ...over(api.extend({ timeout: 5_000 })), close: () => Promise.resolve() }),
  }
}

function spying(onSend: () => void): typeof fetch {
  return (input, init) => {
    onSend()
    return fetch(input, init)
  }
}
