// Breakers upon breakers, beside the caller's own transports, and taken away again.
import { expect, vi } from 'vitest'
import type { Settings } from '../driver.ts'
import { caught, need, refused } from '../world.ts'
import { COUNTS, OPENS, type Case, type CaseId } from './case.ts'

const onSend = vi.fn<() => void>()

export const layers: readonly Case[] = [
  oneAttempt('54', 'two guarded layers of a board are one attempt', { layers: true }),
  oneAttempt('55', 'a breaker put on twice is one attempt', { twice: true }),
  {
    id: '56',
    name: 'a client made from this one shares its board',
    policy: OPENS,
    async run({ at, client, recorded, server }) {
      const child = need(client.child, 'child')()
      for (const _ of [1, 2]) await child.call(at('/status/503')).catch(() => {})
      await recorded(['failure', 'failure'])
      for (const one of [client, child]) await refused(one.call(at('/ok')))
      expect(server.requests()).toBe(2)
    },
  },
  {
    id: '57',
    name: 'the caller’s own transport runs beneath the breaker',
    policy: OPENS,
    settings: { onSend },
    async run({ at, client, circuit, recorded, status }) {
      onSend.mockClear()
      await status('/ok')
      await recorded(['success'])
      circuit().trip()
      await refused(client.call(at('/ok')))
      expect(onSend).toHaveBeenCalledOnce()
    },
  },
  {
    id: '57b',
    name: 'a transport that one call brings is guarded too',
    policy: OPENS,
    async run({ at, client, circuit, recorded, status }) {
      onSend.mockClear()
      await status('/ok', { onSend })
      await recorded(['success'])
      circuit().trip()
      await refused(client.call(at('/ok'), { onSend }))
      expect(onSend).toHaveBeenCalledOnce()
    },
  },
  {
    id: '58',
    name: 'a breaker that was taken away records and refuses nothing',
    policy: COUNTS,
    async run({ at, client, circuit, recorded }) {
      await client.call(at('/ok'))
      need(client.uninstall, 'uninstall')()
      circuit().isolate()
      await client.call(at('/ok'))
      await recorded(['success'])
    },
  },
]

function oneAttempt(id: CaseId, name: string, settings: Settings): Case {
  return {
    id,
    name,
    policy: { ...OPENS, consecutiveFailures: 3 },
    settings,
    async run({ at, client, circuit, log, recorded, status }) {
      await status('/ok')
      await status('/status/503')
      await caught(client.call(at('/truncate')))
      await caught(client.call(at('/reset-before')))
      await recorded(['success', 'failure', 'failure', 'failure'])
      expect(circuit().state).toBe('open')
      await refused(client.call(at('/ok')))
      expect(log.refusals).toEqual(['open'])
    },
  }
}
