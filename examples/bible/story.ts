// The story: a program reads verses while the service is well, limits it, fails, hangs, disappears and comes back.
import { setTimeout as sleep } from 'node:timers/promises'
import type { Board, Circuit } from '@fuseboard/core'
import type { Client } from './clients.ts'
import type { Endured, Tell } from './events.ts'
import type { Trouble } from './outages.ts'
import { UNIQUE, UNSEEN, VERSES, type Passage } from './passages.ts'
import { Reader, readUnguarded } from './reader.ts'
import type { BibleServer } from './server.ts'
import type { Tally } from './tally.ts'
import type { Witness } from './witness.ts'

/** Who plays. Both servers go through the same; the second is asked the same without a breaker. */
export interface Cast {
  readonly board: Board
  readonly circuit: Circuit
  readonly clients: readonly Client[]
  readonly server: BibleServer
  readonly unguarded: Client
  readonly unguardedServer: BibleServer
  readonly witness: Witness
  readonly tally: Tally
  readonly tell: Tell
  readonly signal: AbortSignal
}

/** The story could not go on: something that the service's recovery should bring about did not come. */
export class StuckError extends Error {}

// Seconds of the real service.
const PACE = 2.5
const BRISK = 2
const HASTE = 0.75
const WINDOW = 30
const PATIENCE = 150

export class Story {
  readonly #cast: Cast
  readonly #reader: Reader
  readonly #second: number
  readonly #epoch: number
  readonly #underWay = new Set<Promise<void>>()
  readonly #endings: string[] = []
  #asked = 0
  #verses = 0
  #unseen = 0
  #unique = 0
  /** Refusals in this scene, until when the latest one holds, and how many of the scene's special requests were made. */
  #refusals = 0
  #refusedUntil = 0
  #specials = 0
  #limited = false

  /** @param epoch wall time in milliseconds at which a window of the service's limiter begins */
  constructor(cast: Cast, scale: number, epoch: number) {
    this.#cast = cast
    this.#reader = new Reader(cast.board)
    this.#second = 1_000 / scale
    this.#epoch = epoch
    cast.board.on('refused', ({ reason, retryAfterMs = 0 }) => {
      if (reason === 'paused' && this.#refusals === 0) cast.tell({ event: 'pause', waitMs: retryAfterMs })
      this.#refusals++
      this.#refusedUntil = performance.now() + retryAfterMs
    })
    cast.board.on('settled', ({ status }) => {
      if (status === 429) this.#limited = true
    })
  }

  /** @throws StuckError, or the signal's reason */
  async play(troubles: readonly Trouble[]): Promise<void> {
    await this.#well()
    await this.#limit()
    for (const trouble of troubles) await this.#endure(trouble)
    await this.#wellAgain()
  }

  async #well(): Promise<void> {
    this.#open('The service is well')
    for (const passage of [...VERSES, ...UNIQUE.slice(0, 2)]) await this.#ask(passage, BRISK)
    await this.#quiet()
    const intoWindow = (Date.now() - this.#epoch) % (WINDOW * this.#second)
    await this.#wait(WINDOW - intoWindow / this.#second + 0.1)
  }

  async #limit(): Promise<void> {
    this.#open('The service limits: 15 requests in a window, and then 429')
    await this.#until('its limit', () => this.#limited, HASTE)
    await this.#until('an answer after the limit', () => this.#refusals > 0 && this.#endings.at(-1) === 'network', PACE)
    await this.#quiet()
  }

  async #endure({ outage, title, breaks, mends, lasts, more }: Trouble): Promise<void> {
    const { server, unguardedServer, circuit, tally, tell } = this.#cast
    this.#open(title)
    const before = this.#reached()
    await Promise.all([server.breakDown(outage), unguardedServer.breakDown(outage)])
    tell({ event: 'service', outage, says: breaks })
    const mendAt = performance.now() + lasts * this.#second
    await this.#until('the end of the outage', () => performance.now() >= mendAt, PACE)

    // Whoever still waits for it gives up first, or the two sides would count differently.
    await this.#quiet()
    await this.#wait(HASTE)
    const after = this.#reached()
    tally.outages.push({
      outage,
      asked: after.asked - before.asked,
      guarded: after.guarded - before.guarded,
      unguarded: after.unguarded - before.unguarded,
      opened: after.opened - before.opened,
    })
    await Promise.all([server.mend(), unguardedServer.mend()])
    tell({ event: 'service', outage: null, says: mends })
    await this.#until('a closed circuit', () => circuit.state === 'closed', PACE)
    for (let asked = 0; asked < more; asked++) await this.#ask(this.#next(), PACE)
    await this.#quiet()
  }

  async #wellAgain(): Promise<void> {
    this.#open('The service is well again')
    for (const passage of [...UNSEEN, ...VERSES.slice(0, 2)]) await this.#ask(passage, PACE)
    await this.#quiet()
  }

  #open(title: string): void {
    this.#refusals = 0
    this.#specials = 0
    this.#cast.tell({ event: 'scene', title })
  }

  // Asks at a pace until something is so.
  async #until(what: string, isSo: () => boolean, pace: number): Promise<void> {
    const deadline = performance.now() + PATIENCE * this.#second
    while (!isSo()) {
      if (performance.now() > deadline) throw new StuckError(`${what} did not come within ${PATIENCE} s of the service`)
      await this.#ask(this.#next(), pace)
    }
  }

  /** Begins a call and its twin, and waits for the pace of the program, not for an answer. */
  async #ask(passage: Passage, pace: number): Promise<void> {
    this.#cast.signal.throwIfAborted()
    const n = ++this.#asked
    for (const call of [this.#call(n, passage), this.#twin(n, passage)]) {
      const done = call.finally(() => this.#underWay.delete(done))
      this.#underWay.add(done)
    }
    await this.#wait(pace)
  }

  async #call(n: number, passage: Passage): Promise<void> {
    const { clients, server, tally, tell } = this.#cast
    const { call, body } = await this.#reader.read(clients[n % clients.length]!, server.origin, passage)
    tally.add({ n, ...call }, passage.name, body)
    this.#endings.push(call.source)
    tell({ event: 'call', n, ...call })
  }

  async #twin(n: number, passage: Passage): Promise<void> {
    const { unguarded, unguardedServer, tally, tell } = this.#cast
    const twin = { n, ...(await readUnguarded(unguarded, unguardedServer.origin, passage)) }
    tally.twins.push(twin)
    tell({ event: 'unguarded', ...twin })
  }

  // A verse; but once or twice in a scene, while calls are refused for some time yet, one that nothing is stored for.
  #next(): Passage {
    const refused = this.#refusedUntil - performance.now() > PACE * this.#second
    if (refused && this.#specials === 0 && this.#refusals >= 2) {
      this.#specials++
      return UNSEEN[this.#unseen++ % UNSEEN.length]!
    }
    if (refused && this.#specials === 1 && this.#refusals >= 4) {
      this.#specials++
      return UNIQUE[this.#unique++ % UNIQUE.length]!
    }
    return VERSES[this.#verses++ % VERSES.length]!
  }

  /** How much has happened so far. */
  #reached(): Omit<Endured, 'outage'> {
    const { server, unguardedServer, witness, tally } = this.#cast
    return {
      asked: this.#asked,
      guarded: witness.reachedDead(server),
      unguarded: witness.reachedDead(unguardedServer),
      opened: tally.opened,
    }
  }

  async #quiet(): Promise<void> {
    while (this.#underWay.size > 0) await Promise.all(this.#underWay)
  }

  async #wait(seconds: number): Promise<void> {
    await sleep(seconds * this.#second, undefined, { signal: this.#cast.signal })
  }
}
