// The body of an answer on its way to got: taken in where that is wanted, and watched for how it ends.
import { Buffer } from 'node:buffer'
import type { Attempt, Cause } from '@fuseboard/core'
import { Head } from './head.ts'
import type { Hold } from './hold.ts'
import { overhear } from './overhear.ts'
import type { Answer } from './transport.ts'

/** @internal */
export class Body {
  readonly #answer: Answer
  readonly #attempt: Attempt
  readonly #gaveUp: () => Cause | undefined
  #captured = false
  #whole = false
  #hungUp = false

  /**
   * @param hold keeps its events back where it has to
   * @param gaveUp why the caller ended it, if they did
   */
  constructor(answer: Answer, attempt: Attempt, hold: Hold, gaveUp: () => Cause | undefined) {
    this.#answer = answer
    this.#attempt = attempt
    this.#gaveUp = gaveUp
    overhear(answer, (event, [given], pass) => {
      if (event === 'data' && this.#captured) attempt.chunk(this.#bytes(given))
      if (event === 'end') this.#end()
      if (event === 'error' || event === 'aborted') this.broke(given)
      if (event === 'close') attempt.drop()
      return hold.pass(pass)
    })
    const destroy = answer.destroy.bind(answer)
    answer.destroy = (error?: Error) => {
      if (error) this.broke(error)
      // Node says why it breaks a response; who does not is this side of it, got's decoder for one.
      else this.#hungUp = true
      return destroy(error)
    }
  }

  /** It goes to got: fallbacks may keep it. */
  capture(): void {
    this.#captured = this.#attempt.capture(new Head(this.#answer))
  }

  /** It will not come whole. */
  broke(error: unknown): void {
    // A connection may break once all that it had to bring is there.
    if (this.#whole || this.#answer.complete) return
    const cause = this.#gaveUp() ?? (this.#hungUp ? 'abort' : undefined)
    const loss = error ?? Object.assign(new Error('The body was cut short'), { code: 'ECONNRESET' })
    this.#attempt.amend(cause ? { error: loss, cause } : { error: loss })
  }

  #end(): void {
    this.#whole = true
    this.#attempt.end()
  }

  #bytes(chunk: unknown): Uint8Array {
    return typeof chunk === 'string'
      ? Buffer.from(chunk, this.#answer.readableEncoding ?? undefined)
      : (chunk as Uint8Array)
  }
}
