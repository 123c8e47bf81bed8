// A dispatcher of Node's own fetch, put where fetch finds it, so that each client has sockets of its own.
import type { Settings } from '../driver.ts'

export interface Dispatcher {
  dispatch(options: object, handler: object): boolean
  destroy(): Promise<void>
}

const globals = globalThis as unknown as Record<symbol, Dispatcher>
void globalThis.Request // makes Node load its fetch
const places = [1, 2]
  .map((version) => Symbol.for(`undici.globalDispatcher.${version}`))
  .filter((place) => globals[place])
const originals = places.map((place) => globals[place] as Dispatcher)
const Agent = originals[0]?.constructor as new (options: object) => Dispatcher

/** Puts one in; `restore` takes it out again and breaks its sockets. */
export function nodeDispatcher({ timeout, http2 = false, onSend }: Settings): {
  dispatcher: Dispatcher
  restore: () => Promise<void>
} {
  const agent = new Agent({
    allowH2: http2,
    ...(timeout !== undefined && { headersTimeout: timeout, bodyTimeout: timeout }),
  })
  const dispatcher = onSend ? spying(agent, onSend) : agent
  for (const place of places) globals[place] = dispatcher
  const restore = (): Promise<void> => {
    places.forEach((place, index) => (globals[place] = originals[index] as Dispatcher))
    return agent.destroy()
  }
  return { dispatcher, restore }
}

/** A dispatcher that tells of each request before it sends it. */
export function spying(dispatcher: Dispatcher, onSend: () => void): Dispatcher {
  return {
    dispatch(options, handler) {
      onSend()
      return dispatcher.dispatch(options, handler)
    },
    destroy: () => dispatcher.destroy(),
  }
}
