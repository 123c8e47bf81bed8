// What undici calls on a handler, in its two interfaces, and what a handler may call back.
import type { Duplex } from 'node:stream'
import type { Dispatcher } from 'undici'
import type { RawFields } from './head.ts'

/** @internal The interface of undici 6, which the native fetch of Node 22 and 24 has too. */
export interface LegacyHandler {
  onConnect?(abort: (reason?: Error) => void, context?: unknown): void
  onUpgrade?(status: number, headers: RawFields, socket: Duplex): unknown
  onHeaders?(status: number, headers: RawFields, resume: () => void, statusText: string): unknown
  onData?(chunk: Buffer): unknown
  onComplete?(trailers: RawFields): void
  onError?(error: Error): void
}

/** @internal */
export type Handler = Dispatcher.DispatchHandler & LegacyHandler

/** @internal Where an answer comes from: the wire, or what stands in for it. */
export interface Source {
  readonly aborted?: boolean
  rawHeaders?: unknown
  rawTrailers?: unknown
  pause(): void
  resume(): void
  abort(reason: Error): void
}
