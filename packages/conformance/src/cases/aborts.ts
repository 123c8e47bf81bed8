// Time limits and callers who give up.
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { expect } from 'vitest'
import { caught } from '../world.ts'
import { COUNTS, type Case } from './case.ts'

const PATIENCE = 80

export const aborts: readonly Case[] = [
  {
    id: '19',
    name: 'the time limit of the client before the head is a failure',
    policy: COUNTS,
    settings: { timeout: PATIENCE },
    async run({ at, client, recorded }) {
      await caught(client.call(at('/slow-headers')))
      await recorded(['failure'])
    },
  },
  {
    id: '20',
    name: 'the time limit of the client in the body is a failure once',
    policy: COUNTS,
    settings: { timeout: PATIENCE },
    async run({ at, client, recorded }) {
      await caught(client.call(at('/slow-body')))
      await recorded(['failure'])
    },
  },
  {
    id: '21',
    name: 'a caller who aborts before the head says nothing of the host',
    policy: COUNTS,
    async run({ at, client, circuit, recorded, server }) {
      const controller = new AbortController()
      const call = caught(client.call(at('/slow-headers'), { signal: controller.signal }))
      await server.asked('/slow-headers')
      expect(circuit().counters.inFlight).toBe(1)
      controller.abort()
      await call
      await recorded([])
      expect(circuit().counters.inFlight).toBe(0)
    },
  },
  {
    id: '21b',
    name: 'a caller who aborts after abandonedAfter without a head timed out by hand: a failure',
    policy: { ...COUNTS, abandonedAfter: '5s' },
    async run({ at, client, clock, recorded, server }) {
      const controller = new AbortController()
      const call = caught(client.call(at('/slow-headers'), { signal: controller.signal }))
      await server.asked('/slow-headers')
      clock.advance(5_000)
      controller.abort()
      await call
      await recorded(['failure'])
    },
  },
  {
    id: '22',
    name: 'a caller who aborts in the body says nothing of the host',
    policy: COUNTS,
    async run({ at, client, recorded }) {
      const controller = new AbortController()
      const { body } = await client.stream(at('/slow-body'), { signal: controller.signal })
      await once(body, 'data')
      const end = caught(text(body))
      controller.abort()
      await end
      await recorded(['success'])
    },
  },
  {
    id: '22b',
    name: 'an abort in the body with a reason of the caller’s own says nothing of the host',
    policy: COUNTS,
    async run({ at, client, recorded }) {
      const controller = new AbortController()
      const { body } = await client.stream(at('/slow-body'), { signal: controller.signal })
      await once(body, 'data')
      const end = caught(text(body))
      controller.abort(new Error('Changed my mind'))
      await end
      await recorded(['success'])
    },
  },
  {
    id: '23',
    name: 'AbortSignal.timeout before the head is a failure',
    policy: COUNTS,
    async run({ at, client, recorded }) {
      await caught(client.call(at('/slow-headers'), { signal: AbortSignal.timeout(PATIENCE) }))
      await recorded(['failure'])
    },
  },
  {
    id: '24',
    name: 'AbortSignal.timeout in the body is a failure once',
    policy: COUNTS,
    async run({ at, client, recorded }) {
      const { body } = await client.stream(at('/slow-body'), { signal: AbortSignal.timeout(PATIENCE) })
      await caught(text(body))
      await recorded(['failure'])
    },
  },
  {
    id: '25',
    name: 'a signal that had aborted before sends nothing and counts nothing',
    policy: COUNTS,
    async run({ at, client, recorded, server }) {
      await caught(client.call(at('/ok'), { signal: AbortSignal.abort() }))
      await recorded([])
      expect(server.requests()).toBe(0)
    },
  },
]
