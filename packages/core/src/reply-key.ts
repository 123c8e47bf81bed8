// Where the answers to a request are kept: under whose name, on which origin, at which address.
import type { Asked } from './asked.ts'
import { hasSecret } from './credentials.ts'
import { header } from './headers.ts'
import type { HttpRequest } from './request.ts'
import { sha256 } from './sha256.ts'

/** @internal Where answers are kept, and whether they are one partition's alone. */
export interface Place {
  readonly key: string
  readonly owned: boolean
}

/** @internal The address of a request, where it is one of the web. */
export function addressOf(url: string, base?: string): URL | undefined {
  const address = URL.parse(url, base)
  return address?.protocol === 'https:' || address?.protocol === 'http:' ? address : undefined
}

/** @internal Where the answer to a request is kept; undefined where it is left alone, and why where it may not be known. */
export function placeOf(request: HttpRequest, asked: Asked, shared: boolean): Place | 'credential' | undefined {
  const { owner, name } = asked
  const address = addressOf(request.url)
  if (address === undefined || !asksItsOwn(request, address)) return undefined
  if (owner === undefined || name === '') return undefined
  const telling = address.username !== '' || address.password !== '' || hasSecret(address)
  if (owner === '' && telling) return 'credential'
  return { key: keyOf(request, address, owner, name, shared), owned: owner !== '' }
}

/**
 * @internal The keys under which answers to this request may be.
 * @param everyones whether those count that are in no partition
 */
export function keysOf(request: HttpRequest, asked: Asked, shared: boolean, everyones: boolean): readonly string[] {
  const { owner, name } = asked
  const address = addressOf(request.url)
  if (address === undefined || owner === undefined || name === '') return []
  const owners = everyones && owner !== '' ? [owner, ''] : [owner]
  // Nobody's answers are not kept under a URL with a secret.
  const nobodys = name !== undefined || !hasSecret(address)
  return owners.filter((owner) => owner !== '' || nobodys).map((owner) => keyOf(request, address, owner, name, shared))
}

function keyOf(
  { method }: HttpRequest,
  address: URL,
  owner: string,
  name: string | undefined,
  shared: boolean,
): string {
  // What a private cache may keep is not for a shared one, though both have the same store.
  const whose = `${shared ? '' : 'private\n'}${owner === '' ? '' : `${sha256(owner)}\n`}`
  // A path begins with a slash, and nothing else does.
  const what = name === undefined ? pathOf(address) : ` ${name}`
  return `${whose}${method === 'HEAD' ? 'GET' : method}\n${address.origin}${what}`
}

/** Without the user and the fragment of an address, and with its query as it is, but for one that tells a secret. */
function pathOf(address: URL): string {
  const { href } = address
  const [path = ''] = href.slice(href.indexOf('/', 'https://'.length)).split('#', 1)
  return hasSecret(address) ? `#${sha256(path)}` : path
}

/** Whether the headers name no other host than the URL. */
function asksItsOwn({ headers }: HttpRequest, { host }: URL): boolean {
  return (header(headers, 'host')?.toLowerCase() ?? host) === host
}
