// Redirects: each hop is an attempt of its own, charged to its own host.
import { expect } from 'vitest'
import { caught, refused } from '../world.ts'
import { COUNTS, OPENS, type Case } from './case.ts'

const FOLLOWS = { redirects: 5 }

export const redirects: readonly Case[] = [
  {
    id: '43',
    name: 'a redirect within a host is a verdict for each hop',
    policy: COUNTS,
    settings: FOLLOWS,
    async run({ status, recorded }) {
      expect(await status('/redirect?to=/ok')).toBe(200)
      await recorded(['success', 'success'])
    },
  },
  {
    id: '43b',
    name: 'a redirect to another host is a verdict for each of them',
    policy: COUNTS,
    settings: FOLLOWS,
    async run({ at, status, recorded, server }) {
      expect(await status(`/redirect?to=${server.alias}/ok`)).toBe(200)
      await recorded(['success'], at('/'))
      await recorded(['success'], server.alias)
    },
  },
  {
    id: '44',
    name: 'a redirect to a host that refuses charges that host',
    policy: COUNTS,
    settings: FOLLOWS,
    async run({ at, client, recorded, server }) {
      const closed = await server.closedOrigin()
      await caught(client.call(at(`/redirect?to=${closed}/ok`)))
      await recorded(['success'], at('/'))
      await recorded(['failure'], closed)
    },
  },
  {
    id: '45',
    name: 'a redirect to a host whose circuit is open is refused, and never sent',
    policy: OPENS,
    settings: FOLLOWS,
    async run({ at, client, circuit, recorded, server }) {
      circuit(server.alias).trip()
      expect(await refused(client.call(at(`/redirect?to=${server.alias}/ok`)))).toMatchObject({
        host: `localhost:${server.port}`,
      })
      await recorded(['success'])
      expect([server.requests('/ok'), server.connections]).toEqual([0, 1])
    },
  },
  {
    id: '46',
    name: 'too many redirects are no failure of the host',
    policy: COUNTS,
    settings: FOLLOWS,
    async run({ at, client, log, server }) {
      await client.call(at('/redirect')).catch(() => {})
      expect(server.requests('/redirect')).toBeGreaterThan(5)
      expect(log.counted()).not.toContain('failure')
    },
  },
]
