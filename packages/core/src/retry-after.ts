// Retry-After: when a host says that it is worth asking again (RFC 9110, section 10.2.3).
import { header, type HeaderPairs } from './headers.ts'

/**
 * What a host says in `Retry-After`. A date is read against the answer's own Date.
 *
 * @param wall milliseconds since the epoch
 * @returns milliseconds from now, or undefined where the host gives no time
 */
export function retryAfter(headers: HeaderPairs | undefined, wall: number): number | undefined {
  const value = header(headers, 'retry-after')?.trim()
  if (value === undefined) return undefined
  if (/^\d+$/.test(value)) return Math.min(Number(value) * 1_000, Number.MAX_SAFE_INTEGER)
  const at = Date.parse(value)
  // A bare number with a sign or a fraction would be taken for a year.
  if (Number.isNaN(at) || /^[-+.\d]+$/.test(value)) return undefined
  const date = Date.parse(header(headers, 'date') ?? '')
  return Math.max(0, at - (Number.isNaN(date) ? wall : date))
}
