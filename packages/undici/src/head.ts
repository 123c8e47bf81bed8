// The head of an answer in each form that somebody wants it in: bytes as on the wire, an object, and pairs.
import type { AnswerHead } from '@fuseboard/core'

/** @internal Header fields as bytes in wire order: names and values by turns. */
export type RawFields = Buffer[]
/** @internal Header fields by lower-case name, with lists for repeats. */
export type ParsedFields = Record<string, string | string[] | undefined>
/** @internal */
export type FieldPairs = readonly (readonly [name: string, value: string])[]

/** @internal An answer but for its body, as it was given: other forms of its headers are made when they are read, and most are never. */
export class Head implements AnswerHead {
  readonly status: number
  readonly statusText: string
  /** What the layers below say of the request: redirect has its history there, which it goes on writing. */
  context: unknown = undefined
  readonly #raw: unknown
  readonly #parsed: ParsedFields | undefined
  #pairs: FieldPairs | undefined

  constructor(status: number, statusText: string, raw: unknown, parsed: ParsedFields | undefined) {
    this.status = status
    this.statusText = statusText
    this.#raw = raw
    this.#parsed = parsed
    this.#pairs = undefined
  }

  /** undici hands on the bytes as they came. */
  get decoded(): boolean {
    return false
  }

  /** Whether redirects were followed below: the last URL of a history is that of the answer itself. */
  get redirected(): boolean {
    const { history } = (this.context ?? {}) as { readonly history?: unknown }
    return Array.isArray(history) && history.length > 1
  }

  get headers(): FieldPairs {
    return (this.#pairs ??= pairsOf(this.#raw, this.#parsed))
  }

  get raw(): RawFields {
    return rawOf(this.#raw, this.#parsed)
  }

  get parsed(): ParsedFields {
    return parsedOf(this.#raw, this.#parsed)
  }
}

/** @internal Fields as bytes, from whichever form they came in. */
export function rawOf(raw: unknown, parsed: ParsedFields | undefined): RawFields {
  return isRaw(raw, parsed) ? raw : toRaw(parsedPairs(parsed ?? {}))
}

/** @internal */
export function parsedOf(raw: unknown, parsed: ParsedFields | undefined): ParsedFields {
  return parsed ?? toParsed(pairsOf(raw, parsed))
}

/** @internal */
export function toRaw(pairs: FieldPairs): RawFields {
  return pairs.flat().map((text) => Buffer.from(text, 'latin1'))
}

/** @internal */
export function toParsed(pairs: FieldPairs): ParsedFields {
  const fields = new Map<string, string | string[]>()
  for (const [field, value] of pairs) {
    const name = field.toLowerCase()
    const before = fields.get(name)
    fields.set(name, before === undefined ? value : [before, value].flat())
  }
  return Object.fromEntries(fields)
}

const pairsOf = (raw: unknown, parsed: ParsedFields | undefined): FieldPairs =>
  isRaw(raw, parsed) ? rawPairs(raw) : parsedPairs(parsed ?? {})

// HTTP/2 has an object here, and who makes an answer up may leave an empty list.
const isRaw = (raw: unknown, parsed: ParsedFields | undefined): raw is RawFields =>
  Array.isArray(raw) && (raw.length > 0 || !parsed)

function rawPairs(raw: RawFields): FieldPairs {
  const pairs: [string, string][] = []
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = textOf(raw[i])
    const values: Buffer | Buffer[] | undefined = raw[i + 1]
    // undici 7 makes a list of the values of a repeated field.
    if (Array.isArray(values)) for (const value of values) pairs.push([name, textOf(value)])
    else pairs.push([name, textOf(values)])
  }
  return pairs
}

const parsedPairs = (parsed: ParsedFields): FieldPairs =>
  Object.entries(parsed).flatMap(([name, values]) =>
    [values].flat().flatMap((value) => (value === undefined ? [] : [[name, value] as const])),
  )

// A mock's are text.
const textOf = (part: Buffer | string | undefined): string =>
  typeof part === 'string' ? part : (part?.toString('latin1') ?? '')
