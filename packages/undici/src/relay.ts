// The handler below, and the controller that it holds, which stays the same while what it controls changes from the wire to a
// stand-in.
import type { Duplex } from 'node:stream'
import type { Dispatcher } from 'undici'
import type { ParsedFields, RawFields } from './head.ts'
import type { Source } from './interfaces.ts'

/** @internal */
export class Relay implements Dispatcher.DispatchController {
  readonly below: Dispatcher.DispatchHandler
  wire: Source | undefined = undefined
  /** Where the answer comes from at present: the wire, or what stands in for it. */
  source: Source | undefined = undefined
  /** What the handler below holds: this, or the wire's own where nothing can take its place. */
  controller: Dispatcher.DispatchController = this
  /** What the handler below threw last. */
  thrown: unknown = undefined
  /** What the handler below wishes: a source that takes over goes by it. */
  paused = false
  reason: Error | null = null

  constructor(below: Dispatcher.DispatchHandler) {
    this.below = below
  }

  get aborted(): boolean {
    return this.reason !== null
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
    this.paused = true
    this.source?.pause()
  }

  resume(): void {
    this.paused = false
    this.source?.resume()
  }

  abort(reason?: Error): void {
    if (this.aborted) return
    // As undici's own, for who looks at its code.
    this.reason = reason ?? Object.assign(new Error('Request aborted'), { name: 'AbortError', code: 'UND_ERR_ABORTED' })
    this.source?.abort(this.reason)
  }

  passStart(context: unknown): void {
    try {
      this.below.onRequestStart?.(this.controller, context)
    } catch (error) {
      throw this.#caught(error)
    }
  }

  passUpgrade(status: number, headers: ParsedFields, socket: Duplex): unknown {
    try {
      return this.below.onRequestUpgrade?.(this.controller, status, headers, socket)
    } catch (error) {
      throw this.#caught(error)
    }
  }

  passHead(status: number, headers: ParsedFields, statusText: string): void {
    try {
      this.below.onResponseStart?.(this.controller, status, headers, statusText)
    } catch (error) {
      throw this.#caught(error)
    }
  }

  passData(chunk: Buffer): void {
    try {
      this.below.onResponseData?.(this.controller, chunk)
    } catch (error) {
      throw this.#caught(error)
    }
  }

  passEnd(trailers: ParsedFields): void {
    try {
      this.below.onResponseEnd?.(this.controller, trailers)
    } catch (error) {
      throw this.#caught(error)
    }
  }

  passError(error: unknown): void {
    if (!this.below.onResponseError) throw error
    this.below.onResponseError(this.controller, error as Error)
  }

  #caught(error: unknown): unknown {
    this.thrown = error
    return error
  }
}
