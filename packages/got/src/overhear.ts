// Lets somebody hear some events of an emitter first, and pass them on at once, later, or never.
import type { EventEmitter } from 'node:events'

type Emit = (event: string | symbol, ...args: unknown[]) => boolean

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
  emitter.emit = (event: string | symbol, ...args: unknown[]) =>
    events.has(event) ? hear(event, args[0], () => emit(event, ...args)) : emit(event, ...args)
  return emit
}
