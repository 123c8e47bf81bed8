// What a simulation is told: how many instances, how they share, what the host and the store do meanwhile.
import { readTerms, type FleetOptions, type Terms } from '../../src/fleet-terms.ts'
import type { Policy } from '../../src/policy.ts'
import type { Property } from './properties.ts'
import type { SimulatedStore, StoreTraits } from './store.ts'

/** Moments are milliseconds of virtual time. */
export interface Scenario {
  readonly name: string
  readonly size: number
  /** Calls a second, of each instance. */
  readonly rate: (of: number) => number
  readonly policy: Policy & { readonly probes: Probes }
  /** Undefined: each instance by itself. */
  readonly terms: FleetOptions | undefined
  readonly store: StoreTraits
  /** The share of an instance's calls that fail at a moment. */
  readonly failing: (at: number, of: number) => number
  /** What happens to the store. */
  readonly troubles: readonly (readonly [at: number, happens: (store: SimulatedStore) => void])[]
  /** Which instances reach the store. */
  readonly reaches: (of: number) => boolean
  /** How far at most an instance takes the store's time to be off. */
  readonly skew: number
  /** Of so many probes one never ends: its instance dies. 0: none does. */
  readonly deadProber: number
  /** What must hold of it. */
  readonly holds: readonly Property[]
}

interface Probes {
  readonly permits: number
  readonly need: number
  readonly within: number
}

/** The host is well until then, and well again from then on. */
export const DOWN_AT = 25_000
export const UP_AT = 55_000
export const END = 75_000
/** From here to the outage everything has been seen once: what happens is what a healthy host costs. */
export const SETTLED_AT = 3_000

/** How the instances share, with what is left to the defaults; undefined where they do not. */
export const termsOf = ({ terms, store }: Scenario): Terms | undefined =>
  terms && readTerms(terms, store.push !== undefined)
