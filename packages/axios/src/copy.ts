// The copy of axios that an instance is of. A program may have several (an import and a `require` are two), and whoever
// brought the instance is to meet the adapters and the error classes of that one.
import axios, {
  type AxiosAdapter,
  type AxiosError,
  type AxiosInstance,
  type AxiosResponse,
  type AxiosStatic,
} from 'axios'
import type { InternalAxiosRequestConfig } from 'axios'

/** @internal */
export type Adapters = AxiosInstance['defaults']['adapter']

/** @internal What sends a request. */
export interface Means {
  /** Its responses hold what the web has, a Blob or a ReadableStream, and not what Node has. */
  readonly web: boolean
  /** It is an adapter of axios, and not the caller's own. */
  readonly builtIn: boolean
}

type Config = InternalAxiosRequestConfig

/** @internal */
export class Copy {
  readonly #instance: AxiosInstance
  /** What has the parts of it, where that is known. */
  readonly #static: Pick<AxiosStatic, 'getAdapter' | 'AxiosError'> | undefined
  #bare: AxiosInstance | undefined
  #last: { readonly named: Adapters; readonly means: Means } | undefined
  #errors: Promise<typeof AxiosError> | undefined

  constructor(instance: AxiosInstance) {
    this.#instance = instance
    if ('getAdapter' in instance) this.#static = instance as AxiosStatic
    else if (kindOf(instance) === kindOf(axios)) this.#static = axios
  }

  /** @throws AxiosError where a name is that of no adapter */
  meansOf(named: Adapters, config: Config): Means {
    const last = this.#last
    if (last && last.named === named) return last.means
    const { getAdapter } = this.#static ?? axios
    const adapter = getAdapter(named, config)
    const means = {
      web: typeof globalThis.process?.getBuiltinModule !== 'function' || adapter === fetchOf(getAdapter, config),
      builtIn: ![named].flat().includes(adapter),
    }
    // Which fetch it is goes by the config; the rest is the same each time.
    if (means.builtIn && !means.web) this.#last = { named, means }
    return means
  }

  send(named: Adapters, config: Config): Promise<AxiosResponse> {
    if (this.#static) return this.#static.getAdapter(named, config)(config)
    if (typeof named === 'function') return named(config)
    // An instance does not show its adapters, but sends by them.
    const sent = { ...config, adapter: named, transformRequest: [], transformResponse: [] } as Config
    return this.#relay.request<unknown, AxiosResponse>(sent).then(
      (response) => Object.assign(response, { config }),
      (error: AxiosError) => {
        const { response } = error
        if (response) response.config = config
        // A body that broke has none, as the adapter told.
        if (response && response.data === undefined) Reflect.deleteProperty(response, 'data')
        throw Object.assign(error, { config })
      },
    )
  }

  /** Its class of errors. */
  errors(): Promise<typeof AxiosError> | typeof AxiosError {
    if (this.#static) return this.#static.AxiosError
    // Only an error shows it.
    return (this.#errors ??= this.#relay
      .request({ url: '', adapter: [] })
      .catch((error: AxiosError) => error.constructor) as Promise<typeof AxiosError>)
  }

  /** An instance that adds nothing to a config that is complete. */
  get #relay(): AxiosInstance {
    if (this.#bare) return this.#bare
    const bare = this.#instance.create()
    for (const name of Object.keys(bare.defaults)) Reflect.deleteProperty(bare.defaults, name)
    bare.interceptors.request.clear()
    bare.interceptors.response.clear()
    return (this.#bare = bare)
  }
}

// Each copy has classes of its own.
const kindOf = ({ interceptors }: AxiosInstance): unknown => interceptors.request.constructor

function fetchOf(getAdapter: AxiosStatic['getAdapter'], config: Config): AxiosAdapter | undefined {
  try {
    return getAdapter('fetch', config)
  } catch {
    return undefined
  }
}
