// The body of an answer on its way to got: taken in where that is wanted, and watched for how it ends.
import { Buffer } from 'node:buffer'
import { errorMonitor } from 'node:events'
import type { Attempt, Cause } from '@fuseboard/core'
import { Head } from './head.ts'
import type { Hold } from './hold.ts'
import { overhear } from './overhear.ts'
import type { Answer } from './transport.ts'

const HEARD: ReadonlySet<string | symbol> = new Set(['data', 'end', 'error', 'aborted', 'close'])

/** @internal */
export class Body {
  /** Fallbacks want its chunks. */
  captured = false
  readonly #answer: Answer
  readonly #attempt: Attempt
  readonly #gaveUp: () => Cause | undefined
  #asked = false

  /** @param gaveUp why the caller ended it, if they did */
  constructor(answer: Answer, attempt: Attempt, gaveUp: () => Cause | undefined) {
    this.#answer = answer
    this.#attempt = attempt
    this.#gaveUp = gaveUp
  }

  /** It goes to got: fallbacks may keep it. */
  capture(): void {
    if (this.#asked) return
    this.#asked = true
    this.captured = this.#attempt.capture(new Head(this.#answer))
  }

  /** Hears how it ends, and no more. */
  listen(): void {
    const broke = (error: unknown): void => this.broke(error)
    this.#answer.on(errorMonitor, broke).on('aborted', broke)
  }

  /** Hears all of it, before got does. @param hold keeps its events back where it has to */
  hear(hold: Hold): void {
    overhear(this.#answer, HEARD, (event, given, pass) => {
      if (event === 'data' && this.captured) this.#attempt.chunk(this.#bytes(given))
      if (event === 'end') this.#attempt.end()
      if (event === 'error' || event === 'aborted') this.broke(given)
      if (event === 'close') this.#attempt.drop()
      return hold.pass(pass)
    })
  }

  /** It will not come whole. */
  broke(error: unknown): void {
    const { readableEnded, complete, destroyed, errored } = this.#answer
    // A connection may break once all that it had to bring is there.
    if (readableEnded || complete) return
    // Node says why it breaks a response; who does not is this side of it, got's decoder for one.
    const cause = this.#gaveUp() ?? (destroyed && !errored ? 'abort' : undefined)
    const loss = error ?? errored ?? Object.assign(new Error('The body was cut short'), { code: 'ECONNRESET' })
    this.#attempt.amend(cause ? { error: loss, cause } : { error: loss })
  }

  #bytes(chunk: unknown): Uint8Array {
    return typeof chunk === 'string'
      ? Buffer.from(chunk, this.#answer.readableEncoding ?? undefined)
      : (chunk as Uint8Array)
  }
}
