// The story against a local service, and a second one that is asked the same without a breaker.
import { monitorEventLoopDelay } from 'node:perf_hooks'
import type { Ending } from '../entry.ts'
import { endingOf } from '../promised.ts'
import { bibleBoard } from './board.ts'
import { guardedClients, unguardedClient } from './clients.ts'
import type { Tell } from './events.ts'
import type { Options } from './options.ts'
import { troubles } from './outages.ts'
import { check } from './promises.ts'
import { BibleServer } from './server.ts'
import { Story, StuckError } from './story.ts'
import { Tally } from './tally.ts'
import { Witness } from './witness.ts'

/** Milliseconds that a caller of the real service waits for an answer. */
export const LIMIT = 5_000
const RESOLUTION = 10

export async function rehearse({ client, scale, seed }: Options, tellAll: Tell, signal: AbortSignal): Promise<Ending> {
  // What is still under way when it is stopped is nobody's concern.
  const tell: Tell = (event) => void (signal.aborted || tellAll(event))
  const limit = Math.round(LIMIT / scale)
  // Whenever it is started, a window of the limiter ends 20 s into the story.
  const tempo = { scale, epoch: Date.now() - 10_000 / scale }
  const lateness = monitorEventLoopDelay({ resolution: RESOLUTION })
  lateness.enable()
  const witness = new Witness()
  const server = await BibleServer.listen(tempo)
  const unguardedServer = await BibleServer.listen(tempo)

  const board = bibleBoard(server.host, tempo, tell)
  const circuit = board.circuit(server.host)
  const tally = new Tally(board)
  const clients = guardedClients(board, limit, client)
  const unguarded = unguardedClient(limit)
  const cast = { board, circuit, clients, server, unguarded, unguardedServer, witness, tally, tell, signal }

  try {
    tell({ event: 'start', scale, seed: seed ?? null, host: server.host, limitMs: limit, client })
    await new Story(cast, scale, tempo.epoch).play(troubles(seed))
  } catch (error) {
    if (signal.aborted) return { status: 130, says: 'Stopped.' }
    if (error instanceof StuckError) return { status: 1, says: `Stuck: ${error.message}.` }
    throw error
  } finally {
    await Promise.all([server.close(), unguardedServer.close()])
    witness.close()
  }

  const late = lateness.max / 1_000_000 - RESOLUTION
  tell({ event: 'summary', ...tally.summary(scale) })
  const promises = check({ tally, circuit, server, unguardedServer, witness, limit, late })
  for (const promise of promises) tell({ event: 'promise', ...promise })
  return endingOf(promises)
}
