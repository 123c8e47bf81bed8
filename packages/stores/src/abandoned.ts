// A call that may be given up before it has ended: clients end theirs late, or never.

/**
 * @internal What the call answers, or a rejection as soon as the signal aborts. Where it has aborted before, nothing is called.
 */
export function unlessAbandoned<T>(signal: AbortSignal, call: () => Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted()
    const answer = call()
    const abandon = (): void => reject(signal.reason as Error)
    const settled = (): void => signal.removeEventListener('abort', abandon)
    signal.addEventListener('abort', abandon, { once: true })
    answer.then(resolve, reject).finally(settled)
  })
}
