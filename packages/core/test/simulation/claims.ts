// What the documents say of policies, as a simulation has to bear it out: successes are calls that the host answered in time.
import type { LoadName, PolicyName, Results } from './policies.ts'

/** The results of all policies, by their names. */
export type AllResults = Readonly<Record<PolicyName, Results>>

interface Claim {
  readonly says: string
  readonly holds: (results: AllResults) => boolean
}

const PLAIN = 'failureRate 0.5, openFor 5 s to 60 s'
const CAPPED = 'failureRate 0.5, openFor 5 s to 15 s'
const HYBRID = 'throttle 1.2, failureRate 0.9, openFor 5 s to 15 s'
const HASTY = 'throttle 1.2, openFor 5 s to 15 s, else the defaults'
const PATIENT = 'the same, consecutiveFailures over 5 s'
const HYBRID_DEFAULTS = 'throttle 1.2, else the defaults'
const DEFAULTS = 'the defaults'
const WITH_STREAK = [HASTY, PATIENT, HYBRID_DEFAULTS] as const
const AFTERWARDS = ['coldStart', 'outage'] as const

export const CLAIMS: readonly Claim[] = [
  {
    says: 'brownout: with no circuit, fewer than 5 % of calls succeed, and more do with each policy',
    holds: (results) => {
      const { successes, failures } = results.none.brownout
      const others = Object.entries(results).filter(([name]) => name !== 'none')
      return (
        successes < 0.05 * (successes + failures) && others.every(([, { brownout }]) => brownout.successes > successes)
      )
    },
  },
  {
    says: 'brownout: hybrids have at least 1.5 times the successes of failureRate 0.5, and fewer failures',
    holds: (results) =>
      ([HYBRID, ...WITH_STREAK] as const).every(
        (name) =>
          results[name].brownout.successes >= 1.5 * results[PLAIN].brownout.successes &&
          results[name].brownout.failures < results[PLAIN].brownout.failures,
      ),
  },
  {
    says: 'brownout: consecutiveFailures over 2 s takes at least a fifth of its successes from a hybrid, over 5 s less',
    holds: (results) =>
      successes(results, HASTY, 'brownout') <= 0.8 * successes(results, HYBRID, 'brownout') &&
      successes(results, PATIENT, 'brownout') > successes(results, HASTY, 'brownout'),
  },
  {
    says: 'outage of 60 s: a cap of 15 s has at least 1.5 times the successes of a cap of 60 s',
    holds: (results) => successes(results, CAPPED, 'outage') >= 1.5 * successes(results, PLAIN, 'outage'),
  },
  {
    says: 'outage of 60 s: a throttle without a circuit has fewer than 60 % of the successes of none: it is slow to forgive',
    holds: (results) =>
      successes(results, 'throttle 1.2', 'outage') < 0.6 * successes(results, 'none', 'outage') &&
      successes(results, 'throttle 2', 'outage') < 0.6 * successes(results, 'none', 'outage'),
  },
  {
    says: 'outage of 60 s: the defaults have at most 30 % fewer successes than none, and less than a tenth of its failures',
    holds: (results) =>
      successes(results, DEFAULTS, 'outage') >= 0.7 * successes(results, 'none', 'outage') &&
      results[DEFAULTS].outage.failures < 0.1 * results.none.outage.failures,
  },
  {
    says: 'cold start: the defaults have more successes than none, and less than a tenth of its failures',
    holds: (results) =>
      successes(results, DEFAULTS, 'coldStart') > successes(results, 'none', 'coldStart') &&
      results[DEFAULTS].coldStart.failures < 0.1 * results.none.coldStart.failures,
  },
  {
    says: 'cold start and outage: hybrids that keep consecutiveFailures have at least 90 % of the successes of the defaults',
    holds: (results) =>
      WITH_STREAK.every((name) =>
        AFTERWARDS.every((load) => successes(results, name, load) >= 0.9 * successes(results, DEFAULTS, load)),
      ),
  },
  {
    says: 'cold start: without consecutiveFailures a hybrid never opens, and has fewer successes than none',
    holds: (results) =>
      results[HYBRID].coldStart.trips === 0 &&
      successes(results, HYBRID, 'coldStart') < successes(results, 'none', 'coldStart'),
  },
]

/** The claims that results do not bear out. */
export const unborne = (results: AllResults): string[] =>
  CLAIMS.filter(({ holds }) => !holds(results)).map(({ says }) => says)

const successes = (results: AllResults, name: PolicyName, load: LoadName): number => results[name][load].successes
