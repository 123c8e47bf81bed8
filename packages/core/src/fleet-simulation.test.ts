// Fleets as they ship, on virtual time: what they owe is kept; and whether a simulation would find that it is not.
import { describe, expect, test } from 'vitest'
import { EventLoop } from '../test/simulation/event-loop.ts'
import { broken } from '../test/simulation/properties.ts'
import type { Scenario } from '../test/simulation/scenario.ts'
import { outages, sickOnes, troubles } from '../test/simulation/scenarios.ts'
import { simulate } from '../test/simulation/simulation.ts'

const brokenIn = async (scenario: Scenario): Promise<string[]> => broken(scenario, await simulate(scenario))

const named = (scenarios: readonly Scenario[], name: string): Scenario =>
  scenarios.find((one) => one.name === name) as Scenario

// A second or two on an idle machine, many times that on a busy one.
describe('a fleet keeps what it owes', { timeout: 60_000 }, () => {
  test.each(outages(100))('in an outage that $size instances meet: $name', async (scenario) => {
    expect(await brokenIn(scenario)).toEqual([])
  })

  test.each(troubles(30))('in trouble: $name', async (scenario) => {
    expect(await brokenIn(scenario)).toEqual([])
  })

  test.each(sickOnes(100))('with one sick instance: $name', async (scenario) => {
    expect(await brokenIn(scenario)).toEqual([])
  })
})

describe('a simulation finds what is not kept', { timeout: 60_000 }, () => {
  test('where the store lets two writes win, there are more probes than places', async () => {
    const follow = named(outages(100), 'follow, no jitter')
    expect(await brokenIn({ ...follow, store: { lax: true } })).toEqual([expect.stringMatching(/^P2: \d+ probes/)])
  })

  test('where nobody waits for a moment of its own, everyone writes', async () => {
    const crowd = named(outages(1_000), 'follow, no jitter')
    expect(await brokenIn({ ...crowd, holds: ['P8'] })).toEqual([expect.stringMatching(/^P8: \d+ writes/)])
  })

  test('where all follow one, a sick one stops all', async () => {
    const sick = named(sickOnes(30), 'corroborate; 0 % of errors')
    const followed = await simulate({ ...sick, terms: { trust: 'follow' } })
    expect(broken(sick, followed)).toEqual([expect.stringMatching(/^P10: .* refused/)])
  })

  test('where old views are good enough, calls go on while the fleet is open', async () => {
    const follow = named(outages(100), 'follow, half seldom called')
    const trusting = await simulate({ ...follow, terms: { trust: 'follow', staleAfter: '20s' } })
    expect(broken({ ...follow, holds: ['P1'] }, trusting)).toEqual([expect.stringMatching(/^P1: an ordinary call/)])
  })

  test('where instances look more often than they say', async () => {
    const follow = named(outages(10), 'follow')
    const often = await simulate({ ...follow, terms: { trust: 'follow', refresh: '200ms' } })
    expect(broken({ ...follow, holds: ['P5'] }, often)).toEqual([expect.stringMatching(/^P5: .* reads a second/)])
  })

  test('where a call waits too long, or a circuit stays open', async () => {
    const follow = named(outages(10), 'follow')
    const figures = { ...(await simulate(follow)), longestWait: 101, closedAfter: undefined, healthyWrites: 1 }
    expect(broken(follow, figures).map((fault) => fault.slice(0, 2))).toEqual(['P5', 'P6', 'P7'])
  })
})

describe('virtual time', () => {
  test('brings what was asked for in its order, and after what needs no time', async () => {
    const loop = new EventLoop()
    const seen: string[] = []
    const see = (what: string) => () => void seen.push(`${loop.now} ${what}`)
    loop.after(30, see('last'))
    loop.after(10, () => void Promise.resolve().then(() => loop.after(5, see('asked for by a promise'))))
    loop.after(20, see('first of two'))
    loop.after(20, see('second of two'))
    loop.after(25, see('never'))()
    await loop.runTo(100)
    expect(seen).toEqual(['15 asked for by a promise', '20 first of two', '20 second of two', '30 last'])
    expect(loop.now).toBe(100)
  })

  test('is the same each time it is run with one seed, and another with another', async () => {
    const follow = named(outages(10), 'follow')
    const figures = await simulate(follow, 7)
    expect(await simulate(follow, 7)).toEqual(figures)
    expect(await simulate(follow, 8)).not.toEqual(figures)
  })
})
