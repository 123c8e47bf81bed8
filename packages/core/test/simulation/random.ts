// Chance that comes out the same each time: a run that failed can be run again.

/** Numbers from 0 to 1, by the generator that is known as mulberry32. */
export type Random = () => number

export function seeded(seed: number): Random {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** A whole number from `least` to `most`. */
export const between = (random: Random, least: number, most: number): number =>
  least + Math.floor(random() * (most - least + 1))

/** Milliseconds to the next of events that come by chance, so many a second. */
export const gap = (random: Random, perSecond: number): number =>
  Math.ceil((-Math.log(1 - random()) * 1_000) / perSecond)

/** Makes something whose own chance is this one: a board takes `Math.random` when it is made. */
export function withRandom<T>(random: Random, make: () => T): T {
  const own = Math.random
  Math.random = random
  try {
    return make()
  } finally {
    Math.random = own
  }
}
