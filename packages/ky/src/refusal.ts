// A refusal as ky's users know errors: of ky's own kind, and of none that ky tries again.
import { circuitOpen, type CircuitOpenError } from '@fuseboard/core'
import { KyError } from 'ky'

/** @internal An error as ky throws it: a refusal, also one that a fetch further in wrapped, as one of ky's own; others as they are. */
export function ofKy(error: unknown, request: Request | string | URL): unknown {
  const refusal = circuitOpen(error)
  return refusal === undefined ? error : new RefusedError(refusal, request)
}

class RefusedError extends KyError {
  override name = 'CircuitOpenError'
  override readonly cause: CircuitOpenError
  readonly code: string
  /** As ky's other errors have it. */
  readonly request: Request | string | URL

  constructor(refusal: CircuitOpenError, request: Request | string | URL) {
    super(refusal.message)
    this.cause = refusal
    this.code = refusal.code
    this.request = request
  }
}
