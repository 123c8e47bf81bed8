// What a fleet costs and what it owes, on a virtual clock: the boards are those that ship, the store and the calls are made up.
// Exits 1 where a property does not hold, and says which and where. `--full` adds 10,000 instances, which takes 6 minutes of CPU.
// `--policy` compares policies instead: what of a load gets through to a host that is slow, down or coming back.
import { parseArgs } from 'node:util'
import type { Policy } from '../../src/policy.ts'
import { CLAIMS, unborne, type AllResults } from './claims.ts'
import { POLICIES, resultsOf, type PolicyName, type Results } from './policies.ts'
import { broken } from './properties.ts'
import type { Scenario } from './scenario.ts'
import { outages, sickOnes, troubles } from './scenarios.ts'
import { simulate } from './simulation.ts'
import { COSTS, GOODPUT, HARMS, head, row } from './table.ts'

const { values } = parseArgs({
  options: { full: { type: 'boolean', default: false }, policy: { type: 'boolean', default: false } },
})
const sizes = values.full ? [10, 100, 1_000, 10_000] : [10, 100, 1_000]

const faults = values.policy ? await comparePolicies() : await tryFleets()
const { user } = process.cpuUsage()
console.log(
  `\n${(user / 1e6).toFixed(0)} s of CPU. ${faults.length === 0 ? 'All' : 'Not all'} that was asserted holds.`,
)
for (const fault of faults) console.error(fault)
process.exitCode = faults.length === 0 ? 0 : 1

/** @returns what does not hold */
async function tryFleets(): Promise<string[]> {
  return [
    ...(await run('An outage of 30 s, by the ways to share', outages, COSTS)),
    ...(await run('Trouble of the store and of the host', troubles, COSTS)),
    ...(await run('One sick instance', sickOnes, HARMS)),
  ]
}

/** @returns what does not hold */
async function comparePolicies(): Promise<string[]> {
  console.log('\nCalls: successes / failures (refused, times it opened); means of five seeds\n')
  console.log(head(GOODPUT))
  const all: [PolicyName, Results][] = []
  for (const [name, policy] of Object.entries(POLICIES) as [PolicyName, Policy][]) {
    const results = await resultsOf(policy)
    console.log(row(GOODPUT, name, results))
    all.push([name, results])
  }
  const faults = unborne(Object.fromEntries(all) as AllResults)
  console.log('\nAsserted:')
  for (const { says } of CLAIMS) console.log(`- ${says}`)
  return faults.map((says) => `Not borne out: ${says}`)
}

/** @returns what does not hold */
async function run(title: string, scenarios: (size: number) => Scenario[], columns: typeof COSTS): Promise<string[]> {
  console.log(`\n${title}\n\n${head(columns)}`)
  const faults: string[] = []
  for (const size of sizes) {
    for (const scenario of scenarios(size)) {
      const figures = await simulate(scenario)
      console.log(row(columns, scenario, figures))
      faults.push(...broken(scenario, figures).map((fault) => `${scenario.name}, N = ${size}, breaks ${fault}`))
    }
  }
  return faults
}
