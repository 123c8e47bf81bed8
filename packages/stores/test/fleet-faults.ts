// What a fleet's store must do while the network fails in every way: answer or reject, at the latest when the signal aborts.
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { FleetPlace } from './fleet-places.ts'
import { freshHost, patient, swap } from './fleet-suite.ts'
import { Proxy, type Weather } from './proxy.ts'

export interface FleetFaultSetting {
  readonly name: string
  readonly open: (port: number) => Promise<FleetPlace>
  /** Where the server is. */
  readonly port: () => number
}

/** Where an answer may be as good as any. */
type Ends = 'aborted' | 'rejected' | 'anyhow'

const ENDS: Readonly<Record<Exclude<Weather, 'fair'>, Ends>> = {
  slow: 'aborted',
  'half-open': 'aborted',
  cut: 'rejected',
  'cut answer': 'anyhow',
  garbage: 'rejected',
  'bit rot': 'anyhow',
  down: 'rejected',
}

export function fleetFaultSuite({ name, open, port }: FleetFaultSetting): void {
  describe(`${name}: the store of a fleet, with a network that fails`, () => {
    test.each(Object.entries(ENDS) as [Exclude<Weather, 'fair'>, Ends][])('%s', async (weather, ends) => {
      const proxy = await new Proxy(port()).listen()
      const { store, ...place } = await open(proxy.port)
      onTestFinished(async () => {
        await place[Symbol.asyncDispose]()
        await proxy[Symbol.asyncDispose]()
      })
      const key = freshHost()
      const { version } = await swap(store, key, 0, 'before')

      await proxy.turn(weather)
      const signal = AbortSignal.timeout(100)
      const calls = await Promise.allSettled([
        store.read(key, signal),
        store.swap(key, version, 'meanwhile', { ttl: 3_600_000, notAfter: 9e15, signal }),
      ])
      for (const call of calls) {
        if (ends !== 'anyhow') expect(call.status).toBe('rejected')
        if (ends === 'aborted') expect(call).toMatchObject({ reason: signal.reason as Error })
      }

      await proxy.clear()
      await until(async () => {
        const there = await store.read(key, AbortSignal.timeout(1_000))
        return (await swap(store, key, there.version, 'after')).won
      })
      expect((await store.read(key, patient)).value).toBe('after')
    })
  })
}

/** Clients take their time to connect again. */
export async function until(holds: () => Promise<boolean>): Promise<void> {
  const end = performance.now() + 10_000
  while (!(await holds().catch(() => false))) {
    if (performance.now() > end) throw new Error('it never came about')
    await sleep(20)
  }
}
