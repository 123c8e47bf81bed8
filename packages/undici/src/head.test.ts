// The head of an answer in each of its forms.
import { expect, test } from 'vitest'
import { Head } from './head.ts'

const raw = ['A', '1', 'Set-Cookie', 'b=2', 'set-cookie', 'c=\u00e9'].map((text) => Buffer.from(text, 'latin1'))
const parsed = { a: '1', 'set-cookie': ['b=2', 'c=\u00e9'] }

test('bytes are read as pairs and as an object, and repeats survive', () => {
  const head = new Head(200, 'OK', raw, undefined)
  expect([...head.headers]).toEqual([
    ['A', '1'],
    ['Set-Cookie', 'b=2'],
    ['set-cookie', 'c=\u00e9'],
  ])
  expect(head.parsed).toEqual(parsed)
  expect(head.raw).toBe(raw)
})

test('an object is read as pairs and as bytes, where there are none: HTTP/2, and answers that somebody made', () => {
  for (const none of [undefined, null, [], { a: '1' }]) {
    const head = new Head(200, 'OK', none, parsed)
    expect(head.parsed).toBe(parsed)
    expect(head.raw.map((field) => field.toString('latin1'))).toEqual([
      'a',
      '1',
      'set-cookie',
      'b=2',
      'set-cookie',
      'c=\u00e9',
    ])
  }
})

test("text and undici 7's lists of bytes are read too", () => {
  expect(new Head(200, '', ['a', '1'], undefined).parsed).toEqual({ a: '1' })
  expect(new Head(200, '', [Buffer.from('a'), [Buffer.from('1'), Buffer.from('2')]], undefined).parsed).toEqual({
    a: ['1', '2'],
  })
})

test('a header of an unfortunate name is a header', () => {
  expect(Object.entries(new Head(200, '', ['__proto__', 'x'], undefined).parsed)).toEqual([['__proto__', 'x']])
})
