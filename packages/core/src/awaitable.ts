// A value now or later: what is there at once is used at once, since a promise costs a turn of the event loop.

/** A value, or the promise of one. */
export type Awaitable<T> = T | PromiseLike<T>

/** @internal Whether a value is still to come. */
export function isPromise(value: unknown): value is PromiseLike<unknown> {
  try {
    return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function'
  } catch {
    // What cannot be asked is none.
    return false
  }
}

/** @internal Uses a value, now or when it comes. */
export function after<T, R>(value: Awaitable<T>, use: (value: T) => R): Awaitable<R> {
  return isPromise(value) ? value.then(use) : use(value)
}
