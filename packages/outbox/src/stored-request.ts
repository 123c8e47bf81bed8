// A request as it is kept, and as it is sent again: what is secret in it goes, and comes back by the hand of who signs it.
import type { HeaderPairs } from '@fuseboard/core'
import type { Bytes } from './payload.ts'
import type { StoredRequest } from './store.ts'

/** A request that is to be kept. */
export interface Original {
  readonly method: string
  readonly url: string
  readonly headers: HeaderPairs
}

/**
 * @internal
 * @returns the request as it is kept, and the names of what was left out for being secret
 */
export function keep(
  { method, url, headers }: Original,
  { body, contentType }: Bytes,
  [idempotencyHeader, key]: readonly [name: string, value: string],
): { request: StoredRequest; secrets: readonly string[] } {
  const secrets: string[] = []
  const isSecret = (name: string): boolean => {
    const secret = SECRET.test(name)
    if (secret) secrets.push(name)
    return secret
  }
  const wanted = idempotencyHeader.toLowerCase()
  const kept = [...headers]
    .map(([name, value]) => [name.toLowerCase(), value] as const)
    .filter(([name]) => name !== wanted && !OF_THE_WIRE.test(name) && !isSecret(name))
  if (contentType !== undefined && !kept.some(([name]) => name === 'content-type'))
    kept.push(['content-type', contentType])
  kept.push([wanted, key])
  return { request: { method, url: withoutSecrets(url, isSecret), headers: kept, body }, secrets }
}

/**
 * @internal The request that is sent for one that was kept.
 * @throws TypeError where there is no such request: a GET with a body, say
 */
export function revive({ method, url, headers, body }: StoredRequest): Request {
  return new Request(url, {
    method,
    headers: headers.map(([name, value]) => [name, value] as [string, string]),
    redirect: 'manual',
    ...(body !== undefined && { body: body as Uint8Array<ArrayBuffer> }),
  })
}

/** They are made anew for each connection. */
const OF_THE_WIRE =
  /^(?:accept-encoding|connection|content-length|expect|host|keep-alive|te|trailer|transfer-encoding|upgrade)$/

/** Keys come under many names: rather one too many, since who signs can put it back. */
const SECRET =
  /authorization|cookie|token|secret|passw|pwd|signature|credential|session|jwt|hmac|(?:api|access|app|client|private)[-_]?key|(?:^|[-_])(?:auth|key|sig|sid)$/i

function withoutSecrets(url: string, isSecret: (name: string) => boolean): string {
  const kept = new URL(url)
  if (kept.username !== '' || kept.password !== '') isSecret('authorization')
  kept.username = kept.password = kept.hash = ''
  // A query without one is left as it was written.
  const names = [...new Set(kept.searchParams.keys())].filter((name) => isSecret(name))
  for (const name of names) kept.searchParams.delete(name)
  return kept.href
}
