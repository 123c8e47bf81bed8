// What a request must not notice: the network between a store and its client failing in every way, by a proxy between the two.
import { describe, expect, onTestFinished, test } from 'vitest'
import { makeClient, type Client } from './client.ts'
import { startOrigin, type Origin } from './origin.ts'
import type { Place, Target } from './places.ts'
import { Proxy, type Weather } from './proxy.ts'

export interface FaultSetting {
  readonly name: string
  readonly open: (port: Target) => Promise<Place>
  /** Where the server is. */
  readonly port: () => number
  /** What `staleIfError` may be told of a read in each weather; where there is nothing, the miss is silent. */
  readonly told: Readonly<Record<Exclude<Weather, 'fair'>, RegExp | 'silent'>>
}

export function faultSuite({ name, open, port, told }: FaultSetting): void {
  describe(`${name}, with a network that fails`, () => {
    test.each(Object.entries(told) as [Exclude<Weather, 'fair'>, RegExp | 'silent'][])('%s', async (weather, fault) => {
      const { origin, client, proxy } = await begin(open, port())

      origin.status = 503
      expect((await client.fetch(origin.url)).status, 'in fair weather').toBe(200)
      expect(client.faults).toEqual([])

      await proxy.turn(weather)
      expect((await client.fetch(origin.url)).status, 'as without a store').toBe(503)
      if (fault === 'silent') expect(client.faults).toEqual([])
      else expect(client.faults[0]).toMatch(fault)

      origin.status = 200
      const answer = await client.fetch(origin.url)
      expect([answer.status, (await answer.arrayBuffer()).byteLength]).toEqual([200, 2_048])

      await proxy.clear()
      origin.status = 503
      await until(async () => (await client.fetch(origin.url)).status === 200)
    })
  })
}

async function begin(
  open: FaultSetting['open'],
  port: number,
): Promise<{ origin: Origin; client: Client; proxy: Proxy }> {
  const proxy = await new Proxy(port).listen()
  const [place, origin] = await Promise.all([open(proxy.port), startOrigin()])
  onTestFinished(async () => {
    await place[Symbol.asyncDispose]()
    await Promise.all([origin[Symbol.asyncDispose](), proxy[Symbol.asyncDispose]()])
  })
  const client = makeClient(place.store, () => Date.now())
  await (await client.fetch(origin.url)).arrayBuffer()
  await client.written(1)
  return { origin, client, proxy }
}

/** Clients take their time to connect again. */
async function until(holds: () => Promise<boolean>): Promise<void> {
  const end = performance.now() + 10_000
  while (!(await holds())) {
    if (performance.now() > end) throw new Error('it never came about')
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}
