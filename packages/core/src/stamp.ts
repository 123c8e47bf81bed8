// Keeps a value with an object that is somebody else's: unseen, and gone with it. A WeakMap of so many short lives would burden each
// collection of garbage, and a property costs a microsecond.

/** @internal */
export interface Stamp<T> {
  put(target: object, value: T): void
  of(target: object): T | undefined
}

// A constructor that returns its argument has the fields of its heirs put on that.
const Returned = function (target: object): object {
  return target
} as unknown as new (target: object) => object

/** @internal A stamp of its own. */
export function stamp<T>(): Stamp<T> {
  class Own extends Returned {
    #value: T

    constructor(target: object, value: T) {
      super(target)
      this.#value = value
    }

    static put(target: object, value: T): void {
      if (#value in target) target.#value = value
      else void new Own(target, value)
    }

    static of(target: object): T | undefined {
      return #value in target ? target.#value : undefined
    }
  }
  return Own
}
