// Bodies that break, and bodies that nobody wants.
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { expect, vi } from 'vitest'
import { caught } from '../world.ts'
import { COUNTS, type Case, type CaseId } from './case.ts'

export const bodies: readonly Case[] = [
  broken('13', 'truncated content-length: a failure once', '/truncate'),
  broken('14', 'a reset in the body: a failure once', '/reset-mid'),
  broken('15', 'a clean close in a chunked body: a failure once', '/close-mid-chunked'),
  {
    id: '16',
    name: 'a stream that is cut short is a failure, and still tells its reader',
    policy: COUNTS,
    async run({ at, client, recorded }) {
      const { status, body } = await client.stream(at('/truncate'))
      expect(status).toBe(200)
      expect(await caught(text(body))).toBeInstanceOf(Error)
      await recorded(['failure'])
    },
  },
  {
    id: '17',
    name: 'a reader who stops says nothing of the host',
    policy: COUNTS,
    async run({ at, client, recorded, server }) {
      const { body } = await client.stream(at('/big?n=10000'))
      await once(body, 'data')
      body.on('error', () => {}).destroy()
      await vi.waitFor(() => expect(server.sockets.size).toBe(0), { timeout: 5_000 })
      await recorded(['success'])
    },
  },
  {
    id: '18',
    name: 'a body that nobody reads holds no permit',
    policy: COUNTS,
    async run({ at, client, circuit, recorded, server }) {
      const { body } = await client.stream(at('/big?n=10000'))
      body.on('error', () => {}) // the client is closed over it
      await recorded(['success'])
      expect([circuit().counters.inFlight, server.sockets.size]).toEqual([0, 1])
    },
  },
]

function broken(id: CaseId, name: string, path: string): Case {
  return {
    id,
    name,
    policy: COUNTS,
    async run({ at, client, recorded, server }) {
      await caught(client.call(at(path)))
      await recorded(['failure'])
      expect(server.requests(path)).toBe(1)
    },
  }
}
