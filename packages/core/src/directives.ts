// What hosts and callers say in Cache-Control and Pragma, as far as a policy is bound by it.
import { cacheControl, type CacheControl } from './cache-control.ts'
import { header, type HeaderPairs } from './headers.ts'
import { names } from './field.ts'
import type { HttpRequest } from './request.ts'

/** @internal What the headers of a request or an answer say. */
export function directivesOf(headers: HeaderPairs): CacheControl {
  const said = header(headers, 'cache-control')
  // Older than Cache-Control, and still sent in its stead.
  const pragma = header(headers, 'pragma')
  const uncached = pragma !== undefined && names(pragma).includes('no-cache')
  return cacheControl(uncached ? `no-cache, ${said ?? ''}` : said)
}

/** @internal What an answer says, without what the policy is not bound by. */
export function bindingOn(headers: HeaderPairs, unbound: readonly string[]): CacheControl {
  const said = directivesOf(headers)
  if (unbound.length === 0) return said
  return Object.fromEntries(Object.entries(said).filter(([name]) => !unbound.includes(name))) as never
}

/** @internal Whether an answer is for no cache to keep, or to give without asking the host. */
export function isForbidden(said: CacheControl): boolean {
  return (said['no-store'] ?? said['no-cache'] ?? said.private) !== undefined
}

/** @internal Whether a caller wants the host's own answer or none, or only a part of one. */
export function wantsHost({ headers }: HttpRequest): boolean {
  const asked = directivesOf(headers)
  return (asked['no-cache'] ?? asked['no-store']) !== undefined || header(headers, 'range') !== undefined
}
