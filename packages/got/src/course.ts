// How an attempt goes, as the wire tells it: settled by its answer or by its failure, once, and amended where the body breaks.
import { causeOfSignal, type Attempt, type Cause } from '@fuseboard/core'
import { Body } from './body.ts'
import { causeOfCode } from './cause.ts'
import { Head } from './head.ts'
import type { Asked, Hold } from './hold.ts'
import type { Answer } from './transport.ts'

/** @internal What of the options of a call tells who ended it. */
export interface Given {
  readonly signal?: AbortSignal | undefined
  readonly body?: unknown
}

/** @internal */
export class Course {
  /** Who asked, or got for them, wants no more of it. */
  hungUp = false
  answer: Answer | undefined = undefined
  readonly #attempt: Attempt
  readonly #given: Given
  readonly #hold: Hold
  /** Whether this layer stands in and captures: not where an outer one does. */
  readonly #own: boolean
  #body: Body | undefined = undefined
  #asked = false

  constructor(attempt: Attempt, given: Given, hold: Hold) {
    this.#attempt = attempt
    this.#given = given
    this.#hold = hold
    this.#own = !attempt.adopted
  }

  /** An answer has come. */
  begin(answer: Answer): Asked {
    this.answer = answer
    this.#attempt.settle(new Head(answer))
    const body = (this.#body = new Body(answer, this.#attempt, () => this.#gaveUp()))
    const asked = this.ask()
    if (!asked && !this.hungUp && !answer.errored) this.capture()
    // To hear all events costs more than all the rest.
    if (asked || body.captured) body.hear(this.#hold)
    else body.listen()
    return asked
  }

  /** The answer goes to got. */
  capture(): void {
    if (this.#own) this.#body?.capture()
  }

  /** A connection that both sides use as they like from here on. */
  upgrade(answer: Answer): void {
    this.#attempt.settle(new Head(answer))
  }

  /** No answer comes, or not all of one. */
  fail(error: unknown): void {
    if (this.#body) return this.#body.broke(error)
    const cause = this.#gaveUp() ?? causeOfCode(error)
    this.#attempt.settle(cause ? { error, cause } : { error })
  }

  hangUp(): void {
    this.hungUp = true
    this.fail(this.#given.signal?.reason ?? new Error('The caller hung up'))
  }

  /** Nothing comes any more. */
  close(): void {
    this.#attempt.release()
  }

  /** Asks for a stand-in, once, unless nobody waits for it. */
  ask(): Asked {
    if (this.#asked || !this.#own || this.#gaveUp()) return undefined
    this.#asked = true
    return this.#attempt.standIn()
  }

  #gaveUp(): Cause | undefined {
    const { signal, body } = this.#given
    if (!this.hungUp) return causeOfSignal(signal)
    // The file that was to be sent broke, and got hangs up for that.
    const spoilt = Boolean((body as { errored?: unknown } | undefined)?.errored)
    return causeOfSignal(signal) ?? (spoilt ? 'caller' : 'abort')
  }
}
