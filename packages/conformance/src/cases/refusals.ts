// Attempts and refusals: each attempt counts, and a refusal is final.
import { once } from 'node:events'
import { Readable } from 'node:stream'
import { circuitOpen } from '@fuseboard/core'
import { expect, vi } from 'vitest'
import { caught, codesOf, insisting, need, refused } from '../world.ts'
import { COUNTS, OPENS, type Case } from './case.ts'

// The client may set a time limit of its own, as long as it clears it.
const TIMERS: ('setTimeout' | 'clearTimeout' | 'setInterval' | 'clearInterval')[] = [
  'setTimeout',
  'clearTimeout',
  'setInterval',
  'clearInterval',
]

export const refusals: readonly Case[] = [
  {
    id: '29',
    name: 'each attempt of a retry counts',
    policy: COUNTS,
    settings: { retries: 3 },
    async run({ status, recorded, server }) {
      expect(await status('/flaky?fail=2')).toBe(200)
      await recorded(['failure', 'failure', 'success'])
      expect(server.requests('/flaky')).toBe(3)
    },
  },
  {
    id: '30',
    name: 'a circuit that opens during retries ends them',
    policy: OPENS,
    settings: { retries: 5 },
    async run({ at, client, log, server }) {
      await refused(client.call(at('/status/503')))
      expect([server.requests(), log.refusals]).toEqual([2, ['open']])
    },
  },
  {
    id: '31',
    name: 'an open circuit refuses at once: no socket, no request, no timer',
    policy: OPENS,
    async run({ at, client, circuit, log, server }) {
      circuit().trip()
      vi.useFakeTimers({ toFake: TIMERS })
      await refused(client.call(at('/ok')))
      expect([vi.getTimerCount(), server.connections, server.requests(), log.refusals]).toEqual([0, 0, 0, ['open']])
    },
  },
  {
    id: '32',
    name: 'a refusal is of the client’s own kind, and tells what it is',
    policy: OPENS,
    async run({ at, client, circuit, driver, server }) {
      circuit().trip('10s')
      const error = await caught(client.call(at('/ok')))
      expect(driver.isOwnRefusal(error)).toBe(true)
      expect(codesOf(error)).toContain('EOPENBREAKER')
      const host = `127.0.0.1:${server.port}`
      expect(circuitOpen(error)).toMatchObject({ key: host, host, label: host, reason: 'open', retryAfterMs: 10_000 })
    },
  },
  {
    id: '33',
    name: 'the client’s own retry does not ask an open circuit again',
    policy: OPENS,
    settings: { retries: 3 },
    async run({ at, client, circuit, log }) {
      circuit().trip()
      await refused(client.call(at('/ok')))
      expect(log.refusals).toEqual(['open'])
    },
  },
  {
    id: '33b',
    name: 'a retry around the client can tell a refusal from a failure',
    policy: OPENS,
    async run({ at, client, circuit, log }) {
      circuit().trip()
      await refused(insisting(() => client.call(at('/ok')), 3))
      expect(log.refusals).toEqual(['open'])
    },
  },
  {
    id: '34',
    name: 'a refusal waits for no backoff',
    policy: OPENS,
    settings: { retries: 'default' },
    async run({ at, client, circuit, server }) {
      circuit().trip()
      vi.useFakeTimers({ toFake: TIMERS }) // a backoff would never end
      await refused(client.call(at('/ok')))
      expect([vi.getTimerCount(), server.requests()]).toEqual([0, 0])
    },
  },
  {
    id: '35',
    name: 'a refused request with a stream for its body does not hang, and what becomes of the stream is known',
    policy: OPENS,
    async run({ at, client, circuit, driver, server }) {
      circuit().trip()
      const body = Readable.from(['some ', 'text'])
      await refused(client.call(at('/ok'), { method: 'POST', body }))
      await vi.waitFor(() => expect(body.destroyed).toBe(driver.refusedBody === 'destroyed'))
      expect(server.connections).toBe(0)
    },
  },
  {
    id: '36',
    name: 'the API that gives a stream at once tells of a refusal after listeners had time to attach',
    policy: OPENS,
    async run({ at, client, circuit, server }) {
      circuit().trip()
      const stream = need(client.pipeline, 'pipeline')(at('/ok'))
      const [error] = await once(stream, 'error')
      expect(circuitOpen(error)).toBeDefined()
      expect(server.connections).toBe(0)
    },
  },
]
