// The circuit as it ships, used in every way there is up to a depth; and whether that search would find a fault.
import { afterAll, describe, expect, test } from 'vitest'
import { plant } from '../test/engine.ts'
import { FAULTS } from '../test/planted-faults.ts'
import { SCENARIOS } from '../test/scenarios.ts'
import { search } from '../test/search.ts'
import { createBoard } from './board.ts'

const said: string[] = []
afterAll(() => console.log(said.join('\n')))

// Seconds on an idle machine, many times that on a busy one.
describe('every way to use a circuit keeps what it owes', { timeout: 120_000 }, () => {
  test.each(Object.values(SCENARIOS))('$name, $depth steps deep', (scenario) => {
    const { states, steps, counterexample } = search(createBoard, scenario)
    said.push(`${scenario.name}, ${scenario.depth} steps deep: ${states} states, ${steps} steps, no violation`)
    expect(counterexample?.line).toBeUndefined()
  })
})

describe('the search finds a planted fault', { timeout: 120_000 }, () => {
  test.each(FAULTS)('$what', ({ what, breaks, in: name, ...edit }) => {
    const { counterexample } = search(plant([edit]), SCENARIOS[name])
    said.push(`planted: ${what}; found: ${counterexample?.line ?? 'nothing'}`)
    expect(counterexample?.property).toBe(breaks)
  })
})
