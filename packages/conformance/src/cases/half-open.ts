// Half-open: one call probes, and whatever becomes of it, its place comes back.
import { expect } from 'vitest'
import { caught, refused, type World } from '../world.ts'
import { OPENS, type Case } from './case.ts'

export const halfOpen: readonly Case[] = [
  {
    id: '37',
    name: 'of five calls at once one probes and four are refused',
    policy: OPENS,
    async run(world) {
      const { at, client, circuit, log, server } = world
      await coolDown(world)
      const calls = Array.from({ length: 5 }, () => client.call(at('/slow-headers?ms=100')))
      const outcomes = await Promise.allSettled(calls)
      expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
      expect(server.requests('/slow-headers')).toBe(1)
      expect([log.refusals, circuit().state]).toEqual([['probing', 'probing', 'probing', 'probing'], 'closed'])
    },
  },
  {
    id: '38',
    name: 'a probe that its caller aborts gives its place back',
    policy: OPENS,
    async run(world) {
      const { at, client, circuit, server, status } = world
      await coolDown(world)
      const controller = new AbortController()
      const probe = caught(client.call(at('/slow-headers'), { signal: controller.signal }))
      await server.asked('/slow-headers')
      expect(await refused(client.call(at('/ok')))).toMatchObject({ reason: 'probing' })
      controller.abort()
      await probe
      expect(circuit().state).toBe('half-open')
      expect([await status('/ok'), circuit().state]).toEqual([200, 'closed'])
    },
  },
  {
    id: '39',
    name: 'a probe whose body breaks opens the circuit again',
    policy: OPENS,
    async run(world) {
      const { at, client, circuit, recorded } = world
      await coolDown(world)
      await caught(client.call(at('/truncate')))
      await recorded(['failure', 'failure', 'failure'])
      expect(circuit().state).toBe('open')
      expect(await refused(client.call(at('/ok')))).toMatchObject({ reason: 'open' })
    },
  },
  {
    id: '40',
    name: 'a probe whose body nobody reads gives its place back at the head',
    policy: OPENS,
    async run(world) {
      const { at, client, circuit, status } = world
      await coolDown(world)
      const { body } = await client.stream(at('/big?n=10000'))
      body.on('error', () => {}) // the client is closed over it
      expect([circuit().state, circuit().counters.inFlight]).toEqual(['closed', 0])
      expect(await status('/ok')).toBe(200)
    },
  },
]

/** Opens the circuit by two failures and lets the open time pass. */
async function coolDown({ status, circuit, clock }: World): Promise<void> {
  for (const _ of [1, 2]) await status('/status/503')
  expect(circuit().state).toBe('open')
  clock.advance(10_000)
  expect(circuit().state).toBe('half-open')
}
