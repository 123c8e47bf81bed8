// What the codes of Node's errors say of the host.
import type { Cause } from '@fuseboard/core'

/** @internal Node names what a caller got wrong; of all else, a name or a broken connection, the core makes a failure. */
export function causeOfCode(error: unknown): Cause | undefined {
  const { code } = (error ?? {}) as { code?: unknown }
  return typeof code === 'string' && /^ERR_(?:INVALID|UNESCAPED|HTTP)_/.test(code) ? 'caller' : undefined
}
