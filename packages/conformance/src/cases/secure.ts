// TLS and HTTP/2: what goes wrong there is judged as elsewhere.
import { expect, vi } from 'vitest'
import { secureServer, type SecureServer } from '../secure-server.ts'
import { caught, codesOf, type World } from '../world.ts'
import { COUNTS, type Case, type CaseId } from './case.ts'

interface Spoken {
  readonly id: CaseId
  readonly name: string
  readonly run: (world: World, server: SecureServer) => Promise<Parameters<World['recorded']>[0]>
}

const SPOKEN: readonly Spoken[] = [
  {
    id: '64',
    name: 'an answer over HTTP/2 is a success',
    async run({ client }, { origin }) {
      expect((await client.call(`${origin}/ok`)).text).toBe('{"ok":true}')
      return ['success']
    },
  },
  {
    id: '64b',
    name: 'a GOAWAY after an answer is no failure',
    async run({ client }, server) {
      for (const _ of [1, 2]) {
        expect((await client.call(`${server.origin}/goaway`)).text).toBe('{"ok":true}')
        // A call that crosses the GOAWAY on its way is another matter.
        await vi.waitFor(() => expect(server.connections).toBe(0), { timeout: 2_000, interval: 5 })
      }
      return ['success', 'success']
    },
  },
  failing('64c', 'a GOAWAY in place of an answer is a failure', '/goaway-before'),
  failing('64d', 'a RST_STREAM in place of an answer is a failure', '/rst-before'),
  failing('64e', 'a RST_STREAM in the body is one failure', '/rst-mid'),
]

function failing(id: CaseId, name: string, path: string): Spoken {
  return {
    id,
    name,
    async run({ client }, { origin }) {
      await caught(client.call(origin + path))
      return ['failure']
    },
  }
}

function overHttp2(): readonly Case[] {
  return SPOKEN.map(({ id, name, run }) => ({
    id,
    name,
    policy: COUNTS,
    settings: { http2: true },
    async run(world) {
      const server = await secureServer()
      try {
        await world.recorded(await run(world, server), server.origin)
        expect(new Set(server.protocols)).toEqual(new Set(['2.0']))
      } finally {
        await server.stop()
      }
    },
  }))
}

export const secure: readonly Case[] = [
  {
    id: '63',
    name: 'an expired certificate is a failure',
    policy: COUNTS,
    async run({ client, recorded }) {
      const server = await secureServer({ expired: true })
      try {
        expect(codesOf(await caught(client.call(`${server.origin}/ok`)))).toContain('CERT_HAS_EXPIRED')
        await recorded(['failure'], server.origin)
        expect(server.protocols).toEqual([])
      } finally {
        await server.stop()
      }
    },
  },
  {
    id: '63b',
    name: 'an answer over TLS is a success',
    policy: COUNTS,
    async run({ client, recorded }) {
      const server = await secureServer()
      try {
        expect((await client.call(`${server.origin}/ok`)).text).toBe('{"ok":true}')
        await recorded(['success'], server.origin)
      } finally {
        await server.stop()
      }
    },
  },
  ...overHttp2(),
]
