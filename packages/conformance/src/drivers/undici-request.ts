// The request, stream, pipeline and upgrade of undici 7 or 8, on a dispatcher with the breaker composed in.
import { circuitOpen } from '@fuseboard/core'
import { breaker } from '@fuseboard/undici'
import { PassThrough } from 'node:stream'
import type * as Undici from 'undici'
import type { Agent, Dispatcher } from 'undici'
import type { CallOptions, Client, Driver, Streamed } from '../driver.ts'

/** A driver for one release of undici. */
export const undiciRequest = (name: string, undici: typeof Undici): Driver => ({
  name,
  retries: true,
  refusedBody: 'destroyed',
  isNative: (response) => response instanceof Object && 'statusCode' in response && 'body' in response,
  isOwnRefusal: (error) => error !== undefined && circuitOpen(error) === error,
  open(board, { timeout, retries, redirects, cache, twice, layers, http2 = false, onSend }) {
    const { interceptors } = undici
    const agent = new undici.Agent({
      allowH2: http2,
      ...(timeout !== undefined && { headersTimeout: timeout, bodyTimeout: timeout }),
    })
    const chain = [breaker(board)]
    if (onSend) chain.unshift(spy(onSend))
    if (twice) chain.push(breaker(board))
    if (retries === 'default') chain.push(interceptors.retry())
    else if (retries !== undefined)
      chain.push(interceptors.retry({ maxRetries: retries, minTimeout: 0, maxTimeout: 0 }))
    if (redirects !== undefined) chain.push(interceptors.redirect({ maxRedirections: redirects }))
    if (layers) chain.push(breaker(board))
    if (cache) chain.push(interceptors.cache())
    return { ...over(undici, agent.compose(chain), agent), close: () => agent.destroy() }
  },
})

function over(undici: typeof Undici, guarded: Dispatcher, agent: Agent): Client {
  const { interceptors, pipeline, request, stream, upgrade } = undici
  const optionsOf = ({ onSend, method = 'GET', ...rest }: CallOptions = {}) => ({
    ...rest,
    method,
    dispatcher: onSend ? agent.compose(spy(onSend)) : guarded,
  })
  return {
    async call(url, options) {
      const native = await request(url, optionsOf(options))
      return { status: native.statusCode, headers: native.headers, text: await native.body.text(), native }
    },
    stream: (url, options) =>
      new Promise<Streamed>((resolve, reject) => {
        const body = new PassThrough()
        const begun = ({ statusCode: status, headers }: Dispatcher.StreamFactoryData): PassThrough => {
          resolve({ status, headers, body })
          return body
        }
        stream(url, optionsOf(options), begun).catch(reject)
      }),
    read: async (url, as) => (await request(url, optionsOf())).body[as](),
    pipeline: (url) => pipeline(url, optionsOf(), ({ body }) => body),
    async upgrade(url) {
      const { socket } = await upgrade(url, { dispatcher: guarded, protocol: 'echo' })
      return { close: () => void socket.destroy() }
    },
    child: () => ({
      ...over(undici, guarded.compose(interceptors.redirect({ maxRedirections: 1 })), agent),
      close: () => Promise.resolve(),
    }),
    close: () => agent.destroy(),
  }
}

const spy =
  (onSend: () => void): Dispatcher.DispatcherComposeInterceptor =>
  (dispatch) =>
  (options, handler) => {
    onSend()
    return dispatch(options, handler)
  }
