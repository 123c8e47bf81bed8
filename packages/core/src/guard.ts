// A function or method under a circuit of its own on the default board: as a wrapper, or as a decorator.
import { defaultBoard } from './board.ts'
import { common } from './common.ts'
import { show } from './duration.ts'
import { guardOn, readGuardPolicy, type Fn, type Guarded, type GuardPolicy } from './guarded.ts'

const names = common('guard.names', () => new Map<string, number>())

/** A name that no other guarded function has. */
function unique(name: string): string {
  const count = (names.get(name) ?? 0) + 1
  names.set(name, count)
  return count === 1 ? name : `${name}#${count}`
}

interface Guard {
  <F extends Fn>(fn: F): Guarded<F>
  <F extends Fn>(method: F, context: ClassMethodDecoratorContext): F
  (target: object, key: string | symbol, descriptor: PropertyDescriptor): PropertyDescriptor
}

/**
 * Puts a function or a method under a circuit of its own on the default board: `guard({ ... })(fn)`, or `@guard({ ... })` on a
 * method, as a standard decorator or in the legacy form. A method has one circuit for all instances.
 *
 * @throws TypeError or RangeError where an option is wrong
 */
export function guard(policy: GuardPolicy = {}): Guard {
  readGuardPolicy(policy)
  const put = <F extends Fn>(fn: F, name: string): Guarded<F> =>
    guardOn(defaultBoard(), unique(policy.label ?? (name || 'anonymous')), fn, policy) as Guarded<F>

  const guard = (target: unknown, context?: unknown, descriptor?: PropertyDescriptor): unknown => {
    if (descriptor !== undefined) return legacy(put, target as object, context as string | symbol, descriptor)
    if (typeof context === 'string' || typeof context === 'symbol')
      throw new TypeError(`@guard() decorates methods, and ${String(context)} is none`)
    if (typeof target !== 'function') throw new TypeError(`guard() guards functions and methods, got ${show(target)}`)
    const kind = (context as { kind?: string; name?: string | symbol } | undefined)?.kind
    if (kind !== undefined && kind !== 'method') throw new TypeError(`@guard() decorates methods, not a ${kind}`)
    return put(target as Fn, kind === undefined ? target.name : String((context as { name: string | symbol }).name))
  }
  return guard as Guard
}

function legacy(
  put: (fn: Fn, name: string) => unknown,
  target: object,
  key: string | symbol,
  descriptor: PropertyDescriptor,
): PropertyDescriptor {
  if (typeof descriptor.value !== 'function')
    throw new TypeError(`@guard() decorates methods, and ${String(key)} is none`)
  const owner = typeof target === 'function' ? target.name : target.constructor.name
  return { ...descriptor, value: put(descriptor.value as Fn, `${owner}.${String(key)}`) }
}
