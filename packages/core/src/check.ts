// Rules for options, and the words for breaking one.
import { isPromise } from './awaitable.ts'
import { parse, show } from './duration.ts'

/** @internal What a wrong option is told: its name, the rule, and the value given. */
export class Check {
  readonly #where: string

  constructor(where: string) {
    this.#where = where
  }

  fail(name: string, rule: string, value: unknown, Kind: typeof TypeError | typeof RangeError = RangeError): never {
    throw new Kind(`${this.#name(name)} ${rule}, got ${show(value)}`)
  }

  /** @param what what the value is where it is no object */
  known(value: object, names: readonly string[], name?: string, what = `the options of ${this.#where}`): void {
    checkObject(value, name ? this.#name(name) : what)
    for (const option of Object.keys(value)) {
      if (names.includes(option)) continue
      const meant = names.find((one) => isNear(option, one, one.length / 3))
      const hint = meant === undefined ? 'there' : `did you mean ${meant}? There`
      throw new TypeError(`${this.#name(name, option)} is not an option; ${hint} are ${names.join(', ')}`)
    }
  }

  optional(value: unknown, name: string, type: 'string' | 'function' | 'boolean' | 'object'): unknown {
    if (value !== undefined && typeof value !== type) this.fail(name, `must be a ${type}`, value, TypeError)
    return value
  }

  oneOf<const T extends string>(value: unknown, name: string, among: readonly T[]): T {
    if (!among.includes(value as T))
      this.fail(name, `must be one of ${among.map((one) => show(one)).join(', ')}`, value, TypeError)
    return value as T
  }

  ratio(value: unknown, name: string): number {
    if (typeof value !== 'number') this.fail(name, 'must be a number', value, TypeError)
    if (!(value > 0 && value <= 1)) this.fail(name, 'must be above 0 and at most 1', value)
    return value
  }

  factor(value: unknown, name: string): number {
    if (typeof value === 'number' && Number.isFinite(value) && value >= 1) return value
    this.fail(name, 'must be a number of at least 1', value)
  }

  count(value: unknown, name: string): number {
    if (typeof value !== 'number') this.fail(name, 'must be a number', value, TypeError)
    if (!(Number.isInteger(value) && value >= 1 && value <= MOST))
      this.fail(name, `must be a whole number from 1 to ${MOST}`, value)
    return value
  }

  /** Milliseconds, 0 included. */
  time(value: unknown, name: string): number {
    const ms = parse(value)
    if (ms === undefined) this.fail(name, "must be milliseconds or text such as '30s'", value, TypeError)
    return ms
  }

  /** Milliseconds above 0. */
  span(value: unknown, name: string): number {
    const ms = this.time(value, name)
    if (ms <= 0) this.fail(name, 'must be longer than 0', value)
    return ms
  }

  #name(...names: (string | undefined)[]): string {
    return [this.#where, ...names].filter(Boolean).join('.')
  }
}

/** @internal @throws TypeError where it is none, by all that it is called */
export function checkObject(value: unknown, what: string): void {
  // Of a list, a Map or a promise no option would ever be read.
  if (typeof value !== 'object' || value === null || Symbol.iterator in value || isPromise(value))
    throw new TypeError(`${what} must be an object, got ${show(value)}`)
}

/** The most that any count may be: beyond it a window of calls would no longer be small. */
const MOST = 1_000_000

/** Whether so many letters more or less make one name of another. */
function isNear(given: string, name: string, edits: number): boolean {
  if (given[0] === name[0]) return given === name || isNear(given.slice(1), name.slice(1), edits)
  return edits >= 1 && (isNear(given.slice(1), name, edits - 1) || isNear(given, name.slice(1), edits - 1))
}
