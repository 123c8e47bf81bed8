// What this program promises, checked at its end.
import type { Circuit } from '@fuseboard/core'
import type { Promised } from '../promised.ts'
import type { BibleServer, Counters } from './server.ts'
import type { Tally } from './tally.ts'
import type { Witness } from './witness.ts'

export interface Evidence {
  readonly tally: Tally
  readonly circuit: Circuit
  readonly server: BibleServer
  readonly unguardedServer: BibleServer
  readonly witness: Witness
  /** Milliseconds that a caller waits for an answer. */
  readonly limit: number
  /** Milliseconds by which the program's own timers were late at worst: a busy machine is no fault of the breaker. */
  readonly late: number
}

/** Milliseconds that a call may take besides waiting. */
const SLACK = 50
/** Failures that open the circuit, and calls that are under way by then or probe it. */
const A_HANDFUL = 3 + 2

/** Each promise, whether it was kept, and the figures. */
export function check(evidence: Evidence): readonly Promised[] {
  return [answered, inTime, faithful, spared, recovered, counted].map((promise) => promise(evidence))
}

function answered({ tally: { calls }, late }: Evidence): Promised {
  const bad = calls.filter(
    ({ source, tookMs }) => source === 'failed' || (source === 'refused' && tookMs > late + SLACK),
  )
  const refused = calls.filter(({ source }) => source === 'refused').length
  return {
    promise: 'every call was answered, or refused at once with a wait',
    kept: bad.length === 0,
    reason:
      bad.length === 0
        ? `${calls.length - refused} and ${refused} of ${calls.length}`
        : bad.map(({ n, asked, instead, status }) => `call ${n} (${asked}): ${instead ?? status}`).join(', '),
  }
}

function inTime({ tally: { calls }, limit, late }: Evidence): Promised {
  const longest = Math.max(...calls.map(({ tookMs }) => tookMs))
  return {
    promise: `no call took longer than its time-out of ${limit} ms, and ${SLACK} ms for the machine`,
    kept: longest <= limit + late + SLACK,
    reason: `the longest took ${Math.round(longest)} ms, with timers up to ${Math.round(late)} ms late`,
  }
}

function faithful({ tally: { calls, altered } }: Evidence): Promised {
  const stored = calls.filter(({ source }) => source === 'stored').length
  return {
    promise: 'stored verses are the same bytes as the network gave',
    kept: altered.length === 0 && stored > 0,
    reason: altered.length === 0 ? `${stored} compared` : altered.join(', '),
  }
}

function spared({ tally: { outages } }: Evidence): Promised {
  const guarded = outages.map(({ guarded }) => guarded).join(', ')
  const unguarded = outages.map(({ unguarded }) => unguarded).join(', ')
  return {
    promise: `the circuit opened in every outage, and the dead service was asked at most ${A_HANDFUL} times; without it, each time`,
    kept: outages.every(
      ({ asked, guarded, unguarded, opened }) => guarded <= A_HANDFUL && unguarded === asked && opened > 0,
    ),
    reason: `${guarded} times; without it ${unguarded}`,
  }
}

function recovered({ tally: { calls }, circuit }: Evidence): Promised {
  const last = calls.at(-1)?.source
  return {
    promise: 'at the end the circuit is closed and verses come from the network',
    kept: circuit.state === 'closed' && last === 'network',
    reason: `${circuit.state}, ${last}`,
  }
}

function counted({ tally, server, unguardedServer, witness, limit, late }: Evidence): Promised {
  const busy = late > limit / 4
  const seen = tally.settled.get('200') ?? 0
  const network = tally.calls.filter(({ source }) => source === 'network').length
  const differing = [
    ...differences('guarded', tally.settled, server.counters, witness.refused(server.port), busy),
    ...differences('unguarded', kinds(tally), unguardedServer.counters, witness.refused(unguardedServer.port), busy),
    ...(network === seen ? [] : [`${network} answers from the network, ${seen} 200s`]),
  ]
  const requests = server.counters.requests + unguardedServer.counters.requests
  return {
    promise: "the counts equal the servers' own",
    kept: differing.length === 0,
    reason: differing.length === 0 ? `${requests} requests, by outcome` : differing.join(', '),
  }
}

/** @param busy on a machine as late as that, an answer may come when its caller's patience has just run out */
function differences(
  who: string,
  seen: ReadonlyMap<string, number>,
  { requests, outcomes }: Counters,
  refused: number,
  busy: boolean,
): readonly string[] {
  const all = [...seen.values()].reduce((sum, count) => sum + count, 0)
  const [answers, timeouts] = [seen.get('200') ?? 0, seen.get('TimeoutError') ?? 0]
  const pairs: readonly (readonly [what: string, here: number, there: number])[] = [
    ['attempts', all, requests + refused],
    ...(busy
      ? [['200s and time-outs', answers + timeouts, outcomes['200'] + outcomes.unanswered] as const]
      : [['200s', answers, outcomes['200']] as const, ['time-outs', timeouts, outcomes.unanswered] as const]),
    ['429s', seen.get('429') ?? 0, outcomes['429']],
    ['500s', seen.get('500') ?? 0, outcomes['500 empty'] + outcomes['500 html']],
    ['requests that found nobody', (seen.get('ECONNREFUSED') ?? 0) + (seen.get('ECONNRESET') ?? 0), refused],
  ]
  return pairs.flatMap(([what, here, there]) =>
    here === there ? [] : [`${who} ${what}: ${here} here, ${there} there`],
  )
}

function kinds({ twins }: Tally): ReadonlyMap<string, number> {
  const counts = new Map<string, number>()
  for (const { status, error } of twins) {
    const kind = status === undefined ? String(error) : String(status)
    counts.set(kind, (counts.get(kind) ?? 0) + 1)
  }
  return counts
}
