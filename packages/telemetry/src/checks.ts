// Rules for what this package is given, and the words for breaking one.
import { duration, type Duration } from '@fuseboard/core'

/** @internal @throws TypeError where it is no board */
export function checkBoard(who: string, board: unknown): void {
  const isBoard = typeof board === 'object' && board !== null && Symbol.for('fuseboard.board') in board
  if (!isBoard) throw new TypeError(`${who} needs a board first, got ${show(board)}`)
}

/** @internal @throws TypeError where they are no options, or where there are some that nothing is known of */
export function checkOptions(who: string, options: unknown, known: readonly string[]): void {
  if (typeof options !== 'object' || options === null)
    throw new TypeError(`the options of ${who} must be an object, got ${show(options)}`)
  const strange = Object.keys(options).find((name) => !known.includes(name))
  if (strange !== undefined) throw new TypeError(`${who} has no option ${strange}; there are ${known.join(', ')}`)
}

/** @internal @throws TypeError where it is no text, or an empty one */
export function checkText(name: string, value: unknown): void {
  if (typeof value !== 'string' || value === '') throw new TypeError(`${name} must be a text, got ${show(value)}`)
}

/** @internal @throws TypeError where an object lacks a method */
export function checkMethod(name: string, value: unknown, method: string): void {
  const has = typeof (value as Record<string, unknown> | null | undefined)?.[method] === 'function'
  if (!has) throw new TypeError(`${name} must have a method ${method}, got ${show(value)}`)
}

/** @internal @throws TypeError where it is neither a function nor undefined */
export function checkFunction(name: string, value: unknown): void {
  if (value !== undefined && typeof value !== 'function')
    throw new TypeError(`${name} must be a function, got ${show(value)}`)
}

/** @internal Milliseconds. @throws TypeError or RangeError where it is no time longer than 0 */
export function checkSpan(name: string, value: Duration): number {
  let ms: number
  try {
    ms = duration(value)
  } catch {
    throw new TypeError(`${name} must be milliseconds or text such as '30s', got ${show(value)}`)
  }
  if (ms > 0) return ms
  throw new RangeError(`${name} must be longer than 0, got ${show(value)}`)
}

/** @internal What went wrong, in words. */
export function wordsOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  // Where several addresses were tried, the error itself says nothing.
  const { message, name, code } = error as Error & { code?: unknown }
  return message || (typeof code === 'string' ? code : name)
}

/** @internal A value as an error message shows it: nothing of what is in it, since that may be a secret. */
export function show(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value)
  if (typeof value === 'function') return `function ${value.name}`.trim()
  if (typeof value !== 'object' || value === null) return String(value)
  return Array.isArray(value) ? 'a list' : 'an object'
}
