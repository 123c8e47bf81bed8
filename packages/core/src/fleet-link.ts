// A fleet's store behind fences: slow, dead or lying, it is an event, and after a few times nobody asks it for a while.
import { inWords } from './ask.ts'
import { isPromise } from './awaitable.ts'
import { show } from './duration.ts'
import type { Terms } from './fleet-terms.ts'
import type { Snapshot, SharedStore, Swapped } from './shared-store.ts'
import type { Timeline } from './timeline.ts'

/** @internal What a fleet needs of its board. */
export interface LinkHome {
  readonly time: Timeline
  readonly random: () => number
  readonly onFault: (action: 'read' | 'swap' | 'watch', key: string, fault: string) => void
  readonly warn: (code: string, message: string) => void
}

/** After so many faults in a row the store is left alone. */
const MOST_FAULTS = 3
const FIRST_REST = 1_000
const LONGEST_REST = 30_000

/** @internal An answer, and the board's time when it was asked for and when it came. */
export type Answer<T> = T & { readonly sentAt: number; readonly cameAt: number }

/** @internal The store of one board's fleet. Its promises never reject; undefined stands for no answer. */
export class FleetLink {
  readonly terms: Terms
  readonly home: LinkHome
  /** What this instance is called in leases and votes. */
  readonly instance: string
  readonly #store: SharedStore
  #tokens = 0
  #faults = 0
  #rest = FIRST_REST
  /** It is left alone until then. */
  restsUntil = 0

  constructor(store: SharedStore, terms: Terms, home: LinkHome) {
    this.#store = store
    this.terms = terms
    this.home = home
    this.instance = Array.from({ length: 10 }, () => Math.floor(home.random() * 36).toString(36)).join('')
  }

  /** Whether the store tells of changes by itself. */
  get pushes(): boolean {
    return this.#store.watch !== undefined
  }

  /** It is left alone for a while: each instance decides by itself. */
  down(now: number): boolean {
    return now < this.restsUntil
  }

  /** A name that no other instance gives, and this one only once. */
  token(): string {
    return `${this.instance}-${++this.#tokens}`
  }

  read(key: string): Promise<Answer<Snapshot> | undefined> {
    return this.#ask('read', key, (signal) => this.#store.read(key, signal), checkSnapshot)
  }

  swap(
    key: string,
    expected: number,
    value: string,
    options: { ttl: number; notAfter: number },
  ): Promise<Answer<Swapped> | undefined> {
    const write = (signal: AbortSignal) => this.#store.swap(key, expected, value, { ...options, signal })
    return this.#ask('swap', key, write, checkSwapped)
  }

  /** @returns what ends the watch */
  watch(key: string, changed: (snapshot: Answer<Snapshot>) => void): () => void {
    let end: (() => void) | undefined
    let over = false
    const failed = (error: unknown): void => this.home.onFault('watch', key, inWords(error))
    const told = (snapshot: Snapshot): void => {
      if (over) return
      try {
        const now = this.home.time.thawed()
        changed({ ...checkSnapshot(snapshot), sentAt: now, cameAt: now })
      } catch (error) {
        failed(error)
      }
    }
    const stop = (): void => {
      try {
        const said: unknown = end?.()
        // It may end a subscription, and fail at that later.
        if (isPromise(said)) said.then(undefined, failed)
      } catch (error) {
        failed(error)
      }
    }
    const begun = (given: () => void): void => {
      end = given
      if (over) stop()
    }
    try {
      const given = this.#store.watch?.(key, told)
      if (isPromise(given)) given.then(begun, failed)
      else if (given !== undefined) begun(given)
    } catch (error) {
      failed(error)
    }
    return () => {
      over = true
      stop()
    }
  }

  /** Waits for a promise, but not long. */
  within(promise: Promise<unknown>, ms: number): Promise<void> {
    return new Promise((resolve) => {
      const callOff = this.home.time.after(ms, resolve, true)
      void promise.finally(callOff).then(() => resolve())
    })
  }

  async #ask<T extends Snapshot>(
    action: 'read' | 'swap',
    key: string,
    ask: (signal: AbortSignal) => Promise<T>,
    check: (said: T) => T,
  ): Promise<Answer<T> | undefined> {
    const { time } = this.home
    const { timeout } = this.terms
    const controller = new AbortController()
    const sentAt = time.thawed()
    let callOff = (): void => {}
    const late = new Promise<never>((_resolve, reject) => {
      const giveUp = (): void => {
        const error = new Error(`no answer within ${timeout} ms`)
        reject(error)
        controller.abort(error)
      }
      callOff = time.after(timeout, giveUp, false)
    })
    try {
      const said = check(await Promise.race([ask(controller.signal), late]))
      this.#faults = 0
      this.#rest = FIRST_REST
      return { ...said, sentAt, cameAt: time.thawed() }
    } catch (error) {
      this.#failed(action, key, error, sentAt)
      return undefined
    } finally {
      callOff()
    }
  }

  #failed(action: 'read' | 'swap', key: string, error: unknown, sentAt: number): void {
    const { time, random, onFault, warn } = this.home
    onFault(action, key, inWords(error))
    const now = time.thawed()
    // A process that was starved or frozen knows nothing of its store.
    if (now - sentAt > 2 * this.terms.timeout) return
    // What was asked before the rest was over tells nothing of the store after it.
    if (sentAt < this.restsUntil) return
    if (++this.#faults < MOST_FAULTS) return
    this.restsUntil = now + this.#rest * (0.5 + random())
    this.#rest = Math.min(2 * this.#rest, LONGEST_REST)
    warn('fleet', "The fleet's store does not answer: until it does, this instance decides by itself")
  }
}

function checkSnapshot<T extends Snapshot>(said: T): T {
  const { version, value, now } = said
  const fits =
    Number.isSafeInteger(version) &&
    version >= 0 &&
    Number.isFinite(now) &&
    now >= 0 &&
    (value === undefined || typeof value === 'string')
  if (fits) return said
  throw new TypeError(`The store gave no version, text and time, but ${show(said)}`)
}

function checkSwapped(said: Swapped): Swapped {
  if (typeof said.won === 'boolean') return checkSnapshot(said)
  throw new TypeError(`The store did not say whether a write was won: ${show(said)}`)
}
