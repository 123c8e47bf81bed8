// Rules for options, and the words for breaking one.
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

  object(value: unknown, name: string): void {
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      this.fail(name, 'must be an object', value, TypeError)
  }

  known(value: object, names: Record<string, true>, name = ''): void {
    for (const option of Object.keys(value)) {
      if (names[option] === true) continue
      const path = name === '' ? option : `${name}.${option}`
      throw new TypeError(`${this.#name(path)} is not an option; there are ${Object.keys(names).join(', ')}`)
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

  #name(name: string): string {
    return this.#where === '' ? name : `${this.#where}.${name}`
  }
}

/** The most that any count may be: beyond it a window of calls would no longer be small. */
const MOST = 1_000_000
