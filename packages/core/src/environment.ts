// What the environment says of all boards of a process: how to switch them off without a deploy.
import type { Mode } from './policy.ts'

/** @internal `FUSEBOARD=off` or `FUSEBOARD=shadow`; undefined where it says neither. */
export function forcedMode(warn: (code: string, message: string) => void): 'off' | 'shadow' | undefined {
  const said = environment('FUSEBOARD')
  if (said === undefined || said === '' || said === 'on') return undefined
  if (said === 'off' || said === 'shadow') return said
  warn('environment', `FUSEBOARD must be on, shadow or off, got ${JSON.stringify(said)}: it is not heeded`)
  return undefined
}

/** @internal A variable of the environment. Where a program must be given leave to read it, as in Deno, none is no reason to have no board. */
export function environment(name: string): string | undefined {
  const { process } = globalThis as { process?: { env?: Record<string, string | undefined> } }
  try {
    return process?.env?.[name]
  } catch {
    return undefined
  }
}

/** @internal Of two modes the one that does less. */
export const lesser = (one: Mode, other: Mode | undefined): Mode =>
  one === 'off' || other === 'off' ? 'off' : one === 'shadow' || other === 'shadow' ? 'shadow' : 'on'
