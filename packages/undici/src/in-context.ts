// Answers in the context of who asked: undici tells of them in that of whoever opened the socket, and redirect sends its hops
// from there, where AsyncLocalStorage would name another caller.
import { AsyncResource } from 'node:async_hooks'
import type { Board } from '@fuseboard/core'
import { AttemptHandler } from './handler.ts'
import type { ParsedFields } from './head.ts'
import type { Handler, Source } from './interfaces.ts'

/** @internal What asks the functions of a policy, and what may send again, is called in the context that it was made in. */
export class HandlerInContext extends AttemptHandler {
  readonly #context = new AsyncResource('FUSEBOARD')

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
export function inContext({ replaces }: Board, handler: Handler): Handler {
  if (!replaces) return handler
  const context = new AsyncResource('FUSEBOARD')
  return new Proxy(handler, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name)
      return typeof value === 'function'
        ? (...told: unknown[]) => context.runInAsyncScope(value as () => unknown, target, ...(told as []))
        : value
    },
  })
}
