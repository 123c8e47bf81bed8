// The wire of undici 6, which native fetch sends through on Node 22, as the controller that undici 7 and 8 have.
import type { RawFields } from './head.ts'
import type { Source } from './interfaces.ts'

/** @internal */
export class LegacyWire implements Source {
  paused = false
  aborted = false
  rawHeaders: RawFields | undefined
  rawTrailers: RawFields | undefined
  readonly #abort: (reason?: Error) => void
  #resume: (() => void) | undefined

  constructor(abort: (reason?: Error) => void) {
    this.#abort = abort
  }

  /** What it says next, on the wire that it is known to come from. */
  static heard(known: Source | undefined, headers: RawFields, resume?: () => void): LegacyWire {
    const wire = known instanceof LegacyWire ? known : new LegacyWire(() => {})
    wire.rawHeaders = headers
    wire.#resume = resume
    return wire
  }

  pause(): void {
    this.paused = true
  }

  resume(): void {
    if (!this.paused) return
    this.paused = false
    this.#resume?.()
  }

  abort(reason: Error): void {
    if (this.aborted) return
    this.aborted = true
    this.#abort(reason)
  }
}
