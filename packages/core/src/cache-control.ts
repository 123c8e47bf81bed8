// What Cache-Control says (RFC 9111, section 5.2, and RFC 5861), read in the restrictive way wherever it is unclear.
import { remember } from './bounded.ts'
import { isToken, names } from './field.ts'

type Flag = 'no-store' | 'no-cache' | 'private' | 'public' | 'must-revalidate' | 'proxy-revalidate'
type Seconds = 'max-age' | 's-maxage' | 'stale-if-error' | 'max-stale' | 'min-fresh'

/** @internal The directives that stored replies go by, of an answer or of a request. */
export interface CacheControl extends Readonly<Partial<Record<Flag, true> & Record<Seconds, number>>> {
  /** The header fields that `private="..."` or `no-cache="..."` name: all but these may be kept. */
  readonly fields: readonly string[]
}

const FLAG = /^(?:no-store|no-cache|private|public|must-revalidate|proxy-revalidate)$/
const SECONDS = /^(?:max-age|s-maxage|stale-if-error|max-stale|min-fresh)$/
const QUOTED = /^"(?:[^"\\]|\\.)*"$/
// The commas of a quoted string are its own. One that is not closed, or has more behind it, is none: what it would swallow
// may be a no-store.
const DIRECTIVE = /([^=,]+|(?==))(?:=("(?:[^"\\]|\\.)*"[ \t]*(?=,|$)|[^,]*))?/g

const MOST_SECONDS = 2 ** 31 - 1
const MEMO_SIZE = 64

const memo = new Map<string, CacheControl>()

/** @internal Reads the header; the latest ones seen are not read again. */
export function cacheControl(header = ''): CacheControl {
  let read = memo.get(header)
  if (read === undefined) {
    read = scan(header.toLowerCase())
    remember(memo, header, read, MEMO_SIZE)
  }
  return read
}

function scan(text: string): CacheControl {
  const found: Partial<Record<string, true | number>> = {}
  const fields: string[] = []
  for (const [, before = '', behind] of text.matchAll(DIRECTIVE)) {
    const name = before.trim()
    const value = behind?.trimEnd()
    const quoted = value !== undefined && QUOTED.test(value)
    // What is no directive may hide one, as in `max-age=60; no-store`.
    const isOne = isToken(name) || (name === '' && value === undefined)
    if (!isOne || (value && !quoted && !isToken(value))) found['no-store'] = true

    if (SECONDS.test(name)) {
      const seconds = secondsOf(name, value)
      const known = (found[name] ?? seconds) as number
      found[name] = name === 'min-fresh' ? Math.max(known, seconds) : Math.min(known, seconds)
    } else if (FLAG.test(name)) {
      const named = quoted && /^(?:private|no-cache)$/.test(name) ? names(value.slice(1, -1)) : []
      if (named.length > 0 && named.every(isToken)) fields.push(...named)
      else if (name !== 'public' || value === undefined) found[name] = true
    }
  }
  return { ...found, fields }
}

function secondsOf(name: string, value: string | undefined): number {
  const digits = /^"?(\d+)"?$/.exec(value ?? '')?.[1]
  if (digits !== undefined) return Math.min(Number(digits), MOST_SECONDS)
  // max-stale alone means any age; a min-fresh that cannot be read is one that nothing meets.
  return name === 'min-fresh' || (name === 'max-stale' && value === undefined) ? MOST_SECONDS : 0
}
