// The statistics of the bench: a median, how sure it is, and a fair order.

/** A figure and the interval that holds it in 95 of 100 cases. */
export interface Estimate {
  readonly value: number
  readonly low: number
  readonly high: number
}

/** Between 0 and 1, like `Math.random`. */
export type Random = () => number

const RESAMPLES = 1_000

/** The value below which a share `p` of the values lie, interpolated between neighbours; NaN where there are none. */
export function quantile(values: ArrayLike<number>, p: number): number {
  const sorted = Float64Array.from(values).toSorted()
  if (sorted.length === 0) return NaN
  const at = (sorted.length - 1) * p
  const below = sorted[Math.floor(at)]!
  return below + (sorted[Math.ceil(at)]! - below) * (at % 1)
}

export function median(values: ArrayLike<number>): number {
  return quantile(values, 0.5)
}

/** The median with its bootstrap 95 % interval: the medians of many samples drawn from the values. */
export function bootstrap(values: ArrayLike<number>, random: Random = seeded(1)): Estimate {
  const sample = new Float64Array(values.length)
  const medians = Float64Array.from({ length: RESAMPLES }, () => {
    for (let i = 0; i < sample.length; i++) sample[i] = values[Math.floor(random() * values.length)]!
    return median(sample)
  })
  return { value: median(values), low: quantile(medians, 0.025), high: quantile(medians, 0.975) }
}

/** The median of the ratios of values taken side by side, so that what slows both down cancels out. */
export function pairedRatio(of: ArrayLike<number>, to: ArrayLike<number>): Estimate {
  return bootstrap(Float64Array.from(of, (value, i) => value / to[i]!))
}

/** Shuffles in place (Fisher and Yates). */
export function shuffle<T>(items: T[], random: Random = Math.random): T[] {
  for (let i = items.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1))
    const swapped = items[i]!
    items[i] = items[j]!
    items[j] = swapped
  }
  return items
}

/** The same row of random numbers for the same seed (mulberry32). */
export function seeded(seed: number): Random {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0
    let mixed = Math.imul(seed ^ (seed >>> 15), 1 | seed)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}
