// Where the copies of undici in a process, that of Node among them, keep the dispatcher that they send through.
import type { Dispatcher } from 'undici'

const FIRST: unique symbol = Symbol.for('undici.globalDispatcher.1')
const SECOND: unique symbol = Symbol.for('undici.globalDispatcher.2')

/** @internal A place for one: undici 8 reads the second, and Node's own fetch the first until Node 26. */
export type Slot = typeof FIRST | typeof SECOND
/** @internal */
export const SLOTS: readonly Slot[] = [FIRST, SECOND]

const places = globalThis as { [Name in Slot]?: Dispatcher } & { process?: { versions?: { undici?: string } } }

/** @internal The slot that the fetch of this runtime reads. */
export function slotOfFetch(): Slot {
  const major = Number.parseInt(places.process?.versions?.undici ?? '', 10)
  const [slot, other] = major >= 8 ? ([SECOND, FIRST] as const) : ([FIRST, SECOND] as const)
  return !dispatcherIn(slot) && dispatcherIn(other) ? other : slot
}

/** @internal */
export function dispatcherIn(slot: Slot): Dispatcher | undefined {
  // Node loads its undici when the first of its globals is read, and only then is there a dispatcher.
  void globalThis.Request
  const dispatcher = places[slot]
  return typeof dispatcher?.dispatch === 'function' ? dispatcher : undefined
}

/** @internal Whether it could be put there: a frozen global object takes none. */
export function put(slot: Slot, dispatcher: Dispatcher): boolean {
  return Reflect.set(globalThis, slot, dispatcher)
}
