// A stand-in, played to the handler below as if it came from the wire, no faster than it is read.
import type { Reply } from '@fuseboard/core'
import { toParsed, toRaw, type ParsedFields, type RawFields } from './head.ts'
import type { Source } from './interfaces.ts'
import type { Relay } from './relay.ts'

const CHUNK = 65_536
const BODILESS: ReadonlySet<number> = new Set([204, 205, 304])
const MARK: symbol = Symbol.for('fuseboard.fallback')

/** @internal */
export class Replay implements Source {
  rawHeaders: RawFields
  rawTrailers: RawFields = []
  readonly #relay: Relay
  readonly #reply: Reply
  readonly #fields: ParsedFields
  readonly #body: Buffer
  #at = -1
  #playing = false
  #over = false

  constructor(relay: Relay, reply: Reply, method: string) {
    const { status, headers, body, mark } = reply
    this.#relay = relay
    this.rawHeaders = toRaw(headers)
    this.#reply = reply
    this.#fields = toParsed(headers)
    Reflect.defineProperty(this.#fields, MARK, { value: mark, configurable: true })
    const bodiless = method === 'HEAD' || BODILESS.has(status)
    this.#body = Buffer.from(body.buffer, body.byteOffset, bodiless ? 0 : body.byteLength)
  }

  play(): void {
    if (this.#playing) return
    this.#playing = true
    try {
      while (!this.#relay.paused && !this.#over) this.#next()
    } catch (error) {
      // As undici does: what the handler throws is told to it. RetryHandler asks for another attempt in this way.
      this.#over = true
      this.#relay.passError(error)
    } finally {
      this.#playing = false
    }
  }

  pause(): void {}

  resume(): void {
    this.play()
  }

  abort(reason: Error): void {
    if (this.#over) return
    this.#over = true
    this.#relay.passError(reason)
  }

  #next(): void {
    if (this.#at < 0) {
      this.#at = 0
      this.#relay.passHead(this.#reply.status, this.#fields, this.#reply.statusText)
    } else if (this.#at < this.#body.length) {
      const from = this.#at
      this.#at += CHUNK
      this.#relay.passData(this.#body.subarray(from, this.#at))
    } else {
      this.#over = true
      this.#relay.passEnd({})
    }
  }
}
