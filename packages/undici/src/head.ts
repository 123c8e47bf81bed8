// The head of an answer in each form that somebody wants it in: bytes as on the wire, an object, and pairs.
import type { AnswerHead, HeaderPairs } from '@fuseboard/core'

/** @internal Header fields as bytes in wire order: names and values by turns. */
export type RawFields = Buffer[]
/** @internal Header fields by lower-case name, with lists for repeats. */
export type ParsedFields = Record<string, string | string[] | undefined>

/** @internal Header fields. Each form is made when it is first read: most are never. */
export class Fields {
  readonly #raw: RawFields | undefined
  #parsed: ParsedFields | undefined
  #pairs: readonly [string, string][] | undefined

  constructor(raw: unknown, parsed?: ParsedFields) {
    // HTTP/2 has an object here, and who makes an answer up may leave an empty list.
    this.#raw = Array.isArray(raw) && (raw.length > 0 || !parsed) ? (raw as RawFields) : undefined
    this.#parsed = parsed
  }

  get raw(): RawFields {
    return this.#raw ?? toRaw(this.pairs)
  }

  get parsed(): ParsedFields {
    return (this.#parsed ??= toParsed(this.pairs))
  }

  get pairs(): readonly [string, string][] {
    return (this.#pairs ??= [...(this.#raw ? rawPairs(this.#raw) : parsedPairs(this.#parsed ?? {}))])
  }
}

/** @internal An answer but for its body. */
export class Head extends Fields implements AnswerHead {
  readonly status: number
  readonly statusText: string

  constructor(status: number, statusText: string, raw: unknown, parsed?: ParsedFields) {
    super(raw, parsed)
    this.status = status
    this.statusText = statusText
  }

  get headers(): HeaderPairs {
    return this.pairs
  }

  /** undici hands on the bytes as they came. */
  get decoded(): boolean {
    return false
  }
}

/** @internal */
export function toRaw(pairs: HeaderPairs): RawFields {
  return [...pairs].flat().map((text) => Buffer.from(text, 'latin1'))
}

/** @internal */
export function toParsed(pairs: HeaderPairs): ParsedFields {
  const fields = new Map<string, string | string[]>()
  for (const [field, value] of pairs) {
    const name = field.toLowerCase()
    const before = fields.get(name)
    fields.set(name, before === undefined ? value : [before, value].flat())
  }
  return Object.fromEntries(fields)
}

function* rawPairs(raw: RawFields): Generator<[string, string]> {
  for (let i = 0; i + 1 < raw.length; i += 2) {
    // undici 7 makes a list of the values of a repeated field.
    for (const value of [raw[i + 1]].flat()) yield [textOf(raw[i]), textOf(value)]
  }
}

function* parsedPairs(parsed: ParsedFields): Generator<[string, string]> {
  for (const [name, values] of Object.entries(parsed)) {
    for (const value of [values].flat()) if (value !== undefined) yield [name, value]
  }
}

// A mock's are text.
const textOf = (part: Buffer | string | undefined): string =>
  typeof part === 'string' ? part : (part?.toString('latin1') ?? '')
