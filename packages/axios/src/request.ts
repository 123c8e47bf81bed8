// One request as the config of axios describes it: read by a board.
import type { HeaderPairs, RequestLike } from '@fuseboard/core'
import { Axios, type AxiosHeaderValue, type InternalAxiosRequestConfig } from 'axios'

/** @internal What a board is told of a request. Nothing is made before it is read. */
export class AxiosRequest implements RequestLike {
  readonly #config: InternalAxiosRequestConfig
  #pairs: HeaderPairs | undefined

  constructor(config: InternalAxiosRequestConfig) {
    this.#config = config
  }

  get method(): string {
    return this.#config.method ?? 'GET'
  }

  get origin(): string {
    return this.#address
  }

  get url(): string {
    const { baseURL, url, allowAbsoluteUrls, params, paramsSerializer } = this.#config
    try {
      return absolute(plain.getUri({ baseURL, url, allowAbsoluteUrls, params, paramsSerializer } as object))
    } catch {
      // Params that cannot be written: axios is about to say so.
      return this.#address
    }
  }

  get headers(): HeaderPairs {
    return (this.#pairs ??= [...pairsOf(this.#config.headers), ...credentials(this.#config.auth, this.#address)])
  }

  get credentials(): string | undefined {
    // A cookie jar puts its cookies in further down.
    return this.#config.withCredentials || 'jar' in this.#config ? 'include' : undefined
  }

  payload(): unknown {
    return this.#config.data
  }

  /** The URL without its params. */
  get #address(): string {
    const { baseURL, url = '', allowAbsoluteUrls } = this.#config
    const relative = baseURL && (allowAbsoluteUrls === false || !ABSOLUTE.test(url))
    return absolute(relative ? `${baseURL.replace(/\/+$/, '')}/${url.replace(/^\/+/, '')}` : url)
  }
}

const plain = new Axios({})
const ABSOLUTE = /^(?:[a-z][a-z\d+.-]*:)?\/\//i

function absolute(url: string): string {
  const base = (globalThis as { location?: { href?: string } }).location?.href
  return base === undefined || /^[a-z][a-z\d+.-]*:/i.test(url) ? url : new URL(url, base).href
}

/** Who is asking stands in the config, or in the URL: axios makes a header of it later. */
function credentials(auth: InternalAxiosRequestConfig['auth'], address: string): [string, string][] {
  const user = auth ? `${auth.username}:${auth.password}` : /^[a-z]+:\/\/([^/?#]*)@/i.exec(address)?.[1]
  return user === undefined ? [] : [basic(user)]
}

/** @internal The header for a user and a password. */
export const basic = (user: string): [string, string] => [
  'authorization',
  `Basic ${btoa(String.fromCharCode(...new TextEncoder().encode(user)))}`,
]

/** @internal Header fields as pairs, whether they are of axios, of Node or of a mock. */
export function pairsOf(headers: object | undefined | null): [string, string][] {
  const fields: Iterable<[string, AxiosHeaderValue | undefined]> =
    headers && Symbol.iterator in headers
      ? (headers as Iterable<[string, AxiosHeaderValue]>)
      : Object.entries(headers ?? {})
  return [...fields].flatMap(([name, values]) =>
    [values]
      .flat()
      .flatMap((value): [string, string][] => (value == null || value === false ? [] : [[name, String(value)]])),
  )
}
