// Empties an outbox: a lane for each circuit, which runs while that is closed and stops where it opens.
import { guardFetch, type Board } from '@fuseboard/core'
import { deliver, type Outcome } from './delivery.ts'
import type { Events } from './events.ts'
import { wordsOf, type Settings } from './options.ts'
import type { Claim } from './store.ts'

/** What one circuit's requests go through. */
interface Lane {
  readonly circuit: string
  running: Promise<void> | undefined
  /** Not before this moment: the host has asked for a pause, or refused. */
  notBefore: number
  /** Since when its circuit waits for a probe, as far as was seen. */
  halfOpenSince: number | undefined
}

/** @internal What is needed of an outbox. */
export interface Source {
  readonly settings: Settings
  readonly sending: Set<string>
}

/** What came of a drain that does not stay. */
export interface Drained {
  /** Requests that the host has taken. */
  readonly sent: number
  /** Requests that were given up. */
  readonly dead: number
  /** Requests that wait still, in all. */
  readonly waiting: number
}

/** How often it looks for what is due, in milliseconds: what other processes queued, and what waits for its time. */
const LOOK_EVERY = 1_000

const LONGEST_PAUSE = 300_000

/** @internal */
export class Drain {
  readonly #source: Source
  readonly #settings: Settings
  readonly #board: Board
  readonly #events: Events
  readonly #fetch: typeof globalThis.fetch
  readonly #lanes = new Map<string, Lane>()
  readonly #ended = { sent: 0, dead: 0 }
  #unlisten = (): void => {}
  /** It looks again and again, and lends an ear. */
  #stays = false
  #stopped = false
  #until = Infinity
  #callOff = (): void => {}
  #looking: Promise<unknown> | undefined

  constructor(source: Source, board: Board, events: Events) {
    this.#source = source
    this.#settings = source.settings
    this.#board = board
    this.#events = events
    const { send } = this.#settings
    this.#fetch = guardFetch(board, send === undefined ? {} : { fetch: send })
  }

  /** Sends what is due, from now on until it is stopped. */
  start(): void {
    this.#stays = true
    this.#unlisten = this.#board.on('transition', ({ key, to }) => {
      if (to !== 'closed') return
      this.#lane(key).notBefore = 0
      this.poke(key)
    })
    this.#look()
  }

  /** Sends what may go now. It rejects where the store failed, once nothing is under way any more. */
  once(ms: number): Promise<Drained> {
    this.#until = this.#settings.wall() + ms
    const drained = this.#once()
    this.#looking = Promise.allSettled([drained])
    return drained
  }

  async #once(): Promise<Drained> {
    const { store } = this.#settings
    const { circuits } = await store.depth()
    const ran = await Promise.allSettled(circuits.map((circuit) => this.#run(this.#lane(circuit))))
    for (const one of ran) if (one.status === 'rejected') throw one.reason
    return { ...this.#ended, waiting: (await store.depth()).pending }
  }

  /** Something may be due for a circuit. */
  poke(circuit: string): void {
    if (this.#stopped || !this.#stays) return
    const lane = this.#lane(circuit)
    lane.running ??= this.#run(lane)
      .catch((error: unknown) => {
        lane.notBefore = this.#settings.wall() + LOOK_EVERY
        this.warn(`The store of the outbox failed: ${wordsOf(error)}`)
      })
      .finally(() => (lane.running = undefined))
  }

  warn(message: string): void {
    this.#board.warn('outbox', message)
  }

  async stop(): Promise<void> {
    this.#stopped = true
    this.#callOff()
    this.#unlisten()
    await Promise.all([this.#looking, ...[...this.#lanes.values()].map(({ running }) => running)])
  }

  #look(): void {
    this.#looking = this.#lookNow()
  }

  async #lookNow(): Promise<void> {
    await this.#pokeAll()
    if (!this.#stopped) this.#callOff = this.#settings.after(LOOK_EVERY, () => this.#look())
  }

  async #pokeAll(): Promise<void> {
    try {
      const { circuits } = await this.#settings.store.depth()
      for (const key of this.#lanes.keys()) if (!circuits.includes(key)) this.#forget(key)
      for (const circuit of circuits) this.poke(circuit)
    } catch (error) {
      this.warn(`The store of the outbox failed: ${wordsOf(error)}`)
    }
  }

  /** One at first, then twice as many each time: a host that has just come back is not to be overrun. */
  async #run(lane: Lane): Promise<void> {
    let most = 1
    for (;;) {
      const leave = this.#leave(lane)
      if (leave === 0) return
      const claims = await this.#claim(lane, Math.min(most, leave))
      if (claims.length === 0) return
      // All are waited for, whatever becomes of one: who stops is told when nothing is under way.
      const went = await Promise.allSettled(claims.map((claim) => this.#deliver(claim, lane)))
      for (const one of went) if (one.status === 'rejected') throw one.reason
      most = went.every((one) => one.status === 'fulfilled' && one.value)
        ? Math.min(most * 2, this.#settings.concurrency)
        : 1
    }
  }

  #claim({ circuit }: Lane, most: number): Promise<readonly Claim[]> {
    const { store, wall, lease } = this.#settings
    const now = wall()
    return Promise.resolve(store.claim(circuit, most, now, now + lease))
  }

  /** How many may go now: none where the circuit is not closed, but for a probe that nobody else makes. */
  #leave(lane: Lane): number {
    const now = this.#settings.wall()
    if (this.#stopped || now >= this.#until || now < lane.notBefore) return 0
    const { state } = this.#board.circuit(lane.circuit)
    if (state !== 'half-open') {
      lane.halfOpenSince = undefined
      return state === 'closed' || state === 'bypassed' ? Infinity : 0
    }
    lane.halfOpenSince ??= now
    const { probeAfter } = this.#settings
    // One that does not stay cannot wait and see whether somebody else calls.
    return (this.#stays ? now - lane.halfOpenSince >= probeAfter : probeAfter < Infinity) ? 1 : 0
  }

  /** @returns whether the host did what it was asked */
  async #deliver(claim: Claim, lane: Lane): Promise<boolean> {
    const { store, wall } = this.#settings
    const { sending } = this.#source
    const { id, circuit, idempotencyKey, expiresAt, attempts } = claim
    const about = { id, circuit, idempotencyKey }
    const bury = async (error: string, receipt?: Extract<Outcome, { kind: 'sent' }>['receipt']): Promise<void> => {
      await store.settle(claim, { state: 'dead', at: wall(), error, receipt })
      this.#ended.dead++
      this.#events.tell('dead', { ...about, error, receipt })
    }

    if (wall() >= expiresAt) {
      await bury(`It expired after ${attempts} ${attempts === 1 ? 'try' : 'tries'}`)
      return true
    }
    sending.add(idempotencyKey)
    const mayGo = (): boolean => this.#leave(lane) > 0
    const outcome = await deliver(claim, { settings: this.#settings, fetch: this.#fetch, mayGo }).finally(() =>
      sending.delete(idempotencyKey),
    )
    switch (outcome.kind) {
      case 'sent':
        await store.settle(claim, { state: 'sent', at: wall(), receipt: outcome.receipt })
        this.#ended.sent++
        this.#events.tell('sent', { ...about, receipt: outcome.receipt })
        return true
      case 'unwanted':
        await bury(outcome.error, outcome.receipt)
        return true
      case 'kept':
        this.#pause(lane, Math.max(outcome.wait ?? 0, LOOK_EVERY))
        await store.retry(claim, { at: wall(), attempts, error: undefined })
        return false
      case 'unsigned':
        await this.#unsigned(claim, lane, outcome.error)
        return false
      case 'failed':
        await this.#failed(claim, lane, outcome, bury)
        return false
    }
  }

  /** Others may be signed: they go on, though at a pace that a service of tokens bears which is down for all. */
  async #unsigned(claim: Claim, lane: Lane, error: string): Promise<void> {
    const { store, wall, backoff } = this.#settings
    const { id, circuit, idempotencyKey, attempts } = claim
    const at = wall() + backoff.from
    this.#pause(lane, LOOK_EVERY)
    await store.retry(claim, { at, attempts, error })
    this.#events.tell('retry', { id, circuit, idempotencyKey, error, at, attempts })
    if (!this.#stopped) this.warn(`A request to ${circuit} waits in the outbox. ${error}`)
  }

  async #failed(
    claim: Claim,
    lane: Lane,
    { error, wait }: Extract<Outcome, { kind: 'failed' }>,
    bury: (error: string) => Promise<void>,
  ): Promise<void> {
    const { store, wall, maxAttempts, backoff } = this.#settings
    const { id, circuit, idempotencyKey } = claim
    const attempts = claim.attempts + 1
    // A host that names a time means all requests.
    if (wait !== undefined) this.#pause(lane, wait)
    if (attempts >= maxAttempts) return bury(`It was given up after ${attempts} tries: ${error}`)
    const grown = Math.min(backoff.from * backoff.factor ** claim.attempts, backoff.to)
    const now = wall()
    // One that is told to wait for longer than it may would not be heard of until then.
    const asked = wait !== undefined && now + wait < claim.expiresAt ? wait : 0
    const at = now + Math.max(asked, grown)
    await store.retry(claim, { at, attempts, error })
    this.#events.tell('retry', { id, circuit, idempotencyKey, error, at, attempts })
  }

  /** Bounded as the pauses of circuits are: what one answer says must not stop all for days. */
  #pause(lane: Lane, ms: number): void {
    lane.notBefore = Math.max(lane.notBefore, this.#settings.wall() + Math.min(ms, LONGEST_PAUSE))
  }

  #lane(circuit: string): Lane {
    const known = this.#lanes.get(circuit)
    if (known !== undefined) return known
    const lane = { circuit, running: undefined, notBefore: 0, halfOpenSince: undefined }
    this.#lanes.set(circuit, lane)
    return lane
  }

  #forget(circuit: string): void {
    const lane = this.#lanes.get(circuit)
    if (lane?.running === undefined && (lane?.notBefore ?? 0) <= this.#settings.wall()) this.#lanes.delete(circuit)
  }
}
