// The gaps of got's promises and streams.
import { expect } from 'vitest'
import type { CaseId } from '../cases/case.ts'
import { refused } from '../world.ts'
import type { Gap } from './gap.ts'

export const GOT_STREAM_GAPS: readonly Gap[] = [
  {
    id: '58',
    why: 'what was extended stays extended',
    instead: 'an extended instance stays guarded',
    async run({ at, client, circuit, recorded }) {
      expect(client.uninstall).toBeUndefined()
      await client.call(at('/ok'))
      circuit().isolate()
      await refused(client.call(at('/ok')))
      await recorded(['success'])
    },
  },
]

/** got's promises stand for an answer to read, and tell nobody of an upgrade. */
export const GOT_GAPS: readonly Gap[] = [...GOT_STREAM_GAPS, noUpgrade('61'), noUpgrade('61b')]

function noUpgrade(id: CaseId): Gap {
  return {
    id,
    why: 'a promise of got is an answer to read, and tells of no upgrade',
    instead: 'a promise has no upgrade, and what is refused is refused to it as any call',
    async run({ at, client, circuit, server }) {
      expect(client.upgrade).toBeUndefined()
      circuit().trip()
      await refused(client.call(at('/ws'), { headers: { connection: 'upgrade', upgrade: 'echo' } }))
      expect(server.connections).toBe(0)
    },
  }
}
