// One call of an adapter, as an exchange sees it.
import { circuitOpen } from '@fuseboard/core'
import type { AnswerHead, Attempt, Board, Cause, Client, Reply } from '@fuseboard/core'
import type { AxiosResponse, InternalAxiosRequestConfig } from 'axios'
import { discard, watch } from './body.ts'
import type { Adapters, Copy, Means } from './copy.ts'
import { alike, answerIn, causeOf, causeOfBreak, refused, rejected } from './errors.ts'
import { Head } from './head.ts'
import { Hops } from './hops.ts'
import { canMake, make } from './made.ts'
import { callIn, tag, untag } from './tag.ts'

type Config = InternalAxiosRequestConfig

/** @internal */
export class Call implements Client<AxiosResponse> {
  readonly #config: Config
  readonly #means: Means
  readonly #copy: Copy
  readonly #below: Adapters
  readonly #hops: Hops
  #taken = false

  constructor(board: Board, attempt: Attempt, config: Config, means: Means, copy: Copy, below: Adapters) {
    this.#config = config
    this.#means = means
    this.#copy = copy
    this.#below = below
    // An adapter above may send one config twice at a time.
    const other = callIn(config)
    const given = other?.sends(config) ? other.given : config.beforeRedirect
    this.#hops = new Hops(board, attempt, config, given)
  }

  get hop(): Attempt {
    return this.#hops.attempt
  }

  get signal(): AbortSignal | undefined {
    return this.#config.signal as AbortSignal | undefined
  }

  /** The caller's own hook. */
  get given(): Config['beforeRedirect'] {
    return this.#hops.given
  }

  get thaw(): ((reply: Reply) => AxiosResponse) | undefined {
    if (!canMake(this.#config, this.#means)) return undefined
    return (reply) => make(reply, this.#config, this.#means)
  }

  /** Whether it goes by this very config. */
  sends(config: Config): boolean {
    return this.#config === config
  }

  /** Hands it down to a layer of the same board that is further in, once: a retry between the two is another attempt. */
  takenBy(board: Board): boolean {
    if (this.#taken || board !== this.#hops.board) return false
    return (this.#taken = true)
  }

  send(fields: Attempt['headers']): Promise<AxiosResponse> {
    const config = this.#config
    // To copy it costs more than all the rest, and Node's adapter heeds no more of it than the hook.
    const { web, builtIn } = this.#means
    this.#taken = builtIn && !web && fields.length === 0 && callIn(config) === undefined
    const sent = this.#taken ? config : this.#copied(fields)
    tag(sent, this, this.#hops.next)
    return this.#copy.send(this.#below, sent)
  }

  head(response: AxiosResponse): AnswerHead {
    untag(response, this.#config, this)
    // Of what is not told, the answer may be another address's.
    return new Head(response, this.#hops.redirected ?? this.#means.web, this.#means.web)
  }

  answerIn(error: unknown): AxiosResponse | undefined {
    untag(error, this.#config, this)
    return untag(answerIn(error), this.#config, this)
  }

  thrown(error: unknown): { error: unknown; cause?: Cause | undefined } {
    return { error, cause: causeOf(error, this.#config, this.#means.builtIn) }
  }

  watch(response: AxiosResponse, attempt: Attempt, captured: boolean): AxiosResponse {
    if (captured || typeof response.data === 'object')
      watch(response, attempt, captured, (error) => causeOfBreak(error, this.#config))
    return response
  }

  /** It goes by the status rules of the call, as an answer does. */
  async handOver(made: AxiosResponse): Promise<AxiosResponse> {
    if (this.#config.validateStatus?.(made.status) ?? true) return made
    throw rejected(await this.#copy.errors(), made, this.#config)
  }

  async raise(error: unknown): Promise<unknown> {
    const refusal = circuitOpen(error)
    return refusal ? refused(await this.#copy.errors(), refusal, this.#config) : error
  }

  drain(response: AxiosResponse): void {
    discard(response.data)
  }

  #copied(fields: Attempt['headers']): Config {
    return alike(this.#config, {
      ...(fields.length > 0 && { headers: this.#config.headers.concat(Object.fromEntries(fields)) }),
      ...this.#hops.options,
    })
  }
}
