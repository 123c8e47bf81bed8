// A function that is frozen between its calls, such as AWS Lambda's: ready before, told after.
import type { Board } from './board.ts'
import { show } from './duration.ts'

/**
 * Wraps a handler: before it runs the board knows what its fleet knows, and before the process is frozen the fleet knows what
 * the board does. Neither ever fails a call. A time that the process slept through counts.
 *
 * @example export const handler = withBoard(board, async (event) => verseOf(event))
 * @throws TypeError where there is no board or no handler
 */
export function withBoard<Args extends unknown[], Result>(
  board: Pick<Board, 'ready' | 'flush'>,
  handler: (...args: Args) => Result | PromiseLike<Result>,
): (...args: Args) => Promise<Result> {
  if (typeof (board as Partial<Board> | undefined)?.flush !== 'function')
    throw new TypeError(`withBoard needs a board and a handler, got ${show(board)}`)
  if (typeof handler !== 'function')
    throw new TypeError(`withBoard needs a handler after the board, got ${show(handler)}`)
  return async (...args) => {
    await board.ready()
    try {
      return await handler(...args)
    } finally {
      await board.flush()
    }
  }
}
