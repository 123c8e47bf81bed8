// The policy against the local service: what a limit and a ban do to the circuit, and what stands in.
import { createBoard, guardFetch, isFallback, type Board } from '@fuseboard/core'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { biblePolicy, heedBans, UNAVAILABLE } from './policy.ts'
import { BibleServer } from './server.ts'

const VERSE = '/John+3:16'

let server: BibleServer
let board: Board
let get: (path: string, headers?: Record<string, string>) => Promise<Response>

beforeEach(async () => {
  // Slow enough that no window ends within a test: 30 s from now.
  const tempo = { scale: 1, epoch: Date.now() }
  server = await BibleServer.listen(tempo)
  board = createBoard({ hosts: { [server.host]: biblePolicy(tempo) } })
  heedBans(board, tempo)
  const guarded = guardFetch(board)
  get = (path, headers = {}) => guarded(server.origin + path, { headers })
})

afterEach(async () => {
  await server.close()
})

async function read(path: string, headers?: Record<string, string>): Promise<string> {
  return (await get(path, headers)).text()
}

test('the 16th request pauses the circuit to the end of the window, and a stored verse stands in', async () => {
  const verse = await read(VERSE)
  for (let more = 0; more < 14; more++) await read(VERSE)
  const limited = await get(VERSE)
  expect(isFallback(limited)).toMatchObject({ source: 'stored', reason: 'failed', masked: { status: 429 } })
  expect(await limited.text()).toBe(verse)

  const paused = await get(VERSE)
  expect(isFallback(paused)).toMatchObject({ source: 'stored', reason: 'refused' })
  await expect(get('/?random=true')).rejects.toMatchObject({ code: 'EOPENBREAKER', reason: 'paused' })
  expect(board.circuit(server.host).state).toBe('closed')
  expect(server.counters.requests).toBe(16)
})

test('the pause ends half a second after the window', async () => {
  for (let asked = 0; asked < 16; asked++) await read(VERSE)
  const refusal = await get('/?random=true').catch((error: unknown) => error as { retryAfterMs: number })
  expect(refusal).toMatchObject({ retryAfterMs: expect.closeTo(30_500, -4) })
})

test('a ban opens the circuit for an hour, and stored verses stand in', async () => {
  const verse = await read(VERSE)
  for (let missing = 1; missing <= 11; missing++) await read(`/Jn+999:${missing}`)
  expect(server.counters.outcomes).toMatchObject({ '404': 10, '403': 1 })

  expect(await read(VERSE)).toBe(verse)
  const refusal = await get('/?random=true').catch((error: unknown) => error)
  expect(refusal).toMatchObject({ reason: 'open', retryAfterMs: expect.closeTo(3_600_000, -5) })
  expect(server.counters.requests).toBe(12)
})

describe('what stands in while the service is broken', () => {
  test('a stored verse, by its headers too where they change it', async () => {
    const indifferent = { 'x-single-chapter-book-matching': 'indifferent' }
    const [verse, chapter] = [await read('/Jude+1'), await read('/Jude+1', indifferent)]
    await server.breakDown('database-down')
    expect([await read('/Jude+1'), await read('/Jude+1', indifferent)]).toEqual([verse, chapter])
    expect(verse.length).toBeLessThan(chapter.length)
  })

  test('a made one for a verse that was never read', async () => {
    await server.breakDown('limiter-store-down')
    const made = await get('/Psalm+23')
    expect(isFallback(made)).toMatchObject({ source: 'made' })
    expect(await made.json()).toEqual({ reference: 'Psalm 23', text: UNAVAILABLE })
  })

  test.each(['/?random=true', '/data/web/random/NT', '/John+3:16?callback=showVerse'])(
    'nothing for %s',
    async (path) => {
      await read(path)
      await server.breakDown('database-down')
      expect((await get(path)).status).toBe(500)
    },
  )
})

test('what has no stand-in never probes', async () => {
  await read(VERSE)
  board.circuit(server.host).trip(1)
  await expect.poll(() => board.circuit(server.host).state).toBe('half-open')
  await expect(get('/?random=true')).rejects.toMatchObject({ reason: 'probing' })
  expect((await get(VERSE)).status).toBe(200)
})
