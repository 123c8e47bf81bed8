// A task under a circuit that is no HTTP request: how it is run, and how its end is judged.
import { ask } from './ask.ts'
import { isPromise } from './awaitable.ts'
import { Check } from './check.ts'
import { show } from './duration.ts'
import type { CircuitOpenError } from './errors.ts'
import type { Events } from './events.ts'
import type { Kind } from './failures.ts'
import { causeOf, causeOfSignal, judgeCause, type Verdict } from './outcome.ts'
import type { Timeline } from './timeline.ts'
import { isProbe, STALE } from './token.ts'

/** How a task ended, for `classify`. */
export type TaskOutcome = { readonly value: unknown } | { readonly error: unknown }

/** Which errors of a task count: classes of errors, or a predicate. The others are ignored. */
export type Expected =
  | (new (...args: never[]) => Error)
  | readonly (new (...args: never[]) => Error)[]
  | ((error: unknown) => boolean)

/** How a task is judged. */
export interface RunOptions {
  /** An AbortError is the caller's doing only where this had aborted. */
  readonly signal?: AbortSignal | undefined
  /** Overrides the verdict; undefined leaves it. */
  readonly classify?: ((outcome: TaskOutcome) => Verdict | { pause: number } | undefined) | undefined
  /** Which errors count as failures. @default all */
  readonly expected?: Expected | undefined
}

/** @internal What a task needs of its circuit. */
export interface TaskCircuit {
  readonly key: string
  readonly label: string
  readonly rules: { readonly abandonedAfter: number }
  readonly wiring: { readonly time: Timeline; readonly events: Events }
  admitTask(startedAt?: number): number
  settle(token: number, verdict: Verdict, startedAt?: number, kind?: Kind): number
  refusal(token: number): CircuitOpenError
  pause(ms: number, token?: number): void
}

/** @internal Runs a task that is judged by more than whether it threw, or whose time counts. */
export function runTask<T>(circuit: TaskCircuit, task: () => T | PromiseLike<T>, options: RunOptions = {}): Promise<T> {
  try {
    checkTask(task, options)
  } catch (error) {
    return Promise.reject(error)
  }
  const startedAt = circuit.wiring.time.now()
  const token = circuit.admitTask(startedAt)
  if (token < 0) return Promise.reject(circuit.refusal(token))
  const good = (value: T): T => {
    judgeTask(circuit, token, startedAt, { value }, options)
    return value
  }
  const bad = (error: unknown): never => {
    judgeTask(circuit, token, startedAt, { error }, options)
    throw error
  }
  try {
    const result = task()
    if (isPromise(result)) return Promise.resolve(result).then(good, bad)
    return Promise.resolve(good(result))
  } catch (error) {
    judgeTask(circuit, token, startedAt, { error }, options)
    return Promise.reject(error)
  }
}

const OPTIONS = ['signal', 'classify', 'expected']

/** @throws TypeError before the circuit is asked: what is no task says nothing of it */
function checkTask(task: unknown, options: RunOptions): void {
  if (typeof task !== 'function') throw new TypeError(`A task must be a function, got ${show(task)}`)
  // The names are looked at without a list of them, since every call brings its own.
  let strange = typeof options !== 'object' || options === null
  for (const name in options) strange ||= !OPTIONS.includes(name)
  if (strange) new Check('run').known(options, OPTIONS)
}

/** @internal Settles a task by how it ended. */
export function judgeTask(
  circuit: TaskCircuit,
  token: number,
  startedAt: number,
  outcome: TaskOutcome,
  options: RunOptions,
): void {
  const { events, time } = circuit.wiring
  const error = 'error' in outcome ? outcome.error : undefined
  let verdict: Verdict = 'error' in outcome ? judgeError(circuit, error, options, startedAt) : 'success'
  const said = classified(circuit, outcome, options)
  if (typeof said === 'string') verdict = said
  else if (said !== undefined) {
    circuit.pause(said.pause, token)
    verdict = 'ignored'
  }
  const call = circuit.settle(token, verdict, startedAt, kindOf(error))
  if (!events.heard.settled) return
  const { key, label } = circuit
  events.tell('settled', {
    key,
    label,
    verdict,
    status: undefined,
    error,
    durationMs: time.now() - startedAt,
    stale: call === STALE,
    probe: isProbe(token),
    amended: false,
  })
}

function classified(
  { label, wiring }: TaskCircuit,
  outcome: TaskOutcome,
  { classify }: RunOptions,
): Verdict | { pause: number } | undefined {
  if (classify === undefined) return undefined
  return ask(
    () => classify(outcome),
    readVerdict,
    (why) => wiring.events.warn('classify', `classify of ${label} failed: ${why}`),
  )
}

/**
 * @internal What a `classify` answered.
 * @throws TypeError where it is nothing that it may answer
 */
export function readVerdict(said: unknown): Verdict | { pause: number } | undefined {
  if (said === undefined || said === 'success' || said === 'failure' || said === 'ignored') return said
  const pause = typeof said === 'object' && said !== null && 'pause' in said ? said.pause : undefined
  if (typeof pause === 'number' && pause >= 0) return { pause }
  throw new TypeError(
    `it must answer 'success', 'failure', 'ignored', { pause: milliseconds } or undefined, got ${show(said)}`,
  )
}

/** @internal What a thrown thing is called in the evidence. */
export function kindOf(error: unknown): string {
  for (let depth = 0, at: unknown = error; depth < 4 && typeof at === 'object' && at !== null; depth++) {
    const { code, cause } = at as { code?: unknown; cause?: unknown }
    if (typeof code === 'string') return code
    at = cause
  }
  return error instanceof Error ? error.name : typeof error
}

/** @internal The verdict on a task that threw, where nothing was said on how to judge it. */
export function judgeThrown(error: unknown): Verdict {
  return causeOf(error) === 'refused' ? judgeCause('refused') : 'failure'
}

function judgeError(
  circuit: TaskCircuit,
  error: unknown,
  { signal, expected }: RunOptions,
  startedAt: number,
): Verdict {
  const cause = causeOf(error)
  if (causeOfSignal(signal) === 'abort' && (cause === 'abort' || error === signal?.reason)) {
    const took = circuit.wiring.time.now() - startedAt
    return judgeCause(took >= circuit.rules.abandonedAfter ? 'abandoned' : 'abort')
  }
  return expected === undefined || isExpected(circuit, error, expected) ? judgeThrown(error) : 'ignored'
}

function isExpected({ label, wiring }: TaskCircuit, error: unknown, expected: Expected): boolean {
  const list = Array.isArray(expected) ? (expected as readonly unknown[]) : [expected]
  const failed = (why: string): void =>
    wiring.events.warn('expected', `expected of ${label} failed, the error counts: ${why}`)
  return list.some((one) =>
    isClass(one)
      ? error instanceof one
      : (ask(() => (one as (error: unknown) => boolean)(error), Boolean, failed) ?? true),
  )
}

const isClass = (value: unknown): value is new (...args: never[]) => Error =>
  typeof value === 'function' && (value === Error || (value as { prototype?: unknown }).prototype instanceof Error)
