// The types that users of undici see.
import { createBoard } from '@fuseboard/core'
import { Agent, setGlobalDispatcher, type Dispatcher } from 'undici'
import { expectTypeOf, test } from 'vitest'
import { breaker, guardGlobalFetch, undiciBreaker } from './index.ts'

test('an interceptor goes where undici takes one', () => {
  expectTypeOf(breaker()).toEqualTypeOf<Dispatcher.DispatcherComposeInterceptor>()
  expectTypeOf(undiciBreaker).toEqualTypeOf(breaker)
  expectTypeOf(new Agent().compose(breaker(createBoard()))).toExtend<Dispatcher>()
  expectTypeOf(setGlobalDispatcher).toBeCallableWith(new Agent().compose([breaker({ openFor: '30s' })]))
})

test('the undo of guardGlobalFetch takes and gives nothing', () => {
  expectTypeOf(guardGlobalFetch).returns.toEqualTypeOf<() => void>()
})

test('wrong options do not compile', () => {
  // @ts-expect-error a number is no board
  expectTypeOf(breaker(5)).not.toBeAny()
  // @ts-expect-error there is no such option
  expectTypeOf(guardGlobalFetch({ openForever: true })).not.toBeAny()
})
