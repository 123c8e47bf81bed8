// One request on its way through undici: what the wire says settles its attempt, and is handed on to the handler below, or held while
// something may stand in.
import type { Duplex } from 'node:stream'
import type { Attempt, Board, Reply } from '@fuseboard/core'
import type { Dispatcher } from 'undici'
import { causeOfAbort } from './cause.ts'
import { Head, type ParsedFields } from './head.ts'
import { Held, type Last } from './held.ts'
import type { Handler, Source } from './interfaces.ts'
import { isLegacy, ToLegacy } from './legacy-handler.ts'
import type { UndiciRequest } from './request.ts'
import { Settling } from './settling.ts'

const GUARDED: unique symbol = Symbol.for('fuseboard.undici.handler')

/** @internal Whether a handler is one of a breaker, maybe of another copy of this code. */
export const isGuarded = (handler: Handler): handler is AttemptHandler => GUARDED in handler

/** @internal */
export class AttemptHandler extends Settling implements Dispatcher.DispatchHandler {
  declare onResponseStarted?: () => void
  declare onRequestSent?: () => void
  declare onBodySent?: (chunk: Buffer) => void
  #held: Held | undefined = undefined

  constructor(board: Board, attempt: Attempt, request: UndiciRequest, below: Handler) {
    super(board, attempt, request, isLegacy(below) && !isGuarded(below) ? new ToLegacy(below) : below)
    // What undici does for a handler with these it is not to do for one without.
    if (below.onResponseStarted) this.onResponseStarted = below.onResponseStarted.bind(below)
    if (below.onRequestSent) this.onRequestSent = below.onRequestSent.bind(below)
    if (below.onBodySent) this.onBodySent = below.onBodySent.bind(below)
  }

  /** The circuit let nothing through. */
  refuse(): void {
    const error = this.attempt.refusal
    const reply = this.standIn()
    if (reply) this.#hold(reply, undefined, { error })
    else this.passError(error)
  }

  onRequestStart(controller: Source, context: unknown): void {
    this.wire = this.source = controller
    this.context = context
    if (!this.attempt.replaceable) this.controller = controller as Dispatcher.DispatchController
    this.passStart(context)
  }

  onRequestUpgrade(controller: Source, status: number, headers: ParsedFields, socket: Duplex): unknown {
    this.attempt.settle(new Head(status, '', controller.rawHeaders, headers))
    this.ended = true
    return this.passUpgrade(status, headers, socket)
  }

  onResponseStart(controller: Source, status: number, headers: ParsedFields, statusText = ''): void {
    if (status < 200) return this.passHead(status, headers, statusText)
    const head = new Head(status, statusText, controller.rawHeaders, headers)
    this.attempt.settle(head)
    const reply = this.standIn()
    if (!reply) return this.answer(head)
    controller.pause()
    this.#hold(reply, head)
  }

  onResponseData(_controller: Source | undefined, chunk: Buffer): void {
    if (this.#held) return this.#held.data(chunk)
    this.take(chunk)
    this.passData(chunk)
  }

  onResponseEnd(_controller: Source | undefined, trailers: ParsedFields): void {
    if (this.#held) return this.#held.end({ trailers })
    this.end()
    this.passEnd(trailers)
  }

  onResponseError(controller: Source | null | undefined, error: unknown): void {
    if (this.#held) return this.#held.end({ error })
    const gaveUp = this.aborted || controller?.aborted ? causeOfAbort(error, this.request.signal) : undefined
    const reply = this.ended ? undefined : this.fail(error, gaveUp)
    this.ended = true
    if (reply) this.#hold(reply, undefined, { error })
    else this.passError(error)
  }

  /** @internal Nothing stands in for what was held. */
  handOn({ head, chunks, last }: Held): void {
    const wire = this.wire
    this.#held = undefined
    this.source = wire
    try {
      if (head) this.answer(head)
      for (const chunk of chunks) this.onResponseData(wire, chunk)
      if (last && 'trailers' in last) return this.onResponseEnd(wire, last.trailers)
    } catch (error) {
      // As undici does: what the handler below throws ends the request, and is told to it.
      return last ? this.onResponseError(wire, error) : wire?.abort(error as Error)
    }
    if (last) this.onResponseError(wire, last.error)
    else if (!this.paused) wire?.resume()
  }

  #hold(asked: Promise<Reply | undefined>, head: Head | undefined, last?: Last): void {
    this.#held = new Held(this, this.request, head, last)
    this.#held.wait(asked)
  }
}

// What all have in common is said once.
Object.defineProperty(AttemptHandler.prototype, GUARDED, { value: true })
