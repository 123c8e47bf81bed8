// Which circuit a request belongs to.
import { expect } from 'vitest'
import { refused, type World } from '../world.ts'
import { COUNTS, OPENS, type Case } from './case.ts'

export const hosts: readonly Case[] = [
  {
    id: '41',
    name: 'a host that is down does not touch its neighbour',
    policy: OPENS,
    async run({ client, circuit, status, server }) {
      for (const _ of [1, 2]) await client.call(`${server.alias}/status/503`).catch(() => {})
      await refused(client.call(`${server.alias}/ok`))
      expect([await status('/ok'), circuit(server.alias).state, circuit().state]).toEqual([200, 'open', 'closed'])
    },
  },
  {
    id: '42',
    name: 'one host has one circuit, however its name is written',
    policy: OPENS,
    async run(world) {
      const { port } = world.server
      await oneCircuit(world, `localhost:${port}`, [
        `HTTP://LOCALHOST:${port}/ok`,
        `http://LocalHost:${port}/?q#f`,
        `http://localhost.:${port}/ok`,
      ])
      await oneCircuit(world, '127.0.0.1', ['http://127.0.0.1/ok', 'http://127.0.0.1:80/ok'])
    },
  },
  {
    id: '42b',
    name: 'credentials in a URL are no part of the host',
    policy: COUNTS,
    async run({ client, recorded, server }) {
      await client.call(`http://user:secret@localhost:${server.port}/ok`)
      await recorded(['success'], server.alias)
    },
  },
  {
    id: '42c',
    name: 'one IPv6 address has one circuit',
    policy: OPENS,
    run: (world) => oneCircuit(world, '[::1]:8080', ['http://[::1]:8080/ok', 'http://[0:0:0:0:0:0:0:1]:8080/ok']),
  },
  {
    id: '42d',
    name: 'a path is relative to the base URL, and an absolute URL is not',
    policy: COUNTS,
    settings: { base: 'http://nope.invalid' },
    async run({ at, client, recorded }) {
      await client.call('/ok').catch(() => {})
      await client.call(at('/ok'))
      await recorded(['failure'], 'http://nope.invalid')
      await recorded(['success'], at('/'))
    },
  },
]

/** Isolates a circuit and finds each of the URLs refused by it. */
async function oneCircuit({ board, client, server }: World, key: string, urls: readonly string[]): Promise<void> {
  board.circuit(key).isolate()
  for (const url of urls) expect(await refused(client.call(url))).toMatchObject({ key, reason: 'isolated' })
  expect(server.connections).toBe(0)
}
