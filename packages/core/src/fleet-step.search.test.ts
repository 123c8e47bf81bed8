// All that the instances of a fleet can do to its record up to a depth; and whether that search would find a fault.
import { afterAll, describe, expect, test } from 'vitest'
import { plantReducer } from '../test/engine.ts'
import { FLEETS } from '../test/fleet-scenarios.ts'
import { searchFleet } from '../test/fleet-search.ts'
import { FLEET_FAULTS } from '../test/planted-fleet-faults.ts'
import { step } from './fleet-step.ts'

const said: string[] = []
afterAll(() => console.log(said.join('\n')))

// Seconds on an idle machine, many times that on a busy one.
describe('whatever three instances do, the record keeps what it owes', { timeout: 120_000 }, () => {
  test.each(Object.values(FLEETS))('$name, $depth steps deep', (fleet) => {
    const { states, steps, counterexample } = searchFleet(step, fleet)
    said.push(`${fleet.name}, ${fleet.depth} steps deep: ${states} states, ${steps} steps, no violation`)
    expect(counterexample?.line).toBeUndefined()
  })
})

describe('the search finds a planted fault of the record', { timeout: 120_000 }, () => {
  test.each(FLEET_FAULTS)('$what', ({ what, breaks, in: name, ...edit }) => {
    const reducer = plantReducer([{ file: 'fleet-step.ts', ...edit }])
    const { counterexample } = searchFleet(reducer, FLEETS[name])
    said.push(`planted: ${what}; found: ${counterexample?.line ?? 'nothing'}`)
    expect(counterexample?.property).toBe(breaks)
  })
})
