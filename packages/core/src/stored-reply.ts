// An answer at rest: where it is kept, whom it is for, what of its headers is kept, and whether it can be trusted.
import { isHarmless } from './credentials.ts'
import { isFieldValue, isToken, names } from './field.ts'
import { header, type HeaderPairs } from './headers.ts'
import type { StoredReply } from './reply.ts'
import type { HttpRequest } from './request.ts'
import { sha256 } from './sha256.ts'

/** What keeping an entry costs beyond what it holds. */
const OVERHEAD = 256

/** @internal The bytes that an entry takes. */
export function sizeOf({ key, body, headers, vary }: StoredReply): number {
  let bytes = OVERHEAD + key.length + body.byteLength
  for (const pair of headers) bytes += pair[0].length + pair[1].length
  for (const name in vary) bytes += name.length + (vary[name]?.length ?? 0)
  return bytes
}

/** @internal The value of a request header as variants are told apart by it; of one that may be a secret, its hash. */
export function variance(request: HttpRequest, name: string): string | null {
  const value = header(request.headers, name)
  if (value === undefined) return null
  return isHarmless(name) ? value.trim().replaceAll(/\s*,\s*/g, ',') : sha256(value.trim())
}

/** @internal Whether an entry is the variant that a request is about. */
export function isFor(entry: StoredReply, request: HttpRequest): boolean {
  return Object.entries(entry.vary).every(([name, value]) => variance(request, name) === value)
}

const CONNECTION = /^(?:connection|keep-alive|te|trailer|transfer-encoding|upgrade|proxy-.+)$/
const NEVER_KEPT = /^(?:set-cookie2?|age)$/
const OF_THE_WIRE = /^content-(?:encoding|length)$/

/**
 * @internal The headers that outlive a connection and are not for one caller alone.
 * @param decoded whether those go too that describe the bytes on the wire
 */
export function lasting(headers: HeaderPairs, decoded: boolean, besides: readonly string[] = []): [string, string][] {
  const gone = new Set([...names(header(headers, 'connection')), ...besides])
  const kept: [string, string][] = []
  for (const pair of headers) {
    const name = pair[0].toLowerCase()
    if (gone.has(name) || CONNECTION.test(name) || NEVER_KEPT.test(name) || (decoded && OF_THE_WIRE.test(name)))
      continue
    kept.push([pair[0], pair[1]])
  }
  return kept
}

/** @internal What an entry is that was kept otherwise than it was given. */
export const MALFORMED = 'a malformed entry'

/** @internal What is wrong with a thing that a store gave for an entry; undefined where nothing is. */
export function faultOf(thing: unknown, key: string): string | undefined {
  const entry = (thing ?? {}) as Record<keyof StoredReply, unknown>
  if (entry.v !== 1) return 'an entry of another version'
  if (entry.key !== key) return 'an entry of another key'
  const status = Number.isInteger(entry.status) ? Number(entry.status) : 0
  const sound =
    status >= 200 &&
    status <= 599 &&
    isFieldValue(entry.statusText) &&
    isHeaders(entry.headers) &&
    isVary(entry.vary) &&
    entry.body instanceof Uint8Array &&
    typeof entry.decoded === 'boolean' &&
    [entry.storedAt, entry.ageAtStore, entry.staleAt, entry.expiresAt].every(Number.isFinite)
  return sound ? undefined : MALFORMED
}

const isHeaders = (headers: unknown): boolean =>
  Array.isArray(headers) && headers.every((pair) => Array.isArray(pair) && isToken(pair[0]) && isFieldValue(pair[1]))

const isVary = (vary: unknown): boolean =>
  typeof vary === 'object' &&
  vary !== null &&
  Object.values(vary).every((value) => value === null || typeof value === 'string')
