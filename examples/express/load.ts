// An open loop: requests at a fixed rate, whatever comes back and however long that takes.
import { setTimeout as sleep } from 'node:timers/promises'
import { Agent, request } from 'undici'

/** What came of the requests for one route. */
export interface Served {
  readonly offered: number
  /** How often each status came; 0 for no answer in time. */
  readonly statuses: ReadonlyMap<number, number>
  /** Answers of 503 that said when to come back. */
  readonly told: number
  /** Milliseconds from when each was due until it was answered, in ascending order. */
  readonly waits: readonly number[]
}

export interface Offer {
  /** Requests a second, over all routes by turns. */
  readonly rate: number
  readonly seconds: number
  /** The URL of each route, by its name. */
  readonly urls: ReadonlyMap<string, string>
}

/** Milliseconds that a caller waits at most: so long that a machine which is busy for a while costs waits, and no answers. */
const PATIENCE = 30_000

/** @throws the reason of the signal */
export async function offer({ rate, seconds, urls }: Offer, signal: AbortSignal): Promise<ReadonlyMap<string, Served>> {
  const dispatcher = new Agent({ headersTimeout: PATIENCE, bodyTimeout: PATIENCE })
  const routes = [...urls].map(([name, url]) => ({ name, url, seen: new Seen() }))
  const underWay: Promise<void>[] = []
  try {
    const begun = performance.now()
    for (let n = 0; n < rate * seconds; n++) {
      const due = begun + (n * 1_000) / rate
      const early = due - performance.now()
      if (early > 0) await sleep(early, undefined, { signal })
      const { url, seen } = routes[n % routes.length]!
      underWay.push(seen.ask(url, due, dispatcher))
    }
    await Promise.all(underWay)
  } finally {
    await dispatcher.destroy()
  }
  return new Map(routes.map(({ name, seen }) => [name, seen.served()]))
}

class Seen {
  #offered = 0
  #told = 0
  readonly #statuses = new Map<number, number>()
  readonly #waits: number[] = []

  async ask(url: string, due: number, dispatcher: Agent): Promise<void> {
    this.#offered++
    const status = await this.#statusOf(url, dispatcher)
    this.#waits.push(performance.now() - due)
    this.#statuses.set(status, (this.#statuses.get(status) ?? 0) + 1)
  }

  served(): Served {
    const waits = this.#waits.toSorted((a, b) => a - b)
    return { offered: this.#offered, statuses: this.#statuses, told: this.#told, waits }
  }

  async #statusOf(url: string, dispatcher: Agent): Promise<number> {
    try {
      const { statusCode, headers, body } = await request(url, { dispatcher })
      await body.dump()
      if (statusCode === 503 && Number(headers['retry-after']) > 0) this.#told++
      return statusCode
    } catch {
      return 0
    }
  }
}
