// What a request sends, for the fallbacks that keep it.
import { expect, test } from 'vitest'
import { createBoard, guardFetch, type Fallback, type HttpRequest } from './index.ts'

/** What a fallback is told of a request before it is sent. */
function told(read: (request: HttpRequest) => unknown): { fallback: Fallback; seen: unknown[] } {
  const seen: unknown[] = []
  const fallback: Fallback = { prepare: (request) => void seen.push(read(request)), standIn: () => undefined }
  return { fallback, seen }
}

const url = 'https://bible-api.com/a'
const fetch = async (input: unknown, init?: RequestInit): Promise<Response> =>
  new Response(await new Request(input as Request, init).text())

test('the body of a fetch is the one that it was given', async () => {
  const { fallback, seen } = told((request) => request.payload?.())
  const guarded = guardFetch(createBoard({ fallback }), { fetch })
  const body = new URLSearchParams({ a: '1' })
  await guarded(url, { method: 'POST', body })
  await guarded(new Request(url, { method: 'POST', body: 'overruled' }), { body: 'b' })
  await guarded(url)
  await guarded(new Request(url))
  expect(seen).toEqual([body, 'b', undefined, undefined])
})

test('the body of a Request is given as a copy, so that it can be sent all the same', async () => {
  const { fallback, seen } = told((request) => request.payload?.())
  const guarded = guardFetch(createBoard({ fallback }), { fetch })
  const own = new Request(url, { method: 'POST', body: 'a' })
  expect(await (await guarded(own)).text()).toBe('a')
  expect(await (seen[0] as Request).text()).toBe('a')
})

test('a client that does not tell is not taken for one that sends nothing', () => {
  const { fallback, seen } = told((request) => {
    try {
      return request.payload?.()
    } catch (error) {
      return error
    }
  })
  expect(createBoard({ fallback }).attempt({ method: 'POST', url }).headers).toEqual([])
  expect(String(seen[0])).toBe('Error: its client does not tell what a request sends')
})
