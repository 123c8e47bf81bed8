// The types that users of ky see.
import { createBoard } from '@fuseboard/core'
import ky, { type KyInstance, type Options } from 'ky'
import { expectTypeOf, test } from 'vitest'
import { breaker, kyBreaker } from './index.ts'

test('a breaker goes where ky takes options', () => {
  expectTypeOf(breaker()).toEqualTypeOf<Options>()
  expectTypeOf(kyBreaker).toEqualTypeOf(breaker)
  expectTypeOf(ky.extend(breaker(createBoard()))).toEqualTypeOf<KyInstance>()
  expectTypeOf(ky.create).toBeCallableWith({ prefix: 'https://bible-api.com', ...breaker({ openFor: '30s' }) })
})

test('wrong options do not compile', () => {
  // @ts-expect-error a number is no board
  expectTypeOf(breaker(5)).not.toBeAny()
  // @ts-expect-error there is no such option
  expectTypeOf(breaker({ openForever: true })).not.toBeAny()
})
