// Lengths of time as people write them ('30s', '5m'), and as the engine counts them: milliseconds.

const UNITS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const

/** A length of time: milliseconds, or a number with a unit, such as `'500ms'`, `'30s'`, `'5m'`, `'1h'`, `'7d'`. */
export type Duration = number | `${number}${keyof typeof UNITS}`

/**
 * Reads a duration that only exists at run time, such as one from the environment.
 *
 * @example policy({ openFor: duration(process.env.OPEN_FOR ?? '30s') })
 * @returns milliseconds
 * @throws TypeError where the text is no number with one of the units ms, s, m, h, d
 */
export function duration(text: string | number): number {
  const ms = parse(text)
  if (ms === undefined)
    throw new TypeError(`A duration is milliseconds or text such as '30s' or '5m', got ${show(text)}`)
  return ms
}

/** @internal Milliseconds, or undefined where the value is no duration. */
export function parse(value: unknown): number | undefined {
  if (typeof value === 'number') return Number.isFinite(value) && value >= 0 ? value : undefined
  if (typeof value !== 'string') return undefined
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(value)
  return match ? Number(match[1]) * UNITS[match[2] as keyof typeof UNITS] : undefined
}

/** @internal A value as an error message shows it. */
export function show(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value)
  if (typeof value === 'function') return `function ${value.name}`.trim()
  if (typeof value !== 'object' || value === null) return String(value)
  try {
    const { name = 'Object' } = Object(value.constructor) as { name?: string }
    // What is in a client or an error may be a secret, and in a Map or a promise nothing would be seen.
    return ['Object', 'Array'].includes(name) ? (JSON.stringify(value) ?? 'an object') : `object ${name}`
  } catch {
    return 'an object'
  }
}

/** @internal `1 call`, `2 calls`. */
export const plural = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`

/** @internal A length of time as a sentence has it: `30 s`, `1.5 s`, `250 ms`, `5 min`. */
export function spell(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`
  if (ms < 120_000) return `${round(ms / 1_000)} s`
  if (ms < 7_200_000) return `${round(ms / 60_000)} min`
  return `${round(ms / 3_600_000)} h`
}

const round = (value: number): number => (value < 10 ? Math.round(value * 10) / 10 : Math.round(value))
