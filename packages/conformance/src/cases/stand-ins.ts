// Replies that stand in, as the client's own responses.
import { text } from 'node:stream/consumers'
import { setImmediate } from 'node:timers/promises'
import { isFallback, reply, staleIfError, type Policy } from '@fuseboard/core'
import { expect, vi } from 'vitest'
import { valuesOf, type World } from '../world.ts'
import { COUNTS, OPENS, type Case } from './case.ts'

const MADE = { text: '[temporarily unavailable]', list: [1, 2, 3] }
const ANSWERS_ITSELF: Policy = { ...OPENS, fallback: reply({ json: MADE }) }
const LARGE = 'x'.repeat(300_000)

export const standIns: readonly Case[] = [
  {
    id: '47',
    name: 'a made reply is a response of the client’s own type, parsed afresh for each caller',
    policy: ANSWERS_ITSELF,
    async run({ at, client, circuit, driver, server }) {
      circuit().trip()
      const { status, headers, text, native } = await client.call(at('/ok'))
      expect([status, JSON.parse(text), driver.isNative(native)]).toEqual([200, MADE, true])
      expect(valuesOf(headers, 'content-type')[0]).toMatch(/^application\/json/)
      expect(isFallback(native)).toMatchObject({ source: 'made', reason: 'refused' })

      const first = (await client.read(at('/ok'), 'json')) as typeof MADE
      first.list.length = 0
      expect(await client.read(at('/ok'), 'json')).toEqual(MADE)
      expect(server.connections).toBe(0)
    },
  },
  {
    id: '47b',
    name: 'a made reply masks a failed answer, which counts all the same',
    policy: { ...ANSWERS_ITSELF, consecutiveFailures: false },
    async run({ at, client, recorded, server }) {
      const { status, text, native } = await client.call(at('/status/503'))
      expect([status, JSON.parse(text)]).toEqual([200, MADE])
      expect(isFallback(native)).toMatchObject({ source: 'made', reason: 'failed' })
      await recorded(['failure'])
      expect(server.requests()).toBe(1)
    },
  },
  {
    id: '47c',
    name: 'a made reply masks a host that gives no answer, which counts all the same',
    policy: { ...ANSWERS_ITSELF, consecutiveFailures: false },
    async run({ at, client, recorded }) {
      const { status, text } = await client.call(at('/reset-before'))
      expect([status, JSON.parse(text)]).toEqual([200, MADE])
      await recorded(['failure'])
    },
  },
  {
    id: '47d',
    name: 'an answer of the host is no stand-in, and a client error is not masked',
    policy: ANSWERS_ITSELF,
    async run({ at, client, status }) {
      expect(isFallback((await client.call(at('/ok'))).native)).toBeUndefined()
      expect(await status('/status/404')).toBe(404)
    },
  },
  {
    id: '48',
    name: 'two cookies of a reply both survive',
    policy: {
      ...OPENS,
      fallback: reply({
        json: MADE,
        headers: [
          ['set-cookie', 'a=1; Path=/'],
          ['set-cookie', 'b=2; Path=/'],
        ],
      }),
    },
    async run({ at, client, circuit }) {
      circuit().trip()
      const { headers } = await client.call(at('/ok'))
      expect(valuesOf(headers, 'set-cookie')).toEqual(['a=1; Path=/', 'b=2; Path=/'])
    },
  },
  {
    id: '49',
    name: 'a reply to HEAD has its head and no body',
    policy: ANSWERS_ITSELF,
    async run({ at, client, circuit }) {
      circuit().trip()
      const { status, headers, text } = await client.call(at('/ok'), { method: 'HEAD' })
      expect([status, text]).toEqual([200, ''])
      expect(valuesOf(headers, 'content-type')[0]).toMatch(/^application\/json/)
    },
  },
  {
    id: '49b',
    name: 'a reply of 204 has no body',
    policy: { ...OPENS, fallback: reply({ status: 204 }) },
    async run({ at, client, circuit }) {
      circuit().trip()
      expect(await client.call(at('/ok'))).toMatchObject({ status: 204, text: '' })
    },
  },
  {
    id: '50',
    name: 'a large reply reaches a reader who comes late',
    policy: { ...OPENS, fallback: reply({ json: LARGE }) },
    async run({ at, client, circuit }) {
      circuit().trip()
      const { body } = await client.stream(at('/ok'))
      for (let turn = 0; turn < 10; turn++) await setImmediate()
      expect(JSON.parse(await text(body))).toHaveLength(LARGE.length)
    },
  },
  {
    id: '50b',
    name: 'a hundred masked answers leave no busy socket',
    policy: { ...COUNTS, fallback: reply({ json: MADE }) },
    async run({ at, client, log, server }) {
      for (let call = 0; call < 100; call++) {
        expect(await client.call(at('/big?code=503&n=4'))).toMatchObject({ status: 200, text: JSON.stringify(MADE) })
      }
      expect([server.requests(), log.counted().length]).toEqual([100, 100])
      await vi.waitFor(() => expect(server.sockets.size).toBeLessThanOrEqual(2), { timeout: 5_000 })
    },
  },
  {
    id: '51',
    name: 'a reply is read in every form that an answer is',
    policy: ANSWERS_ITSELF,
    async run({ at, client, circuit }) {
      circuit().trip()
      expect(await client.read(at('/ok'), 'json')).toEqual(MADE)
      expect(await client.read(at('/ok'), 'text')).toBe(JSON.stringify(MADE))
      expect(new TextDecoder().decode((await client.read(at('/ok'), 'arrayBuffer')) as ArrayBuffer)).toBe(
        JSON.stringify(MADE),
      )
      expect(await text((await client.stream(at('/ok'))).body)).toBe(JSON.stringify(MADE))
    },
  },
  {
    id: '52',
    name: 'inside the window of stale-if-error a stored answer stands in for a 503',
    policy: { ...COUNTS, fallback: staleIfError() },
    run: (world) => stale(world, { path: '/cache?cc=max-age=1,stale-if-error=60&die=1', after: 30_000, served: true }),
  },
  {
    id: '52b',
    name: 'outside the window the failure shows',
    policy: { ...COUNTS, fallback: staleIfError() },
    run: (world) => stale(world, { path: '/cache?cc=max-age=1,stale-if-error=60&die=1', after: 90_000, served: false }),
  },
  {
    id: '52c',
    name: 'must-revalidate is stronger than stale-if-error',
    policy: { ...COUNTS, fallback: staleIfError() },
    run: (world) =>
      stale(world, {
        path: '/cache?cc=max-age=1,stale-if-error=60,must-revalidate&die=1',
        after: 30_000,
        served: false,
      }),
  },
  {
    id: '52d',
    name: 'a stored answer stands in where there is no answer, by the policy’s permission',
    policy: { ...COUNTS, fallback: staleIfError({ keepFor: '1h' }) },
    run: (world) => stale(world, { path: '/cache?die=reset', after: 30_000, served: true }),
  },
  {
    id: '52e',
    name: 'a stored answer stands in while the circuit is open',
    policy: { ...OPENS, fallback: staleIfError({ keepFor: '1h' }) },
    async run({ at, client, circuit, server }) {
      const { text: fresh } = await client.call(at('/cache'))
      circuit().trip()
      const { text, native } = await client.call(at('/cache'))
      expect([text, isFallback(native)]).toMatchObject([fresh, { source: 'stored', reason: 'refused' }])
      expect(server.requests()).toBe(1)
    },
  },
  {
    id: '53',
    name: 'a hit of the client’s own cache is no attempt, and is served while open',
    policy: OPENS,
    settings: { cache: true },
    async run({ at, client, circuit, log, recorded, server }) {
      const path = at('/cache?cc=max-age=60')
      for (const _ of [1, 2]) await client.call(path)
      await recorded(['success'])
      circuit().trip()
      expect((await client.call(path)).text).toBe('{"count":1}')
      expect([server.requests(), log.refusals]).toEqual([1, []])
    },
  },
]

/** Asks twice, with some time between: the second answer of the host is a failure. */
async function stale(
  { at, client, clock, recorded, status }: World,
  want: { path: string; after: number; served: boolean },
): Promise<void> {
  const { text: fresh } = await client.call(at(want.path))
  clock.advance(want.after)
  if (want.served) {
    const { text, native } = await client.call(at(want.path))
    expect([text, isFallback(native)]).toMatchObject([fresh, { source: 'stored', reason: 'failed' }])
  } else {
    expect(await status(want.path)).toBe(503)
  }
  await recorded(['success', 'failure'])
}
