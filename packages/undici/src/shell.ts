// A dispatcher in front of another: all of it is the other's but `dispatch`.
import type { Dispatcher } from 'undici'

/** @internal */
export function shell(inner: Dispatcher, dispatch: Dispatcher.Dispatch): Dispatcher {
  return new Proxy(inner, {
    get(target, key) {
      if (key === 'dispatch') return dispatch
      const value: unknown = Reflect.get(target, key)
      // These reach for private fields, which a proxy has not; `compose` is to find our `dispatch`.
      return (key === 'close' || key === 'destroy') && typeof value === 'function' ? value.bind(target) : value
    },
  })
}
