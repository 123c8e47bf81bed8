// What happened in a simulation: written down call by call, and read as figures.
import { DOWN_AT, END, SETTLED_AT, termsOf, UP_AT, type Scenario } from './scenario.ts'
import type { SimulatedStore } from './store.ts'

/** What a scenario came to. Times are milliseconds. */
export interface Figures {
  /** While the host is healthy: reads of the store by an instance in a second, and writes by all. */
  readonly healthyReads: number
  readonly healthyWrites: number
  /** Ordinary calls that failed, by instance. */
  readonly failing: number
  /** From the fleet's opening (without one: the first instance's) to the last ordinary call of the outage; undefined if it did not open. */
  readonly lastCall: number | undefined
  readonly writes: number
  readonly peakWrites: number
  /** One for each opening, and each vote for it; two for each probe of the fleet: its lease and its end. */
  readonly necessary: number
  readonly peakReads: number
  /** Probes at a time, or places that were lent at a time; and probes in all. */
  readonly mostProbes: number
  readonly probes: number
  /** How long a call waited for the store at most. */
  readonly longestWait: number
  /** From the host's recovery until the last circuit closed; undefined where one is still open. */
  readonly closedAfter: number | undefined
  /** How often the fleet opened. */
  readonly openings: number
  /** Of all instances but the first: the share of calls that were refused, and of instances that opened. */
  readonly refused: number
  readonly opened: number
}

export class Ledger {
  readonly #scenario: Scenario
  readonly #open = new Set<number>()
  readonly #everOpened = new Set<number>()
  #firstOpenAt: number | undefined = undefined
  #lastClosedAt = 0
  #asked = 0
  #refused = 0
  #failed = 0
  #lastCallAt = -Infinity
  /** All that began. */
  probes = 0
  #deadProbes = 0
  #probing = 0
  #mostProbes = 0
  #longestWait = 0

  constructor(scenario: Scenario) {
    this.#scenario = scenario
  }

  opened(of: number, at: number): void {
    this.#open.add(of)
    this.#everOpened.add(of)
    this.#firstOpenAt ??= at
  }

  closed(of: number, at: number): void {
    if (this.#open.delete(of)) this.#lastClosedAt = Math.max(this.#lastClosedAt, at)
  }

  /** The instance is gone while it probed, and its circuit with it. */
  died(of: number): void {
    this.probeEnded()
    this.#open.delete(of)
    this.#deadProbes++
  }

  called(of: number, at: number): void {
    if (of !== 0) this.#asked++
    if (at < UP_AT) this.#lastCallAt = at
  }

  refused(of: number): void {
    if (of === 0) return
    this.#asked++
    this.#refused++
  }

  waited(ms: number): void {
    this.#longestWait = Math.max(this.#longestWait, ms)
  }

  failed(): void {
    this.#failed++
  }

  probeBegan(): void {
    this.probes++
    this.#mostProbes = Math.max(this.#mostProbes, ++this.#probing)
  }

  probeEnded(): void {
    this.#probing--
  }

  figures(store: SimulatedStore): Figures {
    const { size, terms } = this.#scenario
    const openedAt = terms === undefined ? this.#firstOpenAt : store.openedAt
    const { quorum = 0 } = termsOf(this.#scenario) ?? {}
    const others = Math.max(1, size - 1)
    const healthySeconds = (DOWN_AT - SETTLED_AT) / 1_000
    return {
      healthyReads: sum(healthy(store.reads)) / size / healthySeconds,
      healthyWrites: sum(healthy(store.writes)),
      failing: this.#failed / size,
      lastCall: openedAt === undefined ? undefined : Math.max(0, this.#lastCallAt - openedAt),
      writes: sum(store.writes),
      peakWrites: peak(store.writes),
      necessary: store.openings * Math.max(1, quorum) + 2 * store.leases.size - this.#deadProbes,
      peakReads: peak(store.reads),
      mostProbes: Math.max(this.#mostProbes, store.mostLeases),
      probes: this.probes,
      longestWait: this.#longestWait,
      closedAfter: this.#open.size > 0 ? undefined : Math.max(0, this.#lastClosedAt - UP_AT),
      openings: store.openings,
      refused: this.#refused / Math.max(1, this.#asked),
      opened: [...this.#everOpened].filter((of) => of !== 0).length / others,
    }
  }
}

const healthy = (perSecond: readonly number[]): readonly number[] =>
  perSecond.slice(SETTLED_AT / 1_000, DOWN_AT / 1_000)

// Seconds in which nothing was asked are holes.
const counts = (perSecond: readonly number[]): number[] =>
  Array.from({ length: END / 1_000 }, (_, second) => perSecond[second] ?? 0)

const sum = (perSecond: readonly number[]): number => perSecond.reduce((all, one) => all + one, 0)

const peak = (perSecond: readonly number[]): number => Math.max(0, ...counts(perSecond))
