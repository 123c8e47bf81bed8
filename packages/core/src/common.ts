// What all copies of this code in a process have in common: one that is imported and one that is required are two.

/** @internal What the first copy made that was asked for it by this name. */
export function common<T>(name: string, make: () => T): T {
  const key = Symbol.for(`fuseboard.${name}.0`)
  const made = (Reflect.get(globalThis, key) as T | undefined) ?? make()
  // Where the global object is frozen each copy has its own.
  Reflect.set(globalThis, key, made)
  return made
}
