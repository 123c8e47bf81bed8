// What in a request may tell one caller from another: an answer to it is for that caller alone.
import type { HttpRequest } from './request.ts'

/** @internal The request headers that are credentials whoever says otherwise. */
export const CREDENTIAL: RegExp = /^(?:proxy-)?authorization$|^cookie2?$/

// Keys come in headers of any name, so these alone are known to be none.
const HARMLESS =
  /^(?:(?:accept|content|if|sec-fetch)-.+|accept|user-agent|host|connection|keep-alive|te|range|cache-control|pragma|date|dnt|origin|priority|upgrade-insecure-requests|trace(?:parent|state)|x-(?:request|correlation)-id)$/

/** @internal Whether a request header, in lower case, is known to tell nothing of who asks. */
export const isHarmless = (name: string): boolean => HARMLESS.test(name)

const TELLING =
  /(?:token|secret|passw(?:or)?d|pwd|signature|credentials?|session(?:[-_]?id)?|auth|authorization|jwt|hmac|ticket|keyid|(?:^|[-_.]|api|access|app|client)(?:key|sig|sid))$/i

/**
 * @internal The first credential in the headers of a request, without its value; undefined where there is none.
 * @param strict whether any header not known to be harmless counts, but for those of `named`
 */
export function credentialOf(request: HttpRequest, strict: boolean, named: readonly string[]): string | undefined {
  for (const [field] of request.headers) {
    const name = field.toLowerCase()
    if (CREDENTIAL.test(name) || (strict && !isHarmless(name) && !named.includes(name))) return name
  }
  return request.credentials === 'include' ? "credentials: 'include'" : undefined
}

/** @internal Whether the query of a URL holds a secret: it would stand in a key for all to read. */
export function hasSecret({ search, searchParams }: URL): boolean {
  return search !== '' && [...searchParams.keys()].some((name) => TELLING.test(name))
}
