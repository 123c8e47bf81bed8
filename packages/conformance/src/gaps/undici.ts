// The gaps of undici's own API.
import { expect } from 'vitest'
import { refused } from '../world.ts'
import { noBase, passedBy, type Gap } from './gap.ts'

export const UNDICI_GAPS: readonly Gap[] = [
  noBase('undici.request'),
  passedBy('the guarded dispatcher is itself the one that a call brings'),
  {
    id: '58',
    why: 'what was composed stays composed',
    instead: 'a composed dispatcher stays guarded',
    async run({ at, client, circuit, recorded }) {
      expect(client.uninstall).toBeUndefined()
      await client.call(at('/ok'))
      circuit().isolate()
      await refused(client.call(at('/ok')))
      await recorded(['success'])
    },
  },
]
