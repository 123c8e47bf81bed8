// Lets somebody hear some events of an emitter first, and pass them on at once, later, or never.
import type { EventEmitter } from 'node:events'

/** @internal */
export type Emit = (event: string | symbol, ...args: unknown[]) => boolean

/** @internal Passes an event on; true where it has a listener. */
export type Pass = () => boolean

/**
 * @internal
 * @param hear is given each of these events before any listener is
 * @returns what emits past it
 */
export function overhear(
  emitter: EventEmitter,
  events: ReadonlySet<string | symbol>,
  hear: (event: string | symbol, given: unknown, pass: Pass) => boolean,
): Emit {
  const emit: Emit = emitter.emit.bind(emitter)
  emitter.emit = (...told: Parameters<Emit>) =>
    events.has(told[0]) ? hear(told[0], told[1], () => emit(...told)) : emit(...told)
  return emit
}
