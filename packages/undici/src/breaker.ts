// The interceptor of undici: every request that a dispatcher sends goes through the circuit of its host.
import { ATTEMPT, toBoard, type Attempt, type Board, type BoardOptions } from '@fuseboard/core'
import type { Dispatcher } from 'undici'
import { carry } from './carry.ts'
import { AttemptHandler, isGuarded } from './handler.ts'
import { HandlerInContext, inContext } from './in-context.ts'
import type { Handler } from './interfaces.ts'
import { isLegacy, ToLegacy } from './legacy-handler.ts'
import { Relay } from './relay.ts'
import { steady, UndiciRequest, withFields } from './request.ts'

/** What a call may bring along besides undici's own options. */
type Options = Dispatcher.DispatchOptions & { readonly [ATTEMPT]?: unknown }

/**
 * Guards a dispatcher of undici. Inside `retry` and `redirect` it counts each attempt and each hop; outside `dns` it knows
 * hosts by name; inside `cache` it never sees a hit.
 *
 * @param options a board, or the options of one of its own; nothing means the default board of the process
 * @example setGlobalDispatcher(new Agent().compose(interceptors.dns(), breaker(board), interceptors.retry()))
 * @throws TypeError or RangeError where an option is wrong
 */
export function breaker(options?: Board | BoardOptions): Dispatcher.DispatcherComposeInterceptor {
  const board = toBoard(options)
  return (dispatch) => {
    if (typeof dispatch !== 'function')
      throw new TypeError(`breaker() is for compose: agent.compose(breaker()), got ${typeof dispatch}`)
    board.carry(carry)
    return guard(board, dispatch)
  }
}

/** @internal A dispatch that goes through a board. */
export function guard(board: Board, dispatch: Dispatcher.Dispatch): Dispatcher.Dispatch {
  return function guarded(given: Options, handler: Handler): boolean {
    // What is no request at all is for undici to complain of; what this board sees already it counts once.
    if (!given || !handler || (isGuarded(handler) && handler.board === board)) {
      return dispatch(given, handler)
    }
    const options = steady(given)
    const request = new UndiciRequest(options)
    const wait = hearsErrors(handler) ? board.consult(request, options[ATTEMPT]) : undefined
    if (wait === undefined) return go(board, dispatch, options, request, handler)
    // Who dispatched is gone by then: what is thrown comes as an error of the request.
    void wait
      .then(() => go(board, dispatch, options, request, handler))
      .catch((error: unknown) => new Relay(isLegacy(handler) ? new ToLegacy(handler) : handler).passError(error))
    return true
  }
}

function go(
  board: Board,
  dispatch: Dispatcher.Dispatch,
  options: Options,
  request: UndiciRequest,
  handler: Handler,
): boolean {
  const attempt = board.attempt(request, options[ATTEMPT])
  if (!attempt.guarded) return dispatch(options, inContext(board, handler))
  // A host without a fallback may redirect to one that has.
  const own = new (board.replaces ? HandlerInContext : AttemptHandler)(board, attempt, request, handler)
  if (attempt.refused && !attempt.adopted) {
    // Not at once: who calls has not put up its own listeners yet. A closure here would cost every request a context.
    queueMicrotask(own.refuse.bind(own))
    return true
  }
  try {
    return dispatch(onWire(options, attempt, handler), own)
  } catch (error) {
    attempt.release()
    throw error
  }
}

const hearsErrors = (handler: Handler): boolean => 'onResponseError' in handler || 'onError' in handler

function onWire(options: Options, attempt: Attempt, handler: Handler): Options {
  const fields = attempt.adopted ? [] : attempt.headers
  // As undici 8 has it: an older client that asks for an upgrade does not know HTTP/2.
  const onlyH1 = options.upgrade && isLegacy(handler)
  if (fields.length === 0 && !onlyH1) return options
  return {
    ...options,
    ...(fields.length > 0 && { headers: withFields(options.headers, fields) }),
    ...(onlyH1 && { allowH2: false }),
  }
}
