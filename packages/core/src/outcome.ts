// How an attempt ended, and what that says of the host: one table, which the code, the documents and the conformance suite all read.
import { circuitOpen } from './errors.ts'
import type { HeaderPairs } from './headers.ts'

/** What an attempt says of its host. `ignored` says nothing: it is in no window and gives a probe's place back. */
export type Verdict = 'success' | 'failure' | 'ignored'

/** How an attempt ended: with the head of an answer, or without one. A `Response` is an outcome. */
export type Outcome =
  | { readonly status: number; readonly headers?: HeaderPairs | undefined }
  | {
      readonly error: unknown
      /** What the error means, where the client hides it and its adapter knows. */
      readonly cause?: Cause | undefined
    }

/** Why there is no answer. */
export type Cause =
  /** The caller aborted. */
  | 'abort'
  /** A time limit ran out: `AbortSignal.timeout`, or the client's own. */
  | 'deadline'
  /** The request could not be sent as it was: the caller's mistake. */
  | 'caller'
  /** A circuit further in refused it. */
  | 'refused'
  /** Anything else: the network, the host, or what nobody has thought of. */
  | 'unknown'

interface AnswerRule {
  readonly statuses: readonly [from: number, to: number]
  readonly verdict: Verdict
  readonly why: string
}

interface CauseRule {
  readonly cause: Cause | 'abandoned' | 'body'
  readonly verdict: Verdict
  readonly why: string
}

/** The verdict on an answer; the first row that fits counts. `classify` and `rateLimit` of a policy come before it. */
export const ANSWERS: readonly AnswerRule[] = [
  { statuses: [501, 501], verdict: 'success', why: 'the host is well and does not know the method' },
  { statuses: [505, 505], verdict: 'success', why: 'the host is well and does not speak this version' },
  { statuses: [500, 599], verdict: 'failure', why: 'the host failed' },
  { statuses: [408, 408], verdict: 'failure', why: 'the host gave up waiting' },
  { statuses: [429, 429], verdict: 'ignored', why: 'the host lives, and waiting is the business of the client' },
  { statuses: [100, 999], verdict: 'success', why: 'the host answered' },
]

/** The verdict where there is no answer, or no whole one. */
export const CAUSES: readonly CauseRule[] = [
  { cause: 'deadline', verdict: 'failure', why: 'the host took too long' },
  { cause: 'abort', verdict: 'ignored', why: 'the caller gave up' },
  {
    cause: 'abandoned',
    verdict: 'failure',
    why: 'the caller gave up after `abandonedAfter`, as one who times out by hand',
  },
  { cause: 'caller', verdict: 'ignored', why: 'the request was the mistake of the caller' },
  { cause: 'refused', verdict: 'ignored', why: 'a circuit further in refused it' },
  { cause: 'body', verdict: 'failure', why: 'the body was cut short' },
  { cause: 'unknown', verdict: 'failure', why: 'no answer' },
]

const ofStatus = new Map<number, Verdict>()

/** @internal The table's verdict on a status. */
export function judgeStatus(status: number): Verdict {
  if (status >= 200 && status < 400) return 'success'
  let verdict = ofStatus.get(status)
  if (verdict === undefined) {
    verdict = ANSWERS.find(({ statuses: [from, to] }) => from <= status && status <= to)?.verdict ?? 'success'
    ofStatus.set(status, verdict)
  }
  return verdict
}

const ofCause = Object.fromEntries(CAUSES.map(({ cause, verdict }) => [cause, verdict])) as Record<
  CauseRule['cause'],
  Verdict
>

/** @internal The table's verdict on an attempt without an answer. */
export function judgeCause(cause: CauseRule['cause']): Verdict {
  return ofCause[cause]
}

/** @internal Reads why an error came about, as far as it shows. */
export function causeOf(error: unknown): Cause {
  if (circuitOpen(error)) return 'refused'
  const name = nameOf(error)
  if (name === 'TimeoutError') return 'deadline'
  if (name === 'AbortError') return 'abort'
  return 'unknown'
}

/** Why a call ended that was given a signal: by the signal, and then for a time limit or by the caller; else undefined. */
export function causeOfSignal(signal: AbortSignal | null | undefined): 'abort' | 'deadline' | undefined {
  if (!signal?.aborted) return undefined
  return nameOf(signal.reason) === 'TimeoutError' ? 'deadline' : 'abort'
}

function nameOf(error: unknown): unknown {
  return typeof error === 'object' && error !== null && 'name' in error ? error.name : undefined
}
