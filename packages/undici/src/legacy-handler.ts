// A handler of undici 6, as the native fetch of Node 22 and 24 has one, told of its request as one of undici 8 is.
import type { Duplex } from 'node:stream'
import type { Dispatcher } from 'undici'
import { rawOf, type ParsedFields } from './head.ts'
import type { Handler } from './interfaces.ts'

type Controller = Dispatcher.DispatchController

/** @internal Whether a handler is to be told in the interface of undici 6. Where it has both, that one keeps repeated headers. */
export function isLegacy(handler: Handler): boolean {
  return typeof handler.onHeaders === 'function' || typeof handler.onUpgrade === 'function'
}

/** @internal */
export class ToLegacy {
  readonly below: Handler

  constructor(below: Handler) {
    this.below = below
  }

  onRequestStart(controller: Controller, context: unknown): void {
    this.below.onConnect?.((reason) => controller.abort(reason as Error), context)
  }

  onRequestUpgrade(
    { rawHeaders }: Controller,
    status: number,
    headers: ParsedFields | undefined,
    socket: Duplex,
  ): unknown {
    return this.below.onUpgrade?.(status, rawOf(rawHeaders, headers), socket)
  }

  onResponseStart(controller: Controller, status: number, headers: ParsedFields | undefined, text: string): void {
    const resume = (): void => controller.resume()
    const goOn = this.below.onHeaders?.(status, rawOf(controller.rawHeaders, headers), resume, text)
    // The fetch of undici 7 says false to a 1xx and never resumes.
    if (goOn === false && status >= 200) controller.pause()
  }

  onResponseData(controller: Controller, chunk: Buffer): void {
    if (this.below.onData?.(chunk) === false) controller.pause()
  }

  onResponseEnd({ rawTrailers }: Controller, trailers: ParsedFields | undefined): void {
    this.below.onComplete?.(rawOf(rawTrailers, trailers))
  }

  onResponseError(_controller: Controller, error: Error): void {
    if (!this.below.onError) throw error
    this.below.onError(error)
  }
}
