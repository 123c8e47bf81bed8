// Policies as they ship against a host in trouble, on virtual time, one seed each: what the documents say of them is borne out.
import { beforeAll, describe, expect, test } from 'vitest'
import { BusyHost, type End } from '../test/simulation/busy-host.ts'
import { CLAIMS, unborne, type AllResults } from '../test/simulation/claims.ts'
import { EventLoop } from '../test/simulation/event-loop.ts'
import { POLICIES, resultsOf } from '../test/simulation/policies.ts'

describe('policies in a brownout, an outage and a cold start', { timeout: 60_000 }, () => {
  let all: AllResults
  beforeAll(async () => {
    const entries = Object.entries(POLICIES).map(async ([name, policy]) => [name, await resultsOf(policy, [1])])
    all = Object.fromEntries(await Promise.all(entries)) as AllResults
  }, 60_000)

  test('bear out what is said of them', () => {
    expect(unborne(all)).toEqual([])
  })

  test('would not, were they all alike', () => {
    const alike = Object.fromEntries(Object.keys(all).map((name) => [name, all['the defaults']])) as AllResults
    expect(unborne(alike).length).toBeGreaterThan(CLAIMS.length / 2)
  })

  test('are asked alike: what is sent and what is refused is all that came', () => {
    const asked = Object.values(all).map(({ brownout }) => brownout.successes + brownout.failures + brownout.refused)
    expect(new Set(asked).size).toBe(1)
    expect(asked[0]).toBeGreaterThan(11_500)
  })

  test('come out the same each time with one seed', async () => {
    expect(await resultsOf(POLICIES['throttle 2'], [1])).toEqual(all['throttle 2'])
  })
})

describe('a host that does one thing after the other', () => {
  async function asked(times: readonly number[], host: ConstructorParameters<typeof BusyHost>[0]): Promise<string[]> {
    const loop = new EventLoop()
    const busy = new BusyHost(host, loop)
    const ends: string[] = []
    const see = (end: End): void => void ends.push(`${end} at ${loop.now}`)
    for (const at of times) loop.after(at, () => busy.ask(see))
    await loop.runTo(10_000)
    return ends
  }

  test('answers in turn, and does for nobody what has waited for too long', async () => {
    const ends = await asked([0, 0, 0, 1_200], { capacity: () => 2 })
    expect(ends).toEqual(['answered at 510', 'timed-out at 1000', 'timed-out at 1000', 'answered at 2010'])
  })

  test('loses what it had when it goes down, refuses while it is, and is idle when it is back', async () => {
    const ends = await asked([0, 90, 150, 200], { capacity: () => 20, down: [100, 200] })
    expect(ends).toEqual(['answered at 60', 'refused at 100', 'refused at 160', 'answered at 260'])
  })
})
