// The interface of undici 6, spoken to the wire: the native fetch of Node 22 sends through it.
import type { Duplex } from 'node:stream'
import type { RawFields } from './head.ts'
import { AttemptHandler } from './handler.ts'
import type { LegacyHandler, Source } from './interfaces.ts'

/** @internal A handler for the dispatchers of every undici: each calls the interface that it knows. */
export class DualHandler extends AttemptHandler implements LegacyHandler {
  #wire: LegacyWire | undefined

  onConnect(abort: (reason?: Error) => void, context?: unknown): void {
    this.#wire = new LegacyWire(abort)
    this.onRequestStart(this.#wire, context ?? null)
  }

  onUpgrade(status: number, headers: RawFields, socket: Duplex): unknown {
    return this.onRequestUpgrade(this.#heard(headers), status, undefined, socket)
  }

  onHeaders(status: number, headers: RawFields, resume: () => void, statusText: string): boolean {
    const wire = this.#heard(headers, resume)
    this.onResponseStart(wire, status, undefined, statusText)
    return !wire.paused
  }

  onData(chunk: Buffer): boolean {
    this.onResponseData(this.#wire, chunk)
    return !this.#wire?.paused
  }

  onComplete(trailers: RawFields): void {
    if (this.#wire) this.#wire.rawTrailers = trailers
    this.onResponseEnd(this.#wire, undefined)
  }

  onError(error: Error): void {
    this.onResponseError(this.#wire, error)
  }

  #heard(headers: RawFields, resume?: () => void): LegacyWire {
    const wire = (this.#wire ??= new LegacyWire(() => {}))
    wire.rawHeaders = headers
    wire.resumes = resume
    return wire
  }
}

/** What undici 7 and 8 have as the controller of a request. */
class LegacyWire implements Source {
  paused = false
  aborted = false
  rawHeaders: RawFields | undefined
  rawTrailers: RawFields | undefined
  resumes: (() => void) | undefined
  readonly #abort: (reason?: Error) => void

  constructor(abort: (reason?: Error) => void) {
    this.#abort = abort
  }

  pause(): void {
    this.paused = true
  }

  resume(): void {
    if (!this.paused) return
    this.paused = false
    this.resumes?.()
  }

  abort(reason: Error): void {
    if (this.aborted) return
    this.aborted = true
    this.#abort(reason)
  }
}
