// Counts, below every breaker, the connections that nobody took: while a server is down it cannot count them itself.
import diagnostics from 'node:diagnostics_channel'
import type { BibleServer } from './server.ts'

/** Watches undici's own diagnostics, those of the copy inside Node too. */
export class Witness {
  readonly #refused = new Map<number, number>()
  readonly #hear = (message: unknown): void => {
    const { connectParams, error } = message as { connectParams: { port: string }; error: { code?: string } }
    if (error.code !== 'ECONNREFUSED') return
    const port = Number(connectParams.port)
    this.#refused.set(port, this.refused(port) + 1)
  }

  constructor() {
    diagnostics.subscribe(CHANNEL, this.#hear)
  }

  /** How many connections to a port of this machine were refused. */
  refused(port: number): number {
    return this.#refused.get(port) ?? 0
  }

  /** Requests that came to a server while it was broken, and connections that found nobody. */
  reachedDead({ port, counters }: BibleServer): number {
    return counters.dead + this.refused(port)
  }

  close(): void {
    diagnostics.unsubscribe(CHANNEL, this.#hear)
  }
}

const CHANNEL = 'undici:client:connectError'
