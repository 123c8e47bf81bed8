// The types of guarded functions and methods: they keep their signatures.
import { describe, expectTypeOf, test } from 'vitest'
import {
  createBoard,
  guard,
  type Circuit,
  type Guarded,
  type GuardedByKey,
  type GuardPolicy,
  type Policy,
} from './index.ts'

const board = createBoard()

describe('a guard', () => {
  const send = (to: string, times?: number): boolean => to.length === times
  const late = async (id: number): Promise<string> => String(id)

  test('keeps signatures and adds its circuit', () => {
    const guarded = board.guard('mail', send)
    expectTypeOf(guarded).toEqualTypeOf<Guarded<typeof send>>()
    expectTypeOf(guarded).toBeCallableWith('a', 1)
    expectTypeOf(guarded('a')).toBeBoolean()
    expectTypeOf(guarded.circuit).toEqualTypeOf<Circuit>()
    expectTypeOf(board.guard('late', late, { openFor: '5s' })(1)).toEqualTypeOf<Promise<string>>()
    // @ts-expect-error a number is no address
    guarded(5)
  })

  test('keeps generics and this', () => {
    const first = board.guard('first', <T>(list: readonly T[]): T | undefined => list[0])
    expectTypeOf(first([1, 2])).toEqualTypeOf<number | undefined>()
    const bound = board.guard('bound', function half(this: { by: number }, n: number) {
      return n / this.by
    })
    expectTypeOf(bound).thisParameter.toEqualTypeOf<{ by: number }>()
  })

  test('by key is given the arguments, typed', () => {
    const guarded = board.guard((to, times) => {
      expectTypeOf(to).toBeString()
      expectTypeOf(times).toEqualTypeOf<number | undefined>()
      return to
    }, send)
    expectTypeOf(guarded).toEqualTypeOf<GuardedByKey<typeof send>>()
    expectTypeOf(guarded.circuit).parameters.toEqualTypeOf<Parameters<typeof send>>()
    expectTypeOf(guarded.circuit('a')).toEqualTypeOf<Circuit>()
    // @ts-expect-error a key is text
    board.guard(() => 5, send)
    // @ts-expect-error the function is not called with a Date
    board.guard((date: Date) => date.toISOString(), send)
  })

  test('has no options that only HTTP has', () => {
    type HttpOnly = 'key' | 'probe' | 'fallback' | 'rateLimit' | 'abandonedAfter'
    expectTypeOf<Extract<keyof GuardPolicy, HttpOnly>>().toBeNever()
    expectTypeOf<keyof GuardPolicy>().toEqualTypeOf<Exclude<keyof Policy, HttpOnly> | 'expected'>()
    // @ts-expect-error a function has no replies
    board.guard('mail', send, { fallback: [] })
  })

  test('by itself wraps functions and decorates methods', () => {
    expectTypeOf(guard()(send)).toEqualTypeOf<Guarded<typeof send>>()
    expectTypeOf(guard({ expected: [RangeError] })(late)(1)).toEqualTypeOf<Promise<string>>()
    class Video {
      @guard({ consecutiveFailures: 3 })
      download(quality: string): string {
        return quality
      }
    }
    expectTypeOf<Video['download']>().toEqualTypeOf<(quality: string) => string>()
    class Wrong {
      // @ts-expect-error a field is no method
      @guard()
      field = 5
    }
    expectTypeOf<Wrong>().not.toBeAny()
  })
})
