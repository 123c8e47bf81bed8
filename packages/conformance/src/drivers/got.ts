// got's promises and got's streams, each with the breaker in an extended instance.
import { circuitOpen } from '@fuseboard/core'
import { breaker } from '@fuseboard/got'
import got, { Options, RequestError, type ExtendOptions, type Got, type Request, type Response } from 'got'
import { once } from 'node:events'
import { Agent, request } from 'node:http'
import type { Duplex } from 'node:stream'
import { buffer, json, text } from 'node:stream/consumers'
import type { Answer, CallOptions, Client, Driver, Settings, Streamed } from '../driver.ts'

type Calls = Pick<Client, 'call' | 'read' | 'upgrade'>

export const gotPromise: Driver = driver('got', (instance) => ({
  async call(url, options) {
    const native = await instance(relative(url), optionsOf(options))
    return { status: native.statusCode, headers: native.headers, text: native.body, native }
  },
  read: (url, as) => instance(url)[as === 'arrayBuffer' ? 'buffer' : as](),
}))

export const gotStream: Driver = driver('got.stream', (instance) => ({
  async call(url, options) {
    const { body, ...head } = await begun(instance.stream(relative(url), optionsOf(options)))
    return { ...head, text: await text(body) }
  },
  read: (url, as) => ({ text, json, arrayBuffer: buffer })[as](instance.stream(url)),
  async upgrade(url) {
    const stream = instance.stream(url, { headers: { connection: 'upgrade', upgrade: 'echo' } })
    const [, socket] = (await once(stream, 'upgrade')) as [unknown, Duplex]
    return { close: () => void socket.destroy() }
  },
}))

function driver(name: string, callsOf: (instance: Got) => Calls): Driver {
  const over = (instance: Got, agent: Agent): Client => ({
    ...callsOf(instance),
    stream: (url, options) => begun(instance.stream(url, optionsOf(options))),
    pipeline: (url) => instance.stream(url),
    child: () => ({ ...over(instance.extend({}), agent), close: () => Promise.resolve() }),
    close: async () => agent.destroy(),
  })
  return {
    name,
    retries: true,
    refusedBody: 'destroyed',
    isNative: (response) => (response as Partial<Response>).request?.options instanceof Options,
    isOwnRefusal: (error) => error instanceof RequestError && circuitOpen(error) === error.cause,
    statusOf: (error) => (error instanceof RequestError ? error.response?.statusCode : undefined),
    open(board, settings) {
      const agent = new Agent({ keepAlive: true })
      const chain = [breaker(board)]
      if (settings.twice) chain.push(breaker(board))
      if (settings.layers) chain.push(passing, breaker(board))
      return over(got.extend({ agent: { http: agent }, ...optionsFor(settings) }, ...chain), agent)
    },
  }
}

/** A handler that puts a transport of its own around the one that it finds. */
const passing: ReturnType<typeof breaker> = {
  handlers: [
    (options, next) => {
      const below = options.request
      options.request = (...args) => below?.(...args)
      return next(options)
    },
  ],
}

const optionsFor = ({
  timeout,
  retries = 0,
  redirects,
  cache,
  base,
  http2 = false,
  onSend,
}: Settings): ExtendOptions => ({
  http2,
  retry: retries === 'default' ? {} : { limit: retries, backoffLimit: 1, noise: 0 },
  ...(timeout !== undefined && { timeout: { request: timeout } }),
  ...(redirects !== undefined && { maxRedirects: redirects }),
  ...(cache && { cache: new Map() }),
  ...(base !== undefined && { prefixUrl: base }),
  ...(onSend && { request: telling(onSend) }),
})

const optionsOf = ({ onSend, anyStatus, ...rest }: CallOptions = {}) => ({
  ...rest,
  ...(anyStatus && { throwHttpErrors: false }),
  ...(onSend && { request: telling(onSend) }),
})

const telling =
  (onSend: () => void): NonNullable<ExtendOptions['request']> =>
  (...args) => {
    onSend()
    return request(...args)
  }

// got wants what it puts behind a base without the slash.
const relative = (url: string): string => url.replace(/^\//, '')

/** The head of an answer; where got tries again, that of the last. */
function begun(stream: Request): Promise<Streamed & Pick<Answer, 'native'>> {
  return new Promise((resolve, reject) => {
    const retry = (_count: number, _error: RequestError, again: () => Request): void => resolve(begun(again()))
    stream.once('response', (native: Response) => {
      // The body is the caller's from now on: nobody would hear of another stream.
      stream.off('retry', retry)
      resolve({ status: native.statusCode, headers: native.headers, body: stream, native })
    })
    stream.once('retry', retry)
    stream.once('error', reject)
  })
}
