// Counts, below every breaker, the connections that nobody took: while a server is down it cannot count them itself.
import diagnostics from 'node:diagnostics_channel'
import type { ClientRequest } from 'node:http'
import type { BibleServer } from './server.ts'

/** Watches the diagnostics of undici, those of the copy inside Node too, and those of node:http, which axios and got use. */
export class Witness {
  readonly #refused = new Map<number, number>()
  readonly #hear = (message: unknown): void => {
    const port = portOf(message as Failed)
    if (port) this.#refused.set(port, this.refused(port) + 1)
  }

  constructor() {
    for (const channel of CHANNELS) diagnostics.subscribe(channel, this.#hear)
  }

  /** How many requests to a port of this machine found nobody there. */
  refused(port: number): number {
    return this.#refused.get(port) ?? 0
  }

  /** Requests that came to a server while it was broken, and connections that found nobody. */
  reachedDead({ port, counters }: BibleServer): number {
    return counters.dead + this.refused(port)
  }

  close(): void {
    for (const channel of CHANNELS) diagnostics.unsubscribe(channel, this.#hear)
  }
}

interface Failed {
  readonly error: { code?: string; port?: number }
  readonly request?: ClientRequest
}

/** The port where nobody was found: a connection was refused, or one kept from before turned out to be dead. */
function portOf({ error, request }: Failed): number | undefined {
  if (error.code === 'ECONNREFUSED') return error.port
  if (error.code !== 'ECONNRESET' || !request?.reusedSocket) return undefined
  return Number(new URL(`http://${String(request.getHeader('host'))}`).port)
}

const CHANNELS = ['undici:client:connectError', 'http.client.request.error']
