// The one error that callers catch: a call that a circuit did not let through.
import { spell } from './duration.ts'
import type { RefusalReason } from './state.ts'

const BRAND = Symbol.for('fuseboard.open')

/** A call that was refused: it was never sent. Recognise it with {@link circuitOpen}, since every client wraps errors in its own way. */
export class CircuitOpenError extends Error {
  override readonly name = 'CircuitOpenError'
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

  constructor(refused: {
    key: string
    host: string
    label: string
    reason: RefusalReason
    retryAfterMs: number | undefined
    why: string
  }) {
    const { label, reason, retryAfterMs } = refused
    super(
      retryAfterMs === undefined
        ? `${label} ${SAYS[reason]}`
        : `${label} ${SAYS[reason]}, retry in ${spell(retryAfterMs)}`,
    )
    this.key = refused.key
    this.host = refused.host
    this.label = label
    this.reason = reason
    this.retryAfterMs = retryAfterMs
    this.why = refused.why
  }
}

// On the prototype: a refusal is made often.
Object.defineProperty(CircuitOpenError.prototype, BRAND, { value: true })

const SAYS: Record<RefusalReason, string> = {
  open: 'is open',
  probing: 'is being probed',
  paused: 'asked for a pause',
  isolated: 'is isolated',
}

/** @internal A refusal without a stack: capturing one costs more than all the rest of a refusal. */
export function refuse(refused: ConstructorParameters<typeof CircuitOpenError>[0], stack: boolean): CircuitOpenError {
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
 *   if (open) return retryLater(open.retryAfterMs)
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
