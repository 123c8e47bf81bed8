// The three hosts that the service asks, and what the board is told of each.
import type { Policy } from '@fuseboard/core'

export const NAMES = ['verses', 'plans', 'videos'] as const
export type Name = (typeof NAMES)[number]

/** The origin of each host. */
export type Origins = Readonly<Record<Name, string>>

const POLICIES: Readonly<Record<Name, Policy>> = {
  verses: { consecutiveFailures: 3, openFor: '30s' },
  plans: { consecutiveFailures: 5, openFor: '60s' },
  videos: { consecutiveFailures: 3, openFor: '120s' },
}

/** The policy of each host, as a board wants them. */
export function hostsAt(origins: Origins): Record<string, Policy> {
  return Object.fromEntries(NAMES.map((name) => [new URL(origins[name]).host, { label: name, ...POLICIES[name] }]))
}
