// Whether a stored reply may stand in now, for this caller and under this policy.
import { bindingOn, directivesOf, isForbidden } from './directives.ts'
import { names } from './field.ts'
import { mustNotBeStale, windowOf } from './freshness.ts'
import { header } from './headers.ts'
import type { Unserved } from './reply-counters.ts'
import type { StoredReply } from './reply.ts'
import type { HttpRequest } from './request.ts'
import { isWhole, type Permission } from './stale-options.ts'
import { credentialFor, permitted } from './storable.ts'

/**
 * @internal Why an entry may not stand in; undefined where it may. Its age is the last reason: for `too-old` there is no other.
 * @param owned whether it was kept for the partition of the caller
 * @param now a clock that went back counts as having stood still
 */
export function unusable(
  entry: StoredReply,
  request: HttpRequest,
  owned: boolean,
  permission: Permission,
  now: number,
): Unserved | undefined {
  const said = bindingOn(entry.headers, permission.unbound)
  const asked = directivesOf(request.headers)
  // The entry may be of another policy, or of an earlier one.
  if (isForbidden(said) || permission.statuses?.has(entry.status) === false) return 'forbidden'
  if (!isWhole(entry.status, permission)) return 'forbidden'
  if (credentialFor(request, entry.status, said, owned, permission) !== undefined) return 'credential'
  if (entry.body.byteLength > permission.maxEntryBytes) return 'too-big'
  const varied = [...names(header(entry.headers, 'vary')), ...permission.varyBy]
  if (!varied.every((name) => Object.hasOwn(entry.vary, name))) return 'variant'

  const { 'max-age': maxAge = Infinity, 'min-fresh': minFresh = -Infinity, 'max-stale': maxStale = Infinity } = asked
  const ttl = entry.staleAt - now
  const age = entry.ageAtStore + now - entry.storedAt
  if (ttl < minFresh * 1_000 || age >= maxAge * 1_000 || -ttl > maxStale * 1_000) return 'caller'
  if (ttl <= 0 && mustNotBeStale(said)) return 'forbidden'
  const keepFor = permitted(entry.status, permission)
  const inTime = ttl > 0 || -ttl <= windowOf(said, asked, keepFor, permission.maxStale)
  return inTime && now <= entry.expiresAt ? undefined : 'too-old'
}
