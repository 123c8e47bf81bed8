// Header fields as pairs in wire order, so that repeated fields survive.

/** Header fields as `[name, value]` pairs. A `Headers`, a `Map` and a list of pairs are all such. */
export type HeaderPairs = Iterable<readonly [name: string, value: string]>

/** The value of a header, looked up without regard to case; repeated fields are joined with a comma (RFC 9110, section 5.3). */
export function header(headers: HeaderPairs | undefined, name: string): string | undefined {
  if (headers === undefined) return undefined
  const wanted = name.toLowerCase()
  let found: string | undefined
  // By index: to take a pair to pieces costs several times as much, and a request is looked up a dozen times.
  for (const pair of headers) {
    const field = pair[0]
    if (field.length === wanted.length && field.toLowerCase() === wanted) {
      found = found === undefined ? pair[1] : `${found}, ${pair[1]}`
    }
  }
  return found
}

/** @internal The fields as a list: a `Headers` sorts its own anew each time that it is read. */
export function listOf(headers: HeaderPairs): readonly (readonly [name: string, value: string])[] {
  return Array.isArray(headers) ? headers : [...headers]
}
