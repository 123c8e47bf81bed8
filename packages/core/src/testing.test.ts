// The helpers for tests, as users put them to use.
import { describe, expect, test } from 'vitest'
import { circuitOpen, createBoard, guardFetch } from './index.ts'
import { manualClock, scriptedHost } from './testing.ts'

const URL = 'https://bible-api.com/John+3:16'

test('an outage and its end, without waiting', async () => {
  const clock = manualClock()
  const board = createBoard({ clock, consecutiveFailures: 3, openFor: '30s' })
  const host = scriptedHost(503, new Error('socket hang up'), 503, { json: { text: 'For God so loved the world' } })
  const fetch = guardFetch(board, { fetch: host.fetch })

  expect((await fetch(URL)).status).toBe(503)
  await expect(fetch(URL)).rejects.toThrow('socket hang up')
  expect((await fetch(URL)).status).toBe(503)
  const refusal: unknown = await fetch(URL).catch((error: unknown) => error)
  expect(circuitOpen(refusal)).toMatchObject({ key: 'bible-api.com', reason: 'open', retryAfterMs: 30_000 })
  expect(host.requests).toHaveLength(3)

  clock.advance(30_000)
  expect(await (await fetch(URL)).json()).toEqual({ text: 'For God so loved the world' })
  expect(board.circuit('bible-api.com').state).toBe('closed')
})

test('one board for all tests is as new after a reset', async () => {
  const board = createBoard({ consecutiveFailures: 1 })
  const fetch = guardFetch(board, { fetch: scriptedHost(500).fetch })
  await fetch(URL)
  expect(board.circuit('bible-api.com').state).toBe('open')
  board.reset()
  expect(board.circuit('bible-api.com').state).toBe('closed')
})

describe('a scripted host', () => {
  test('repeats its last line, and remembers what it was asked', async () => {
    const host = scriptedHost(404, { status: 201, headers: { 'x-a': 'b' }, json: 1 })
    await host.fetch(URL)
    for (const _ of [1, 2]) {
      const answer = await host.fetch(URL, { method: 'POST', body: 'x' })
      expect([answer.status, answer.headers.get('x-a'), await answer.json()]).toEqual([201, 'b', 1])
    }
    expect(host.requests.map(({ method, url }) => `${method} ${url}`)).toEqual([
      `GET ${URL}`,
      `POST ${URL}`,
      `POST ${URL}`,
    ])
  })

  test('that hangs does so until the caller gives up', async () => {
    const { fetch } = scriptedHost('hang')
    const stop = new AbortController()
    const answer = fetch(URL, { signal: stop.signal })
    stop.abort(new Error('enough'))
    await expect(answer).rejects.toThrow('enough')
    await expect(fetch(URL, { signal: stop.signal })).rejects.toThrow('enough')
  })

  test('without a script is a mistake', () => {
    expect(() => scriptedHost()).toThrow(new TypeError('A scripted host needs at least one line'))
  })

  test.each([
    [[503], '[503]'],
    ['503', '"503"'],
    [null, 'null'],
    [600, '600'],
    [{ status: 503 }, '{"status":503}'],
  ])('with a line that is none is a mistake: %j', (line, shown) => {
    const message = `A line of a script is a status, { json }, an error or 'hang', got ${shown}`
    expect(() => scriptedHost(200, line as never)).toThrow(new TypeError(message))
  })
})

test('a manual clock begins at a number', () => {
  for (const wrong of ['2026-01-01', Number.NaN, new Date()])
    expect(() => manualClock(wrong as never)).toThrow(/^manualClock takes milliseconds, got /)
})

test('a manual clock does not go back', () => {
  const clock = manualClock(1_000)
  clock.advance(5)
  expect([clock.now(), clock.wall()]).toEqual([5, 1_005])
  expect(() => clock.advance(-1)).toThrow(new RangeError('advance must be given milliseconds of at least 0, got -1'))
})
