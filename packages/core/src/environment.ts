// What the environment says of all boards of a process: how to switch them off without a deploy.
import type { Mode } from './policy.ts'

/** @internal `FUSEBOARD=off` or `FUSEBOARD=shadow`; undefined where it says neither. */
export function forcedMode(warn: (code: string, message: string) => void): 'off' | 'shadow' | undefined {
  const { process } = globalThis as { process?: { env?: Record<string, string | undefined> } }
  const said = process?.env?.['FUSEBOARD']
  if (said === undefined || said === '' || said === 'on') return undefined
  if (said === 'off' || said === 'shadow') return said
  warn('environment', `FUSEBOARD must be on, shadow or off, got ${JSON.stringify(said)}: it is not heeded`)
  return undefined
}

/** @internal Of two modes the one that does less. */
export const lesser = (one: Mode, other: Mode | undefined): Mode =>
  one === 'off' || other === 'off' ? 'off' : one === 'shadow' || other === 'shadow' ? 'shadow' : 'on'
