// A function under a circuit: how it asks, how it is judged, and that it keeps its signature.
import { ask } from './ask.ts'
import { isPromise } from './awaitable.ts'
import type { Circuit } from './circuit.ts'
import { show } from './duration.ts'
import { Check } from './check.ts'
import { POLICY_OPTIONS, type Policy, type Rules } from './policy.ts'
import { judgeTask, type RunOptions } from './task.ts'
import type { Timeline } from './timeline.ts'

/** What a function is allowed: a policy without what only HTTP has, and which of its errors count. */
export interface GuardPolicy
  extends
    Omit<Policy, 'key' | 'probe' | 'fallback' | 'classify' | 'rateLimit' | 'abandonedAfter'>,
    Pick<RunOptions, 'expected' | 'classify'> {}

/** @internal What a board is known by, since there may be two copies of this code. */
export const BOARD: unique symbol = Symbol.for('fuseboard.board') as never

/** @internal Any function. */
export type Fn = (...args: never[]) => unknown

/** A function under a circuit. It keeps its signature: a synchronous one stays so. */
export type Guarded<F extends Fn> = F & { readonly circuit: Circuit }

/** A function whose circuit depends on its arguments. */
export type GuardedByKey<F extends Fn> = F & { readonly circuit: (...args: Parameters<F>) => Circuit }

/** @internal The options of a guard's policy. */
const OPTIONS = [...POLICY_OPTIONS, 'expected'].filter(
  (name) => !['key', 'probe', 'fallback', 'rateLimit', 'abandonedAfter'].includes(name),
)

/** @internal What a guard needs of its board. */
export interface GuardHome {
  readonly time: Timeline
  warn(code: string, message: string): void
  pinned(key: string, policy: Policy, where: string): Circuit
  keyed(key: string, rules: Rules): Circuit | undefined
  circuit(key: string): Circuit
  rules(policy: Policy, where: string): Rules
}

/** @internal Splits a guard's policy into the rules of its circuit and how its calls are judged. */
export function readGuardPolicy(policy: GuardPolicy): { rules: Policy; judging: RunOptions } {
  const check = new Check('')
  if (BOARD in Object(policy)) throw new TypeError('A guard takes a policy, got a board: use board.guard(name, fn)')
  check.known(policy, OPTIONS, undefined, 'the policy of a guard')
  const { expected, classify, ...rules } = policy
  check.optional(classify, 'classify', 'function')
  const list = Array.isArray(expected) ? (expected as readonly unknown[]) : [expected ?? Error]
  if (!list.every((one) => typeof one === 'function')) {
    check.fail('expected', 'must be an error class, a list of them, or a predicate', expected, TypeError)
  }
  return { rules, judging: { expected: Array.isArray(expected) ? [...expected] : expected, classify } }
}

/** A function that asks a circuit first. `find` gives the circuit of a call. */
function wrap<F extends Fn>(
  board: GuardHome,
  fn: F,
  find: (args: Parameters<F>) => Circuit | undefined,
  judging: RunOptions,
): F {
  // Until a call has shown it, only an async function is known to give promises.
  let promises = fn.constructor.name === 'AsyncFunction'
  const guarded = function (this: unknown, ...args: Parameters<F>): unknown {
    const circuit = find(args)
    if (circuit === undefined) return fn.apply(this, args)
    const startedAt = board.time.now()
    const token = circuit.admitTask(startedAt)
    if (token < 0) {
      const refusal = circuit.refusal(token)
      if (promises) return Promise.reject(refusal)
      throw refusal
    }
    let result: unknown
    try {
      result = fn.apply(this, args)
    } catch (error) {
      judgeTask(circuit, token, startedAt, { error }, judging)
      throw error
    }
    promises = isPromise(result)
    if (!isPromise(result)) {
      judgeTask(circuit, token, startedAt, { value: result }, judging)
      return result
    }
    // A thenable may be lazy or throw: only a promise of the language is asked as it is.
    return (result instanceof Promise ? (result as Promise<unknown>) : Promise.resolve(result)).then(
      (value) => {
        judgeTask(circuit, token, startedAt, { value }, judging)
        return value
      },
      (error: unknown) => {
        judgeTask(circuit, token, startedAt, { error }, judging)
        throw error
      },
    )
  }
  Object.defineProperty(guarded, 'name', { value: fn.name, configurable: true })
  Object.defineProperty(guarded, 'length', { value: fn.length, configurable: true })
  return guarded as unknown as F
}

/** @internal Puts a function under a circuit of a board: `name` is its key, or gives it for the arguments of a call. */
export function guardOn<F extends Fn>(
  board: GuardHome,
  name: string | ((...args: Parameters<F>) => string),
  fn: F,
  policy: GuardPolicy = {},
): Guarded<F> | GuardedByKey<F> {
  if (typeof fn !== 'function') throw new TypeError(`A guard needs a function, got ${show(fn)}`)
  const { rules, judging } = readGuardPolicy(policy)
  if (typeof name === 'string' && name !== '') {
    const circuit = board.pinned(name, rules, `guard(${JSON.stringify(name)})`)
    return Object.assign(
      wrap(board, fn, () => circuit, judging),
      { circuit },
    )
  }
  if (typeof name !== 'function')
    throw new TypeError(`A guard needs a name or a function that gives one, got ${show(name)}`)
  const read = board.rules(rules, 'guard')
  const keyOf = (args: Parameters<F>): string => keyFor(board, fn, name, args)
  const met = new WeakSet<Circuit>()
  const find = (args: Parameters<F>): Circuit | undefined => {
    const circuit = board.keyed(keyOf(args), read)
    if (circuit === undefined || circuit.rules === read || met.has(circuit)) return circuit
    met.add(circuit)
    // Who gives no policy takes what there is.
    if (Object.keys(rules).length > 0 && !circuit.goesBy(read))
      board.warn('guard', `guard(${JSON.stringify(circuit.key)}) is there already with another policy, which counts`)
    return circuit
  }
  const guarded = wrap(board, fn, find, judging)
  const circuit = (...args: Parameters<F>): Circuit => board.keyed(keyOf(args), read) ?? board.circuit(keyOf(args))
  return Object.assign(guarded, { circuit })
}

function keyFor<F extends Fn>(
  board: GuardHome,
  fn: F,
  name: (...args: Parameters<F>) => string,
  args: Parameters<F>,
): string {
  const failed = (why: string): void =>
    board.warn('key', `The key of a guarded function failed, its name is taken instead: ${why}`)
  return ask(() => name(...args), readKey, failed) ?? (fn.name || 'anonymous')
}

/**
 * @internal The key that a function gave.
 * @throws TypeError where it is none
 */
export function readKey(said: unknown): string {
  if (typeof said === 'string' && said !== '') return said
  throw new TypeError(`it must give a string, got ${show(said)}`)
}
