// The breaker of axios: the adapter of an instance, guarded, below retries and caches and above the network.
import { common, toBoard, type Board, type BoardOptions } from '@fuseboard/core'
import type { AxiosInstance } from 'axios'
import { Guard, guardIn, within } from './guard.ts'
import { checkInstance, isInstance, unplug, type Plugin } from './pluggable.ts'

/** A guard as one instance has it. */
interface Installed {
  readonly guard: Guard
  /** The interceptor for calls that name an adapter of their own. */
  readonly interceptor: number
}

const installed = common('axios.installed', () => new WeakMap<AxiosInstance, readonly Installed[]>())
const breakers = common('axios.breakers', () => new WeakSet<Plugin>())

/**
 * Guards an instance of axios, and those made from it. Each attempt counts once, below retries and caches, and each hop of a
 * redirect on its own host.
 *
 * @param options a board, or the options of one of its own; nothing means the default board of the process
 * @returns what guards an instance and gives it back
 * @example
 * axios.use(breaker(board)) // an axios with `use`: the one of this package, or pluggable(yours)
 * const http = breaker(board)(axios.create()) // any
 * @throws TypeError or RangeError where an option is wrong, or where what is to be guarded is no instance
 */
export function breaker(options?: Board | BoardOptions): <T extends AxiosInstance>(instance: T) => T {
  if (isInstance(options)) throw new TypeError(RULE)
  const board = toBoard(options)
  const plugin = <T extends AxiosInstance>(instance: T): T => {
    install(board, instance)
    return instance
  }
  breakers.add(plugin)
  return plugin
}

const RULE = 'breaker() guards an instance of axios: axios.use(breaker()), or breaker()(axios.create())'

function install(board: Board, instance: AxiosInstance): void {
  checkInstance(instance, RULE)
  // An instance that was made from a guarded one has its adapter.
  const found = guardIn(instance.defaults.adapter, board)
  const guard = found ?? new Guard(board, instance)
  if (!found) instance.defaults.adapter = guard.over(instance.defaults.adapter)
  const here = installed.get(instance) ?? []
  if (here.some((one) => one.guard === guard)) return

  // A call may name an adapter. One that is a function is the caller's own transport, a cache's for a hit, or guarded already.
  const interceptor = instance.interceptors.request.use(
    (config) => {
      if (guard.on && config.adapter && typeof config.adapter !== 'function')
        config.adapter = guard.over(config.adapter)
      return config
    },
    null,
    { synchronous: true },
  )
  installed.set(instance, [...here, { guard, interceptor }])
}

/** Takes the breakers of an instance away again, also from those made from it. One made from a guarded instance can be taken out alone. */
export function unguard(instance: AxiosInstance): void {
  checkInstance(instance, 'unguard() takes an instance of axios')
  for (const { guard, interceptor } of installed.get(instance) ?? []) {
    if (guard.owner === instance) guard.on = false
    instance.interceptors.request.eject(interceptor)
  }
  installed.delete(instance)
  unplug(instance, (plugin) => breakers.has(plugin))
  const below = within(instance.defaults.adapter)
  if (below) instance.defaults.adapter = below
}
