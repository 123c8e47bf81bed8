// A fleet: instances that share what they find, in a store that they all reach.
import { show } from './duration.ts'
import type { LinkHome } from './fleet-link.ts'
import { FleetSide } from './fleet-side.ts'
import { readTerms, type FleetOptions, type Terms } from './fleet-terms.ts'
import type { SharedStore } from './shared-store.ts'

/** A fleet, as `createBoard({ fleet })` takes it. Made by `redisFleet`, `dynamoFleet`, or {@link fleet}. */
export interface Fleet {
  /** @internal */
  readonly store: SharedStore
  /** @internal */
  readonly terms: Terms
  /** @internal One board's side of it: only who has a fleet loads what that takes. */
  join(home: LinkHome): FleetSide
}

/**
 * Makes a fleet of any store that can compare and set.
 *
 * @throws TypeError or RangeError that names the option, its rule and the value, where one is wrong
 * @example createBoard({ fleet: fleet(myStore, { trust: 'follow' }) })
 */
export function fleet(store: SharedStore, options: FleetOptions = {}): Fleet {
  for (const name of ['read', 'swap'] as const) {
    if (typeof (store as Partial<SharedStore> | undefined)?.[name] !== 'function')
      throw new TypeError(`The store of a fleet must have a method ${name}, got ${show(store)}`)
  }
  const terms = readTerms(options, store.watch !== undefined)
  return { store, terms, join: (home) => new FleetSide(store, terms, home) }
}

/** @internal @throws TypeError where it is none */
export function checkFleet(given: unknown): asserts given is Fleet {
  // A list has a join as well.
  const { join, terms } = Object(given) as Partial<Fleet>
  if (typeof join === 'function' && terms) return
  throw new TypeError(`fleet must be redisFleet(...), dynamoFleet(...) or fleet(store), got ${show(given)}`)
}
