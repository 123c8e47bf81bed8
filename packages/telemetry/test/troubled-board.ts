// A board with some of everything on it, for what is shown of boards.
import { createBoard, reply, staleIfError, type Board, type BoardOptions, type ReplyStore } from '@fuseboard/core'
import { manualClock, type ManualClock } from '@fuseboard/core/testing'

const EPOCH = Date.UTC(2027, 0, 15, 8)

/** Makes a call that is answered with a status, after a time. */
type Call = (host: string, status: number, ms?: number) => ReturnType<Board['attempt']>

/** A board on a clock of its own, and what calls its hosts. */
export interface Bench {
  readonly board: Board
  readonly clock: ManualClock
  readonly call: Call
}

/** A board that opens after two failures in a row, for 10 s. */
export function benchOf(options: BoardOptions = {}): Bench {
  const clock = manualClock(EPOCH)
  const board = createBoard({ consecutiveFailures: 2, openFor: '10s', ...options, clock })
  const call: Call = (host, status, ms = 0) => {
    const attempt = board.attempt({ method: 'GET', url: `https://${host}/path?query=1` })
    if (attempt.refused) return attempt
    clock.advance(ms)
    attempt.settle({ status })
    return attempt
  }
  return { board, clock, call }
}

const broken: ReplyStore = {
  get: () => Promise.reject(new Error('the store is down')),
  set: () => Promise.reject(new Error('the store is down')),
  delete: () => Promise.reject(new Error('the store is down')),
}

/** A board of hosts with fallbacks, whose store of replies is down. */
export const troubledBench = (): Bench =>
  benchOf({
    slowAfter: '1s',
    slowRate: 1,
    replies: broken,
    hosts: {
      'down.test': { label: 'the "bad"\n\\one', fallback: [staleIfError(), reply({ json: {} })] },
      '*.test': {},
    },
  })

/**
 * Makes the trouble: `down.test` opens after two failures of 2 s each, refuses two calls, for which made replies stand in, and is
 * open still 5 s later; `well.test:8443` has a good call, a slow one and a 429; `held.test` is isolated for 5 s.
 */
export async function makeTrouble({ board, clock, call }: Bench): Promise<void> {
  call('well.test:8443', 200)
  call('well.test:8443', 200, 1_500)
  call('well.test:8443', 429)
  call('down.test', 503, 2_000)
  call('down.test', 503, 2_000)
  await call('down.test', 200).standIn()
  await call('down.test', 200).standIn()
  board.circuit('held.test').isolate()
  clock.advance(5_000)
}
