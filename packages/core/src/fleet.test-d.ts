// The types of fleets and of controls, as who uses them meets them.
import { describe, expectTypeOf, test } from 'vitest'
import { adminHandler, type AdminAction } from './admin.ts'
import {
  createBoard,
  fleet,
  withBoard,
  type BoardSnapshot,
  type Fleet,
  type Mode,
  type SharedStore,
  type ShadowReport,
  type Snapshot,
  type Swapped,
  type Unrestored,
} from './index.ts'
import { memoryStore } from './testing.ts'

const board = createBoard()

describe('a fleet', () => {
  test('is made of a store, with typed options', () => {
    expectTypeOf(fleet(memoryStore(), { trust: { quorum: 3 }, refresh: '5s', jitter: 200 })).toEqualTypeOf<Fleet>()
    createBoard({ fleet: fleet(memoryStore()) })
    // @ts-expect-error one of three
    fleet(memoryStore(), { trust: 'believe' })
    // @ts-expect-error a duration has a unit
    fleet(memoryStore(), { refresh: '5' })
    // @ts-expect-error there is no such option
    fleet(memoryStore(), { poll: '5s' })
    // @ts-expect-error a store is no fleet
    createBoard({ fleet: memoryStore() })
  })

  test('has a store that reads and swaps, and may push', () => {
    expectTypeOf<SharedStore['read']>().returns.toEqualTypeOf<Promise<Snapshot>>()
    expectTypeOf<SharedStore['swap']>().returns.toEqualTypeOf<Promise<Swapped>>()
    expectTypeOf<SharedStore['watch']>().extract<undefined>().toEqualTypeOf<undefined>()
  })

  test('is waited for', () => {
    expectTypeOf(board.ready()).toEqualTypeOf<Promise<void>>()
    expectTypeOf(board.flush()).toEqualTypeOf<Promise<void>>()
    expectTypeOf(board.consult({ method: 'GET', url: '' })).toEqualTypeOf<Promise<void> | undefined>()
  })

  test('leaves a handler its arguments and its result', () => {
    const handler = withBoard(board, (event: { reference: string }, _context: unknown) => event.reference.length)
    expectTypeOf(handler).toEqualTypeOf<(event: { reference: string }, context: unknown) => Promise<number>>()
  })
})

describe('a board', () => {
  test('is configured, kept and taken over by types', () => {
    expectTypeOf(board.configure('a.test', { mode: 'shadow', maxInFlight: 10, throttle: 1.2 })).toEqualTypeOf<void>()
    expectTypeOf<Mode>().toEqualTypeOf<'on' | 'shadow' | 'off'>()
    // @ts-expect-error there is no such option
    board.configure('a.test', { hosts: {} })
    expectTypeOf(board.snapshot()).toEqualTypeOf<BoardSnapshot>()
    expectTypeOf(board.restore(JSON.parse('{}'))).toEqualTypeOf<readonly Unrestored[]>()
    expectTypeOf(board.shadowReport()).toEqualTypeOf<readonly ShadowReport[]>()
  })

  test('is administered by a handler of web requests', () => {
    expectTypeOf(adminHandler(board)).toEqualTypeOf<(request: Request) => Promise<Response>>()
    adminHandler(board, {
      authorize: async (request, action) => {
        expectTypeOf(request).toEqualTypeOf<Request>()
        expectTypeOf(action).toEqualTypeOf<AdminAction>()
        return true
      },
    })
    // @ts-expect-error yes or no
    adminHandler(board, { authorize: () => 'yes' })
  })
})
