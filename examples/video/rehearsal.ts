// The story against local servers, in a temporary folder that is gone afterwards.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { createBoard } from '@fuseboard/core'
import type { Ending } from '../entry.ts'
import { endingOf } from '../promised.ts'
import { mulberry32 } from '../random.ts'
import { guardedClients } from './clients.ts'
import type { Tell } from './events.ts'
import { Memory } from './memory.ts'
import type { Options } from './options.ts'
import { silenceAt, videoPolicy } from './policy.ts'
import { check, rowsOf } from './promises.ts'
import { VideoServer } from './server.ts'
import { Story, StuckError } from './story.ts'
import { Tally } from './tally.ts'

/** Bytes a second of each body, so that a bar is seen to grow. */
const SPEED = 32 * 2 ** 20
const RESOLUTION = 10

/** Milliseconds in which it must come to its end, and those by the policy's clock. */
const PATIENCE = 60_000
const WAITING = 1_800_000

export async function rehearse({ scale, seed }: Options, tellAll: Tell, stop: AbortSignal): Promise<Ending> {
  const patience = AbortSignal.timeout(Math.ceil(PATIENCE + WAITING / scale))
  const signal = AbortSignal.any([stop, patience])

  // What is still under way when it is stopped is nobody's concern.
  const tell: Tell = (event) => void (stop.aborted || tellAll(event))
  const silence = silenceAt(scale)
  const server = await VideoServer.listen(SPEED)
  const platform = await VideoServer.listen()
  const folder = await mkdtemp(join(tmpdir(), 'fuseboard-video-'))
  const memory = new Memory()
  const lateness = monitorEventLoopDelay({ resolution: RESOLUTION })
  lateness.enable()

  const policy = videoPolicy('videos', scale)
  const board = createBoard({ hosts: { [server.host]: policy } })
  const tally = new Tally(board, server)
  board.on('transition', ({ to, message }) => tell({ event: 'transition', to, message }))
  const clients = guardedClients(board, silence)
  const story = new Story({
    board,
    clients,
    server,
    platform,
    folder,
    scale,
    random: mulberry32(seed),
    memory,
    tell,
    signal,
  })

  try {
    const { host } = server
    const { openFor: openForMs } = policy
    tell({ event: 'start', seed, scale, host, platform: platform.host, openForMs, silenceMs: silence })
    await story.play()
    const { growth } = memory
    const late = lateness.max / 1_000_000 - RESOLUTION
    const rows = await rowsOf(story, folder, server, platform)
    tell({ event: 'summary', rows })
    const promises = check({ story, rows, server, tally, silence, late, growth })
    for (const promise of promises) tell({ event: 'promise', ...promise })
    return endingOf(promises)
  } catch (error) {
    if (stop.aborted) return { status: 130, says: 'Stopped.' }
    if (patience.aborted) return { status: 1, says: 'Stuck: something that had to come did not.' }
    if (error instanceof StuckError) return { status: 1, says: `Stuck: ${error.message}.` }
    throw error
  } finally {
    memory.close()
    await Promise.all([server.goAway(), platform.goAway()])
    await rm(folder, { recursive: true, force: true })
  }
}
