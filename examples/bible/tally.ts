// Keeps count of what happened, so that the end can be compared with the servers' own counters.
import type { Board } from '@fuseboard/core'
import type { Call, Column, Summary, Twin } from './events.ts'
import { kindOf } from './reader.ts'

export class Tally {
  readonly calls: Call[] = []
  readonly twins: Twin[] = []
  /** What the board saw on the wire, by status or kind of error. */
  readonly settled = new Map<string, number>()
  /** How many refusals the board told of. */
  refused = 0
  /** How often the circuit opened. */
  opened = 0
  /** Calls asked for while the service was down. */
  askedWhileDead = 0
  /** Stored replies that differ from the network's last answer, by name. */
  readonly altered: string[] = []
  readonly #latest = new Map<string, Buffer>()

  constructor(board: Board) {
    board.on('settled', ({ status, error, amended }) => {
      if (!amended) this.#count(status === undefined ? kindOf(error) : String(status))
    })
    board.on('refused', () => this.refused++)
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

  /** Attempts on the wire, those that found nobody included. */
  get sent(): number {
    return [...this.settled.values()].reduce((sum, count) => sum + count, 0)
  }

  /** @param reachedDead requests and connections that met a service that was down */
  summary(scale: number, reachedDead: { guarded: number; unguarded: number }): Summary {
    const guarded = column(this.calls, reachedDead.guarded)
    const unguarded = column(this.twins, reachedDead.unguarded)
    return { guarded, unguarded, savedMs: unguarded.waitedMs - guarded.waitedMs, scale }
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
