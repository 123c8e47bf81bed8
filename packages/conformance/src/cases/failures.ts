// No answer at all: whose fault it was.
import { expect } from 'vitest'
import { caught, codesOf } from '../world.ts'
import { COUNTS, type Case, type CaseId } from './case.ts'

export const failures: readonly Case[] = [
  {
    id: '8',
    name: 'a refused connection is a failure',
    policy: COUNTS,
    async run({ client, recorded, server }) {
      const closed = await server.closedOrigin()
      expect(codesOf(await caught(client.call(`${closed}/ok`)))).toContain('ECONNREFUSED')
      await recorded(['failure'], closed)
      expect(server.connections).toBe(0)
    },
  },
  {
    id: '9',
    name: 'a name that does not resolve is a failure',
    policy: COUNTS,
    async run({ client, recorded }) {
      const codes = codesOf(await caught(client.call('http://nope.invalid/ok')))
      expect(codes.some((code) => code === 'ENOTFOUND' || code === 'EAI_AGAIN')).toBe(true)
      await recorded(['failure'], 'http://nope.invalid')
    },
  },
  noHead('10', 'a reset before the head is a failure', '/reset-before'),
  noHead('11', 'a clean close before the head is a failure', '/close-before'),
  noHead('12', 'what is no HTTP is a failure', '/garbage'),
  {
    id: '28',
    name: 'a header that cannot be sent is the mistake of the caller',
    policy: COUNTS,
    async run({ at, client, recorded, server }) {
      await caught(client.call(at('/ok'), { headers: { 'not a name': 'x' } }))
      await recorded([])
      expect(server.requests()).toBe(0)
    },
  },
  {
    id: '28b',
    name: 'a protocol that the client does not speak is the mistake of the caller',
    policy: COUNTS,
    async run({ client, recorded, server }) {
      await caught(client.call(`ftp://127.0.0.1:${server.port}/ok`))
      await recorded([])
      expect(server.connections).toBe(0)
    },
  },
]

function noHead(id: CaseId, name: string, path: string): Case {
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
