// Which errors end got's retries, whatever else it would try again for.
import { circuitOpen, isFallback } from '@fuseboard/core'
import type { Options } from 'got'

type Retry = Options['retry']
type CalculateDelay = NonNullable<Retry['calculateDelay']>

const ours = new WeakSet<CalculateDelay>()

/** @internal A refusal is final, and so is a stand-in, whatever its status: asking again would find the same. */
export function endingWhereFinal(retry: Retry): Retry {
  const { calculateDelay } = retry
  if (calculateDelay && ours.has(calculateDelay)) return retry
  const delay: CalculateDelay = (about) => (isFinal(about.error) ? 0 : (calculateDelay?.(about) ?? about.computedValue))
  ours.add(delay)
  return { ...retry, calculateDelay: delay }
}

// A RetryError is the caller's own wish.
const isFinal = (error: Parameters<CalculateDelay>[0]['error']): boolean =>
  error.name !== 'RetryError' && (circuitOpen(error) ?? isFallback(error.response)) !== undefined
