// How a stand-in is told from an answer, in each form that a client gives.
import { expect, test } from 'vitest'
import { isFallback, markFallback } from './is-fallback.ts'
import { reply } from './made-reply.ts'
import type { FallbackMark, Failure, Replies, Reply } from './reply.ts'

const MARK: FallbackMark = { source: 'stored', reason: 'failed', age: 1_500, masked: { status: 503 } }

test('a marked response is a stand-in, and tells what it masks', () => {
  const response = new Response('x')
  markFallback(response, MARK)
  expect(isFallback(response)).toBe(MARK)
})

test('a mark on the headers is one, where a client hands on those', () => {
  const headers = { etag: '"1"' }
  markFallback(headers, MARK)
  expect(isFallback({ status: 200, headers })).toBe(MARK)
})

test('the mark is in nobody’s way', () => {
  const headers: Record<string, string> = { a: 'b' }
  markFallback(headers, MARK)
  expect([Object.keys(headers), { ...headers }, JSON.stringify(headers)]).toEqual([['a'], { a: 'b' }, '{"a":"b"}'])
  expect(() => markFallback(Object.freeze({}), MARK)).not.toThrow()
})

test('the mark is the same for every copy of this library', () => {
  expect(isFallback({ [Symbol.for('fuseboard.fallback')]: MARK })).toBe(MARK)
})

const status = 'Fuseboard; fwd=stale; fwd-status=503; ttl=-376; detail=stale-if-error'
const read = { source: 'stored', reason: 'failed', age: 7_000, masked: { status: 503 } }

test.each([
  ['Headers', new Headers({ 'cache-status': status, age: '7' })],
  ['an object', { 'cache-status': status, age: '7' }],
  ['an object with lists', { 'Cache-Status': ['Origin; hit', status], Age: '7' }],
  [
    'pairs',
    [
      ['cache-status', 'Origin; hit'],
      ['Cache-Status', status],
      ['age', '7'],
    ],
  ],
  [
    'a Map',
    new Map([
      ['cache-status', status],
      ['age', '7'],
    ]),
  ],
])('without a mark, it is read from the headers: %s', (_, headers) => {
  expect(isFallback({ headers })).toEqual(read)
})

test.each([
  ['Fuseboard; hit; ttl=50; detail=circuit-open', { source: 'stored', reason: 'refused' }],
  ['Fuseboard; fwd=stale; ttl=-1; detail=ECONNREFUSED', { source: 'stored', reason: 'failed' }],
  ['Fuseboard; detail=made', { source: 'made', reason: 'refused' }],
  ['Fuseboard; fwd=bypass; fwd-status=500; detail=made', { source: 'made', reason: 'failed', masked: { status: 500 } }],
  ['Fuseboard; hit; ttl=1; detail=circuit-open, Fuseboard; detail=made', { source: 'made', reason: 'refused' }],
  ['Fuseboard; detail=made, CDN; fwd=miss', { source: 'made', reason: 'refused' }],
  ['"An Origin, of ours"; hit,Fuseboard;detail=made', { source: 'made', reason: 'refused' }],
])('the last member of ours counts: %s', (value, mark) => {
  expect(isFallback({ headers: { 'cache-status': value } })).toEqual(mark)
})

test.each(['CDN; hit', 'fuseboard; hit', 'Fuseboarder; hit', 'CDN; detail="x, Fuseboard; hit"', ''])(
  '%j is none of ours',
  (value) => {
    expect(isFallback({ headers: { 'cache-status': value } })).toBeUndefined()
  },
)

test('an age that is none is left out', () => {
  const mark = isFallback({ headers: { 'cache-status': 'Fuseboard; hit; ttl=1; detail=circuit-open', age: 'x' } })
  expect(mark).toEqual({ source: 'stored', reason: 'refused' })
})

test('what is written is read', () => {
  const request = { method: 'GET', url: 'https://a/', host: 'a', headers: [], credentials: undefined }
  const failure: Failure = { request, key: 'a', state: 'open', reason: 'refused', retryAfterMs: 1 }
  const { headers } = reply({ text: '' }).standIn(failure, {} as Replies) as Reply
  expect(isFallback({ headers })).toEqual({ source: 'made', reason: 'refused' })
})

test('anything else is no stand-in', () => {
  for (const thing of [undefined, null, 7, 'x', {}, { headers: null }, { headers: 'x' }, new Response('x'), []]) {
    expect(isFallback(thing)).toBeUndefined()
  }
})
