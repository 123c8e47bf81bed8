// The gaps of ky: those of a guarded fetch, but for its base URL, and what becomes of a breaker that is to be taken away.
import ky, { TimeoutError } from 'ky'
import { expect } from 'vitest'
import { caught, refused } from '../world.ts'
import { GUARD_FETCH_GAPS } from './fetch.ts'
import type { Gap } from './gap.ts'

export const KY_GAPS: readonly Gap[] = [
  ...GUARD_FETCH_GAPS.filter(({ id }) => id !== '42d' && id !== '58'),
  {
    id: '58',
    why: 'extend gives a new ky and changes none, and ky takes no hook away again',
    instead: 'the ky that was extended stays as it was',
    async run({ at, client, circuit, recorded }) {
      expect(client.uninstall).toBeUndefined()
      circuit().isolate()
      expect((await ky(at('/ok'))).status).toBe(200)
      await refused(client.call(at('/ok')))
      await recorded([])
    },
  },
  {
    id: '81b',
    why: 'the time limit of ky is around its fetch, and waits for nothing that the fetch may still give',
    instead: 'the time limit of ky is a failure that its caller sees',
    async run({ at, client, recorded, server }) {
      server.own = (_request, response) => void response.end('kept')
      await client.call(at('/own'))
      server.own = () => {}
      expect(await caught(client.call(at('/own')))).toBeInstanceOf(TimeoutError)
      await recorded(['success', 'failure'])
    },
  },
]
