// The head of an answer, as a board reads it.
import type { AnswerHead, HeaderPairs } from '@fuseboard/core'
import { pairsOf } from './request.ts'
import type { Answer } from './transport.ts'

/** @internal */
export class Head implements AnswerHead {
  readonly #answer: Answer

  constructor(answer: Answer) {
    this.#answer = answer
  }

  get status(): number {
    return this.#answer.statusCode ?? 0
  }

  get statusText(): string {
    return this.#answer.statusMessage ?? ''
  }

  /** got decodes above us. */
  get decoded(): boolean {
    return false
  }

  get headers(): HeaderPairs {
    // A response that a transport of the caller made may have none as they came.
    const { rawHeaders, headers } = this.#answer as Partial<Answer>
    if (!rawHeaders?.length) return pairsOf(headers ?? {})
    return rawHeaders.flatMap((name, at): [string, string][] =>
      // HTTP/2 has its status among them.
      at % 2 === 0 && !name.startsWith(':') ? [[name, rawHeaders[at + 1] ?? '']] : [],
    )
  }
}
