// Which call a config is sent for: it says so itself, as long as it is on its way.
import type { InternalAxiosRequestConfig } from 'axios'
import type { Call } from './call.ts'

type Config = InternalAxiosRequestConfig
type Tagged = Config & { [CALL]?: Call }

const CALL: unique symbol = Symbol.for('fuseboard.axios.call')

/** @internal The call of a guard further out. */
export const callIn = (config: Config): Call | undefined => (config as Tagged)[CALL]

/** @internal Tags a config with its call, and with the hook that its redirects ask. */
export function tag(config: Tagged, call: Call, next: NonNullable<Config['beforeRedirect']>): void {
  config[CALL] = call
  config.beforeRedirect = next
}

/** @internal A result goes by the config of the caller, and so does a retry of it: the hooks are those of this one call. */
export function untag<T>(result: T, own: Config, call: Call): T {
  const { config } = (result ?? {}) as { config?: Config }
  if (callIn(own) === call) {
    Reflect.deleteProperty(own, CALL)
    if (call.given) own.beforeRedirect = call.given
    else Reflect.deleteProperty(own, 'beforeRedirect')
  } else if (config && callIn(config) === call) Object.assign(result as object, { config: own })
  return result
}
