// What undici's errors say of the host.
import { causeOfSignal, type Cause, type Outcome } from '@fuseboard/core'
import { Head, type ParsedFields } from './head.ts'

/** The caller's mistakes, and the caller's limits. */
const CALLER: ReadonlySet<unknown> = new Set([
  'UND_ERR_INVALID_ARG',
  'UND_ERR_INVALID_RETURN_VALUE',
  'UND_ERR_NOT_SUPPORTED',
  'UND_ERR_DESTROYED',
  'UND_ERR_CLOSED',
  'UND_ERR_REQ_CONTENT_LENGTH_MISMATCH',
  'UND_ERR_RES_EXCEEDED_MAX_SIZE',
  'UND_ERR_MAX_ORIGINS_REACHED',
  'UND_ERR_BPL_MISSING_UPSTREAM',
  'UND_MOCK_ERR_MOCK_NOT_MATCHED',
])

interface UndiciError {
  readonly name?: unknown
  readonly code?: unknown
  readonly message?: unknown
  readonly statusCode?: unknown
  readonly headers?: ParsedFields
}

/** @internal Why the caller gave up: in a body undici's own error does not tell, only the signal does. */
export function causeOfAbort(error: unknown, signal: unknown): Cause {
  const { name } = (error ?? {}) as UndiciError
  return causeOfSignal(signal as AbortSignal) ?? (name === 'TimeoutError' ? 'deadline' : 'abort')
}

/** Why there is no answer, or no whole one; undefined where that is for the core to read. */
function causeOf(error: unknown): Cause | undefined {
  const { code, message } = (error ?? {}) as UndiciError
  if (CALLER.has(code)) return 'caller'
  if (typeof code !== 'string') return undefined
  if (/^UND_ERR_\w+_TIMEOUT$/.test(code)) return 'deadline'
  // A body or a URL that Node will not have.
  if (code.startsWith('ERR_INVALID_')) return 'caller'
  // fetch asks again over HTTP/1.1: the host is well and has no WebSockets over HTTP/2.
  if (code === 'UND_ERR_INFO' && String(message).includes('Extended CONNECT')) return 'caller'
  return undefined
}

/** @internal What broke an answer after its head. */
export function lossOf(error: unknown, gaveUp: Cause | undefined): { error: unknown; cause?: Cause } {
  const cause = gaveUp ?? causeOf(error)
  return cause ? { error, cause } : { error }
}

/** @internal How an attempt ended that got no answer. Below `retry` and `responseError` an error may be one. */
export function outcomeOf(error: unknown, gaveUp: Cause | undefined): Outcome {
  const { statusCode, headers } = (error ?? {}) as UndiciError
  if (typeof statusCode === 'number' && !gaveUp) return new Head(statusCode, '', undefined, headers)
  return lossOf(error, gaveUp)
}
