// The list of what @fuseboard/outbox offers.
export { defer, type DeferOptions } from './defer.ts'
export type { Drained } from './drain.ts'
export type { OutboxEvents } from './events.ts'
export { memoryOutbox } from './memory.ts'
export type { OutboxOptions } from './options.ts'
export { createOutbox, type Outbox, type Queued, type ToQueue } from './outbox.ts'
export type { Claim, Depth, Ending, Entry, OutboxStore, Receipt, Result, StoredRequest } from './store.ts'
