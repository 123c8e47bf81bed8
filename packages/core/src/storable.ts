// Which answers may be kept, and on what terms: what the host says decides, and the policy permits where it says nothing.
import { cacheControl, type CacheControl } from './cache-control.ts'
import { CREDENTIAL, credentialOf } from './credentials.ts'
import { isToken, names } from './field.ts'
import { ageOf, lifetimeOf, windowOf } from './freshness.ts'
import { header, type HeaderPairs } from './headers.ts'
import { judgeStatus } from './outcome.ts'
import type { AnswerHead, StoredReply } from './reply.ts'
import type { HttpRequest } from './request.ts'
import { variance } from './stored-reply.ts'

/** @internal What a policy permits where hosts say nothing. Milliseconds and bytes. */
export interface Permission {
  readonly keepFor: number | undefined
  /** The statuses that a stored reply may stand in for. */
  readonly on: ReadonlySet<number>
  /** In lower case. */
  readonly varyBy: readonly string[]
  readonly maxEntryBytes: number
}

/** How an answer is kept. */
type Terms = Pick<StoredReply, 'vary' | 'storedAt' | 'ageAtStore' | 'staleAt' | 'expiresAt'> & {
  /** The header fields that the host wants no cache to keep. */
  readonly without: readonly string[]
}

// RFC 9110, section 15.1, but for 206, which is a part.
const CACHEABLE: ReadonlySet<number> = new Set([200, 203, 204, 300, 301, 308, 404, 405, 410, 414, 501])
const PERMITTED: ReadonlySet<number> = new Set([200, 203, 204, 301, 308])
const UNENDING = /^\s*(?:text\/event-stream|multipart\/x-mixed-replace)/i

/** @internal Whether a status is the host's last word, so that what was kept is not. */
export function isFinal(status: number, { on }: Permission): boolean {
  return status >= 200 && judgeStatus(status) === 'success' && !on.has(status)
}

/**
 * @internal The terms on which an answer may be kept; undefined where it may not.
 * @param refused told the credential that it is not kept for, where the policy permits it otherwise
 */
export function termsOf(
  request: HttpRequest,
  { status, headers, redirected }: AnswerHead,
  permission: Permission,
  now: number,
  refused: (credential: string) => void,
): Terms | undefined {
  const said = readCacheControl(headers)
  const asked = readCacheControl(request.headers)
  if (!isFinal(status, permission) || status === 206 || status === 304 || redirected) return undefined
  if (said['no-store'] || said['no-cache'] || said.private || asked['no-store']) return undefined
  if (header(request.headers, 'range') !== undefined) return undefined
  if (!said.public && header(headers, 'set-cookie') !== undefined) return undefined
  if (UNENDING.test(header(headers, 'content-type') ?? '')) return undefined
  if (Number(header(headers, 'content-length')) > permission.maxEntryBytes) return undefined
  const vary = varianceOf(request, headers, permission)
  if (vary === undefined) return undefined

  const lifetime = lifetimeOf(headers, said, now)
  const keepFor = permitted(status, permission)
  const silent = lifetime === undefined && said['stale-if-error'] === undefined
  if (silent ? keepFor === undefined : lifetime === undefined && !CACHEABLE.has(status)) return undefined
  const ageAtStore = ageOf(headers, now)
  const staleAt = now - ageAtStore + (lifetime ?? 0)
  // The next caller may ask for less than this one, or for more.
  const expiresAt = staleAt + Math.max(windowOf(said, NOTHING, keepFor), windowOf(said, asked, keepFor), 0)
  if (expiresAt <= now) return undefined

  const credential = ownerOf(request, said, keepFor, permission)
  if (credential === undefined) return { vary, storedAt: now, ageAtStore, staleAt, expiresAt, without: said.fields }
  if (keepFor !== undefined) refused(credential)
  return undefined
}

/**
 * @internal Whether an entry may stand in now.
 * @param now a clock that went back counts as having stood still
 */
export function isUsable(entry: StoredReply, request: HttpRequest, permission: Permission, now: number): boolean {
  const said = readCacheControl(entry.headers)
  const asked = readCacheControl(request.headers)
  const keepFor = permitted(entry.status, permission)
  const { 'max-age': maxAge = Infinity, 'min-fresh': minFresh = -Infinity } = asked
  const ttl = entry.staleAt - now
  return (
    (ttl > 0 || -ttl <= windowOf(said, asked, keepFor)) &&
    now <= entry.expiresAt &&
    ttl >= minFresh * 1_000 &&
    entry.ageAtStore + now - entry.storedAt < maxAge * 1_000 &&
    ownerOf(request, said, keepFor, permission) === undefined &&
    // The entry may be of another policy, or of an earlier one.
    entry.body.byteLength <= permission.maxEntryBytes &&
    permission.varyBy.every((name) => Object.hasOwn(entry.vary, name))
  )
}

/** @internal Whether a caller wants the host's own answer or none, or only a part of one. */
export function wantsHost({ headers }: HttpRequest): boolean {
  const asked = readCacheControl(headers)
  return asked['no-cache'] || asked['no-store'] || header(headers, 'range') !== undefined
}

const NOTHING = cacheControl()

function readCacheControl(headers: HeaderPairs): CacheControl {
  const said = header(headers, 'cache-control')
  // Older than Cache-Control, and still sent in its stead.
  const uncached = names(header(headers, 'pragma')).includes('no-cache')
  return cacheControl(uncached ? `no-cache, ${said ?? ''}` : said)
}

/** What the policy permits for an answer of this status, where the host says nothing. */
function permitted(status: number, { keepFor }: Permission): number | undefined {
  return PERMITTED.has(status) ? keepFor : undefined
}

/**
 * What in a request makes its answer one for this caller alone; undefined where anybody may have it. A host that says
 * `public` or `s-maxage` takes that on itself (RFC 9111, section 3.5).
 */
function ownerOf(
  request: HttpRequest,
  said: CacheControl,
  keepFor: number | undefined,
  { varyBy }: Permission,
): string | undefined {
  if (said.public || said['s-maxage'] !== undefined) return undefined
  return credentialOf(request, keepFor !== undefined && said['stale-if-error'] === undefined, varyBy)
}

/** The request headers that an answer varies by; undefined where that is more than can be told. */
function varianceOf(
  request: HttpRequest,
  headers: HeaderPairs,
  { varyBy }: Permission,
): StoredReply['vary'] | undefined {
  const values = [...names(header(headers, 'vary')), ...varyBy].map((name) => [name, variance(request, name)] as const)
  return values.every(canTell) ? Object.fromEntries(values) : undefined
}

// A credential is not for a store to hold, not even to tell answers apart.
const canTell = ([name, value]: readonly [name: string, value: string | null]): boolean =>
  isToken(name) && name !== '*' && (value === null || !CREDENTIAL.test(name))
