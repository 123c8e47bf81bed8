// Header fields as pairs in wire order, so that repeated fields survive.

/** Header fields as `[name, value]` pairs. A `Headers`, a `Map` and a list of pairs are all such. */
export type HeaderPairs = Iterable<readonly [name: string, value: string]>

/** The value of a header, looked up without regard to case; repeated fields are joined with a comma (RFC 9110, section 5.3). */
export function header(headers: HeaderPairs | undefined, name: string): string | undefined {
  if (headers === undefined) return undefined
  const wanted = name.toLowerCase()
  let found: string | undefined
  for (const [field, value] of headers) {
    if (field.length === wanted.length && field.toLowerCase() === wanted) {
      found = found === undefined ? value : `${found}, ${value}`
    }
  }
  return found
}
