// One HTTP request: as an adapter describes it, and as the functions of a policy see it.
import { listOf, type HeaderPairs } from './headers.ts'

/** What an adapter says of a request. It is structural: a `Request` is one. */
export interface RequestLike {
  readonly method: string
  /** The absolute URL. */
  readonly url: string
  /** Where the adapter has it at hand: scheme, host and port, or any text that begins with them, so that `url` need not be read. */
  readonly origin?: string | undefined
  readonly headers?: HeaderPairs | undefined
  /** The credentials mode of fetch. */
  readonly credentials?: string | undefined
  /**
   * What it sends, as its client was given it: text, bytes, a form, a stream; a `Request` of its own where only that has it;
   * undefined where it sends nothing. It may cost a copy, so only who needs it asks, and before the request is sent.
   * @throws where it has been sent already and cannot be had any more
   */
  payload?(): unknown
  /** What ended it where that looks as if its caller had, and was a time limit of its client. */
  timedOut?(): Error | undefined
}

/** A request, as `key`, `classify`, `probe` and fallbacks of a policy see it. */
export interface HttpRequest {
  /** In upper case. */
  readonly method: string
  readonly url: string
  /** Host and non-default port, in lower case and without a trailing dot: `bible-api.com`, `127.0.0.1:8080`. */
  readonly host: string
  readonly headers: HeaderPairs
  readonly credentials: string | undefined
  /**
   * What it sends, as its client was given it: see {@link RequestLike}. It may cost a copy.
   * @throws Error where the client does not tell, or can no longer tell
   */
  payload?(): unknown
}

/** @internal Reads an adapter's request for the functions of a policy; made only where one of them asks. */
export class RequestView implements HttpRequest {
  readonly host: string
  readonly #like: RequestLike
  #headers: HeaderPairs | undefined

  constructor(like: RequestLike, host: string) {
    this.#like = like
    this.host = host
    this.#headers = undefined
  }

  get method(): string {
    return this.#like.method.toUpperCase()
  }

  get url(): string {
    return this.#like.url
  }

  get headers(): HeaderPairs {
    return (this.#headers ??= listOf(this.#like.headers ?? []))
  }

  get credentials(): string | undefined {
    return this.#like.credentials
  }

  payload(): unknown {
    // Not nothing: who keeps the request would send it empty.
    if (this.#like.payload === undefined) throw new Error('its client does not tell what a request sends')
    return this.#like.payload()
  }
}

/** @internal Whether a request changes nothing at the host (RFC 9110, section 9.2.1): it may be asked again. */
export function isSafe(method: string): boolean {
  return method === 'GET' || method === 'HEAD' || method === 'get' || method === 'head'
}
