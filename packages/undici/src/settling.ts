// What the wire says of a request, as its attempt is told of it: an answer, a failure, or nothing that counts.
import type { Attempt, Board, Cause, Reply } from '@fuseboard/core'
import { lossOf, outcomeOf } from './cause.ts'
import { EitherWay } from './either-way.ts'
import type { Head } from './head.ts'
import type { Handler } from './interfaces.ts'
import type { UndiciRequest } from './request.ts'

/** @internal */
export abstract class Settling extends EitherWay {
  readonly board: Board
  protected readonly attempt: Attempt
  protected readonly request: UndiciRequest
  /** What the layers below say of the request. */
  protected context: unknown = undefined
  protected ended = false
  #answered = false
  #captured = false

  constructor(board: Board, attempt: Attempt, request: UndiciRequest, below: Handler) {
    super(below)
    this.board = board
    this.attempt = attempt
    this.request = request
  }

  /** The answer goes to the handler below. */
  protected answer(head: Head): void {
    this.#answered = true
    head.context = this.context
    this.#captured = !this.attempt.adopted && this.attempt.capture(head)
    this.passHead(head.status, head.parsed, head.statusText)
  }

  /** A chunk of its body does. */
  protected take(chunk: Buffer): void {
    if (this.#captured) this.attempt.chunk(chunk)
  }

  /** It has come whole. */
  protected end(): void {
    this.ended = true
    if (this.#captured) this.attempt.end()
  }

  /**
   * It does not come, or not whole.
   * @param gaveUp why the caller ended it, if they did
   * @returns what may stand in
   */
  protected fail(error: unknown, gaveUp: Cause | undefined): Promise<Reply | undefined> | undefined {
    const own = this.request.spoilt(error) || (error !== undefined && error === this.thrown)
    if (this.#answered) {
      if (own) this.attempt.drop()
      else this.attempt.amend(lossOf(error, gaveUp))
      return undefined
    }
    if (own) this.attempt.release()
    else this.attempt.settle(outcomeOf(error, gaveUp))
    // A time limit further in is the host's fault; the caller below, who gave up, waits no more.
    return own || this.aborted || gaveUp === 'abort' ? undefined : this.standIn()
  }

  protected standIn(): Promise<Reply | undefined> | undefined {
    return this.attempt.adopted || this.request.upgrades ? undefined : this.attempt.standIn()
  }
}
