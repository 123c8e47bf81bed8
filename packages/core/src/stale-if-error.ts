// Keeps good answers as they pass, and lets them stand in where the host cannot answer (RFC 9111, RFC 5861).
import { askOnce, nameOf, UNASKED } from './asked.ts'
import { after } from './awaitable.ts'
import { copyBody } from './body-copy.ts'
import { remember } from './bounded.ts'
import { isKnown } from './conditional.ts'
import { wantsHost } from './directives.ts'
import { FencedReplies } from './fenced-replies.ts'
import { header, listOf, type HeaderPairs } from './headers.ts'
import { keep, lengthOf } from './keeping.ts'
import { memoryReplies } from './memory-replies.ts'
import { addressOf, keysOf, placeOf } from './reply-key.ts'
import type { Unkept } from './reply-counters.ts'
import { MAKER, type Failure, type Fallback, type Replies, type Reply, type StoredReply } from './reply.ts'
import { isSafe, type HttpRequest } from './request.ts'
import { isFinal, readOptions, type Permission, type StaleIfErrorOptions } from './stale-options.ts'
import { standIn } from './stand-in.ts'
import { termsOf } from './storable.ts'
import { isFor, lasting } from './stored-reply.ts'
import { unusable } from './usable.ts'

export type { StaleIfErrorOptions } from './stale-options.ts'

/**
 * Lets an earlier answer of the host stand in when the circuit refuses a request or the attempt fails: with no answer, or
 * with one of 500, 502, 503 and 504. The host is always asked first.
 *
 * @example fallback: staleIfError({ keepFor: '7d' })
 * @throws TypeError or RangeError where an option is wrong
 */
export function staleIfError(options: StaleIfErrorOptions = {}): Fallback {
  const permission = readOptions(options)
  const { keepFor, methods, on, onlyRefused, shared } = permission
  // An answer that was on its way already when its key was dropped is not kept.
  const drops = new Map<string, number>()
  let turn = 0

  const ask = askOnce(permission)
  const asks = ask ?? (() => UNASKED)
  const drop = (keys: readonly string[], replies: Replies): void => {
    for (const key of keys) {
      remember(drops, key, ++turn, MOST_DROPS)
      replies.delete(key)
    }
  }

  return {
    open: (store = memoryReplies(), fence) => new FencedReplies(store, fence),

    ...(ask && { prepare: (request: HttpRequest, replies: Replies) => void ask(request, replies) }),

    covers: ({ reason, response }) => reason === 'refused' || (!onlyRefused && (!response || on.has(response.status))),

    standIn(failure, replies, tooOld) {
      const { request } = failure
      const { tally } = replies
      if (!methods.includes(request.method === 'HEAD' ? 'GET' : request.method)) return undefined
      const asked = asks(request, replies)
      if (asked.skips) return undefined
      if (wantsHost(request)) return tally.refused('caller')
      const place = placeOf(request, asked, shared)
      if (place === undefined) return undefined
      if (place === 'credential') return tally.refused('credential')

      return after(replies.get(place.key), (variants = []) => {
        const entry = variants.find((variant) => isFor(variant, request))
        if (entry === undefined) return tally.refused(variants.length > 0 ? 'variant' : 'nothing')
        // A clock that went back makes nothing younger than it was.
        const now = Math.max(replies.wall(), entry.storedAt)
        const why = unusable(entry, request, place.owned, permission, now)
        if (why === undefined) {
          tally.served()
          return thaw(entry, failure, now, permission)
        }
        if (why === 'too-old') tooOld?.(thaw(entry, failure, now, permission))
        return tally.refused(why)
      })
    },

    capture(request, answer, replies) {
      const { method } = request
      if (method === 'HEAD' || !methods.includes(method)) return undefined
      const asked = asks(request, replies)
      const place = asked.skips ? undefined : placeOf(request, asked, shared)
      if (place === undefined) return undefined
      if (place === 'credential') {
        return passBy(place, keepFor === undefined ? undefined : IN_URL, request, replies)
      }
      const { status, statusText, decoded, redirected } = answer
      const head = { status, statusText, headers: listOf(answer.headers), decoded, redirected }
      const terms = termsOf(request, head, place.owned, permission, replies.wall())
      if (terms.unkept !== undefined) {
        return passBy(terms.unkept, terms.credential && `${terms.credential} ${IN_HEADER}`, request, replies)
      }

      const { key } = place
      const since = turn
      const { vary, storedAt, ageAtStore, staleAt, expiresAt } = terms
      const headers = lasting(head.headers, decoded, terms.without)
      return copyBody(permission.maxEntryBytes, lengthOf(head), (body) => {
        if (body === 'too big') {
          replies.tally.unkept('too-big')
          return drop([key], replies)
        }
        const times = { storedAt, ageAtStore, staleAt, expiresAt }
        const entry: StoredReply = { v: 1, key, vary, status, statusText, headers, body, decoded, ...times }
        return keep(entry, request, replies, () => (drops.get(key) ?? 0) > since)
      })
    },

    superseded(request, head, replies) {
      const { status, headers } = head
      if (!isFinal(status, permission)) return
      const asked = asks(request, replies)
      if (isSafe(request.method) || methods.includes(request.method)) {
        if (!asked.skips && !isNoNews(request, status)) drop(keysOf(request, asked, shared, false), replies)
      } else if (status < 400 && request.method !== 'OPTIONS' && request.method !== 'TRACE') {
        for (const read of changedBy(request, headers, methods)) {
          drop(keysOf(read, { ...asked, name: nameOf(permission, read, replies) }, shared, true), replies)
        }
      }
    },
  }
}

Reflect.set(staleIfError, MAKER, true)

const MOST_DROPS = 256
const IN_URL = 'the URL may hold a credential; partition says whose an answer is'
const IN_HEADER = 'may be a credential; a header that is none can be named in varyBy'

/** A part, word of no change, or a head says nothing against what is kept. */
function isNoNews({ method }: HttpRequest, status: number): boolean {
  return status === 206 || status === 304 || (method === 'HEAD' && status < 400)
}

/** The requests whose answers a write has changed: at its own URL, and at those that it names on the same origin. */
function changedBy(write: HttpRequest, said: HeaderPairs, methods: readonly string[]): HttpRequest[] {
  const { url, host, headers, credentials } = write
  return ['', 'location', 'content-location'].flatMap((name) => {
    const address = addressOf(header(said, name) ?? '', url)
    if (address === undefined || address.origin !== addressOf(url)?.origin) return []
    return methods.map((method) => ({ method, url: address.href, host, headers, credentials }))
  })
}

/** Leaves an answer unkept; where the policy permits it otherwise, what that is for is told once. */
function passBy(unkept: Unkept, why: string | undefined, { host }: HttpRequest, replies: Replies): undefined {
  if (why) replies.warn('reply-not-kept', `Replies of ${host} are not kept: ${why}`)
  return replies.tally.unkept(unkept)
}

function thaw(entry: StoredReply, failure: Failure, now: number, { marked }: Permission): Reply {
  const times = { age: entry.ageAtStore + now - entry.storedAt, ttl: entry.staleAt - now }
  const answer = { ...entry, headers: lasting(entry.headers, entry.decoded) }
  const known = isKnown(entry, failure.request) && { status: 304, statusText: 'Not Modified', body: new Uint8Array() }
  return standIn({ ...answer, ...known }, failure, times, marked)
}
