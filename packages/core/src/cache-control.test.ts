// Cache-Control as hosts write it, and as nobody should.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { cacheControl } from './cache-control.ts'

const MOST = 2 ** 31 - 1
const FLAGS = ['no-store', 'no-cache', 'private', 'public', 'must-revalidate', 'proxy-revalidate'] as const
const SECONDS = ['max-age', 's-maxage', 'stale-if-error', 'max-stale', 'min-fresh'] as const

const seconds = fc.tuple(
  fc.constantFrom(...SECONDS),
  fc.oneof(fc.nat(), fc.constantFrom('abc', '1.5', '-1', '""', '9'.repeat(30))),
)
const directive = fc.oneof(
  fc.constantFrom(...FLAGS),
  seconds.map(([name, value]) => `${name}=${value}`),
  fc.constantFrom('immutable', 'community="UCI, no-store"', 'private="x-a, x-b"', 'no-cache="x-c"', 'x="a\\"b, c"'),
)
const list = fc.array(directive, { maxLength: 6 })

const isSeconds = (value: number | undefined): boolean =>
  value === undefined || (Number.isInteger(value) && value >= 0 && value <= MOST)

test('directives are read in any case and with any white space', () => {
  expect(cacheControl('No-Cache ,\tNO-STORE, Max-Age=60')).toMatchObject({
    'no-cache': true,
    'no-store': true,
    'max-age': 60,
  })
})

test('nothing says nothing', () => {
  expect(cacheControl(undefined)).toEqual({ fields: [] })
  expect(cacheControl(' , ,')).toEqual({ fields: [] })
})

test('the commas of a quoted string are its own', () => {
  expect(cacheControl('community="UCI, no-store, \\"x\\"", max-age=5')).toEqual({ 'max-age': 5, fields: [] })
})

test('a quoted string that is not closed, or has more behind it, hides nothing', () => {
  expect(cacheControl('x="a, no-cache')).toMatchObject({ 'no-store': true, 'no-cache': true })
  expect(cacheControl('x="a, no-cache="b"')).toMatchObject({ 'no-store': true })
})

test('what is no directive counts as no-store', () => {
  for (const text of [
    'max-age=60; no-store',
    'private; max-age=60',
    'a b',
    '"public"',
    'max-age = 60',
    '=public',
    '=max-age=60',
    '=',
  ]) {
    expect(cacheControl(text), `with ${text}`).toMatchObject({ 'no-store': true })
  }
})

test('of duplicates the most restrictive counts', () => {
  expect(cacheControl('max-age=60, max-age=0, max-age=5')).toMatchObject({ 'max-age': 0 })
  expect(cacheControl('min-fresh=5, min-fresh=9')).toMatchObject({ 'min-fresh': 9 })
  expect(cacheControl('private="x", private')).toMatchObject({ private: true })
})

test('a malformed number is 0, and one too large is cut', () => {
  expect(cacheControl('max-age=1.5, stale-if-error=abc, s-maxage=')).toMatchObject({
    'max-age': 0,
    'stale-if-error': 0,
    's-maxage': 0,
  })
  expect(cacheControl(`max-age="60", stale-if-error=${'9'.repeat(20)}`)).toMatchObject({
    'max-age': 60,
    'stale-if-error': MOST,
  })
})

test('max-stale alone means any age, and a min-fresh that cannot be read is never met', () => {
  expect(cacheControl('max-stale, min-fresh=soon')).toMatchObject({ 'max-stale': MOST, 'min-fresh': MOST })
})

test('private and no-cache with names of fields are about those fields alone', () => {
  expect(cacheControl('private="X-User, set-cookie", no-cache="x-b"')).toEqual({
    fields: ['x-user', 'set-cookie', 'x-b'],
  })
  for (const text of ['private=x', 'private=""', 'private="a b"'])
    expect(cacheControl(text), `with ${text}`).toMatchObject({ private: true })
})

test('public with a value is none', () => {
  expect(cacheControl('public=x')).not.toHaveProperty('public')
})

test('no text makes it throw, or gives a number that is none', () => {
  const text = fc.oneof(
    fc.string({ unit: 'binary' }),
    list.map((all) => all.join(',')),
    fc.stringMatching(/^[a-z="\\, ]*$/),
  )
  const holds = fc.property(text, (text) => SECONDS.every((name) => isSeconds(cacheControl(text)[name])))
  expect(fc.check(holds)).toMatchObject({ failed: false })
})

test('the order of directives means nothing', () => {
  fc.assert(
    fc.property(list, (all) => {
      const [there, back] = [cacheControl(all.join(', ')), cacheControl(all.toReversed().join(','))]
      expect({ ...back, fields: back.fields.toSorted() }).toEqual({ ...there, fields: there.fields.toSorted() })
    }),
  )
})

test('no-store is found whatever stands beside it', () => {
  const junk = fc.string({ unit: 'binary' }).filter((text) => !text.includes('"'))
  fc.assert(
    fc.property(junk, junk, fc.constantFrom(',', ', ', ';', ' '), (before, behind, by) => {
      expect(cacheControl(`${before}${by}no-store${by}${behind}`)).toMatchObject({ 'no-store': true })
    }),
  )
})

test('more directives never permit more, but for those that permit', () => {
  const permits = /^(?:public|(?:max-age|s-maxage|stale-if-error|max-stale|private|no-cache)=)/
  const holds = fc.property(list, directive, (all, one) => {
    const [less, more] = [cacheControl(all.join(',')), cacheControl([...all, one].join(','))]
    const flags = FLAGS.every((flag) => more[flag] || !less[flag])
    const seconds = SECONDS.every((name) => {
      const [before = permits.test(one) ? MOST : undefined, after] = [less[name], more[name]]
      if (name === 'min-fresh') return (after ?? 0) >= (less[name] ?? 0)
      return before === undefined ? after === undefined : (after ?? 0) <= before
    })
    return flags && seconds && (permits.test(one) || more.public === less.public)
  })
  expect(fc.check(holds)).toMatchObject({ failed: false })
})

test.each(['a="', 'a="\\"', 'a="x,', '="\\",', 'a=,"', ' ', ','])('many of %j are read in linear time', (part) => {
  // A quadratic reading runs into the time limit of the test.
  expect(cacheControl(part.repeat(200_000)).fields).toEqual([])
})
