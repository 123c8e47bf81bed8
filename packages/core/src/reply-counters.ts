// What stored replies count: plain numbers, kept whether or not anybody reads them.

/**
 * Why no stored reply stood in. `nothing` was kept, or only a `variant` for other request headers; the request carries a
 * `credential`; the answer `forbidden` it, or the `caller` wants another; it was `too-big` or `too-old` for the policy.
 */
export type Unserved = 'nothing' | 'variant' | 'credential' | 'forbidden' | 'caller' | 'too-big' | 'too-old'

/**
 * Why an answer was not kept: its `status`, `redirected`, a part (`range`) or without an end (`endless`); `forbidden` by
 * host or caller; it sets a cookie (`set-cookie`) or varies by what cannot be told (`vary`); `silent` on how long it may be
 * kept, with no permission of the policy; `too-big`, `too-old`, or made for a `credential`.
 */
export type Unkept =
  | 'status'
  | 'redirected'
  | 'range'
  | 'endless'
  | 'forbidden'
  | 'set-cookie'
  | 'vary'
  | 'silent'
  | 'too-big'
  | 'too-old'
  | 'credential'

/** What the stored replies of a board counted since it was made. */
export interface ReplyCounters {
  /** Stored replies that stood in. */
  readonly served: number
  /** Where one was wanted and none could be given, by reason. */
  readonly refused: Readonly<Partial<Record<Unserved, number>>>
  /** Answers that were kept. */
  readonly stored: number
  /** Answers that passed and were not, by reason. */
  readonly unkept: Readonly<Partial<Record<Unkept, number>>>
  /** Keys that made room for others, as far as the store says. */
  readonly evicted: number
}

/** @internal */
export class ReplyTally {
  #served = 0
  #stored = 0
  readonly #refused: Partial<Record<Unserved, number>> = {}
  readonly #unkept: Partial<Record<Unkept, number>> = {}
  readonly #evicted: () => number | undefined

  constructor(evicted: () => number | undefined) {
    this.#evicted = evicted
  }

  served(): void {
    this.#served++
  }

  stored(): void {
    this.#stored++
  }

  /** @returns nothing, which is what the caller gives then */
  refused(why: Unserved): undefined {
    this.#refused[why] = (this.#refused[why] ?? 0) + 1
  }

  unkept(why: Unkept): undefined {
    this.#unkept[why] = (this.#unkept[why] ?? 0) + 1
  }

  read(): ReplyCounters {
    return {
      served: this.#served,
      refused: { ...this.#refused },
      stored: this.#stored,
      unkept: { ...this.#unkept },
      evicted: this.#evicted() ?? 0,
    }
  }
}
