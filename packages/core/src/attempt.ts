// One request on the wire: leave to send it, how it went, and what stands in where it went wrong.
import { ask, inWords } from './ask.ts'
import { isPromise, type Awaitable } from './awaitable.ts'
import type { Asker, Circuit } from './circuit.ts'
import type { CircuitOpenError } from './errors.ts'
import { tellRefused, type Events } from './events.ts'
import { publicUrl } from './host.ts'
import { causeOf, judgeCause, judgeStatus, type Cause, type Outcome, type Verdict } from './outcome.ts'
import type { Rules } from './policy.ts'
import {
  readFields,
  readReply,
  readSink,
  type AnswerHead,
  type Failure,
  type Fallback,
  type FallbackOption,
  type Replies,
  type Reply,
  type Sink,
} from './reply.ts'
import { RequestView, type HttpRequest, type RequestLike } from './request.ts'
import { retryAfter } from './retry-after.ts'
import { kindOf, readVerdict } from './task.ts'
import type { Timeline } from './timeline.ts'
import { isProbe, STALE } from './token.ts'

/** What tags the options of a request that an outer guarded layer hands down with its attempt. */
export const ATTEMPT: unique symbol = Symbol.for('fuseboard.attempt') as never

/** @internal What an attempt needs of its board. */
export interface Home {
  readonly time: Timeline
  readonly events: Events
  /** The stored replies, as a fallback is given them. */
  readonly replies: (fallback?: Fallback) => Replies
}

/** What ended an attempt, or broke its answer. */
type Loss = Extract<Outcome, { error: unknown }>

/** What most attempts have no need of: so they are smaller. */
class Rest {
  amended = false
  outcome: Outcome | undefined = undefined
  refusal: CircuitOpenError | undefined = undefined
  view: HttpRequest | undefined = undefined
  sinks: readonly Sink[] | undefined = undefined
  /** The head of an answer that was taken in, whole or not yet. */
  captured: AnswerHead | undefined = undefined
}

const NO_FIELDS: readonly (readonly [string, string])[] = []
const NOT_ADMITTED = -9

/**
 * One request on the wire, from admission to settlement: one admission, one settlement, at most one amendment, at most one
 * stand-in. Made by `board.attempt`; adapters drive it.
 */
export class Attempt implements Asker {
  readonly host: string
  /** An outer guarded layer handed it down: settle and amend it, but do not refuse, stand in or capture. */
  adopted = false
  readonly #home: Home
  readonly #circuit: Circuit | undefined
  readonly #like: RequestLike
  readonly #token: number
  readonly #startedAt: number
  #verdict: Verdict | undefined = undefined
  #call = -1
  #rest: Rest | undefined = undefined

  /** @internal */
  constructor(home: Home, circuit: Circuit | undefined, like: RequestLike, host: string) {
    this.#home = home
    this.#circuit = circuit
    this.#like = like
    this.host = host
    this.#startedAt = circuit === undefined ? 0 : home.time.now()
    this.#token = circuit === undefined ? NOT_ADMITTED : circuit.admit(this, this.#startedAt)
    if (this.refused && home.events.heard.refused) {
      const refusal = this.refusal as CircuitOpenError
      tellRefused(home.events, home.time.wall(), refusal, this.request.method, publicUrl(like.url))
    }
  }

  /** Whether a circuit watches it; an unguarded host has none. */
  get guarded(): boolean {
    return this.#circuit !== undefined
  }

  /** Whether the policy has anything that could stand in; not in shadow. */
  get replaceable(): boolean {
    const rules = this.#circuit?.rules
    return rules !== undefined && rules.fallbacks.length > 0 && rules.mode === 'on'
  }

  /** It must not be sent. */
  get refused(): boolean {
    return this.#token < 0 && this.#circuit !== undefined
  }

  /** The error for it, made when first read. */
  get refusal(): CircuitOpenError | undefined {
    if (!this.refused) return undefined
    return (this.#more.refusal ??= this.#circuit?.refusal(this.#token, this.host))
  }

  /** @internal */
  get method(): string {
    return this.#like.method
  }

  /** The request, as the functions of a policy see it. */
  get request(): HttpRequest {
    return (this.#more.view ??= new RequestView(this.#like, this.host))
  }

  /** Header fields that fallbacks want on the wire, such as an idempotency key. */
  get headers(): readonly (readonly [name: string, value: string])[] {
    return this.replaceable ? this.#prepared() : NO_FIELDS
  }

  /** @internal Takes it over from an outer layer of the same board, once. */
  adopt(home: Home): boolean {
    if (home !== this.#home || this.adopted || this.#verdict !== undefined) return false
    this.adopted = true
    return true
  }

  /**
   * Says how it went: at the head of the answer, or where there is none. The first call counts.
   * @returns the verdict
   */
  settle(given: Outcome): Verdict {
    if (this.#verdict !== undefined) return this.#verdict
    const circuit = this.#circuit
    if (circuit === undefined || this.refused) return (this.#verdict = 'ignored')
    const outcome = 'status' in given ? given : this.#read(given)

    // What stands in is told of it; nobody else is, and the caller may keep the response that this hangs on to for long.
    if (this.replaceable) this.#more.outcome = outcome
    const verdict = this.#judge(circuit, outcome)
    this.#verdict = verdict
    if ('status' in outcome && isWord(outcome.status)) this.#takeBack(circuit, outcome)
    this.#call = circuit.settle(
      this.#token,
      verdict,
      this.#startedAt,
      verdict === 'failure' ? kindOfOutcome(outcome) : undefined,
    )
    if (this.#home.events.heard.settled) this.#tellSettled(circuit, outcome, verdict, this.#call === STALE, false)
    return verdict
  }

  /**
   * Asks whether the chunks of a good answer's body are wanted, and tells fallbacks of answers that are not kept. Call it
   * after {@link settle} for an answer that goes to the caller.
   */
  capture(head: AnswerHead): boolean {
    return this.replaceable && this.#verdict !== 'failure' && this.#takeIn(head)
  }

  /** A chunk of the body passes to the caller. */
  chunk(bytes: Uint8Array): void {
    this.#feed((sink) => sink.write(bytes))
  }

  /** The body came whole. */
  end(): void {
    if (this.#rest?.sinks === undefined) return
    this.#feed((sink) => sink.end())
    this.#rest.sinks = undefined
  }

  /** The caller gave the body up: what was captured is dropped. */
  drop(): void {
    if (this.#rest?.sinks === undefined) return
    this.#feed((sink) => sink.abort())
    this.#rest.sinks = this.#rest.captured = undefined
  }

  /** The body broke after a good head, or the caller says that the answer was none: once, from success to failure. */
  amend(loss: Loss): void {
    this.drop()
    const circuit = this.#circuit
    if (circuit === undefined || this.#verdict !== 'success' || this.#rest?.amended) return
    const read = this.#read(loss)
    const { error, cause } = read
    if (judgeCause(cause === 'unknown' ? 'body' : cause) !== 'failure') return
    const rest = this.#more
    rest.amended = true
    const { fallbacks } = circuit.rules
    // It was kept as a good one.
    if (rest.captured) for (const fallback of fallbacks) if (isMade(fallback)) this.#supersede(fallback, rest.captured)
    const stale = circuit.amend(this.#token, this.#call, kindOf(error))
    if (this.#home.events.heard.settled) this.#tellSettled(circuit, read, 'failure', stale, true)
  }

  /** Gives its place back without a verdict: nothing was sent, or nothing can be said. */
  release(): void {
    const circuit = this.#circuit
    if (this.#verdict !== undefined || circuit === undefined || this.refused) return
    this.#verdict = 'ignored'
    const call = circuit.settle(this.#token, 'ignored', this.#startedAt)
    if (this.#home.events.heard.settled) this.#tellSettled(circuit, undefined, 'ignored', call === STALE, false)
  }

  /** Asks the policy's fallbacks for a reply; undefined at once where none may stand in. */
  standIn(): Promise<Reply | undefined> | undefined {
    return this.replaceable && !this.#isGood ? this.#askFallbacks(this.#circuit as Circuit) : undefined
  }

  [Symbol.dispose](): void {
    this.release()
  }

  get #more(): Rest {
    return (this.#rest ??= new Rest())
  }

  /** What most answers are, so that nothing is made ready for asking. */
  get #isGood(): boolean {
    const outcome = this.#rest?.outcome
    return this.#verdict === 'success' && outcome !== undefined && 'status' in outcome && outcome.status < 400
  }

  // What fallbacks are asked stands by itself: a function with closures in it costs each call a context, also one that has none.
  #prepared(): readonly (readonly [name: string, value: string])[] {
    return this.#fallbacks.flatMap((fallback) =>
      isMade(fallback)
        ? (this.#asked('prepare', () => fallback.prepare?.(this.request, this.#home.replies(fallback)), readFields) ??
          NO_FIELDS)
        : [],
    )
  }

  #takeIn(head: AnswerHead): boolean {
    const sinks: Sink[] = []
    for (const fallback of this.#fallbacks) {
      if (!isMade(fallback)) continue
      const replies = this.#home.replies(fallback)
      const sink =
        this.#verdict === 'success'
          ? this.#asked('capture', () => fallback.capture?.(this.request, head, replies), readSink)
          : undefined
      if (sink) sinks.push(sink)
      else if (!isWord(head.status)) this.#supersede(fallback, head)
    }
    if (sinks.length === 0) return false
    this.#more.sinks = sinks
    this.#more.captured = head
    return true
  }

  #askFallbacks(circuit: Circuit): Promise<Reply | undefined> | undefined {
    const failure = this.#failure(circuit)
    if (failure === undefined) return undefined
    const counted = this.#verdict === 'failure'
    const able = this.#fallbacks.filter((fallback) => this.#covers(fallback, failure, counted))
    return able.length === 0 ? undefined : this.#firstReply(circuit, able, failure, counted)
  }

  get #fallbacks(): readonly FallbackOption[] {
    return this.#circuit?.rules.fallbacks ?? []
  }

  #judge(circuit: Circuit, outcome: Outcome): Verdict {
    const { classify, rateLimit } = circuit.rules
    if (classify !== undefined) {
      const said = this.#classified(circuit, classify, outcome)
      if (typeof said === 'string') return said === 'failure' ? this.#failed(circuit, outcome) : said
      if (said !== undefined) {
        circuit.pause(said.pause, this.#token)
        return 'ignored'
      }
    }
    if ('status' in outcome) {
      if (outcome.status === 429 && rateLimit !== 'ignore') return this.#rateLimited(circuit, outcome)
      return judgeStatus(outcome.status) === 'failure' ? this.#failed(circuit, outcome) : judgeStatus(outcome.status)
    }
    const cause = outcome.cause ?? causeOf(outcome.error)
    const abandoned = cause === 'abort' && this.#home.time.now() - this.#startedAt >= circuit.rules.abandonedAfter
    return judgeCause(abandoned ? 'abandoned' : cause)
  }

  #read({ error, cause = causeOf(error) }: Loss): Loss & { readonly cause: Cause } {
    const limit = cause === 'abort' ? this.#like.timedOut?.() : undefined
    return limit === undefined ? { error, cause } : { error: limit, cause: 'deadline' }
  }

  // By itself, since a function with closures in it allocates at each call.
  #classified(
    circuit: Circuit,
    classify: NonNullable<Rules['classify']>,
    outcome: Outcome,
  ): ReturnType<typeof readVerdict> {
    return ask(
      () => classify(outcome, this.request),
      readVerdict,
      (why) => this.#home.events.warn('classify', `classify of ${circuit.label} failed: ${why}`),
    )
  }

  #rateLimited(circuit: Circuit, outcome: Extract<Outcome, { status: number }>): Verdict {
    if (circuit.rules.rateLimit === 'failure') return this.#failed(circuit, outcome)
    circuit.pause(retryAfter(outcome.headers, this.#home.time.wall()) ?? 0, this.#token)
    return 'ignored'
  }

  #failed(circuit: Circuit, outcome: Outcome): Verdict {
    const wait = 'status' in outcome ? retryAfter(outcome.headers, this.#home.time.wall()) : undefined
    if (wait !== undefined) circuit.holdOff(wait, this.#token)
    return 'failure'
  }

  #failure(circuit: Circuit): Failure | undefined {
    const { refusal } = this
    const outcome = this.#rest?.outcome
    if (refusal === undefined && outcome === undefined) return undefined
    const about = { request: this.request, key: circuit.key, state: circuit.state }
    if (refusal !== undefined)
      return { ...about, reason: 'refused', error: refusal, retryAfterMs: refusal.retryAfterMs }
    if (outcome === undefined) return undefined
    if ('status' in outcome) {
      const { status, headers = [] } = outcome
      const retryAfterMs = retryAfter(headers, this.#home.time.wall())
      return { ...about, reason: 'failed', response: { status, headers }, retryAfterMs }
    }
    const cause = outcome.cause ?? causeOf(outcome.error)
    if (cause === 'abort' || cause === 'caller') return undefined
    return {
      ...about,
      reason: cause === 'refused' ? 'refused' : 'failed',
      error: outcome.error,
      retryAfterMs: undefined,
    }
  }

  #covers(fallback: FallbackOption, failure: Failure, counted: boolean): boolean {
    if (!isMade(fallback) || fallback.covers === undefined) return counted || failure.reason === 'refused'
    return this.#asked('covers', () => fallback.covers?.(failure, counted), Boolean) ?? false
  }

  async #firstReply(
    circuit: Circuit,
    able: readonly FallbackOption[],
    failure: Failure,
    counted: boolean,
  ): Promise<Reply | undefined> {
    let known = failure
    // What is too old by itself is for the functions of the list to take or leave.
    const tooOld = able.some((fallback) => !isMade(fallback))
      ? (stored: Reply) => (known = { ...known, stored })
      : undefined
    for (const fallback of able) {
      try {
        const reply = readReply(await this.#replyOf(fallback, known, counted, tooOld))
        if (reply !== undefined) return this.#stoodIn(circuit, reply, failure)
      } catch (error) {
        this.#home.events.warn('fallback', `A fallback of ${circuit.label} failed: ${inWords(error)}`)
        if (this.#rest?.refusal !== undefined) this.#rest.refusal.cause ??= error
      }
    }
    return undefined
  }

  #replyOf(
    fallback: FallbackOption,
    failure: Failure,
    counted: boolean,
    tooOld: ((reply: Reply) => void) | undefined,
  ): Awaitable<unknown> {
    if (isMade(fallback)) return fallback.standIn(failure, this.#home.replies(fallback), tooOld)
    const given = fallback(failure)
    const read = (said: Fallback | Reply | undefined) => {
      if (typeof said !== 'object' || said === null || !('standIn' in said)) return said
      if (said.covers !== undefined && !said.covers(failure, counted)) return undefined
      const replies = this.#home.replies(said)
      return said.chosen === undefined ? said.standIn(failure, replies, tooOld) : said.chosen(failure, replies)
    }
    return isPromise(given) ? given.then(read) : read(given)
  }

  #stoodIn(circuit: Circuit, reply: Reply, failure: Failure): Reply {
    circuit.stoodIn()
    const { events } = this.#home
    if (!events.heard.fallback) return reply
    const { key, label } = circuit
    const { source, age } = reply.mark
    events.tell('fallback', {
      key,
      label,
      url: publicUrl(this.#like.url),
      source,
      reason: failure.reason,
      age,
      status: reply.status,
    })
    return reply
  }

  #feed(give: (sink: Sink) => void): void {
    for (const sink of this.#rest?.sinks ?? []) {
      try {
        give(sink)
      } catch (error) {
        this.#home.events.warn('sink', `A fallback failed to take in an answer: ${inWords(error)}`)
      }
    }
  }

  #asked<T>(what: string, call: () => unknown, read: (said: unknown) => T): T | undefined {
    return ask(call, read, (why) =>
      this.#home.events.warn('fallback', `${what} of a fallback of ${this.host} failed: ${why}`),
    )
  }

  /** Whatever it is to the circuit, and whoever stands in for it. */
  #takeBack({ rules }: Circuit, { status, headers = [] }: Extract<Outcome, { status: number }>): void {
    const head = { status, statusText: '', headers, decoded: false }
    for (const fallback of rules.fallbacks) if (isMade(fallback)) this.#supersede(fallback, head)
  }

  #supersede(fallback: Fallback, head: AnswerHead): void {
    this.#asked('superseded', () => fallback.superseded?.(this.request, head, this.#home.replies(fallback)), Boolean)
  }

  #tellSettled(
    circuit: Circuit,
    outcome: Outcome | undefined,
    verdict: Verdict,
    stale: boolean,
    amended: boolean,
  ): void {
    this.#home.events.tell('settled', {
      key: circuit.key,
      label: circuit.label,
      verdict,
      status: outcome !== undefined && 'status' in outcome ? outcome.status : undefined,
      error: outcome !== undefined && 'error' in outcome ? outcome.error : undefined,
      durationMs: this.#home.time.now() - this.#startedAt,
      stale,
      probe: isProbe(this.#token),
      amended,
    })
  }
}

/** Whether an answer may be the host's word on what was kept of it, as a 403 is. */
const isWord = (status: number): boolean => status >= 400 && status < 500

const isMade = (fallback: FallbackOption): fallback is Fallback => typeof fallback !== 'function'

const kindOfOutcome = (outcome: Outcome): string | number =>
  'status' in outcome ? outcome.status : kindOf(outcome.error)
