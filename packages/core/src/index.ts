// The list of what @fuseboard/core offers.
export type { Awaitable } from './awaitable.ts'
export { Attempt, ATTEMPT } from './attempt.ts'
export { Board, createBoard, defaultBoard, toBoard, type BoardOptions, type Carrier } from './board.ts'
export type { Asker, Circuit } from './circuit.ts'
export type { Counters } from './counters.ts'
export { common } from './common.ts'
export { duration, type Duration } from './duration.ts'
export { CircuitOpenError, circuitOpen } from './errors.ts'
export type {
  BoardEvents,
  Evidence,
  FallbackEvent,
  Listener,
  RefusedEvent,
  SettledEvent,
  StoreEvent,
  TransitionEvent,
  TransitionReason,
  WarningEvent,
} from './events.ts'
export { exchange, fail, type Client } from './exchange.ts'
export { fleet, type Fleet } from './fleet.ts'
export type { FleetOptions, Trust } from './fleet-terms.ts'
export { guardFetch, TIME_LIMIT, type GuardFetchOptions, type TimeLimits } from './fetch.ts'
export { guard } from './guard.ts'
export type { Guarded, GuardedByKey, GuardPolicy } from './guarded.ts'
export { header, type HeaderPairs } from './headers.ts'
export type { Hold } from './holds.ts'
export type { NamedHost } from './hosts.ts'
export { isFallback } from './is-fallback.ts'
export { reply, type MadeReply } from './made-reply.ts'
export { memoryReplies, type MemoryReplies, type MemoryRepliesOptions } from './memory-replies.ts'
export { ANSWERS, CAUSES, causeOf, causeOfSignal, type Cause, type Outcome, type Verdict } from './outcome.ts'
export { policy, type Hosts, type Mode, type Policy } from './policy.ts'
export type {
  AnswerHead,
  Failure,
  Fallback,
  FallbackMark,
  FallbackOption,
  Replies,
  Reply,
  ReplyStore,
  Sink,
  StoredReply,
} from './reply.ts'
export type { ReplyCounters, Unkept, Unserved } from './reply-counters.ts'
export type { HttpRequest, RequestLike } from './request.ts'
export type { BoardSnapshot, CircuitSnapshot, Unrestored } from './snapshot.ts'
export { retryAfter } from './retry-after.ts'
export { staleIfError, type StaleIfErrorOptions } from './stale-if-error.ts'
export type { Ignorable } from './stale-options.ts'
export type { ShadowReport } from './shadow.ts'
export type { SharedStore, Snapshot, Swapped, SwapOptions } from './shared-store.ts'
export type { RefusalReason, State } from './state.ts'
export type { Expected, RunOptions, TaskOutcome } from './task.ts'
export type { Clock } from './timeline.ts'
export { watchBody } from './watched-body.ts'
export { withBoard } from './with-board.ts'
