// One request as got hands it to a transport: read by a board, and given further header fields.
import type { IncomingMessage, RequestOptions } from 'node:http'
import { ATTEMPT, type HeaderPairs, type RequestLike } from '@fuseboard/core'
import type { Options } from 'got'

/** What got gives its transport: a URL first, but not below its cache. */
export type Arguments =
  | [url: URL, options: NativeOptions, callback?: Callback]
  | [options: NativeOptions, callback?: Callback]

type Callback = (response: IncomingMessage) => void
type NativeOptions = RequestOptions & { href?: string; [ATTEMPT]?: unknown }

/** What the options of a call say of what it sends. */
type Given = Pick<Options, 'body' | 'json' | 'form' | 'isStream'>

/** @internal */
export class GotRequest implements RequestLike {
  readonly args: Arguments
  readonly options: NativeOptions
  readonly #url: URL | undefined
  readonly #given: Given

  constructor(args: Arguments, given: Given) {
    this.args = args
    this.#given = given
    this.#url = args[0] instanceof URL ? args[0] : undefined
    this.options = (args[0] instanceof URL ? args[1] : args[0]) as NativeOptions
  }

  get method(): string {
    return this.options.method ?? 'GET'
  }

  get url(): string {
    return this.#url?.href ?? this.options.href ?? ''
  }

  /** A Unix socket is no host. */
  get origin(): string | undefined {
    return this.options.socketPath ? `unix:${this.options.socketPath}` : undefined
  }

  get protocol(): string {
    return this.#url?.protocol ?? this.options.protocol ?? ''
  }

  get headers(): HeaderPairs {
    return pairsOf(this.options.headers ?? {})
  }

  payload(): unknown {
    const { body, json, form, isStream } = this.#given
    // A stream is written to later, and of the others got makes text before it sends: not to find it is not to send nothing.
    if (body === undefined && (isStream || (json ?? form) !== undefined)) throw new Error('its body is not known')
    return body
  }

  add(fields: readonly (readonly [name: string, value: string])[]): void {
    if (fields.length > 0) this.options.headers = Object.assign({}, this.options.headers, Object.fromEntries(fields))
  }
}

/** @internal Header fields as pairs, from an object in which a repeated field has a list. */
export const pairsOf = (headers: object): [name: string, value: string][] =>
  Object.entries(headers as Record<string, string | string[] | number | undefined>).flatMap(([name, values]) =>
    [values].flat().flatMap((value): [string, string][] => (value === undefined ? [] : [[name, String(value)]])),
  )
