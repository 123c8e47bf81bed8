// What the board is told of bible-api.com: when its circuit opens, what a limit and a ban mean there, and what stands in for it.
import {
  header,
  policy,
  reply,
  staleIfError,
  type Board,
  type HttpRequest,
  type Outcome,
  type Policy,
} from '@fuseboard/core'

/** What a caller reads where there is no verse. */
export const UNAVAILABLE = '[Bible verse temporarily unavailable]'

const SECOND = 1_000
const MINUTE = 60 * SECOND

/** The service allows 15 requests in a window of this length; it says so nowhere. */
const WINDOW = 30 * SECOND
/** For clocks that differ. */
const MARGIN = SECOND / 2
/** How long it bans an address that asks for too much of what is not there. */
const BAN = 60 * MINUTE

export interface Tempo {
  /** Every time below is divided by it: 1 for bible-api.com itself. */
  readonly scale: number
  /** Wall time in milliseconds at which a window of the service begins: 0 for bible-api.com itself. */
  readonly epoch: number
}

export function biblePolicy({ scale, epoch }: Tempo): Policy {
  const window = WINDOW / scale

  return policy({
    label: 'bible-api',
    window,
    consecutiveFailures: 3,
    openFor: (30 * SECOND) / scale,
    // A restart leaves stale connections in the service's pool, so a 500 among the first answers means little.
    probes: { permits: 3, need: 2, within: (30 * SECOND) / scale },
    // A probe that fails must hurt nobody.
    probe: (request) => nameOf(request) !== undefined,
    abandonedAfter: (5 * SECOND) / scale,
    maxPause: (WINDOW + MARGIN) / scale,

    classify(outcome: Outcome) {
      if (!('status' in outcome)) return undefined
      // It sends no Retry-After, but its windows are known.
      if (outcome.status === 429) return { pause: window - ((Date.now() - epoch) % window) + MARGIN / scale }
      if (outcome.status === 403 && header(outcome.headers, 'content-type')?.startsWith('text/plain')) return 'failure'
      return undefined
    },

    fallback: [
      staleIfError({
        keepFor: '7d', // scripture does not change
        on: [429, 403],
        varyBy: ['x-single-chapter-book-matching'], // it changes the answer, and no Vary says so
        skip: (request) => nameOf(request) === undefined,
      }),
      ({ request }) => {
        const reference = nameOf(request)
        return reference === undefined ? undefined : reply({ json: { reference, text: UNAVAILABLE } })
      },
    ],
  })
}

/**
 * Heeds a ban: it lasts an hour whatever its bearer does, so the circuit stays open as long, where it would else ask every
 * half minute.
 */
export function heedBans(board: Board, { scale }: Tempo): void {
  board.on('settled', ({ key, status, verdict }) => {
    if (status === 403 && verdict === 'failure') board.circuit(key).trip(BAN / scale)
  })
}

/** The verse that a request names: a random one names none, and JSONP is a program, for which no other may stand in. */
function nameOf({ url }: Pick<HttpRequest, 'url'>): string | undefined {
  const { pathname, searchParams } = new URL(url)
  if (pathname === '/' || pathname.startsWith('/data') || JSONP.some((name) => searchParams.has(name))) return undefined
  const name = pathname.slice(1).replaceAll('+', ' ')
  try {
    return decodeURIComponent(name)
  } catch {
    return name
  }
}

const JSONP = ['callback', 'jscallback', 'jsonp', 'jsoncallback']
