// One board's side of a fleet: the shares of its circuits, to be looked at and told of together.
import { FleetLink, type LinkHome } from './fleet-link.ts'
import type { Terms } from './fleet-terms.ts'
import { Share } from './share.ts'
import type { SharedStore } from './shared-store.ts'
import type { SharedCircuit, Sharing } from './sharing.ts'

/** @internal */
export class FleetSide {
  readonly #link: FleetLink
  readonly #shares = new Set<Share>()

  constructor(store: SharedStore, terms: Terms, home: LinkHome) {
    this.#link = new FleetLink(store, terms, home)
  }

  share(circuit: SharedCircuit): Sharing {
    const share = new Share(circuit, this.#link, () => this.#shares.delete(share))
    this.#shares.add(share)
    return share
  }

  /** Looks at what the store holds of each circuit, where that is not known. */
  ready(): Promise<void> {
    const now = this.#link.home.time.thawed()
    return this.#all((share) => share.ready(now))
  }

  /** Tells the store what it does not know. */
  flush(): Promise<void> {
    return this.#all((share) => share.flush())
  }

  // A store that does not answer costs one time limit, whatever is asked of it.
  #all(act: (share: Share) => Promise<void>): Promise<void> {
    return this.#link.within(Promise.all([...this.#shares].map(act)), this.#link.terms.timeout)
  }
}
