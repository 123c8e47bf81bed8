// The handler below, told of its request in whichever of undici's two interfaces it has; and the controller that it holds,
// which stays the same while what it controls changes from the wire to a stand-in.
import type { Duplex } from 'node:stream'
import type { Dispatcher } from 'undici'
import { parsedOf, rawOf, type Head, type ParsedFields, type RawFields } from './head.ts'
import type { Handler, Source } from './interfaces.ts'

/** @internal Whether a handler is to be told in the interface of undici 6. Where it has both, that one keeps repeated headers. */
export function isLegacy(handler: Handler): boolean {
  return typeof handler.onHeaders === 'function' || typeof handler.onUpgrade === 'function'
}

/** @internal */
export class Relay implements Dispatcher.DispatchController {
  readonly below: Handler
  /** Where the answer comes from at present. */
  source: Source | undefined
  /** What the handler below threw last. */
  thrown: unknown
  readonly #legacy: boolean
  #paused = false
  #aborted = false
  #reason: Error | null = null

  constructor(below: Handler, legacy: boolean) {
    this.below = below
    this.source = undefined
    this.thrown = undefined
    this.#legacy = legacy
  }

  get aborted(): boolean {
    return this.#aborted
  }

  get reason(): Error | null {
    return this.#reason
  }

  /** What the handler below wishes: a source that takes over goes by it. */
  get paused(): boolean {
    return this.#paused
  }

  get rawHeaders(): RawFields | null {
    return (this.source?.rawHeaders as RawFields | undefined) ?? null
  }

  set rawHeaders(fields: unknown) {
    if (this.source) this.source.rawHeaders = fields
  }

  get rawTrailers(): RawFields | null {
    return (this.source?.rawTrailers as RawFields | undefined) ?? null
  }

  set rawTrailers(fields: unknown) {
    if (this.source) this.source.rawTrailers = fields
  }

  pause(): void {
    this.#paused = true
    this.source?.pause()
  }

  resume(): void {
    this.#paused = false
    this.source?.resume()
  }

  abort(reason?: Error): void {
    if (this.#aborted) return
    this.#aborted = true
    this.#reason = reason ?? aborted()
    this.source?.abort(this.#reason)
  }

  passStart(context: unknown): void {
    try {
      if (this.#legacy) this.below.onConnect?.((reason) => this.abort(reason), context)
      else this.below.onRequestStart?.(this, context)
    } catch (error) {
      throw this.#caught(error)
    }
  }

  passUpgrade(status: number, headers: ParsedFields | undefined, socket: Duplex): unknown {
    try {
      const { below, rawHeaders } = this
      if (this.#legacy) return below.onUpgrade?.(status, rawOf(rawHeaders, headers), socket)
      return below.onRequestUpgrade?.(
        this,
        status,
        headers === undefined ? parsedOf(rawHeaders, headers) : headers,
        socket,
      )
    } catch (error) {
      throw this.#caught(error)
    }
  }

  passHead(head: Head): void {
    try {
      const { below } = this
      if (!this.#legacy) return below.onResponseStart?.(this, head.status, head.parsed, head.statusText)
      const goOn = below.onHeaders?.(head.status, head.raw, () => this.resume(), head.statusText)
      // The fetch of undici 7 says false to a 1xx and never resumes.
      if (goOn === false && head.status >= 200) this.pause()
    } catch (error) {
      throw this.#caught(error)
    }
  }

  passData(chunk: Buffer): void {
    try {
      if (!this.#legacy) this.below.onResponseData?.(this, chunk)
      else if (this.below.onData?.(chunk) === false) this.pause()
    } catch (error) {
      throw this.#caught(error)
    }
  }

  passEnd(trailers: ParsedFields | undefined): void {
    try {
      if (this.#legacy) this.below.onComplete?.(rawOf(this.rawTrailers, trailers))
      else this.below.onResponseEnd?.(this, trailers ?? parsedOf(this.rawTrailers, trailers))
    } catch (error) {
      throw this.#caught(error)
    }
  }

  passError(error: unknown): void {
    if (!this.#legacy && this.below.onResponseError) this.below.onResponseError(this, error as Error)
    else if (this.#legacy && this.below.onError) this.below.onError(error as Error)
    else throw error
  }

  #caught(error: unknown): unknown {
    this.thrown = error
    return error
  }
}

/** As undici's own, for who looks at its code. */
function aborted(): Error {
  return Object.assign(new Error('Request aborted'), { name: 'AbortError', code: 'UND_ERR_ABORTED' })
}
