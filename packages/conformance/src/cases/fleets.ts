// A board that shares with a fleet: what a request waits for, and how long.
import { setImmediate as turn } from 'node:timers/promises'
import { fleet, type Fleet, type SharedStore } from '@fuseboard/core'
import { memoryStore, type ManualClock } from '@fuseboard/core/testing'
import { expect, vi } from 'vitest'
import { caught } from '../world.ts'
import { OPENS, type Case } from './case.ts'

const TERMS = { trust: 'follow', jitter: 0 } as const
const WAIT = 100

const shared = (clock: ManualClock): Fleet =>
  fleet(
    memoryStore(() => clock.wall()),
    TERMS,
  )

const hangs = (): Promise<never> => new Promise(() => {})
const hanging: SharedStore = { read: hangs, swap: hangs }

export const fleets: readonly Case[] = [
  {
    id: '82',
    name: 'a probe waits for its lease and goes out, where it would be refused without',
    policy: { ...OPENS, fleet: shared },
    async run({ circuit, clock, log, server, status }) {
      for (let i = 0; i < 2; i++) expect(await status('/status/503')).toBe(503)
      expect(circuit().state).toBe('open')
      // The store knows of it, by now.
      for (let i = 0; i < 10; i++) await turn()
      clock.advance(10_000)
      expect([await status('/ok'), log.refusals, server.requests('/ok')]).toEqual([200, [], 1])
      expect(circuit().state).toBe('closed')
    },
  },
  {
    id: '82b',
    name: 'a store that hangs holds a call for no longer than it may',
    policy: { fleet: () => fleet(hanging, { ...TERMS, wait: WAIT }) },
    async run({ clock, server, status }) {
      const first = status('/ok')
      for (let i = 0; i < 10; i++) await turn()
      expect(server.requests()).toBe(0)
      clock.advance(WAIT)
      expect([await first, await status('/ok'), server.requests()]).toEqual([200, 200, 2])
    },
  },
  {
    id: '82c',
    name: 'a caller who gives up meanwhile is told so, and holds no place',
    policy: { fleet: () => fleet(hanging, { ...TERMS, wait: WAIT }) },
    async run({ at, circuit, client, clock, recorded }) {
      const controller = new AbortController()
      const call = caught(client.call(at('/ok'), { signal: controller.signal }))
      for (let i = 0; i < 10; i++) await turn()
      controller.abort()
      clock.advance(WAIT)
      expect(await call).toBeInstanceOf(Error)
      await vi.waitFor(() => expect(circuit().counters.inFlight).toBe(0))
      await recorded([])
    },
  },
]
