// A handler with a board: what is waited for before it and after it, whatever comes of it.
import { describe, expect, test, vi } from 'vitest'
import { createBoard, withBoard } from './index.ts'

function watched() {
  const order: string[] = []
  const step = (name: string) => async (): Promise<void> => {
    await Promise.resolve()
    order.push(name)
  }
  return { order, board: { ready: step('ready'), flush: step('flush') } }
}

describe('withBoard', () => {
  test('is ready before the handler, and has told after it', async () => {
    const { order, board } = watched()
    const handler = withBoard(board, async (event: string) => {
      order.push(event)
      return event.length
    })
    expect(await handler('event')).toBe(5)
    expect(order).toEqual(['ready', 'event', 'flush'])
  })

  test('tells also where the handler fails, and hands its error on', async () => {
    const { order, board } = watched()
    const handler = withBoard(board, () => {
      throw new Error('broken')
    })
    await expect(handler()).rejects.toThrow('broken')
    expect(order).toEqual(['ready', 'flush'])
  })

  test('hands on all arguments', async () => {
    const handler = vi.fn<(...args: unknown[]) => number>(() => 1)
    await withBoard(createBoard(), handler)('event', { context: true })
    expect(handler).toHaveBeenCalledWith('event', { context: true })
  })

  test.each([
    [undefined, Date.now, 'withBoard needs a board and a handler, got undefined'],
    [{}, Date.now, 'withBoard needs a board and a handler, got {}'],
    [createBoard(), undefined, 'withBoard needs a handler after the board, got undefined'],
  ])('%o and %o are told to be wrong', (board, handler, message) => {
    const wrap = (): unknown => withBoard(board as never, handler as never)
    expect(wrap).toThrow(new TypeError(message))
  })
})
