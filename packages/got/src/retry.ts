// Which errors end got's retries, whatever else it would try again for.
import { circuitOpen, isFallback } from '@fuseboard/core'
import type { Options } from 'got'

type Retry = Options['retry']
type CalculateDelay = NonNullable<Retry['calculateDelay']>

/** One for each that is given, and each of ours for itself. */
const delays = new WeakMap<CalculateDelay, CalculateDelay>()
const computed: CalculateDelay = ({ computedValue }) => computedValue

/**
 * @internal A refusal is final, and so is a stand-in, whatever its status: asking again would find the same.
 * It is changed in place, since each call has its own, and got checks one that is set from end to end.
 */
export function endWhereFinal(retry: Retry): void {
  const given = retry.calculateDelay ?? computed
  retry.calculateDelay = delays.get(given) ?? ending(given)
}

function ending(given: CalculateDelay): CalculateDelay {
  const delay: CalculateDelay = (about) => (isFinal(about.error) ? 0 : (given(about) ?? about.computedValue))
  delays.set(given, delay).set(delay, delay)
  return delay
}

// A RetryError is the caller's own wish.
const isFinal = (error: Parameters<CalculateDelay>[0]['error']): boolean =>
  error.name !== 'RetryError' && (circuitOpen(error) ?? isFallback(error.response)) !== undefined
