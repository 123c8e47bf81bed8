// The parts of a header field, and what may stand in them (RFC 9110, section 5).

const TOKEN = /^[\w!#$%&'*+.^`|~-]+$/
// No control characters: a line break would begin another field.
const VALUE = /^[\t\u0020-\u007E\u0080-\u00FF]*$/

/** @internal Whether a text may be the name of a field, of a directive, or of a method. */
export function isToken(text: unknown): text is string {
  return typeof text === 'string' && TOKEN.test(text)
}

/** @internal Whether a text may be the value of a field, or a reason phrase. */
export function isFieldValue(text: unknown): text is string {
  return typeof text === 'string' && VALUE.test(text)
}

/** @internal The members of a list of names, in lower case. */
export function names(list: string | undefined): string[] {
  if (list === undefined) return []
  return list
    .toLowerCase()
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '')
}
