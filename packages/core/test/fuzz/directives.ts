// The reader of Cache-Control against one that was written apart from it: neither finds a permission that the other does not.
import fc from 'fast-check'
import { cacheControl } from '../../src/cache-control.ts'
import type { Fuzz } from './fuzz.ts'
import { readDirectives } from './read-directives.ts'

const NAMES = [
  'no-store',
  'no-cache',
  'private',
  'public',
  'must-revalidate',
  'proxy-revalidate',
  'max-age',
  's-maxage',
  'stale-if-error',
  'max-stale',
  'min-fresh',
  'immutable',
  'x',
] as const

const name = fc.tuple(fc.constantFrom(...NAMES), fc.boolean()).map(([name, loud]) => (loud ? name.toUpperCase() : name))
const value = fc.oneof(
  fc.nat().map(String),
  fc.constantFrom(
    '',
    '""',
    '"60"',
    'abc',
    '1.5',
    '-1',
    '007',
    '9'.repeat(30),
    '"x-a, x-b"',
    '"no-store"',
    '"a',
    '"\\"',
    "'60'",
  ),
  fc.string({ maxLength: 6 }).map((text) => `"${text}"`),
  fc.string({ maxLength: 4 }),
)
const member = fc.oneof(
  { weight: 3, arbitrary: name },
  { weight: 3, arbitrary: fc.tuple(name, value).map(([name, value]) => `${name}=${value}`) },
  { weight: 1, arbitrary: fc.string({ maxLength: 8 }) },
)
const by = fc.constantFrom(',', ', ', ' ,', ',,', '\t,', ';', ' ')

/** Headers as hosts write them, as nobody should, and as nobody would. */
export const headers: fc.Arbitrary<string> = fc.oneof(
  { weight: 6, arbitrary: fc.array(fc.tuple(member, by), { maxLength: 6 }).map((all) => all.flat().join('')) },
  { weight: 2, arbitrary: fc.stringMatching(/^[acghmn\-opstrevi="\\, 0-9]{0,24}$/) },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 24 }) },
)

export const DIRECTIVES: Fuzz = {
  what: 'what Cache-Control says is what a second reading of it says',
  share: 600,
  holds: fc.property(headers, (header) => {
    const { fields: _, ...read } = cacheControl(header)
    const apart = readDirectives(header)
    // With that, whatever else it says permits nothing.
    if (read['no-store'] && apart['no-store']) return
    for (const name of new Set([...Object.keys(read), ...Object.keys(apart)])) {
      const [one, other] = [(read as Record<string, unknown>)[name], apart[name]]
      if (one !== other) throw new Error(`${name} is ${String(one)}, and by the other reading ${other}`)
    }
  }),
}
