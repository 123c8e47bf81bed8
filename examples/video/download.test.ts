// A download by hand: what it tells its caller, what lies on the disk, and what its host is charged with.
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createBoard, type Verdict } from '@fuseboard/core'
import { manualClock } from '@fuseboard/core/testing'
import { describe, expect, onTestFinished, test } from 'vitest'
import { guardedClients, type ClientName } from './clients.ts'
import { Download } from './download.ts'
import { Film } from './film.ts'
import { VideoServer } from './server.ts'

const SIZE = 400_000
const film = new Film('a film', SIZE)
const never = new AbortController().signal
const BROKEN = { status: 'failed', refused: false, retry_later: true }

async function begin(by: ClientName, silence = 5_000) {
  const server = await VideoServer.listen()
  server.put('film.mp4', film)
  const folder = await mkdtemp(join(tmpdir(), 'fuseboard-video-'))
  onTestFinished(async () => {
    await server.goAway()
    await rm(folder, { recursive: true })
  })
  const clock = manualClock()
  const board = createBoard({ consecutiveFailures: 3, openFor: '2m', clock })
  const verdicts: Verdict[] = []
  board.on('settled', ({ verdict }) => verdicts.push(verdict))
  const client = guardedClients(board, silence)[by]
  const path = join(folder, 'film.mp4')
  const download = new Download({ url: server.url('film.mp4'), path, pause: 10_000 })
  return { server, clock, verdicts, download, go: () => download.attempt(client, never), file: () => readFile(path) }
}

describe.each(['got', 'undici'] as const)('with %s', (by) => {
  test.each(['reset', 'truncate', 'stall'] as const)('a %s is a failure, and it goes on from there', async (mishap) => {
    const { server, verdicts, download, go, file } = await begin(by, 300)
    server.breakAt('film.mp4', mishap, 250_000)
    expect(await go()).toMatchObject(BROKEN)
    expect(verdicts).toEqual(['success', 'failure'])
    const had = (await file()).length
    expect([had, had <= 250_000]).toEqual([download.have, true])

    expect(await go()).toEqual({ status: 'done' })
    expect(server.asked[1]).toMatchObject(had > 0 ? { status: 206, range: `bytes=${had}-`, ifRange: film.etag } : {})
    expect((await file()).equals(film.read(0, SIZE))).toBe(true)
    expect(download).toMatchObject({ came: SIZE, broken: 1, restarted: 0 })
  })

  test('three bodies that break off open the circuit: the fourth is told when, and goes on then', async () => {
    const { server, clock, download, go, file } = await begin(by)
    for (const at of [100_000, 200_000, 300_000]) {
      server.breakAt('film.mp4', 'truncate', at)
      expect(await go()).toMatchObject(BROKEN)
    }
    const from = Date.now()
    const told = await go()
    expect(told).toMatchObject({ status: 'failed', refused: true, retry_later: true })
    const { retry_at = '' } = told as { retry_at?: string }
    expect(Date.parse(retry_at) - from).toBeGreaterThanOrEqual(120_000)
    expect(server.asked).toHaveLength(3)

    clock.advance(120_000)
    expect(await go()).toEqual({ status: 'done' })
    expect((await file()).equals(film.read(0, SIZE))).toBe(true)
    expect(download).toMatchObject({ came: SIZE, resumed: 3, broken: 3 })
  })

  test('a film that has changed meanwhile begins again', async () => {
    const { server, download, go, file } = await begin(by)
    server.breakAt('film.mp4', 'truncate', 250_000)
    await go()
    const had = download.have
    const next = new Film('a film, cut anew', SIZE - 1)
    server.put('film.mp4', next)
    expect(await go()).toEqual({ status: 'done' })
    expect((await file()).equals(next.read(0, SIZE - 1))).toBe(true)
    expect(download).toMatchObject({ came: had + SIZE - 1, restarted: 1, size: SIZE - 1 })
  })

  test('what is not there is not worth trying again, and says nothing of its host', async () => {
    const { server, verdicts, download } = await begin(by)
    const board = createBoard({ consecutiveFailures: 1 })
    const missing = new Download({ url: server.url('none.mp4'), path: download.path, pause: 10_000 })
    const error = 'Unexpected answer: status 404'
    expect(await missing.attempt(guardedClients(board, 5_000)[by], never)).toEqual({
      status: 'failed',
      error,
      refused: false,
      retry_later: false,
    })
    expect([board.circuit(server.host).state, verdicts]).toEqual(['closed', []])
  })

  test('a caller who stops gets the reason, and the host is charged with nothing', async () => {
    const { server, download, verdicts } = await begin(by)
    server.breakAt('film.mp4', 'stall', 250_000)
    const board = createBoard({ consecutiveFailures: 1 })
    const stop = new AbortController()
    const grown = (): void => void (download.have === 250_000 && stop.abort(new Error('Enough')))
    await expect(download.attempt(guardedClients(board, 5_000)[by], stop.signal, { grown })).rejects.toThrow('Enough')
    expect([board.circuit(server.host).state, verdicts]).toEqual(['closed', []])
  })
})
