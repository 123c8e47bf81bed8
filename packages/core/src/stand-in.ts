// What every reply that stands in has in common: bytes of its own, and marks that tell what it is.
import { header } from './headers.ts'
import type { Failure, Reply } from './reply.ts'

/**
 * @internal An answer as the reply that stands in for a failure.
 * @param stored how old a stored answer is, and for how long it is still fresh (below 0: stale), in milliseconds
 * @param marked whether its headers tell it
 */
export function standIn(
  answer: Pick<Reply, 'status' | 'statusText' | 'headers' | 'body' | 'decoded'>,
  failure: Failure,
  stored?: { age: number; ttl: number },
  marked = true,
): Reply {
  const { request, reason, error, response } = failure
  const { status, statusText, headers, body, decoded } = answer
  return {
    status,
    statusText,
    headers: marked ? markedHeaders(headers, failure, stored) : headers,
    // What a caller does to the bytes is its own affair.
    body: new Uint8Array(request.method === 'HEAD' ? [] : body),
    decoded,
    mark: {
      source: stored ? 'stored' : 'made',
      reason,
      ...(stored && { age: stored.age }),
      masked: response ? { status: response.status } : { error },
    },
  }
}

function markedHeaders(
  headers: Reply['headers'],
  failure: Failure,
  stored?: { age: number; ttl: number },
): Reply['headers'] {
  // The nearest cache is the last in the list.
  const caches = [header(headers, 'cache-status'), cacheStatus(failure, stored?.ttl)].filter(Boolean).join(', ')
  return [
    ...headers.filter(([name]) => !/^cache-(?:status|control)$/i.test(name)),
    // A cache above would keep it past the outage.
    ['cache-control', 'no-store'],
    ...(stored ? [['age', `${Math.floor(stored.age / 1_000)}`] as const] : []),
    ['cache-status', caches],
  ]
}

/** Our member of Cache-Status (RFC 9211). */
function cacheStatus({ reason, error, response }: Failure, ttl: number | undefined): string {
  const refused = reason === 'refused'
  // A cache is not to mark what it made itself, but through many clients nothing else tells it to the caller.
  if (ttl === undefined) return `Fuseboard; ${refused ? '' : `fwd=bypass; ${statusOf(response)}`}detail=made`
  if (refused) return `Fuseboard; hit; ttl=${Math.floor(ttl / 1_000)}; detail=circuit-open`
  // The host is asked first whatever is kept, which is `bypass`: `stale` is the more telling reason where it is one, and
  // `request` would be a wish of the caller.
  const why = ttl > 0 ? 'bypass' : 'stale'
  const detail = codeOf(error) ?? 'stale-if-error'
  return `Fuseboard; fwd=${why}; ${statusOf(response)}ttl=${Math.floor(ttl / 1_000)}; detail=${detail}`
}

const statusOf = (response: Failure['response']): string => (response ? `fwd-status=${response.status}; ` : '')

/** The code of an error or of its cause, where it can stand in a header as it is. */
function codeOf(error: unknown): string | undefined {
  for (let depth = 0; depth < 4 && typeof error === 'object' && error !== null; depth++) {
    const { code, cause } = error as { code?: unknown; cause?: unknown }
    if (typeof code === 'string' && /^[A-Z]\w{1,39}$/.test(code)) return code
    error = cause
  }
  return undefined
}
