// Has both interfaces of undici's handlers, since each dispatcher calls the one that it knows: what undici 6 tells is taken as
// undici 8 would tell it.
import type { Duplex } from 'node:stream'
import { parsedOf, type ParsedFields, type RawFields } from './head.ts'
import type { LegacyHandler, Source } from './interfaces.ts'
import { ToLegacy } from './legacy-handler.ts'
import { LegacyWire } from './legacy-wire.ts'
import { Relay } from './relay.ts'

/** @internal */
export abstract class EitherWay extends Relay implements LegacyHandler {
  abstract onRequestStart(controller: Source, context: unknown): void
  abstract onRequestUpgrade(controller: Source, status: number, headers: ParsedFields, socket: Duplex): unknown
  abstract onResponseStart(controller: Source, status: number, headers: ParsedFields, statusText?: string): void
  abstract onResponseData(controller: Source | undefined, chunk: Buffer): void
  abstract onResponseEnd(controller: Source | undefined, trailers: ParsedFields): void
  abstract onResponseError(controller: Source | null | undefined, error: unknown): void

  onConnect(abort: (reason?: Error) => void, context?: unknown): void {
    this.onRequestStart(new LegacyWire(abort), context ?? null)
  }

  onUpgrade(status: number, headers: RawFields, socket: Duplex): unknown {
    return this.onRequestUpgrade(this.#heard(headers), status, this.#parsed(headers), socket)
  }

  onHeaders(status: number, headers: RawFields, resume: () => void, statusText: string): boolean {
    const wire = this.#heard(headers, resume)
    this.onResponseStart(wire, status, this.#parsed(headers), statusText)
    return !wire.paused
  }

  onData(chunk: Buffer): boolean {
    this.onResponseData(this.wire, chunk)
    return !(this.wire as LegacyWire).paused
  }

  onComplete(trailers: RawFields): void {
    if (this.wire) this.wire.rawTrailers = trailers
    this.onResponseEnd(this.wire, this.#parsed(trailers))
  }

  onError(error: Error): void {
    this.onResponseError(this.wire, error)
  }

  #heard(headers: RawFields, resume?: () => void): LegacyWire {
    const wire = LegacyWire.heard(this.wire, headers, resume)
    if (wire !== this.wire) this.wire = this.source = wire
    return wire
  }

  /** For a handler that is told of bytes none are read. */
  #parsed(raw: RawFields): ParsedFields {
    return this.below instanceof ToLegacy ? {} : parsedOf(raw, undefined)
  }
}
