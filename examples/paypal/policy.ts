// What the board is told of PayPal: five failures in a row open its circuit, for a minute.
import type { Fallback, Policy } from '@fuseboard/core'

/** Milliseconds that an answer may take; below one second a busy machine takes as long, too. */
export function limitAt(scale: number): number {
  return Math.max(10_000 / scale, 1_000)
}

/** Milliseconds that the circuit is open. */
export function openForAt(scale: number): number {
  return 60_000 / scale
}

/** @param fallback what becomes of a request that PayPal cannot take */
export function paypalPolicy(scale: number, fallback: Fallback): Policy {
  return { label: 'paypal', consecutiveFailures: 5, openFor: openForAt(scale), fallback }
}
