// Many calls, calls that nobody looks after, and what comes after the end.
import { setImmediate } from 'node:timers/promises'
import { expect, vi } from 'vitest'
import { insisting } from '../world.ts'
import { COUNTS, type Case } from './case.ts'

const FAULTS = [
  '/reset-before',
  '/close-before',
  '/garbage',
  '/truncate',
  '/reset-mid',
  '/close-mid-chunked',
  '/status/503',
]

export const load: readonly Case[] = [
  {
    id: '59',
    name: 'faults all at once leave nothing unhandled',
    policy: COUNTS,
    async run({ at, client, recorded }) {
      await Promise.allSettled(FAULTS.map((path) => client.call(at(path))))
      await recorded(FAULTS.map(() => 'failure'))
    },
  },
  {
    id: '60',
    name: 'a thousand calls in turn and two hundred at once are counted exactly, and leave no listener',
    policy: COUNTS,
    async run({ circuit, log, server, status }) {
      const { signal } = new AbortController()
      const call = (index: number) => status(index % 2 ? '/status/503' : '/ok', { signal })
      for (let index = 0; index < 1_000; index++) await call(index)
      await Promise.all(Array.from({ length: 200 }, (_, index) => call(index)))

      expect([server.requests('/ok'), server.requests('/status/503')]).toEqual([600, 600])
      expect(circuit().counters).toMatchObject({ successes: 600, failures: 600, refused: 0, inFlight: 0 })
      expect(log.counted()).toHaveLength(1_200)
    },
  },
  {
    id: '62',
    name: 'a retry that gives up after the end of an answer adds no failure',
    policy: COUNTS,
    settings: { retries: 1 },
    async run({ at, client, recorded, server }) {
      await client.call(at('/status/503')).catch(() => {})
      await recorded(['failure', 'failure'])
      expect(server.requests()).toBe(2)
    },
  },
  {
    id: '62b',
    name: 'a connection that breaks after the end of an answer is no failure',
    policy: COUNTS,
    async run({ at, client, recorded, server }) {
      await client.call(at('/ok'))
      for (const socket of server.sockets) socket.resetAndDestroy()
      await vi.waitFor(() => expect(server.sockets.size).toBe(0))
      for (let turn = 0; turn < 10; turn++) await setImmediate()
      await recorded(['success'])
      await insisting(() => client.call(at('/ok')), 1)
    },
  },
]
