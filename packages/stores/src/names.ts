// Under which names entries are kept, and for how long a store is asked to keep them.
import { createHash } from 'node:crypto'

const MOST_MS = 10 * 365 * 24 * 3_600_000

/** @internal What all names of replies in a namespace begin with. @throws TypeError where it is none */
export function prefixOf(who: string, namespace: unknown): string {
  return `${spaceOf(who, namespace)}reply:`
}

/** @internal What all names in a namespace begin with. @throws TypeError where it is none */
export function spaceOf(who: string, namespace: unknown): string {
  const fits = typeof namespace === 'string' && /^[\w.-]{1,64}$/.test(namespace)
  if (!fits) {
    const rule = 'must be 1 to 64 letters, digits, dots, hyphens or underscores'
    throw new TypeError(`${who}.namespace ${rule}, got ${JSON.stringify(namespace)}`)
  }
  return `fuseboard:${namespace}:`
}

/** @internal A short name for a key, which may be of any length: core compares the key in the entry itself. */
export function hashOf(key: string): string {
  // Some databases take names for equal that differ only in case.
  return createHash('sha256').update(key).digest('hex')
}

/** @internal Whole milliseconds that every store can count with. */
export function lifetimeOf(ttlMs: number): number {
  return Math.min(Math.max(Math.ceil(ttlMs), 1), MOST_MS)
}

/** @internal @throws TypeError where an object lacks a method */
export function checkMethods(thing: unknown, what: string, names: readonly string[]): void {
  const missing = names.find((name) => typeof (thing as Record<string, unknown> | undefined)?.[name] !== 'function')
  if (missing !== undefined) throw new TypeError(`${what}, got one without ${missing}()`)
}

/** @internal @throws TypeError where options are no object */
export function checkObject(who: string, options: unknown): asserts options is object {
  if (typeof options !== 'object' || options === null)
    throw new TypeError(`the options of ${who} must be an object, got ${options === null ? 'null' : typeof options}`)
}

/** @internal @throws TypeError where there are options that nothing is known of */
export function checkOptions(who: string, options: unknown, known: readonly string[]): void {
  checkObject(who, options)
  const strange = Object.keys(options).find((name) => !known.includes(name))
  if (strange !== undefined) throw new TypeError(`${who} has no option ${strange}; there are ${known.join(', ')}`)
}
