// What comes from the wire while a stand-in is asked for: kept until it is known who answers, then handed on or drained.
import { header } from '@fuseboard/core'
import type { Head, ParsedFields } from './head.ts'
import type { Source } from './interfaces.ts'
import type { Relay } from './relay.ts'

/** A masked body up to this many bytes is read to its end, which is cheaper than a new connection. */
const MOST = 131_072
/** Milliseconds that it may take. */
const LONGEST = 1_000

/** @internal The last that the wire says of a request. */
export type Last = { readonly trailers: ParsedFields | undefined } | { readonly error: unknown }

/** @internal */
export class Held implements Source {
  readonly head: Head | undefined
  readonly wire: Source | undefined
  readonly chunks: Buffer[] = []
  last: Last | undefined
  readonly #relay: Relay
  #draining = false
  #bytes = 0
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor(relay: Relay, wire: Source | undefined, head: Head | undefined, last?: Last) {
    this.#relay = relay
    this.wire = wire
    this.head = head
    this.last = last
  }

  get rawHeaders(): unknown {
    return this.wire?.rawHeaders
  }

  get rawTrailers(): unknown {
    return this.wire?.rawTrailers
  }

  // What the handler below wants.

  pause(): void {}

  resume(): void {}

  abort(reason: Error): void {
    this.#hangUp(reason)
    this.#relay.passError(reason)
  }

  // What the wire says: a pause is only a wish to it, and a mock does not hear it.

  data(chunk: Buffer): void {
    this.#bytes += chunk.length
    if (!this.#draining) this.chunks.push(chunk)
    else if (this.#bytes > MOST) this.#hangUp(masked())
  }

  end(last: Last): void {
    this.last = last
    clearTimeout(this.#timer)
  }

  /** Something else answers, and the socket is to come back. */
  drain(): void {
    if (this.last) return
    this.#draining = true
    this.chunks.length = 0
    const length = Number(header(this.head?.headers, 'content-length') ?? 0)
    if (length > MOST || this.#bytes > MOST) return this.#hangUp(masked())
    this.#timer = setTimeout(() => this.#hangUp(masked()), LONGEST)
    this.#timer.unref()
    this.wire?.resume()
  }

  #hangUp(reason: Error): void {
    if (this.last) return
    this.end({ error: reason })
    this.wire?.abort(reason)
  }
}

const masked = (): Error => new Error('A stand-in took the place of this answer')
