// Keeps count of what happened, so that the end can be compared with the servers' own counters.
import type { Board } from '@fuseboard/core'
import type { Call, Column, Endured, Summary, Twin } from './events.ts'
import { kindOf } from './reader.ts'

export class Tally {
  readonly calls: Call[] = []
  readonly twins: Twin[] = []
  /** What the board saw on the wire, by status or kind of error. */
  readonly settled = new Map<string, number>()
  /** How often the circuit opened. */
  opened = 0
  readonly outages: Endured[] = []
  /** Stored replies that differ from the network's last answer, by name. */
  readonly altered: string[] = []
  readonly #latest = new Map<string, Buffer>()

  constructor(board: Board) {
    board.on('settled', ({ status, error, amended }) => {
      if (!amended) this.#count(status === undefined ? kindOf(error) : String(status))
    })
    board.on('transition', ({ to }) => {
      if (to === 'open') this.opened++
    })
  }

  /** @param key what was asked for, with the headers that change the answer */
  add(call: Call, key: string, body: Buffer | undefined): void {
    this.calls.push(call)
    if (!body) return
    if (call.source === 'network') this.#latest.set(key, body)
    if (call.source === 'stored' && !this.#latest.get(key)?.equals(body)) this.altered.push(call.asked)
  }

  /** @param scale how many times as fast as the real service it all went */
  summary(scale: number): Summary {
    const reached = (side: 'guarded' | 'unguarded'): number =>
      this.outages.reduce((sum, outage) => sum + outage[side], 0)
    const guarded = column(this.calls, reached('guarded'))
    const unguarded = column(this.twins, reached('unguarded'))
    return { guarded, unguarded, outages: this.outages, savedMs: unguarded.waitedMs - guarded.waitedMs, scale }
  }

  #count(kind: string): void {
    this.settled.set(kind, (this.settled.get(kind) ?? 0) + 1)
  }
}

function column(calls: readonly Pick<Call, 'source' | 'tookMs'>[], reachedDead: number): Column {
  const from = (source: Call['source']): number => calls.filter((call) => call.source === source).length
  const [network, stored, made] = [from('network'), from('stored'), from('made')]
  return {
    calls: calls.length,
    answered: network + stored + made,
    network,
    stored,
    made,
    refused: from('refused'),
    failed: from('failed'),
    reachedDead,
    waitedMs: calls.reduce((sum, { tookMs }) => sum + tookMs, 0),
    longestMs: Math.max(0, ...calls.map(({ tookMs }) => tookMs)),
  }
}
