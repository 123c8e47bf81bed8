// One process of the fleet: reads verses at its own pace, and tells its parent what became of them.
import { setTimeout as sleep } from 'node:timers/promises'
import { createBoard, guardFetch, isFallback, policy, reply } from '@fuseboard/core'
import { joinStore, type Place } from './place.ts'

export interface Settings {
  readonly origin: string
  readonly place: Place
  /** Milliseconds between two of its calls. */
  readonly every: number
}

/** What a member tells. Moments are milliseconds since the epoch: all processes are on one machine. */
export type Told =
  | { readonly what: 'ready' }
  | { readonly what: 'state'; readonly state: string; readonly message: string; readonly at: number }
  | { readonly what: 'sent'; readonly probe: boolean; readonly begun: number; readonly ended: number }
  | { readonly what: 'answered'; readonly from: 'network' | 'stand-in' | 'nobody' }

const { origin, place, every } = JSON.parse(process.argv[2] ?? '') as Settings
const { host } = new URL(origin)
const store = await joinStore(place)
const board = createBoard({
  hosts: {
    [host]: policy({
      label: 'bible-api',
      consecutiveFailures: 3,
      openFor: '2s',
      probes: { within: '1s' },
      fallback: reply({ json: { text: '[Bible verse temporarily unavailable]' } }),
    }),
  },
  fleet: store.fleet,
})
const tell = (told: Told): void => void process.send?.(told)
board.on('transition', ({ to, message, at }) => tell({ what: 'state', state: to, message, at }))
board.on('settled', ({ probe, durationMs }) => {
  const ended = Date.now()
  tell({ what: 'sent', probe, begun: ended - durationMs, ended })
})
const fetch = guardFetch(board)
const stop = new AbortController()
process.on('message', () => stop.abort())
process.on('disconnect', () => stop.abort())

await board.ready()
tell({ what: 'ready' })
while (!stop.signal.aborted) {
  await read()
  await sleep(every, undefined, { signal: stop.signal }).catch(() => {})
}
await board.flush()
await store[Symbol.asyncDispose]()
process.disconnect()

async function read(): Promise<void> {
  try {
    const response = await fetch(`${origin}/John+3:16`, { signal: AbortSignal.timeout(500) })
    await response.arrayBuffer()
    tell({ what: 'answered', from: isFallback(response) ? 'stand-in' : 'network' })
  } catch {
    tell({ what: 'answered', from: 'nobody' })
  }
}
