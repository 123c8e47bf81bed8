// Which answers may be kept, and on what terms: what the host says decides, and the policy permits where it says nothing.
import { cacheControl, type CacheControl } from './cache-control.ts'
import { CREDENTIAL, credentialOf } from './credentials.ts'
import { bindingOn, directivesOf, isForbidden } from './directives.ts'
import { isToken, names } from './field.ts'
import { ageOf, lifetimeOf, windowOf } from './freshness.ts'
import { header, type HeaderPairs } from './headers.ts'
import type { Unkept } from './reply-counters.ts'
import type { AnswerHead, StoredReply } from './reply.ts'
import type { HttpRequest } from './request.ts'
import { isWhole, type Permission } from './stale-options.ts'
import { variance } from './stored-reply.ts'

/** How an answer is kept. */
type Terms = Pick<StoredReply, 'vary' | 'storedAt' | 'ageAtStore' | 'staleAt' | 'expiresAt'> & {
  readonly unkept?: undefined
  /** The header fields that the host wants no cache to keep. */
  readonly without: readonly string[]
}

/** Why it is not. */
interface Unfit {
  readonly unkept: Unkept
  /** What it is not kept for though the policy permits it otherwise. */
  readonly credential?: string | undefined
}

// RFC 9110, section 15.1, but for 206, which is a part.
const CACHEABLE: ReadonlySet<number> = new Set([200, 203, 204, 300, 301, 308, 404, 405, 410, 414, 501])
const PERMITTED: ReadonlySet<number> = new Set([200, 203, 204, 301, 308])
const UNENDING = /^\s*(?:text\/event-stream|multipart\/x-mixed-replace)/i

/**
 * @internal The terms on which an answer may be kept, or why it may not.
 * @param owned whether it is kept for one partition alone
 */
export function termsOf(
  request: HttpRequest,
  head: AnswerHead,
  owned: boolean,
  permission: Permission,
  now: number,
): Terms | Unfit {
  const { status, headers } = head
  const said = bindingOn(headers, permission.unbound)
  const asked = directivesOf(request.headers)
  const unkept = unfit(request, head, said, permission)
  if (unkept !== undefined) return { unkept }
  const vary = varianceOf(request, headers, owned, permission)
  if (vary === undefined) return { unkept: 'vary' }

  const lifetime = lifetimeOf(headers, said, now)
  const keepFor = permitted(status, permission)
  const silent = lifetime === undefined && said['stale-if-error'] === undefined
  if (silent && keepFor === undefined) return { unkept: 'silent' }
  if (!silent && lifetime === undefined && !CACHEABLE.has(status)) return { unkept: 'status' }
  const ageAtStore = ageOf(headers, now)
  const staleAt = now - ageAtStore + (lifetime ?? 0)
  // The next caller may ask for less than this one, or for more.
  const window = (asked: CacheControl): number => windowOf(said, asked, keepFor, permission.maxStale)
  const expiresAt = staleAt + Math.max(window(NOTHING), window(asked), 0)
  if (expiresAt <= now) return { unkept: 'too-old' }

  const credential = credentialFor(request, status, said, owned, permission)
  if (credential === undefined) return { vary, storedAt: now, ageAtStore, staleAt, expiresAt, without: said.fields }
  return { unkept: 'credential', credential: keepFor === undefined ? undefined : credential }
}

function unfit(
  request: HttpRequest,
  { status, headers, redirected }: AnswerHead,
  said: CacheControl,
  permission: Permission,
): Unkept | undefined {
  const { statuses, shared, maxEntryBytes } = permission
  if (!isWhole(status, permission)) return 'status'
  if (statuses !== undefined && !statuses.has(status)) return 'status'
  if (redirected) return 'redirected'
  if (isForbidden(said) || directivesOf(request.headers)['no-store']) return 'forbidden'
  if (header(request.headers, 'range') !== undefined) return 'range'
  if (shared && !said.public && header(headers, 'set-cookie') !== undefined) return 'set-cookie'
  if (UNENDING.test(header(headers, 'content-type') ?? '')) return 'endless'
  if (Number(header(headers, 'content-length')) > maxEntryBytes) return 'too-big'
  return undefined
}

const NOTHING = cacheControl()

/** @internal What the policy permits for an answer of this status, where the host says nothing. */
export function permitted(status: number, { keepFor, statuses = PERMITTED }: Permission): number | undefined {
  return statuses.has(status) ? keepFor : undefined
}

/**
 * @internal What in a request makes its answer one for this caller alone; undefined where whoever asks at this place may have
 * it. A host that says `public` or `s-maxage` takes that on itself (RFC 9111, section 3.5), but not for a redirect, which
 * would send the credential on.
 */
export function credentialFor(
  request: HttpRequest,
  status: number,
  said: CacheControl,
  owned: boolean,
  permission: Permission,
): string | undefined {
  if (status >= 300 && status < 400) {
    const credential = credentialOf(request, false, [])
    if (credential !== undefined) return credential
  }
  if (owned || said.public || said['s-maxage'] !== undefined) return undefined
  const strict = permitted(status, permission) !== undefined && said['stale-if-error'] === undefined
  return credentialOf(request, strict, permission.varyBy)
}

/** The request headers that an answer varies by; undefined where that is more than can be told. */
function varianceOf(
  request: HttpRequest,
  headers: HeaderPairs,
  owned: boolean,
  { varyBy }: Permission,
): StoredReply['vary'] | undefined {
  const told = [...names(header(headers, 'vary')), ...varyBy]
  if (told.length === 0) return {}
  const values = told.map((name) => [name, variance(request, name)] as const)
  // A credential tells apart only those whom the policy knows.
  const canTell = ([name, value]: readonly [name: string, value: string | null]): boolean =>
    isToken(name) && name !== '*' && (owned || value === null || !CREDENTIAL.test(name))
  return values.every(canTell) ? Object.fromEntries(values) : undefined
}
