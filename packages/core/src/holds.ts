// Holds on a circuit by hand: isolated is held open, bypassed is held closed. They are counted, and isolation is stronger.
// A program whose `lib` is older has no Disposable of its own.
/// <reference lib="esnext.disposable" preserve="true" />

/** A circuit held open or closed by hand, until it is let go. */
export interface Hold extends Disposable {
  release(): void
}

/** @internal What one hold does. */
export type HoldKind = 'isolated' | 'bypassed'

interface Held {
  readonly kind: HoldKind
  readonly reason: string | undefined
}

/** @internal The holds on one circuit; a reset puts new ones in their place, so that the old are void. */
export class Holds {
  /** Whether the circuit was closed before the first. */
  onClosed = false
  readonly #all: Held[] = []

  get any(): boolean {
    return this.#all.length > 0
  }

  /** What they come to. */
  get kind(): HoldKind | undefined {
    if (!this.any) return undefined
    return this.#all.some(({ kind }) => kind === 'isolated') ? 'isolated' : 'bypassed'
  }

  /** Why, in the words of who put on the last one that counts. */
  get note(): string | undefined {
    return this.#all.findLast(({ kind }) => kind === this.kind)?.reason
  }

  /** @returns what takes it off again */
  put(kind: HoldKind, reason: string | undefined): () => void {
    const held: Held = { kind, reason }
    this.#all.push(held)
    return () => void this.#all.splice(this.#all.indexOf(held), 1)
  }
}
