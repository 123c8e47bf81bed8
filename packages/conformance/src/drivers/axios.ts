// Axios on its http adapter and on its fetch adapter, each with the breaker on an instance.
import { Agent, request } from 'node:http'
import { Readable } from 'node:stream'
import { breaker, unguard } from '@fuseboard/axios'
import { circuitOpen } from '@fuseboard/core'
import { guardGlobalFetch } from '@fuseboard/undici'
import axios, { AxiosHeaders, type AxiosAdapter, type AxiosInstance, type AxiosRequestConfig } from 'axios'
import type { CallOptions, Client, Driver, Fields, Settings } from '../driver.ts'
import { nodeDispatcher } from './node-dispatcher.ts'

/** An adapter, and how a caller's own transport is put beneath it. */
interface Kind {
  readonly name: 'http' | 'fetch'
  readonly sending: (onSend: () => void) => AxiosRequestConfig
}

export const axiosHttp: Driver = driver({
  name: 'http',
  sending: (onSend) => ({
    transport: {
      request(...args: Parameters<typeof request>) {
        onSend()
        return request(...args)
      },
    },
  }),
})

export const axiosFetch: Driver = driver({
  name: 'fetch',
  sending: (onSend) => ({
    env: {
      fetch(input, init) {
        onSend()
        return fetch(input, init)
      },
    },
  }),
})

function driver(kind: Kind): Driver {
  return {
    name: `axios on its ${kind.name} adapter`,
    retries: false,
    refusedBody: 'untouched',
    isNative: (response) => response instanceof Object && 'config' in response && isHeaders(response),
    isOwnRefusal: (error) => error instanceof axios.AxiosError && circuitOpen(error) === error.cause,
    statusOf: (error) => (axios.isAxiosError(error) ? error.response?.status : undefined),
    open(board, settings) {
      // The time limit is the client's own.
      const { restore } = nodeDispatcher({ http2: settings.http2 ?? false })
      const agent = new Agent({ keepAlive: true })
      const instance = breaker(board)(
        axios.create({ adapter: kind.name, httpAgent: agent, ...configFor(settings, kind) }),
      )
      if (settings.twice) breaker(board)(instance)
      const undo = settings.layers ? [guardGlobalFetch(board)] : []
      if (settings.layers) enhance(instance, breaker(board))
      return {
        ...over(instance, kind),
        child: () => ({ ...over(instance.create(), kind), close: () => Promise.resolve() }),
        uninstall: () => unguard(instance),
        async close() {
          for (const put of undo) put()
          agent.destroy()
          await restore()
        },
      }
    },
  }
}

/** Puts the caller's own adapter around the guarded one, and the breaker around that. */
function enhance(instance: AxiosInstance, plugin: ReturnType<typeof breaker>): void {
  const below = instance.defaults.adapter as AxiosAdapter
  instance.defaults.adapter = (config) => below(config)
  plugin(instance)
}

const configFor = ({ timeout, redirects, base, http2, onSend }: Settings, kind: Kind): AxiosRequestConfig => ({
  ...(timeout !== undefined && { timeout }),
  ...(redirects !== undefined && { maxRedirects: redirects }),
  ...(base !== undefined && { baseURL: base }),
  ...(http2 && { httpVersion: 2 }),
  ...(onSend && kind.sending(onSend)),
})

function over(instance: AxiosInstance, { name, sending }: Kind): Omit<Client, 'close'> {
  const ask = async (
    url: string,
    { onSend, anyStatus, body, ...rest }: CallOptions = {},
    how: AxiosRequestConfig = {},
  ) => {
    const native = await instance.request({
      url,
      data: body,
      transformResponse: [],
      ...rest,
      ...(anyStatus && { validateStatus: null }),
      ...(onSend && sending(onSend)),
      ...how,
    })
    return { status: native.status, headers: native.headers as Fields, data: native.data as unknown, native }
  }
  return {
    async call(url, options) {
      const { data, ...answer } = await ask(url, options)
      return { ...answer, text: data as string }
    },
    async stream(url, options) {
      const { data, ...head } = await ask(url, options, { responseType: 'stream' })
      if (name === 'http') return { ...head, body: data as Readable }
      // An answer to HEAD has none.
      return { ...head, body: data ? Readable.fromWeb(data as ReadableStream) : Readable.from([]) }
    },
    async read(url, as) {
      const { data } = await instance.get<unknown>(url, {
        responseType: as === 'arrayBuffer' ? 'arraybuffer' : as,
        transitional: { silentJSONParsing: false },
      })
      return data
    },
  }
}

const isHeaders = (response: object): boolean => 'headers' in response && response.headers instanceof AxiosHeaders
