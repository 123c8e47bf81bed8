// One request on its way through undici: settles its attempt by what the wire says, and hands that on to the handler below.
import type { Duplex } from 'node:stream'
import type { Attempt, Board, Cause, Reply } from '@fuseboard/core'
import type { Dispatcher } from 'undici'
import { causeOfAbort, lossOf, outcomeOf } from './cause.ts'
import { Head, type ParsedFields, type RawFields } from './head.ts'
import { Held, type Last } from './held.ts'
import type { Handler, LegacyHandler, Source } from './interfaces.ts'
import { LegacyWire } from './legacy-wire.ts'
import { isLegacy, Relay } from './relay.ts'
import type { UndiciRequest } from './request.ts'

/** @internal Has both interfaces of undici's handlers: each dispatcher calls the one that it knows. */
export class AttemptHandler implements Dispatcher.DispatchHandler, LegacyHandler {
  readonly board: Board
  declare onResponseStarted?: () => void
  declare onRequestSent?: () => void
  declare onBodySent?: (chunk: Buffer) => void
  readonly #attempt: Attempt
  readonly #request: UndiciRequest
  readonly #relay: Relay
  /** Whether this layer refuses, stands in and captures: not where an outer one does. */
  readonly #own: boolean
  #wire: Source | undefined = undefined
  #held: Held | undefined = undefined
  #answered = false
  #captured = false
  #ended = false

  constructor(board: Board, attempt: Attempt, request: UndiciRequest, below: Handler) {
    this.board = board
    this.#attempt = attempt
    this.#request = request
    this.#relay = new Relay(below, isLegacy(below) && !(below instanceof AttemptHandler))
    this.#own = !attempt.adopted
    // What undici does for a handler with these it is not to do for one without.
    if (below.onResponseStarted) this.onResponseStarted = passResponseStarted
    if (below.onRequestSent) this.onRequestSent = passRequestSent
    if (below.onBodySent) this.onBodySent = passBodySent
  }

  /** @internal */
  get below(): Handler {
    return this.#relay.below
  }

  /** The circuit let nothing through. */
  refuse(): void {
    const error = this.#attempt.refusal
    const reply = this.#standIn()
    if (reply) this.#hold(reply, undefined, { error })
    else this.#relay.passError(error)
  }

  // As undici 7 and 8 tell it.

  onRequestStart(controller: Source, context: unknown): void {
    this.#wire = controller
    this.#relay.source = controller
    this.#relay.passStart(context)
  }

  onRequestUpgrade(controller: Source, status: number, headers: ParsedFields | undefined, socket: Duplex): unknown {
    this.#attempt.settle(new Head(status, '', controller.rawHeaders, headers))
    this.#ended = true
    return this.#relay.passUpgrade(status, headers, socket)
  }

  onResponseStart(controller: Source, status: number, headers: ParsedFields | undefined, statusText = ''): void {
    const head = new Head(status, statusText, controller.rawHeaders, headers)
    if (status < 200) return this.#relay.passHead(head)
    this.#attempt.settle(head)
    const reply = this.#standIn()
    if (!reply) return this.#answer(head)
    controller.pause()
    this.#hold(reply, head)
  }

  onResponseData(_controller: Source | undefined, chunk: Buffer): void {
    if (this.#held) return this.#held.data(chunk)
    if (this.#captured) this.#attempt.chunk(chunk)
    this.#relay.passData(chunk)
  }

  onResponseEnd(_controller: Source | undefined, trailers: ParsedFields | undefined): void {
    if (this.#held) return this.#held.end({ trailers })
    this.#ended = true
    if (this.#captured) this.#attempt.end()
    this.#relay.passEnd(trailers)
  }

  onResponseError(controller: Source | null | undefined, error: unknown): void {
    if (this.#held) return this.#held.end({ error })
    const gaveUp = this.#relay.aborted || controller?.aborted ? causeOfAbort(error, this.#request.signal) : undefined
    const reply = this.#ended ? undefined : this.#fail(error, gaveUp)
    this.#ended = true
    if (reply) this.#hold(reply, undefined, { error })
    else this.#relay.passError(error)
  }

  // As undici 6 tells it.

  onConnect(abort: (reason?: Error) => void, context?: unknown): void {
    this.onRequestStart(new LegacyWire(abort), context ?? null)
  }

  onUpgrade(status: number, headers: RawFields, socket: Duplex): unknown {
    return this.onRequestUpgrade(LegacyWire.heard(this.#wire, headers), status, undefined, socket)
  }

  onHeaders(status: number, headers: RawFields, resume: () => void, statusText: string): boolean {
    const wire = LegacyWire.heard(this.#wire, headers, resume)
    this.onResponseStart(wire, status, undefined, statusText)
    return !wire.paused
  }

  onData(chunk: Buffer): boolean {
    this.onResponseData(this.#wire, chunk)
    return !this.#relay.paused
  }

  onComplete(trailers: RawFields): void {
    if (this.#wire) this.#wire.rawTrailers = trailers
    this.onResponseEnd(this.#wire, undefined)
  }

  onError(error: Error): void {
    this.onResponseError(this.#wire, error)
  }

  /** @internal Nothing stands in for what was held. */
  handOn({ head, chunks, last }: Held): void {
    const [wire, relay] = [this.#wire, this.#relay]
    this.#held = undefined
    relay.source = wire
    try {
      if (head) this.#answer(head)
      for (const chunk of chunks) this.onResponseData(wire, chunk)
      if (last && 'trailers' in last) return this.onResponseEnd(wire, last.trailers)
    } catch (error) {
      // As undici does: what the handler below throws ends the request, and is told to it.
      return last ? this.onResponseError(wire, error) : wire?.abort(error as Error)
    }
    if (last) this.onResponseError(wire, last.error)
    else if (!relay.paused) wire?.resume()
  }

  #answer(head: Head): void {
    this.#answered = true
    this.#captured = this.#own && this.#attempt.capture(head)
    this.#relay.passHead(head)
  }

  #fail(error: unknown, gaveUp: Cause | undefined): Promise<Reply | undefined> | undefined {
    const own = this.#request.spoilt(error) || (error !== undefined && error === this.#relay.thrown)
    if (this.#answered) {
      if (own) this.#attempt.drop()
      else this.#attempt.amend(lossOf(error, gaveUp))
      return undefined
    }
    if (own) this.#attempt.release()
    else this.#attempt.settle(outcomeOf(error, gaveUp))
    // A time limit further in is the host's fault; the caller below, who gave up, waits no more.
    return own || this.#relay.aborted || gaveUp === 'abort' ? undefined : this.#standIn()
  }

  #standIn(): Promise<Reply | undefined> | undefined {
    return this.#own && !this.#request.upgrades ? this.#attempt.standIn() : undefined
  }

  #hold(asked: Promise<Reply | undefined>, head: Head | undefined, last?: Last): void {
    this.#held = new Held(this, this.#relay, this.#wire, this.#request, head, last)
    this.#held.wait(asked)
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
