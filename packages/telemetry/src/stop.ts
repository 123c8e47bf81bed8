// What ends an exporter: a function that is also a resource, for `using`.

/** Ends what it was given for. Calling it again does nothing. */
export type Stop = (() => void) & Disposable

/** @internal */
export function stopOf(end: () => void): Stop {
  let ended = false
  const stop = (): void => {
    if (ended) return
    ended = true
    end()
  }
  return Object.assign(stop, { [Symbol.dispose]: stop })
}
