// What comes from the wire while a stand-in is asked for: kept until it is known who answers, then handed on or drained.
import { header, type Reply } from '@fuseboard/core'
import type { AttemptHandler } from './handler.ts'
import type { Head, ParsedFields } from './head.ts'
import type { Source } from './interfaces.ts'
import { Replay } from './replay.ts'
import type { UndiciRequest } from './request.ts'

/** A masked body up to this many bytes is read to its end, which is cheaper than a new connection. */
const MOST = 131_072
/** Milliseconds that it may take. */
const LONGEST = 1_000

/** @internal The last that the wire says of a request. */
export type Last = { readonly trailers: ParsedFields } | { readonly error: unknown }

/** @internal */
export class Held implements Source {
  readonly head: Head | undefined
  readonly chunks: Buffer[] = []
  last: Last | undefined
  readonly #handler: AttemptHandler
  readonly #wire: Source | undefined
  readonly #request: UndiciRequest
  #draining = false
  #bytes = 0
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor(handler: AttemptHandler, request: UndiciRequest, head: Head | undefined, last: Last | undefined) {
    this.#handler = handler
    this.#wire = handler.wire
    this.#request = request
    this.head = head
    this.last = last
  }

  wait(asked: Promise<Reply | undefined>): void {
    const handler = this.#handler
    handler.source = this
    const decide = (reply?: Reply): void => {
      if (handler.aborted) return
      if (reply) this.#replace(reply)
      else handler.handOn(this)
    }
    void asked.then(decide, () => decide())
    try {
      // The handler below may give up while we ask: it needs a controller for that.
      if (!this.#wire) handler.passStart(null)
    } catch (error) {
      handler.abort(error as Error)
    }
  }

  get rawHeaders(): unknown {
    return this.#wire?.rawHeaders
  }

  get rawTrailers(): unknown {
    return this.#wire?.rawTrailers
  }

  // What the handler below wants.

  pause(): void {}

  resume(): void {}

  abort(reason: Error): void {
    this.#hangUp(reason)
    this.#handler.passError(reason)
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

  #replace(reply: Reply): void {
    this.#drain()
    if (!this.head) this.#request.discardBody()
    const replay = new Replay(this.#handler, reply, this.#request.method)
    this.#handler.source = replay
    replay.play()
  }

  /** The socket is to come back. */
  #drain(): void {
    if (this.last) return
    this.#draining = true
    this.chunks.length = 0
    const length = Number(header(this.head?.headers, 'content-length') ?? 0)
    if (length > MOST || this.#bytes > MOST) return this.#hangUp(masked())
    this.#timer = setTimeout(() => this.#hangUp(masked()), LONGEST)
    this.#timer.unref()
    this.#wire?.resume()
  }

  #hangUp(reason: Error): void {
    if (this.last) return
    this.end({ error: reason })
    this.#wire?.abort(reason)
  }
}

const masked = (): Error => new Error('A stand-in took the place of this answer')
