// One call of an adapter, as an exchange sees it.
import { header, type AnswerHead, type Attempt, type Board, type Cause, type Client, type Reply } from '@fuseboard/core'
import type { AxiosError, AxiosResponse, InternalAxiosRequestConfig } from 'axios'
import { discard, watch } from './body.ts'
import type { Means } from './copy.ts'
import { alike, answerIn, causeOf, causeOfBreak } from './errors.ts'
import { Hops } from './hops.ts'
import { canMake, make } from './made.ts'
import { pairsOf } from './request.ts'

type Config = InternalAxiosRequestConfig

const CALL: unique symbol = Symbol('fuseboard.call')

/** @internal */
export class Call implements Client<AxiosResponse> {
  /** What axios threw for an answer: for its status, or since it did not unpack. */
  rejected: AxiosError | undefined
  /** The response that stands in. */
  made: AxiosResponse | undefined
  readonly thaw: ((reply: Reply) => AxiosResponse) | undefined
  readonly #board: Board
  readonly #config: Config
  readonly #means: Means
  readonly #send: (config: Config) => Promise<AxiosResponse>
  readonly #hops: Hops
  #taken = false

  constructor(
    board: Board,
    attempt: Attempt,
    config: Config,
    means: Means,
    send: (config: Config) => Promise<AxiosResponse>,
  ) {
    this.#board = board
    this.#config = config
    this.#means = means
    this.#send = send
    this.#hops = new Hops(board, attempt, config)
    this.thaw = canMake(config, means) ? (reply) => (this.made = make(reply, config, means)) : undefined
  }

  get hop(): Attempt {
    return this.#hops.attempt
  }

  get signal(): AbortSignal | undefined {
    return this.#config.signal as AbortSignal | undefined
  }

  /** Hands it down to a layer of the same board that is further in, once: a retry between the two is another attempt. */
  takenBy(board: Board): boolean {
    if (this.#taken || board !== this.#board) return false
    return (this.#taken = true)
  }

  async send(fields: Attempt['headers']): Promise<AxiosResponse> {
    const { headers } = this.#config
    const sent = alike(this.#config, {
      [CALL]: this,
      ...(fields.length > 0 && { headers: headers.concat(Object.fromEntries(fields)) }),
      ...this.#hops.options,
    })
    try {
      return this.#cleared(await this.#send(sent))
    } catch (error) {
      const answer = answerIn(error)
      this.#cleared(error)
      this.#cleared(answer)
      if (answer === undefined) throw error
      this.rejected = error as AxiosError
      return answer
    }
  }

  head({ status, statusText, headers }: AxiosResponse): AnswerHead {
    // Of what is not told, the answer may be another address's.
    const redirected = this.#hops.redirected ?? this.#means.web
    const pairs = pairsOf(headers)
    // What the http adapter unpacks has no encoding any more, and what fetch does has it still.
    const decoded = this.#means.web || header(pairs, 'content-encoding') === undefined
    return { status, statusText, headers: pairs, redirected, decoded }
  }

  thrown(error: unknown): { error: unknown; cause?: Cause | undefined } {
    return { error, cause: causeOf(error, this.#config, this.#means.builtIn) }
  }

  watch(response: AxiosResponse, attempt: Attempt, captured: boolean): AxiosResponse {
    watch(response, attempt, captured, (error) => causeOfBreak(error, this.#config))
    return response
  }

  drain(response: AxiosResponse): void {
    discard(response.data)
  }

  /** A retry goes by the config of the caller: in ours are the hooks of this one call. */
  #cleared<T>(result: T): T {
    const { config } = (result ?? {}) as { config?: Config }
    if (config && callIn(config) === this) Object.assign(result as object, { config: this.#config })
    return result
  }
}

/** @internal The call of a guard further out. */
export const callIn = (config: Config): Call | undefined => (config as { [CALL]?: Call })[CALL]
