// The types of the axios adapter, as who uses it meets them.
import { createBoard } from '@fuseboard/core'
import real, { type AxiosInstance, type AxiosResponse } from 'axios'
import { expectTypeOf, test } from 'vitest'
import axios, { axiosBreaker, breaker, pluggable, unguard, type Pluggable, type Plugin } from './index.ts'

interface Own extends AxiosInstance {
  readonly tenant: string
}

test('a breaker gives back what it was given', () => {
  expectTypeOf(breaker()(real.create())).toEqualTypeOf<AxiosInstance>()
  expectTypeOf(breaker(createBoard())({} as Own)).toEqualTypeOf<Own>()
  expectTypeOf(breaker({ openFor: '30s' })).toExtend<Plugin>()
  expectTypeOf(axiosBreaker).toEqualTypeOf(breaker)
  expectTypeOf(unguard).returns.toBeVoid()
})

test('what is pluggable takes plugins, and so does what it creates', () => {
  const http = pluggable({} as Own)
  expectTypeOf(http).toExtend<Own>()
  expectTypeOf(http.use(breaker(), breaker())).toExtend<Own>()
  expectTypeOf(http.create({ baseURL: '/' })).toEqualTypeOf<Pluggable>()
  expectTypeOf(http.create().create().use(breaker())).toExtend<AxiosInstance>()
})

test('the axios of this package is the real one, and more', () => {
  expectTypeOf(axios).toExtend<typeof real>()
  expectTypeOf(axios.use(breaker()).isAxiosError).toEqualTypeOf(real.isAxiosError)
  expectTypeOf(axios.create().use(breaker()).get<string>('/')).resolves.toEqualTypeOf<AxiosResponse<string>>()
})

test('wrong use does not compile', () => {
  // @ts-expect-error the real axios has no use
  expectTypeOf(real.use).not.toBeAny()
  // @ts-expect-error a number is no board
  expectTypeOf(breaker(5)).not.toBeAny()
  // @ts-expect-error a breaker is no interceptor
  real.interceptors.request.use(breaker())
  // @ts-expect-error an options object is no plugin
  axios.use({ openFor: '30s' })
})
