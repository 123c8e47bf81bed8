// The host of a URL, as circuits are named by it.

/** @internal Scheme, host and port as they stand in an absolute URL; the whole where it is none. */
export function originOf(url: string): string {
  const start = url.indexOf('://')
  if (start === -1) return url
  for (let at = start + 3; at < url.length; at++) if (endsHost(url, at)) return url.slice(0, at)
  return url
}

/** @internal Whether that is the {@link originOf} a URL, told without making it. */
export function isOrigin(origin: string, url: string): boolean {
  return url.startsWith(origin) && (url.length === origin.length || endsHost(url, origin.length))
}

// Any of / ? # or \, which the URL standard reads as /.
function endsHost(url: string, at: number): boolean {
  const code = url.charCodeAt(at)
  return code === 47 || code === 63 || code === 35 || code === 92
}

/** @internal A URL as it may be told to others: without user and password. */
export function publicUrl(url: string): string {
  if (!url.includes('@')) return url
  try {
    const told = new URL(url)
    told.username = told.password = ''
    return told.href
  } catch {
    return originOf(url).replace(/\/\/.*@/, '//')
  }
}

/** @internal Host and non-default port, in lower case, without a trailing dot; undefined for what is no http(s) URL. */
export function hostOf(origin: string): string | undefined {
  try {
    const { protocol, hostname, port } = new URL(origin)
    if (protocol !== 'http:' && protocol !== 'https:') return undefined
    const bare = hostname.endsWith('.') ? hostname.slice(0, -1) : hostname
    return port === '' ? bare : `${bare}:${port}`
  } catch {
    return undefined
  }
}
