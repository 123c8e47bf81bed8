// One breaker in place: it puts itself over adapters, and can be switched off where it can no longer be taken out.
import { common, exchange, type Board } from '@fuseboard/core'
import type { AxiosAdapter, AxiosInstance, AxiosResponse, InternalAxiosRequestConfig } from 'axios'
import { Call } from './call.ts'
import { Copy, type Adapters, type Means } from './copy.ts'
import { outcomeOf } from './errors.ts'
import { AxiosRequest, pairsOf } from './request.ts'
import { callIn } from './tag.ts'

type Config = InternalAxiosRequestConfig

const guarded = common(
  'axios.guarded',
  () => new WeakMap<AxiosAdapter, { readonly guard: Guard; readonly below: Adapters }>(),
)

/** @internal */
export class Guard {
  readonly board: Board
  /** The instance that it was made for; those made from that one share it. */
  readonly owner: AxiosInstance
  on = true
  readonly #copy: Copy

  constructor(board: Board, owner: AxiosInstance) {
    this.board = board
    this.owner = owner
    this.#copy = new Copy(owner)
  }

  /** An adapter that is guarded. */
  over(below: Adapters): AxiosAdapter {
    // What a Unix socket leads to has no host.
    const adapter: AxiosAdapter = (config) =>
      this.on && !config.socketPath ? this.#call(below, config) : this.#copy.send(below, config)
    guarded.set(adapter, { guard: this, below })
    return adapter
  }

  #call(below: Adapters, config: Config): Promise<AxiosResponse> {
    const means = this.#copy.meansOf(below, config)
    const outer = callIn(config)
    if (outer?.takenBy(this.board)) return this.#pass(outer, below, config)
    const request = new AxiosRequest(config)
    const wait = this.board.consult(request)
    return wait === undefined
      ? this.#go(below, config, means, request)
      : wait.then(() => this.#go(below, config, means, request))
  }

  #go(below: Adapters, config: Config, means: Means, request: AxiosRequest): Promise<AxiosResponse> {
    const attempt = this.board.attempt(request)
    return exchange(attempt, new Call(this.board, attempt, config, means, this.#copy, below))
  }

  /** Sends for a layer further out, which refuses, stands in and follows redirects. */
  async #pass(outer: Call, below: Adapters, config: Config): Promise<AxiosResponse> {
    try {
      const response = await this.#copy.send(below, config)
      outer.hop.settle({ status: response.status, headers: pairsOf(response.headers) })
      return response
    } catch (error) {
      outer.hop.settle(outcomeOf(error, config))
      throw error
    }
  }
}

/** @internal The guard of a board that is in an adapter, if one is. */
export function guardIn(adapter: Adapters, board: Board): Guard | undefined {
  for (let found = guardOver(adapter); found; found = guardOver(found.below)) {
    if (found.guard.board === board && found.guard.on) return found.guard
  }
  return undefined
}

/** @internal An adapter without its guards. */
export function within(adapter: Adapters): Adapters {
  const found = guardOver(adapter)
  return found ? within(found.below) : adapter
}

const guardOver = (adapter: Adapters) => (typeof adapter === 'function' ? guarded.get(adapter) : undefined)
