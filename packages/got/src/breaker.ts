// The handler of got: every request that an instance sends goes through the circuit of its host.
import { ATTEMPT, toBoard, type Attempt, type Board, type BoardOptions } from '@fuseboard/core'
import type { HandlerFunction, Options, RequestFunction } from 'got'
import { toMessage } from './message.ts'
import { GotRequest, type Arguments } from './request.ts'
import { endWhereFinal } from './retry.ts'
import { isPromise, Transport, type Answer, type Sent } from './transport.ts'
import { Wire } from './wire.ts'

/**
 * Guards an instance of got, and those made from it. Each retry, each redirect and each page counts once, on its own host,
 * in promises and in streams; what got's own `cache` answers does not.
 *
 * @param options a board, or the options of one of its own; nothing means the default board of the process
 * @example const client = got.extend(breaker(board))
 * @throws TypeError or RangeError where an option is wrong
 */
export function breaker(options?: Board | BoardOptions): { handlers: HandlerFunction[] } {
  const board = toBoard(options)
  const handler: HandlerFunction = (options: Options | undefined, next) => {
    // Where got finds them wrong there are none, and it says so itself.
    if (options !== undefined) {
      options.request = guard(board, options)
      endWhereFinal(options.retry)
    }
    return next(options as Options)
  }
  return { handlers: [handler] }
}

interface Guard {
  readonly board: Board
  readonly given: RequestFunction | undefined
}

/** A property, since a WeakMap of so many short lives would burden each collection of garbage. */
const GUARD: unique symbol = Symbol('fuseboard.guard')

type Guarded = RequestFunction & { [GUARD]?: Guard }

function guard(board: Board, options: Options): RequestFunction {
  const before: Guarded | undefined = options.request
  // Options may come from an earlier call, with its guard in them: one guard takes the place of another.
  const known = before?.[GUARD]
  const given = known?.board === board ? known.given : before
  const transport = new Transport(options, given)
  const guarded: Guarded = ((...args: Arguments): ReturnType<RequestFunction> => {
    const request = new GotRequest(args, options)
    const wait = board.consult(request, request.options[ATTEMPT])
    return wait === undefined
      ? go(board, options, transport, request)
      : wait.then(() => go(board, options, transport, request))
  }) as RequestFunction
  guarded[GUARD] = { board, given }
  return guarded
}

function go(board: Board, options: Options, transport: Transport, request: GotRequest): Sent | Promise<Sent> {
  const attempt = board.attempt(request, request.options[ATTEMPT])
  if (!attempt.guarded) return transport.send(request)
  if (attempt.refused && !attempt.adopted) return refuse(attempt, request.method)

  if (!attempt.adopted) request.add(attempt.headers)
  // Only a transport that is given may be guarded, too; and Node copies options with a symbol in them far more slowly.
  if (transport.given) request.options[ATTEMPT] = attempt
  const wire = new Wire(attempt, request.method, options)
  try {
    const sent = transport.send(request)
    return isPromise(sent) ? wire.promised(sent) : wire.follow(sent)
  } catch (error) {
    // What is thrown at once was never sent.
    attempt.release()
    throw error
  }
}

// As a rejection, since got's cache keeps of an error that is thrown at once only the code.
async function refuse(attempt: Attempt, method: string): Promise<Answer> {
  const reply = await attempt.standIn()
  if (reply) return toMessage(reply, method)
  throw attempt.refusal
}
