// The one error that callers catch: a call that a circuit did not let through.
import { spell } from './duration.ts'
import type { RefusalReason } from './state.ts'

const BRAND = Symbol.for('fuseboard.open')

/** What is known of a refusal. */
interface Refused {
  readonly key: string
  readonly host: string
  readonly label: string
  readonly reason: RefusalReason
  readonly retryAfterMs: number | undefined
  readonly why: string
}

/** A call that was refused: it was never sent. Recognise it with {@link circuitOpen}, since every client wraps errors in its own way. */
export class CircuitOpenError extends Error implements Refused {
  declare readonly name: 'CircuitOpenError'
  readonly code = 'EOPENBREAKER'
  /** Which circuit refused. */
  readonly key: string
  /** The host that was to be asked. */
  readonly host: string
  /** What people call it: the policy's `label`, or the key. */
  readonly label: string
  readonly reason: RefusalReason
  /** Milliseconds until it is worth asking again; undefined where nobody knows (an isolated circuit). */
  readonly retryAfterMs: number | undefined
  /** Why the circuit is not closed, in a sentence. */
  readonly why: string

  constructor(refused: Refused) {
    super()
    this.key = refused.key
    this.host = refused.host
    this.label = refused.label
    this.reason = refused.reason
    this.retryAfterMs = refused.retryAfterMs
    this.why = refused.why
  }

  // Made when it is read: most refusals are answered, not printed.
  override get message(): string {
    const { label, reason, retryAfterMs } = this
    const wait = retryAfterMs === undefined ? '' : `, retry in ${spell(retryAfterMs)}`
    return `${label} ${SAYS[reason]}${wait}`
  }
}

// What all have in common is said once.
Object.defineProperties(CircuitOpenError.prototype, {
  [BRAND]: { value: true },
  name: { value: 'CircuitOpenError' },
})

const SAYS: Record<RefusalReason, string> = {
  open: 'is open',
  probing: 'is being probed',
  paused: 'asked for a pause',
  isolated: 'is isolated',
  throttled: 'is throttled',
  full: 'has as many calls under way as it may',
}

/** @internal A refusal without a stack: capturing one costs more than all the rest of a refusal. */
export function refuse(refused: Refused, stack: boolean): CircuitOpenError {
  if (stack) return new CircuitOpenError(refused)
  const { stackTraceLimit } = Error
  if (!setLimit(0)) return new CircuitOpenError(refused)
  try {
    return new CircuitOpenError(refused)
  } finally {
    setLimit(stackTraceLimit)
  }
}

// Error is frozen where intrinsics are.
function setLimit(limit: number): boolean {
  try {
    Error.stackTraceLimit = limit
    return true
  } catch {
    return false
  }
}

/**
 * The refusal behind an error that a client threw, or undefined where it is none: seen through each client's own kind of
 * error and through `cause`.
 *
 * @example
 * catch (error) {
 *   const open = circuitOpen(error)
 *   if (open) return retryLater(open.retryAfterMs ?? 60_000)
 *   throw error
 * }
 */
export function circuitOpen(error: unknown): CircuitOpenError | undefined {
  for (let depth = 0; depth < 8 && typeof error === 'object' && error !== null; depth++) {
    if (BRAND in error) return error as unknown as CircuitOpenError
    error = (error as { cause?: unknown }).cause
  }
  return undefined
}
