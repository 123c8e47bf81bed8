// Asks a function of the user's: whatever it does, the request goes on.
import { isPromise } from './awaitable.ts'

/**
 * @internal Asks, and reads the answer. What goes wrong is told in words, and `undefined` stands for the answer: the function
 * threw, or gave a promise where nobody waits, or `read` threw.
 */
export function ask<T>(call: () => unknown, read: (said: unknown) => T, failed: (why: string) => void): T | undefined {
  try {
    const said = call()
    if (!isPromise(said)) return read(said)
    // Its rejection is nobody's, and must not end the process.
    said.then(undefined, () => {})
    failed('it must answer at once, got a promise')
  } catch (error) {
    failed(inWords(error))
  }
  return undefined
}

/** @internal What was thrown, in words: it may be anything. */
export function inWords(thrown: unknown): string {
  try {
    return String(thrown)
  } catch {
    return 'something without words was thrown'
  }
}
