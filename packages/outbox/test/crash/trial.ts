// The proof by fire: customers subscribe through an outage, while the processes that serve them are killed again and again.
import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { OutboxStore } from '../../src/index.ts'
import { startService, type Service } from './server.ts'
import { openStore } from './stores.ts'

export interface Plan {
  readonly customers: number
  /** Where what waits is kept, for `openStore`. @default a file of SQLite */
  readonly place?: string
  /** Kills and restarts the store itself; called at each death while customers come. */
  readonly strike?: () => Promise<unknown>
  /** How many serve customers at a time, over one store. */
  readonly processes: number
  /** How often one of them is killed, at least; they are also killed for as long as customers come. */
  readonly kills: number
  /** Of the random numbers: moments of death, and fates of requests. */
  readonly seed: number
}

export interface Tally {
  readonly kills: number
  /** Customers that were told 201, and 202. */
  readonly made: number
  readonly pending: number
  /** Customers that were told something else. */
  readonly failed: readonly string[]
  /** Customers whose process was killed before it told them anything; and how many of those have a subscription. */
  readonly untold: number
  readonly untoldMade: number
  /** Customers that were told 201 or 202 and have no subscription. */
  readonly lost: readonly number[]
  /** Customers that have two. */
  readonly twice: readonly number[]
  readonly dead: number
  /** Requests that the service knew again by their key; and answers that got lost on their way. */
  readonly repeats: number
  readonly unheard: number
}

const AT_A_TIME = 4
/** Milliseconds from one death to the next at most. */
const LIFE = 1_200
/** Milliseconds from one customer to the next at most, so that there are customers for as long as there are deaths. */
const PAUSE = 500
const LONGEST = 300_000

const TAKEN: ReadonlySet<number | undefined> = new Set([201, 202])

export async function trial({ customers, processes, kills, seed, ...plan }: Plan): Promise<Tally> {
  const folder = mkdtempSync(join(tmpdir(), 'fuseboard-crash-'))
  const random = randomOf(seed)
  try {
    await using service = await startService(random)
    const place = plan.place ?? join(folder, 'outbox.db')
    using opened = await openStore(place, new URL(service.url).host)
    const shop = new Shop({ service, place, store: opened.store, customers, random })
    await shop.run(processes, kills, plan.strike)
    return await shop.tally()
  } finally {
    rmSync(folder, { recursive: true })
  }
}

interface Setting {
  readonly service: Service
  readonly place: string
  readonly store: OutboxStore
  readonly customers: number
  readonly random: () => number
}

/** Customers, and the processes that serve them for as long as they live. */
class Shop {
  readonly #service: Service
  readonly #place: string
  readonly #store: OutboxStore
  readonly #customers: number
  readonly #random: () => number
  readonly #told = new Map<number, number>()
  #next = 0
  #kills = 0

  constructor({ service, place, store, customers, random }: Setting) {
    this.#service = service
    this.#place = place
    this.#store = store
    this.#customers = customers
    this.#random = random
  }

  async run(processes: number, kills: number, strike?: () => Promise<unknown>): Promise<void> {
    const until = Date.now() + LONGEST
    const workers = await Promise.all(Array.from({ length: processes }, () => this.#start()))
    while (this.#next < this.#customers || this.#kills < kills) {
      await sleep(this.#random() * LIFE)
      const [victim] = workers.splice(Math.floor(this.#random() * processes), 1)
      await Promise.all([this.#kill(victim as ChildProcess), strike?.()])
      workers.push(await this.#start())
    }
    while ((await this.#pending()) > 0 && Date.now() < until) await sleep(50)
    for (const worker of workers) await this.#kill(worker)
  }

  /** The store may be coming up again. */
  async #pending(): Promise<number> {
    try {
      return (await this.#store.depth()).pending
    } catch {
      return Infinity
    }
  }

  async tally(): Promise<Tally> {
    const all = Array.from({ length: this.#customers }, (_, customer) => customer)
    const has = new Map<number, number>()
    for (const customer of this.#service.made.values()) has.set(customer, (has.get(customer) ?? 0) + 1)
    const told = (status: number): number => all.filter((customer) => this.#told.get(customer) === status).length
    const untold = all.filter((customer) => !this.#told.has(customer))
    const { pending, dead } = await this.#store.depth()
    const failed = [...this.#told].filter(([, status]) => !TAKEN.has(status))
    return {
      kills: this.#kills,
      made: told(201),
      pending: told(202),
      failed: [
        ...failed.map(([customer, status]) => `${customer}: ${status}`),
        ...(pending ? [`${pending} wait`] : []),
      ],
      untold: untold.length,
      untoldMade: untold.filter((customer) => has.has(customer)).length,
      lost: all.filter((customer) => TAKEN.has(this.#told.get(customer)) && !has.has(customer)),
      twice: all.filter((customer) => (has.get(customer) ?? 0) > 1),
      dead,
      repeats: this.#service.repeats,
      unheard: this.#service.unheard,
    }
  }

  async #start(): Promise<ChildProcess> {
    const worker = fork(new URL('worker.ts', import.meta.url), [this.#service.url, this.#place])
    worker.on('message', (message: 'ready' | [customer: number, status: number]) => {
      if (message === 'ready') return
      this.#told.set(...message)
      setTimeout(() => this.#feed(worker), this.#random() * PAUSE)
    })
    await Promise.race([once(worker, 'message'), once(worker, 'exit').then(failed)])
    for (let n = 0; n < AT_A_TIME; n++) this.#feed(worker)
    return worker
  }

  /** The service is down for the middle of the customers. */
  #feed(worker: ChildProcess): void {
    if (this.#next >= this.#customers || !worker.connected) return
    // One that dies just now is not told of it, and the customer hears nothing.
    worker.send(this.#next++, () => {})
    const share = this.#next / this.#customers
    this.#service.down = share > 0.2 && share < 0.9
  }

  async #kill(worker: ChildProcess): Promise<void> {
    const gone = once(worker, 'exit')
    worker.kill('SIGKILL')
    await gone
    this.#kills++
  }
}

function failed(): never {
  throw new Error('The process ended by itself')
}

/** The same numbers for the same seed (mulberry32). */
function randomOf(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
