// A request of undici, as a board reads it.
import { Readable } from 'node:stream'
import type { Dispatcher } from 'undici'
import { expect, test } from 'vitest'
import { steady, UndiciRequest, withFields } from './request.ts'

const read = (options: Partial<Dispatcher.DispatchOptions>): UndiciRequest =>
  new UndiciRequest({ origin: 'http://a.test:81', path: '/', method: 'GET', ...options })

test('a request has the URL that is asked, whichever way undici is told of it', () => {
  expect(read({ path: '/b?c=d' }).url).toBe('http://a.test:81/b?c=d')
  expect(read({ origin: new URL('http://a.test:81/x') }).url).toBe('http://a.test:81/')
  expect(read({ path: '/b', query: { c: 'd e', f: [1, 2], g: undefined } }).url).toBe(
    'http://a.test:81/b?c=d+e&f=1&f=2&g=',
  )
  expect(read({ path: 'https://through.a/proxy' }).url).toBe('https://through.a/proxy')
  expect(read({ path: 'a.test:443', method: 'CONNECT' }).url).toBe('http://a.test:81/')
})

test('an origin is read as text', () => {
  expect(read({}).origin).toBe('http://a.test:81')
  expect(read({ origin: new URL('http://a.test:81/x') }).origin).toBe('http://a.test:81')
  expect(new UndiciRequest({ path: '/', method: 'GET' }).origin).toBeUndefined()
})

test('headers are pairs, in whichever of four forms they come', () => {
  const pairs = [
    ['a', '1'],
    ['b', '2'],
    ['b', '3'],
  ]
  expect([...read({ headers: ['a', '1', 'b', '2', 'b', '3'] }).headers]).toEqual(pairs)
  expect([...read({ headers: { a: 1, b: ['2', '3'], c: undefined } }).headers]).toEqual(pairs)
  expect([...read({ headers: new Map([['a', '1']]) }).headers]).toEqual([['a', '1']])
  expect([...read({ headers: null }).headers]).toEqual([])
  expect([...read({}).headers]).toEqual([])
})

test('further fields leave what the caller gave as it was', () => {
  const object = { a: '1' }
  const list = ['a', '1']
  const map = new Map([['a', '1']])
  for (const headers of [object, list, map]) {
    const request = read({ headers: withFields(headers, [['idempotency-key', 'k']]) })
    expect([...request.headers]).toEqual([
      ['a', '1'],
      ['idempotency-key', 'k'],
    ])
  }
  expect([object, list, [...map]]).toEqual([{ a: '1' }, ['a', '1'], [['a', '1']]])
  expect(withFields(undefined, [['b', '2']])).toEqual(['b', '2'])
})

test('headers that read but once are read once', () => {
  const options = {
    origin: 'http://a.test',
    path: '/',
    method: 'GET',
    headers: new Map([['a', '1']]).entries(),
  } as const
  const { headers } = steady(options)
  expect(headers).toEqual(['a', '1'])
  const plain = { ...options, headers: { next: '1' } }
  expect(steady(plain)).toBe(plain)
})

test('a body that nobody sends is let go of, where it is a stream', () => {
  const body = Readable.from(['a'])
  read({ body }).discardBody()
  expect(body.destroyed).toBe(true)
  read({ body: 'text' }).discardBody()
})

test("an error is told to be the body's own", () => {
  const broken = new Error('no such file')
  const body = new Readable({ read() {} }).on('error', () => {})
  expect(read({ body }).spoilt(broken)).toBe(false)
  body.destroy(broken)
  expect(read({ body }).spoilt(broken)).toBe(true)
  expect(read({ body }).spoilt(new Error('another'))).toBe(false)
  expect(read({ body: 'text' }).spoilt(undefined)).toBe(false)
})
