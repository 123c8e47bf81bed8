// Which part of a film a request asks for, as section 14 of RFC 9110 has it.

/** What to send: bytes from one position up to, and without, another; all of it; or nothing, since there is no such part. */
export type Part = { readonly from: number; readonly to: number } | 'whole' | 'unsatisfiable'

interface Asked {
  readonly range?: string | undefined
  readonly 'if-range'?: string | undefined
}

interface Represented {
  readonly size: number
  readonly etag: string
}

/**
 * The part that a GET asks for. A server may ignore a Range: this one does so where the Range is malformed, in another unit, or of
 * several parts, for which nobody here asks.
 */
export function partOf({ range, 'if-range': condition }: Asked, { size, etag }: Represented): Part {
  // Only a strong tag that is equal will do: what a weak one or a date stands for may differ in its bytes.
  if (range === undefined || (condition !== undefined && condition !== etag)) return 'whole'
  const [, first = '', last = ''] = /^bytes=(\d*)-(\d*)$/i.exec(range.trim()) ?? []
  if (first !== '') return between(Number(first), last === '' ? Infinity : Number(last), size)
  return last === '' ? 'whole' : ending(Number(last), size)
}

function between(first: number, last: number, size: number): Part {
  if (last < first) return 'whole'
  return first < size ? { from: first, to: Math.min(last + 1, size) } : 'unsatisfiable'
}

function ending(length: number, size: number): Part {
  return length > 0 && size > 0 ? { from: Math.max(size - length, 0), to: size } : 'unsatisfiable'
}
