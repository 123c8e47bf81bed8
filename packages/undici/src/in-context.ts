// Answers in the context of who asked: undici tells of them in that of whoever opened the socket, and redirect sends its hops
// from there, where AsyncLocalStorage would name another caller.
import { AsyncResource } from 'node:async_hooks'
import type { Duplex } from 'node:stream'
import { AttemptHandler } from './handler.ts'
import type { ParsedFields } from './head.ts'
import type { Handler, Source } from './interfaces.ts'

const NAME = 'FUSEBOARD'

/** @internal What asks the functions of a policy, and what may send again, is called in the context that it was made in. */
export class HandlerInContext extends AttemptHandler {
  readonly #context = new AsyncResource(NAME)

  override onRequestUpgrade(controller: Source, status: number, headers: ParsedFields, socket: Duplex): unknown {
    return this.#context.runInAsyncScope(() => super.onRequestUpgrade(controller, status, headers, socket))
  }

  override onResponseStart(controller: Source, status: number, headers: ParsedFields, statusText?: string): void {
    this.#context.runInAsyncScope(() => super.onResponseStart(controller, status, headers, statusText))
  }

  override onResponseEnd(controller: Source | undefined, trailers: ParsedFields): void {
    this.#context.runInAsyncScope(() => super.onResponseEnd(controller, trailers))
  }

  override onResponseError(controller: Source | null | undefined, error: unknown): void {
    this.#context.runInAsyncScope(() => super.onResponseError(controller, error))
  }
}

/** @internal The handler of a request that no circuit watches: what it sends next may be watched. */
export function inContext(handler: Handler): Handler {
  const context = new AsyncResource(NAME)
  return new Proxy(handler, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name)
      if (typeof value !== 'function') return value
      return (...args: unknown[]): unknown => context.runInAsyncScope(value as () => unknown, target, ...(args as []))
    },
  })
}
