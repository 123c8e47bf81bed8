// What a fleet owes, and whether a simulation kept it. The numbers are the project's own: P3, P4, P9 and P11 are other tests'.
import type { Figures } from './ledger.ts'
import { termsOf, type Scenario } from './scenario.ts'

export type Property = keyof typeof PROPERTIES

/** Of the calls of healthy instances, so many may be refused for a sick one. */
const NEGLIGIBLE = 0.01
/** And so many are, where all follow it. */
const HARM = 0.1

const PROPERTIES = {
  /** Once the fleet is open, no instance goes on for longer than its view may be old, and the wait for a new one. */
  P1(scenario: Scenario, { lastCall }: Figures) {
    const { staleAfter = 0, wait = 0 } = termsOf(scenario) ?? {}
    const most = scenario.store.push?.[1] ?? staleAfter + wait
    if (lastCall === undefined) return 'the fleet did not open'
    return lastCall <= most ? undefined : `an ordinary call ${lastCall} ms after the fleet opened, ${most} ms allowed`
  },
  /** No more probes at a time than there are places. */
  P2({ policy }: Scenario, { mostProbes }: Figures) {
    const { permits } = policy.probes
    return mostProbes <= permits ? undefined : `${mostProbes} probes at a time, ${permits} allowed`
  },
  /** A healthy host costs no write, and at most a read a refresh. */
  P5(scenario: Scenario, { healthyReads, healthyWrites }: Figures) {
    const { polls = false, refresh = Infinity } = termsOf(scenario) ?? {}
    const most = polls ? 1_000 / refresh : 0
    if (healthyWrites > 0) return `${healthyWrites} writes while the host was healthy`
    return healthyReads <= most
      ? undefined
      : `${healthyReads.toFixed(2)} reads a second and instance while the host was healthy, ${most} allowed`
  },
  /** No call waits for the store for longer than it may. */
  P6(scenario: Scenario, { longestWait }: Figures) {
    const { wait = 0 } = termsOf(scenario) ?? {}
    return longestWait <= wait ? undefined : `a call waited ${longestWait} ms, ${wait} ms allowed`
  },
  /** Once the host is well, so is every circuit, whatever became of the store. */
  P7(_scenario: Scenario, { closedAfter }: Figures) {
    return closedAfter === undefined ? 'a circuit was still open at the end' : undefined
  },
  /** Writes are as many as there are things to say, not instances. */
  P8(_scenario: Scenario, { writes, necessary }: Figures) {
    return writes <= 3 * necessary ? undefined : `${writes} writes, ${necessary} were necessary`
  },
  /** A sick instance stops healthy ones only where these chose to follow it. */
  P10(scenario: Scenario, { refused, openings }: Figures) {
    const { quorum = 0 } = termsOf(scenario) ?? {}
    const share = `${(100 * refused).toFixed(2)} % of the calls of healthy instances were refused`
    if (quorum > 1) return openings === 0 && refused === 0 ? undefined : `the fleet opened for one instance, ${share}`
    if (quorum === 1) return refused > HARM ? undefined : `${share}: nobody follows`
    return refused <= NEGLIGIBLE ? undefined : share
  },
} satisfies Record<string, (scenario: Scenario, figures: Figures) => string | undefined>

/** What of what must hold does not, in words. */
export function broken(scenario: Scenario, figures: Figures): string[] {
  return scenario.holds.flatMap((property) => {
    const why = PROPERTIES[property](scenario, figures)
    return why === undefined ? [] : [`${property}: ${why}`]
  })
}
