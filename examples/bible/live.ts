// A few verses from bible-api.com itself, at its own pace.
import { setTimeout as sleep } from 'node:timers/promises'
import type { Ending } from '../entry.ts'
import { bibleBoard } from './board.ts'
import { guardedClients } from './clients.ts'
import type { Call, Tell } from './events.ts'
import type { Options } from './options.ts'
import { VERSES } from './passages.ts'
import { Reader } from './reader.ts'
import { LIMIT } from './rehearsal.ts'

const HOST = 'bible-api.com'
/** Milliseconds between calls: 7 of them stay far below the service's 15 in 30 s. */
const PACE = 2_500

export async function live({ client }: Options, tell: Tell, signal: AbortSignal): Promise<Ending> {
  const board = bibleBoard(HOST, { scale: 1, epoch: 0 }, tell)
  const clients = guardedClients(board, LIMIT, client)
  const reader = new Reader(board)
  const calls: Call[] = []

  tell({ event: 'start', scale: 1, seed: null, host: HOST, limitMs: LIMIT, client })
  tell({ event: 'scene', title: `${VERSES.length} verses from ${HOST}` })
  try {
    for (const [index, passage] of VERSES.entries()) {
      const { call } = await reader.read(clients[index % clients.length]!, `https://${HOST}`, passage)
      calls.push({ n: index + 1, ...call })
      tell({ event: 'call', ...calls.at(-1)! })
      if (index + 1 < VERSES.length) await sleep(PACE, undefined, { signal })
    }
  } catch (error) {
    if (signal.aborted) return { status: 130, says: 'Stopped.' }
    throw error
  }

  const network = calls.filter(({ source }) => source === 'network').length
  if (network === calls.length) return { status: 0, says: `All ${network} verses came from ${HOST}.` }
  const met = [...new Set(calls.flatMap(({ source, instead }) => (source === 'network' ? [] : [instead ?? source])))]
  return { status: 1, says: `${network || 'None'} of ${calls.length} verses came from ${HOST}: ${met.join(', ')}.` }
}
