// Holds on a circuit by hand: isolated is held open, bypassed is held closed. They are counted, and isolation is stronger.

/** A circuit held open or closed by hand, until it is let go. */
export interface Hold extends Disposable {
  release(): void
}

/** @internal The holds on one circuit; a reset puts new ones in their place, so that the old are void. */
export class Holds {
  isolated = 0
  bypassed = 0
  /** Why, in the words of who put on the last one. */
  note: string | undefined = undefined
  /** Whether the circuit was closed before the first. */
  onClosed = false

  get any(): boolean {
    return this.isolated + this.bypassed > 0
  }
}
