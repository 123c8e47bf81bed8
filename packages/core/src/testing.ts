// For the tests of programs that use Fuseboard: a clock that goes on when told, a host that answers by a script, a fleet's store.
import { show } from './duration.ts'
import type { Clock } from './timeline.ts'

export { memoryStore } from './memory-store.ts'

/** A clock that stands still until it is told to go on. */
export interface ManualClock extends Clock {
  now(): number
  wall(): number
  after(ms: number, then: () => void): () => void
  /** Lets milliseconds pass. What waits for a moment is called back as it comes. */
  advance(ms: number): void
}

/**
 * A clock for `createBoard({ clock })`: no test has to wait for an open time.
 *
 * @param wall milliseconds since the epoch at which it begins. @default Date.now()
 * @example
 * const clock = manualClock()
 * const board = createBoard({ clock, openFor: '30s' })
 * clock.advance(30_000)
 * @throws TypeError where that is no number
 */
export function manualClock(wall: number = Date.now()): ManualClock {
  if (!Number.isFinite(wall)) throw new TypeError(`manualClock takes milliseconds, got ${show(wall)}`)
  let passed = 0
  const waiting = new Set<{ readonly at: number; readonly due: () => void }>()
  const next = (until: number) =>
    [...waiting].filter(({ at }) => at <= until).reduce((first, one) => (one.at < first.at ? one : first), NEVER)
  return {
    now: () => passed,
    wall: () => wall + passed,
    after(ms, then) {
      const one = { at: passed + ms, due: then }
      waiting.add(one)
      return () => void waiting.delete(one)
    },
    advance(ms) {
      if (!(ms >= 0)) throw new RangeError(`advance must be given milliseconds of at least 0, got ${String(ms)}`)
      const until = passed + ms
      for (let one = next(until); one !== NEVER; one = next(until)) {
        waiting.delete(one)
        passed = Math.max(passed, one.at)
        one.due()
      }
      passed = until
    },
  }
}

const NEVER = { at: Infinity, due: () => {} }

/** What a scripted host answers: a status, a whole answer, an error that the call fails with, or nothing until the caller gives up. */
export type Scripted = number | { status?: number; headers?: Record<string, string>; json: unknown } | Error | 'hang'

/** A host that answers by a script. */
export interface ScriptedHost {
  /** Asks it. It is used in place of a fetch: `guardFetch(board, { fetch: host.fetch })`. */
  readonly fetch: typeof globalThis.fetch
  /** What it was asked, in order. */
  readonly requests: readonly Request[]
}

/**
 * A host that answers by a script, one line a call; the last line is repeated.
 *
 * @example
 * const host = scriptedHost(503, 503, 503, { json: { text: 'For God so loved the world' } })
 * const fetch = guardFetch(board, { fetch: host.fetch })
 * @throws TypeError where the script is empty, or a line of it is none
 */
export function scriptedHost(...script: readonly Scripted[]): ScriptedHost {
  if (script.length === 0) throw new TypeError('A scripted host needs at least one line')
  for (const line of script) {
    const fits = typeof line === 'object' ? line instanceof Error || 'json' in Object(line) : isStatus(line)
    if (!fits && line !== 'hang')
      throw new TypeError(`A line of a script is a status, { json }, an error or 'hang', got ${show(line)}`)
  }
  const requests: Request[] = []
  const fetch: typeof globalThis.fetch = (input, init) => {
    const request = new Request(input, init)
    const line = script[Math.min(requests.push(request), script.length) - 1] as Scripted
    return line === 'hang' ? untilAborted(request.signal) : answer(line)
  }
  return { fetch, requests }
}

// A response of no other status can be made.
const isStatus = (line: unknown): boolean =>
  Number.isInteger(line) && (line as number) >= 200 && (line as number) <= 599

async function answer(line: Exclude<Scripted, 'hang'>): Promise<Response> {
  if (line instanceof Error) throw line
  if (typeof line === 'number') return new Response(null, { status: line })
  const { status = 200, headers = {}, json } = line
  return Response.json(json, { status, headers })
}

function untilAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    const giveUp = (): void => reject(signal.reason as Error)
    if (signal.aborted) giveUp()
    else signal.addEventListener('abort', giveUp, { once: true })
  })
}
