// Gives an instance of axios a `use`: what is plugged in there its children have, too.
import { common } from '@fuseboard/core'
import type { AxiosInstance, CreateAxiosDefaults } from 'axios'

/** What `use` takes: it is handed the instance, and each instance made from it. */
export type Plugin = (instance: AxiosInstance) => unknown

interface Extras {
  /** Plugs in, here and in every instance made from this one later. */
  use(...plugins: readonly Plugin[]): this
  create(config?: CreateAxiosDefaults): Pluggable
}

/** An instance with `use`. The extras come first: of two signatures of `create`, the first is taken. */
export type Pluggable<T extends AxiosInstance = AxiosInstance> = Extras & T

const plugged = common('axios.plugged', () => new WeakMap<AxiosInstance, readonly Plugin[]>())

/**
 * Gives an instance `use`, and gives the instance back.
 *
 * @example
 * const http = pluggable(axios.create({ baseURL })).use(breaker(board))
 * const child = http.create() // guarded, too
 * @throws TypeError where it is no instance; `use` throws one where it is given no function
 */
export function pluggable<T extends AxiosInstance>(instance: T): Pluggable<T> {
  if (typeof instance?.create !== 'function')
    throw new TypeError(`pluggable() takes an instance of axios, got ${typeof instance}`)
  const own = instance as Pluggable<T>
  if (plugged.has(instance)) return own
  plugged.set(instance, [])
  const create = instance.create.bind(instance)
  return Object.assign(own, {
    use(...plugins: readonly Plugin[]): Pluggable<T> {
      for (const plugin of plugins) {
        if (typeof plugin !== 'function')
          throw new TypeError(`use() takes functions, as breaker() gives one, got ${typeof plugin}`)
      }
      plugged.set(instance, [...(plugged.get(instance) ?? []), ...plugins])
      for (const plugin of plugins) plugin(instance)
      return own
    },
    create: (config?: CreateAxiosDefaults): Pluggable =>
      pluggable(create(config)).use(...(plugged.get(instance) ?? [])),
  })
}

/** @internal Whether it is what axios.create() gives. */
export function isInstance(value: unknown): value is AxiosInstance {
  const { interceptors, defaults } = Object(value) as Partial<AxiosInstance>
  return typeof interceptors?.request?.use === 'function' && Boolean(defaults)
}

/** @internal @throws TypeError where it is no instance */
export function checkInstance(value: unknown, rule: string): void {
  if (!isInstance(value)) throw new TypeError(`${rule}, got ${typeof value}`)
}

/** @internal Takes plugins away from an instance: those made from it later do without them. */
export function unplug(instance: AxiosInstance, isGone: (plugin: Plugin) => boolean): void {
  const plugins = plugged.get(instance)
  if (plugins)
    plugged.set(
      instance,
      plugins.filter((plugin) => !isGone(plugin)),
    )
}
