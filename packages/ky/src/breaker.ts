// The breaker of ky: an init hook that guards the fetch of each call, below ky's own retries.
import { circuitOpen, guardFetch, isFallback, toBoard, type Board, type BoardOptions } from '@fuseboard/core'
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
    const given = { ...carried(input), ...init }
    const limit = new TimeLimit(call, given.signal, startedAt)
    given.signal = limit.signal
    return send(input, given).then(
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

/** What a request loses where it is sent with an init that has none of it. */
function carried(input: string | URL | Request): RequestInit {
  if (typeof input === 'string' || input instanceof URL) return {}
  const { signal, referrer, referrerPolicy } = input
  return { signal, referrer, referrerPolicy }
}

/** A retry for which a refusal is final, and so is a reply that stands in. What is no retry is for ky to complain of. */
function ending(retry: RetryOptions | number = {}): RetryOptions | number {
  const own = typeof retry === 'number' ? { limit: retry } : retry
  if (typeof own !== 'object' || own === null || Array.isArray(own)) return retry
  return { ...own, shouldRetry: (state) => (isFinal(state.error) ? false : own.shouldRetry?.(state)) }
}

const isFinal = (error: Error & { readonly response?: unknown }): boolean =>
  circuitOpen(error) !== undefined || isFallback(error.response) !== undefined
