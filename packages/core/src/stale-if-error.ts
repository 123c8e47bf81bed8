// Keeps good answers as they pass, and lets them stand in where the host cannot answer (RFC 9111, RFC 5861).
import { inWords } from './ask.ts'
import { after } from './awaitable.ts'
import { copyBody } from './body-copy.ts'
import { remember } from './bounded.ts'
import { CREDENTIAL, hasSecret } from './credentials.ts'
import type { Duration } from './duration.ts'
import { isToken } from './field.ts'
import { header, type HeaderPairs } from './headers.ts'
import { readBytes } from './memory-replies.ts'
import { Check } from './policy.ts'
import type { AnswerHead, Failure, Fallback, Replies, Reply, StoredReply } from './reply.ts'
import { isSafe, type HttpRequest } from './request.ts'
import { standIn } from './stand-in.ts'
import { isFinal, isUsable, termsOf, wantsHost, type Permission } from './storable.ts'
import { addressOf, isFor, keyOf, lasting, sizeOf } from './stored-reply.ts'

/** When stored replies stand in. Without options, only as hosts allow by themselves. */
export interface StaleIfErrorOptions {
  /**
   * Permission to keep answers of hosts that do not say for how long they may be used, and to use them for so long after
   * they have gone stale. No permission beats `no-store`, `private`, `must-revalidate` and the like, or credentials.
   * @default none
   */
  keepFor?: Duration
  /** Statuses to stand in for besides 500, 502, 503 and 504; from 400 to 599. @default [] */
  on?: readonly number[]
  /** Requests to leave alone: their answers are neither kept nor given. */
  skip?: (request: HttpRequest) => boolean
  /** Request headers that answers vary by though no `Vary` says so; such a header does not count as a credential. @default [] */
  varyBy?: readonly string[]
  /** Bigger bodies are not kept. @default 1_048_576 (1 MiB) */
  maxEntryBytes?: number
}

/**
 * Lets an earlier answer of the host stand in when the circuit refuses a request or the attempt fails: with no answer, or
 * with one of 500, 502, 503 and 504. The host is always asked first.
 *
 * @example fallback: staleIfError({ keepFor: '7d' })
 * @throws TypeError or RangeError where an option is wrong
 */
export function staleIfError(options: StaleIfErrorOptions = {}): Fallback {
  const permission = readOptions(options)
  // An answer that was on its way already when its key was dropped is not kept.
  const drops = new Map<string, number>()
  let turn = 0

  const skips = (request: HttpRequest, replies: Replies): boolean => {
    try {
      return options.skip?.(request) ?? false
    } catch (error) {
      replies.warn('skip-threw', `staleIfError.skip threw, which counts as skipped: ${inWords(error)}`)
      return true
    }
  }
  const drop = (address: URL, replies: Replies): void => {
    if (hasSecret(address)) return
    const key = keyOf(address)
    remember(drops, key, ++turn, MOST_DROPS)
    replies.delete(key)
  }

  return {
    covers: ({ reason, response }) => reason === 'refused' || !response || permission.on.has(response.status),

    standIn(failure, replies) {
      const { request } = failure
      if (!isSafe(request.method) || wantsHost(request) || skips(request, replies)) return undefined
      const address = ownAddress(request)
      if (address === undefined) return undefined

      return after(replies.get(keyOf(address)), (variants) => {
        const entry = variants?.find((variant) => isFor(variant, request))
        if (entry === undefined) return undefined
        // A clock that went back makes nothing younger than it was.
        const now = Math.max(replies.wall(), entry.storedAt)
        return isUsable(entry, request, permission, now) ? thaw(entry, failure, now) : undefined
      })
    },

    capture(request, head, replies) {
      if (request.method !== 'GET' || skips(request, replies)) return undefined
      const address = ownAddress(request)
      if (address === undefined) return undefined
      const terms = termsOf(request, head, permission, replies.wall(), (credential) => {
        const why = `${credential} may be a credential; a header that is none can be named in varyBy`
        replies.warn('reply-not-kept', `Replies of ${request.host} are not kept: ${why}`)
      })
      if (terms === undefined) return undefined

      const key = keyOf(address)
      const since = turn
      const { without, ...rest } = terms
      const { status, statusText, decoded } = head
      const headers = lasting(head.headers, decoded, without)
      return copyBody(permission.maxEntryBytes, lengthOf(head), (body) => {
        if (body === 'too big') return drop(address, replies)
        const entry: StoredReply = { v: 1, key, status, statusText, headers, body, decoded, ...rest }
        return keep(entry, request, replies, () => (drops.get(key) ?? 0) > since)
      })
    },

    superseded(request, { status, headers }, replies) {
      const address = addressOf(request.url)
      if (address === undefined || !isFinal(status, permission)) return
      if (isSafe(request.method)) {
        // A part, word of no change, or a head says nothing against what is kept.
        const noNews = status === 206 || status === 304 || (request.method === 'HEAD' && status < 400)
        if (!noNews && !skips(request, replies)) drop(address, replies)
      } else if (status < 400 && request.method !== 'OPTIONS' && request.method !== 'TRACE') {
        for (const name of ['', 'location', 'content-location']) {
          const changed = addressOf(header(headers, name) ?? '', address.href)
          if (changed?.origin === address.origin) drop(changed, replies)
        }
      }
    },
  }
}

/** By RFC 5861, section 4. */
const ERRORS = [500, 502, 503, 504] as const
/** How many answers of one key are kept, each for requests with other headers. */
const MOST_VARIANTS = 8
const MOST_DROPS = 256

function readOptions(options: StaleIfErrorOptions): Permission {
  new Check('').object(options, 'the options of staleIfError')
  const check = new Check('staleIfError')
  check.known(options, { keepFor: true, on: true, skip: true, varyBy: true, maxEntryBytes: true })
  check.optional(options.skip, 'skip', 'function')
  const { keepFor, on = [], varyBy = [], maxEntryBytes = 1 << 20 } = options
  if (!(Array.isArray(on) && on.every(isError))) check.fail('on', 'must be a list of statuses from 400 to 599', on)
  if (!(Array.isArray(varyBy) && varyBy.every(isPlainHeader))) {
    check.fail('varyBy', 'must be a list of headers that are not always credentials', varyBy)
  }
  return {
    keepFor: keepFor === undefined ? undefined : check.span(keepFor, 'keepFor'),
    on: new Set([...ERRORS, ...on]),
    varyBy: varyBy.map((name) => name.toLowerCase()),
    maxEntryBytes: readBytes(maxEntryBytes, 'maxEntryBytes', check),
  }
}

const isError = (status: number): boolean => Number.isInteger(status) && status >= 400 && status <= 599
const isPlainHeader = (name: string): boolean => isToken(name) && !CREDENTIAL.test(name.toLowerCase())

/** Where a request asks, if that is for anybody to know: no user or secret in the URL, and no other host in the headers. */
function ownAddress({ url, headers }: HttpRequest): URL | undefined {
  const address = addressOf(url)
  if (address === undefined || address.username !== '' || address.password !== '' || hasSecret(address))
    return undefined
  return (header(headers, 'host')?.toLowerCase() ?? address.host) === address.host ? address : undefined
}

/** How long the body is to be, where the bytes counted are those that will come. */
function lengthOf({ headers, decoded }: AnswerHead): number | undefined {
  const length = header(headers, 'content-length')
  if (length === undefined || (decoded && header(headers, 'content-encoding') !== undefined)) return undefined
  return /^\d+$/.test(length) ? Number(length) : NaN
}

/** Puts an entry before the other variants of its key. */
function keep(entry: StoredReply, request: HttpRequest, replies: Replies, isDropped: () => boolean): void {
  const alone = Object.keys(entry.vary).length === 0
  void after(alone ? [] : replies.get(entry.key), (known = []) => {
    if (isDropped()) return
    const now = replies.wall()
    const others = known.filter((other) => !isFor(other, request) && other.expiresAt > now)
    const variants = [entry, ...others].slice(0, MOST_VARIANTS)
    replies.set(entry.key, variants, {
      ttlMs: Math.max(...variants.map(({ expiresAt }) => expiresAt - now)),
      bytes: variants.reduce((sum, variant) => sum + sizeOf(variant), 0),
    })
  })
}

function thaw(entry: StoredReply, failure: Failure, now: number): Reply {
  const times = { age: entry.ageAtStore + now - entry.storedAt, ttl: entry.staleAt - now }
  const answer = { ...entry, headers: lasting(entry.headers, entry.decoded) }
  if (!isKnown(entry, failure.request)) return standIn(answer, failure, times)
  return standIn({ ...answer, status: 304, statusText: 'Not Modified', body: new Uint8Array() }, failure, times)
}

/** Whether the caller has the very same answer and asks for news of it only (RFC 9110, section 13.1.2). */
function isKnown({ status, headers }: StoredReply, request: HttpRequest): boolean {
  const [tag] = tagsIn(headers, 'etag')
  return status === 200 && tag !== undefined && tagsIn(request.headers, 'if-none-match').includes(tag)
}

/** The entity tags of a field, compared weakly: by what stands in their quotes. */
const tagsIn = (headers: HeaderPairs, name: string): readonly string[] => header(headers, name)?.match(/"[^"]*"/g) ?? []
