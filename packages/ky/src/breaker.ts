// The breaker of ky: an init hook that guards the fetch of each call, below ky's own retries.
import {
  circuitOpen,
  guardFetch,
  isFallback,
  TIME_LIMIT,
  toBoard,
  type Board,
  type BoardOptions,
} from '@fuseboard/core'
import type { Options, RetryOptions } from 'ky'
import { ofKy } from './refusal.ts'
import { TimeLimit } from './time-limit.ts'

type Fetch = NonNullable<Options['fetch']>

/** The boards that guard a fetch: one put on twice counts once. A WeakMap of so many short lives would burden the garbage collector. */
const BOARDS: unique symbol = Symbol('fuseboard.boards')

type Guarded = Fetch & { [BOARDS]?: readonly Board[] }

/**
 * Guards a ky, and every ky extended from it: each attempt counts, and a refusal ends the retries.
 *
 * @param options a board, or the options of one of its own; nothing means the default board of the process
 * @returns options for `ky.extend` and `ky.create`
 * @example const api = ky.extend(breaker(board))
 * @throws TypeError or RangeError where an option is wrong
 */
export function breaker(options?: Board | BoardOptions): Options {
  const board = toBoard(options)
  const plain = guardFetch(board)
  return { hooks: { init: [(call) => guard(board, plain, call)] } }
}

/** Guards one call: these options are its own. */
function guard(board: Board, plain: Fetch, call: Options): void {
  const { retry } = call
  const fetch: Guarded | undefined = call.fetch
  const boards = fetch?.[BOARDS] ?? []
  if (boards.includes(board)) return
  const send = fetch ? guardFetch(board, { fetch }) : plain
  const startedAt = performance.now()

  const guarded: Guarded = (input, init) => {
    const limit = new TimeLimit(call, startedAt)
    const tagged: object = { ...referrerOf(input), ...init, [TIME_LIMIT]: limit }
    return send(input, tagged).then(
      (response) => {
        limit.answered()
        return response
      },
      (error: unknown) => {
        throw ofKy(error, input)
      },
    )
  }
  guarded[BOARDS] = [...boards, board]
  call.fetch = guarded
  call.retry = ending(retry)
}

/** What a request loses on Node where an init is beside it. */
function referrerOf(input: string | URL | Request): RequestInit | undefined {
  if (typeof input === 'string' || input instanceof URL) return undefined
  const { referrer, referrerPolicy } = input
  return referrer === 'about:client' && referrerPolicy === '' ? undefined : { referrer, referrerPolicy }
}

/** A retry for which a refusal is final, and so is a reply that stands in. What is no retry is for ky to complain of. */
function ending(retry: RetryOptions | number = {}): RetryOptions | number {
  const own = typeof retry === 'number' ? { limit: retry } : retry
  if (typeof own !== 'object' || own === null || Array.isArray(own)) return retry
  return { ...own, shouldRetry: (state) => (isFinal(state.error) ? false : own.shouldRetry?.(state)) }
}

const isFinal = (error: Error & { readonly response?: unknown }): boolean =>
  circuitOpen(error) !== undefined || isFallback(error.response) !== undefined
