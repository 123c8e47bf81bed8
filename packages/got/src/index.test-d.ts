// The types that users of got see.
import { createBoard } from '@fuseboard/core'
import got, { type Got, type Response } from 'got'
import { expectTypeOf, test } from 'vitest'
import { breaker, gotBreaker } from './index.ts'

test('it extends an instance, which stays as it was', () => {
  const client = got.extend(breaker(createBoard()))
  expectTypeOf(client).toExtend<Got>()
  expectTypeOf(client('')).resolves.toEqualTypeOf<Response<string>>()
  expectTypeOf(client('').json<{ a: 1 }>()).resolves.toEqualTypeOf<{ a: 1 }>()
  expectTypeOf(client('', { responseType: 'buffer' })).resolves.toEqualTypeOf<Response<Uint8Array<ArrayBuffer>>>()
  expectTypeOf(got.extend({ resolveBodyOnly: true }, breaker())('')).resolves.toEqualTypeOf<string>()
  expectTypeOf(gotBreaker).toEqualTypeOf(breaker)
})

test('wrong options do not compile', () => {
  // @ts-expect-error a number is no board
  expectTypeOf(breaker(5)).not.toBeAny()
  // @ts-expect-error there is no such option
  expectTypeOf(breaker({ openForever: true })).not.toBeAny()
})
