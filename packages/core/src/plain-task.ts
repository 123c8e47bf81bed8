// A task under a circuit of which only counts whether it threw. Most are so, and nothing is made for one of them by itself.
import { isPromise } from './awaitable.ts'
import { judgeThrown, kindOf, type TaskCircuit } from './task.ts'
import { isProbe } from './token.ts'

/** @internal What follows the tasks of one era: made once, since all its calls carry the same token. */
export interface Sequel {
  readonly circuit: PlainCircuit
  readonly token: number
  readonly good: <T>(value: T) => T
  readonly bad: (error: unknown) => never
}

/** @internal What such a task needs of its circuit. */
export interface PlainCircuit extends Pick<TaskCircuit, 'admitTask' | 'settle' | 'refusal'> {
  /** What followed the tasks of the circuit that ran one last. */
  readonly wiring: { sequel: Sequel | undefined }
}

/** @internal */
export function runPlain<T>(circuit: PlainCircuit, task: () => T | PromiseLike<T>): Promise<T> {
  const token = circuit.admitTask()
  if (token < 0) return Promise.reject(circuit.refusal(token))
  let result: T | PromiseLike<T>
  try {
    result = task()
  } catch (error) {
    circuit.settle(token, judgeThrown(error), -1, kindOf(error))
    return Promise.reject(error)
  }
  if (!isPromise(result)) {
    circuit.settle(token, 'success')
    return Promise.resolve(result)
  }
  const last = circuit.wiring.sequel
  const sequel =
    last !== undefined && last.circuit === circuit && last.token === token ? last : sequelOf(circuit, token)
  const promise = result instanceof Promise ? (result as Promise<T>) : Promise.resolve(result)
  return promise.then<T>(sequel.good, sequel.bad)
}

function sequelOf(circuit: PlainCircuit, token: number): Sequel {
  const good = <T>(value: T): T => {
    circuit.settle(token, 'success')
    return value
  }
  const bad = (error: unknown): never => {
    circuit.settle(token, judgeThrown(error), -1, kindOf(error))
    throw error
  }
  const sequel = { circuit, token, good, bad }
  // A probe's token is its own: only the calls of a closed circuit share one.
  if (!isProbe(token)) circuit.wiring.sequel = sequel
  return sequel
}
