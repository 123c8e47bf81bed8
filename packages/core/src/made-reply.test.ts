// Replies of a policy's own making.
import { describe, expect, test } from 'vitest'
import { reply, type MadeReply } from './made-reply.ts'
import type { Failure, Replies, Reply } from './reply.ts'

const REPLIES = {} as Replies

const failure = (method = 'GET', over: Partial<Failure> = {}): Failure => ({
  request: { method, url: 'https://a/', host: 'a', headers: [], credentials: undefined },
  key: 'a',
  state: 'open',
  reason: 'refused',
  error: 'refused',
  retryAfterMs: 1,
  ...over,
})

const made = (options: MadeReply, ...asked: Parameters<typeof failure>): Reply | undefined =>
  reply(options).standIn(failure(...asked), REPLIES) as Reply | undefined

const textOf = (answer: Reply | undefined): string | undefined => answer && Buffer.from(answer.body).toString()

test('JSON stands in as JSON, and no cache keeps it', () => {
  const answer = made({ json: { a: ['ä'] } })
  expect(answer).toMatchObject({ status: 200, statusText: '', decoded: true })
  expect(textOf(answer)).toBe('{"a":["ä"]}')
  expect(answer?.headers).toEqual([
    ['content-type', 'application/json'],
    ['cache-control', 'no-store'],
    ['cache-status', 'Fuseboard; detail=made'],
  ])
  expect(answer?.mark).toEqual({ source: 'made', reason: 'refused', masked: { error: 'refused' } })
})

test('text and bytes have their own types', () => {
  const text = made({ text: 'ä' })
  expect([textOf(text), text?.headers[0]]).toEqual(['ä', ['content-type', 'text/plain;charset=utf-8']])
  const body = made({ body: Buffer.from('abc') })
  expect([textOf(body), body?.headers[0]]).toEqual(['abc', ['content-type', 'application/octet-stream']])
})

test('null, false, 0 and the empty text are contents too', () => {
  expect([made({ json: null }), made({ json: false }), made({ json: 0 }), made({ text: '' })].map(textOf)).toEqual([
    'null',
    'false',
    '0',
    '',
  ])
})

test('where the host failed, it says what it masks', () => {
  const answer = made({ text: '' }, 'GET', {
    reason: 'failed',
    error: undefined,
    response: { status: 503, headers: [] },
  })
  expect(answer?.headers.at(-1)).toEqual(['cache-status', 'Fuseboard; fwd=bypass; fwd-status=503; detail=made'])
  expect(answer?.mark).toEqual({ source: 'made', reason: 'failed', masked: { status: 503 } })
  const error = new Error('reset')
  expect(made({ text: '' }, 'GET', { reason: 'failed', error })?.mark.masked).toEqual({ error })
})

test('status, text and headers are as given; its content-type too', () => {
  const headers = { 'Content-Type': 'text/html', 'x-a': '1' }
  const answer = made({ status: 503, statusText: 'Resting', text: '<p>', headers })
  expect(answer).toMatchObject({ status: 503, statusText: 'Resting' })
  expect(answer?.headers.slice(0, 2)).toEqual(Object.entries(headers))
})

test('pairs of headers keep their repeats', () => {
  const headers = new Map([['x', '1']])
  const repeats = [
    ['set-cookie', 'a=1'],
    ['set-cookie', 'b=2'],
  ] as const
  expect(made({ text: '', headers: repeats })?.headers.slice(1, 3)).toEqual(repeats)
  expect(made({ text: '', headers })?.headers[1]).toEqual(['x', '1'])
  expect(made({ text: '', headers: new Headers({ x: '1' }) })?.headers[1]).toEqual(['x', '1'])
})

test('a status without a body has neither body nor type', () => {
  for (const status of [204, 205, 304]) {
    const answer = made({ status })
    expect([textOf(answer), answer?.headers[0]]).toEqual(['', ['cache-control', 'no-store']])
  }
})

test('HEAD gets the head alone', () => {
  const answer = made({ json: {} }, 'HEAD')
  expect([textOf(answer), answer?.headers[0]]).toEqual(['', ['content-type', 'application/json']])
})

test('every caller has bytes of its own, and so has the reply', () => {
  const bytes = Uint8Array.from([1])
  const fallback = reply({ body: bytes })
  bytes[0] = 2
  const first = fallback.standIn(failure(), REPLIES) as Reply
  first.body[0] = 3
  expect((fallback.standIn(failure(), REPLIES) as Reply).body).toEqual(Uint8Array.from([1]))
})

describe('the methods', () => {
  test('are GET and HEAD', () => {
    const given = ['GET', 'HEAD', 'POST', 'DELETE'].map((method) => made({ text: '' }, method) !== undefined)
    expect(given).toEqual([true, true, false, false])
  })

  test('are those named', () => {
    const given = ['GET', 'POST'].map((method) => made({ text: '', methods: ['post'] }, method) !== undefined)
    expect(given).toEqual([false, true])
  })

  test('are all where a function chose it, unless some are named', () => {
    expect(reply({ text: 'x' }).chosen?.(failure('POST'), REPLIES)).toMatchObject({ status: 200 })
    expect(reply({ text: 'x', methods: ['GET'] })).not.toHaveProperty('chosen')
  })
})

describe('a wrong option', () => {
  const circle: Record<string, unknown> = {}
  circle['self'] = circle
  const wire = 'reply.headers must be names and lines of text, and not of the wire, got '

  test.each([
    [{}, 'reply.json, text or body must be given once with status 200, got 0'],
    [{ json: 1, text: '' }, 'reply.json, text or body must be given once with status 200, got 2'],
    [{ status: 204, text: 'x' }, 'reply.json, text or body must be given not at all with status 204, got 1'],
    [{ json: undefined }, 'must be given once'],
    [{ json: () => 1 }, 'reply.json must be a value that JSON has, got function json'],
    [{ json: circle }, 'reply.json must be a value that JSON has'],
    [{ json: 1n }, 'reply.json must be a value that JSON has, got 1'],
    [{ text: 1 }, 'reply.text must be a string, got 1'],
    [{ body: 'x' }, 'reply.body must be a Uint8Array, got "x"'],
    [{ text: '', status: 101 }, 'reply.status must be from 200 to 599, got 101'],
    [{ text: '', status: '200' }, 'reply.status must be from 200 to 599, got "200"'],
    [{ text: '', statusText: 'a\r\nb' }, 'reply.statusText must be text on one line, got "a\\r\\nb"'],
    [{ text: '', headers: 'x' }, 'reply.headers must be an object or pairs, got "x"'],
    [{ text: '', headers: [5] }, 'reply.headers must be an object or pairs, got [5]'],
    [{ text: '', headers: ['a: b'] }, 'reply.headers must be an object or pairs, got ["a: b"]'],
    [{ text: '', headers: { 'a b': '1' } }, `${wire}{"a b":"1"}`],
    [{ text: '', headers: { a: '1\r\nset-cookie: x' } }, wire],
    [{ text: '', headers: { a: 1 } }, wire],
    [{ text: '', headers: { 'Cache-Control': 'max-age=60' } }, `${wire}{"Cache-Control":"max-age=60"}`],
    [{ text: '', headers: { 'content-length': '9' } }, wire],
    [{ text: '', methods: 'GET' }, `reply.methods must be a list such as ['GET'], got "GET"`],
    [{ text: '', methods: [] }, 'reply.methods must be a list'],
    [{ html: '' }, 'reply.html is not an option; there are status, statusText, headers, json, text, body, methods'],
    [undefined, 'the options of reply must be an object, got undefined'],
  ])('%o is told at once', (options, message) => {
    expect(() => reply(options as never)).toThrow(message)
  })
})
