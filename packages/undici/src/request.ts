// One request as undici's options describe it: read by a board, and given further header fields.
import type { HeaderPairs, RequestLike } from '@fuseboard/core'
import type { Dispatcher } from 'undici'

type Options = Dispatcher.DispatchOptions

/** @internal What a board is told of a request. Nothing is converted before it is read. */
export class UndiciRequest implements RequestLike {
  readonly #options: Options
  #pairs: readonly [string, string][] | undefined

  constructor(options: Options) {
    this.#options = options
  }

  get method(): string {
    return this.#options.method ?? 'GET'
  }

  get origin(): string | undefined {
    const { origin } = this.#options
    return typeof origin === 'object' ? origin?.origin : origin
  }

  get url(): string {
    const { path, query } = this.#options
    const origin = this.origin ?? ''
    if (typeof path !== 'string') return origin
    // Through a proxy a path is a whole URL, and for CONNECT it is a host.
    if (path.startsWith('http://') || path.startsWith('https://')) return path
    if (!path.startsWith('/')) return `${origin}/`
    return query ? `${origin}${path}?${new URLSearchParams(queryPairs(query)).toString()}` : `${origin}${path}`
  }

  get headers(): HeaderPairs {
    const { headers } = this.#options
    return (this.#pairs ??= headers ? [...fieldPairs(headers)] : [])
  }

  payload(): unknown {
    return this.#options.body ?? undefined
  }

  get signal(): unknown {
    return (this.#options as Partial<Dispatcher.RequestOptions>).signal
  }

  /** Whether it asks for a socket, not for an answer. */
  get upgrades(): boolean {
    return Boolean(this.#options.upgrade) || this.#options.method === 'CONNECT'
  }

  /** Whether an error is the body's own: the file that it reads does not exist, say. */
  spoilt(error: unknown): boolean {
    const body: unknown = this.#options.body
    // What the network breaks undici destroys later than it tells of it.
    return isStream(body) && Boolean(body.errored) && body.errored === error
  }

  /** Lets go of a body that nobody is going to send: a file that it reads is closed. */
  discardBody(): void {
    const body: unknown = this.#options.body
    if (isStream(body)) body.on('error', () => {}).destroy()
  }
}

/** @internal Options whose headers can be read again: undici takes an iterator too, and that reads but once. */
export function steady<O extends Options>(options: O): O {
  const { headers } = options
  if (!isObject(headers) || !('next' in headers) || !(Symbol.iterator in headers)) return options
  return { ...options, headers: withFields(headers as Iterable<[string, string]>, []) }
}

/** @internal The headers of a request with further fields. */
export function withFields(headers: Options['headers'], fields: HeaderPairs): NonNullable<Options['headers']> {
  const added = [...fields]
  if (Array.isArray(headers)) return [...headers, ...added.flat()]
  if (isObject(headers) && !(Symbol.iterator in headers)) return { ...headers, ...Object.fromEntries(added) }
  // An array of undici's is a flat one, and a value of it may be a list.
  return [...((headers ?? []) as Iterable<[string, string]>), ...added].flat()
}

function* fieldPairs(headers: Options['headers']): Generator<[string, string]> {
  if (!isObject(headers)) return
  if (Array.isArray(headers)) {
    for (let i = 0; i < headers.length; i += 2) yield* each(headers[i], headers[i + 1])
    return
  }
  const fields = Symbol.iterator in headers ? headers : Object.entries(headers)
  for (const [name, value] of fields) yield* each(name, value)
}

function* each(name: unknown, value: unknown): Generator<[string, string]> {
  const field = valueOf(name)
  if (Array.isArray(value)) for (const one of value) yield [field, valueOf(one)]
  else if (value !== undefined) yield [field, valueOf(value)]
}

const valueOf = (value: unknown): string => (value as string | number | null | undefined)?.toString() ?? ''

const queryPairs = (query: Readonly<Record<string, unknown>>): [string, string][] =>
  Object.entries(query).flatMap(([name, values]) =>
    [values].flat().map((value): [string, string] => [name, valueOf(value)]),
  )

// Of what is no header at all undici complains.
const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null

interface Stream {
  readonly errored?: unknown
  on(event: 'error', listener: () => void): this
  destroy(): void
}

const isStream = (body: unknown): body is Stream =>
  isObject(body) && 'pipe' in body && 'destroy' in body && 'on' in body
