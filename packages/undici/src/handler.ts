// One request on its way through undici: settles its attempt by what the wire says, hands that on to the handler below,
// and lets a stand-in take its place. One object serves as the handler of the wire and as the controller of the handler below.
import type { Duplex } from 'node:stream'
import type { Attempt, Board, Cause, Reply } from '@fuseboard/core'
import type { Dispatcher } from 'undici'
import { causeOfAbort, lossOf, outcomeOf } from './cause.ts'
import { Head, type ParsedFields } from './head.ts'
import { Held, type Last } from './held.ts'
import type { Handler, Source } from './interfaces.ts'
import { Relay } from './relay.ts'
import { Replay } from './replay.ts'
import type { UndiciRequest } from './request.ts'

/** @internal Speaks the interface of undici 7 and 8 to the wire. */
export class AttemptHandler extends Relay implements Dispatcher.DispatchHandler {
  readonly board: Board
  declare onResponseStarted?: () => void
  declare onRequestSent?: () => void
  declare onBodySent?: (chunk: Buffer) => void
  readonly #attempt: Attempt
  readonly #request: UndiciRequest
  /** Whether this layer refuses, stands in and captures: not where an outer one does. */
  readonly #own: boolean
  #answered = false
  #captured = false
  #ended = false
  #held: Held | undefined

  constructor(board: Board, attempt: Attempt, request: UndiciRequest, below: Handler) {
    super(below)
    this.board = board
    this.#attempt = attempt
    this.#request = request
    this.#own = !attempt.adopted
    // What undici does for a handler with these it is not to do for one without.
    if (below.onResponseStarted) this.onResponseStarted = passResponseStarted
    if (below.onRequestSent) this.onRequestSent = passRequestSent
    if (below.onBodySent) this.onBodySent = passBodySent
  }

  /** The circuit let nothing through. */
  refuse(): void {
    const error = this.#attempt.refusal
    const reply = this.#standIn()
    if (reply) this.#hold(reply, undefined, { error })
    else this.passError(error)
  }

  onRequestStart(controller: Source, context: unknown): void {
    this.source = controller
    this.passStart(context)
  }

  onRequestUpgrade(controller: Source, status: number, headers: ParsedFields | undefined, socket: Duplex): unknown {
    this.#attempt.settle(new Head(status, '', controller.rawHeaders, headers))
    this.#ended = true
    return this.passUpgrade(status, headers, socket)
  }

  onResponseStart(controller: Source, status: number, headers: ParsedFields | undefined, statusText = ''): void {
    const head = new Head(status, statusText, controller.rawHeaders, headers)
    if (status < 200) return this.passHead(head)
    this.#attempt.settle(head)
    const reply = this.#standIn()
    if (!reply) return this.#answer(head)
    controller.pause()
    this.#hold(reply, head)
  }

  onResponseData(_controller: Source | undefined, chunk: Buffer): void {
    if (this.#held) return this.#held.data(chunk)
    if (this.#captured) this.#attempt.chunk(chunk)
    this.passData(chunk)
  }

  onResponseEnd(_controller: Source | undefined, trailers: ParsedFields | undefined): void {
    if (this.#held) return this.#held.end({ trailers })
    this.#ended = true
    if (this.#captured) this.#attempt.end()
    this.passEnd(trailers)
  }

  onResponseError(controller: Source | null | undefined, error: unknown): void {
    if (this.#held) return this.#held.end({ error })
    const gaveUp = this.aborted || controller?.aborted ? causeOfAbort(error, this.#request.signal) : undefined
    const reply = this.#ended ? undefined : this.#fail(error, gaveUp)
    this.#ended = true
    if (reply) this.#hold(reply, undefined, { error })
    else this.passError(error)
  }

  #answer(head: Head): void {
    this.#answered = true
    this.#captured = this.#own && this.#attempt.capture(head)
    this.passHead(head)
  }

  #fail(error: unknown, gaveUp: Cause | undefined): Promise<Reply | undefined> | undefined {
    const own = this.#request.spoilt(error) || (error !== undefined && error === this.thrown)
    if (this.#answered) {
      if (own) this.#attempt.drop()
      else this.#attempt.amend(lossOf(error, gaveUp))
      return undefined
    }
    if (own) this.#attempt.release()
    else this.#attempt.settle(outcomeOf(error, gaveUp))
    // A time limit further in is the host's fault; the caller below, who gave up, waits no more.
    return own || this.aborted || gaveUp === 'abort' ? undefined : this.#standIn()
  }

  #standIn(): Promise<Reply | undefined> | undefined {
    return this.#own && !this.#request.upgrades ? this.#attempt.standIn() : undefined
  }

  #hold(asked: Promise<Reply | undefined>, head: Head | undefined, last?: Last): void {
    const wire = this.source
    const held = (this.#held = new Held(this, wire, head, last))
    this.source = held
    const decide = (reply?: Reply): void => {
      if (!this.aborted) this.#decide(held, reply)
    }
    void asked.then(decide, () => decide())
    try {
      // The handler below may give up while we ask: it needs a controller for that.
      if (!wire) this.passStart(null)
    } catch (error) {
      this.abort(error as Error)
    }
  }

  #decide(held: Held, reply: Reply | undefined): void {
    if (!reply) return this.#handOn(held)
    held.drain()
    if (!held.head) this.#request.discardBody()
    const replay = new Replay(this, reply, this.#request.method)
    this.source = replay
    replay.play()
  }

  #handOn({ head, chunks, last, wire }: Held): void {
    this.#held = undefined
    this.source = wire
    try {
      if (head) this.#answer(head)
      for (const chunk of chunks) this.onResponseData(wire, chunk)
      if (last && 'trailers' in last) return this.onResponseEnd(wire, last.trailers)
    } catch (error) {
      // As undici does: what the handler below throws ends the request, and is told to it.
      return last ? this.onResponseError(wire, error) : wire?.abort(error as Error)
    }
    if (last) this.onResponseError(wire, last.error)
    else if (!this.paused) wire?.resume()
  }
}

function passResponseStarted(this: AttemptHandler): void {
  this.below.onResponseStarted?.()
}

function passRequestSent(this: AttemptHandler): void {
  this.below.onRequestSent?.()
}

function passBodySent(this: AttemptHandler, chunk: Buffer): void {
  this.below.onBodySent?.(chunk)
}
