// Answers: what each says of the host, whatever the client makes of it.
import { ANSWERS } from '@fuseboard/core'
import { expect } from 'vitest'
import { caught, need, refused, valuesOf } from '../world.ts'
import { COUNTS, OPENS, type Case } from './case.ts'

export const answers: readonly Case[] = [
  {
    id: '1',
    name: 'a good answer is a success, and the response is of the type of the client',
    policy: COUNTS,
    async run({ at, client, driver, recorded }) {
      const { status, headers, text, native } = await client.call(at('/ok'))
      expect([status, JSON.parse(text)]).toEqual([200, { method: 'GET', count: 1, body: '' }])
      expect(valuesOf(headers, 'set-cookie')).toEqual(['a=1', 'b=2'])
      expect(valuesOf(headers, 'x-multi').join(', ')).toBe('one, two')
      expect(driver.isNative(native)).toBe(true)
      await recorded(['success'])
    },
  },
  {
    id: '2',
    name: 'the body of a request is delivered',
    policy: COUNTS,
    async run({ at, client, recorded }) {
      const body = JSON.stringify({ hello: 'world' })
      const headers = { 'content-type': 'application/json' }
      const { text } = await client.call(at('/ok'), { method: 'POST', headers, body })
      expect(JSON.parse(text)).toEqual({ method: 'POST', count: 1, body })
      await recorded(['success'])
    },
  },
  {
    id: '3',
    name: '500, 502, 503 and 504 are one failure each, and reach the caller',
    policy: COUNTS,
    async run({ status, recorded }) {
      for (const code of [500, 502, 503, 504]) expect(await status(`/status/${code}`)).toBe(code)
      await recorded(['failure', 'failure', 'failure', 'failure'])
    },
  },
  {
    id: '4',
    name: '400, 401 and 404 are successes: the host is alive',
    policy: COUNTS,
    async run({ status, recorded }) {
      for (const code of [400, 401, 404]) expect(await status(`/status/${code}`)).toBe(code)
      await recorded(['success', 'success', 'success'])
    },
  },
  {
    id: '4b',
    name: 'every row of the table of answers holds',
    policy: COUNTS,
    async run({ status, log }) {
      const codes = ANSWERS.map(({ statuses: [from] }) => Math.max(from, 200))
      for (const code of codes) expect(await status(`/status/${code}`, { anyStatus: true })).toBe(code)
      expect(log.verdicts()).toEqual(codes.map((code) => ruleOf(code)?.verdict))
    },
  },
  {
    id: '5',
    name: 'a 429 says nothing of the host, and its Retry-After is the business of the client',
    policy: OPENS,
    async run({ status, log }) {
      expect(await status('/status/429?ra=7', { anyStatus: true })).toBe(429)
      expect(await status('/ok')).toBe(200)
      expect(log.verdicts()).toEqual(['ignored', 'success'])
    },
  },
  {
    id: '5b',
    name: 'under rateLimit pause a 429 refuses until its Retry-After has passed, and then it goes on as before',
    policy: { ...OPENS, rateLimit: 'pause' },
    async run({ at, client, status, circuit, clock, log, server }) {
      await status('/status/429?ra=7', { anyStatus: true })
      expect(await refused(client.call(at('/ok')))).toMatchObject({ reason: 'paused', retryAfterMs: 7_000 })
      clock.advance(6_999)
      expect(await refused(client.call(at('/ok')))).toMatchObject({ reason: 'paused', retryAfterMs: 1 })
      clock.advance(1)
      expect(await status('/ok')).toBe(200)
      expect([circuit().state, server.requests('/ok'), log.refusals]).toEqual(['closed', 1, ['paused', 'paused']])
    },
  },
  {
    id: '5c',
    name: 'a Retry-After that is a date is read against the Date of its own answer',
    policy: { ...OPENS, rateLimit: 'pause' },
    async run({ at, client, status, clock }) {
      clock.advance(3_600_000) // ours is an hour fast
      await status('/status/429?date=7', { anyStatus: true })
      expect(await refused(client.call(at('/ok')))).toMatchObject({ reason: 'paused', retryAfterMs: 7_000 })
    },
  },
  {
    id: '6',
    name: 'the Retry-After of a failure is a floor under the open time, up to maxPause',
    policy: { ...OPENS, consecutiveFailures: 1, maxPause: '60s' },
    async run({ at, client, status, clock }) {
      await status('/status/503?ra=3600')
      expect(await refused(client.call(at('/ok')))).toMatchObject({ reason: 'open', retryAfterMs: 60_000 })
      clock.advance(59_999)
      await refused(client.call(at('/ok')))
      clock.advance(1)
      expect(await status('/ok')).toBe(200)
    },
  },
  {
    id: '7',
    name: 'a 503 that the client tolerates is still a failure',
    policy: COUNTS,
    async run({ status, recorded }) {
      expect(await status('/status/503', { anyStatus: true })).toBe(503)
      await recorded(['failure'])
    },
  },
  {
    id: '7b',
    name: 'a 304 is a success, also where the client rejects it',
    policy: COUNTS,
    async run({ status, recorded }) {
      expect(await status('/status/304')).toBe(304)
      await recorded(['success'])
    },
  },
  {
    id: '26',
    name: 'early hints and the answer after them are one success',
    policy: COUNTS,
    async run({ status, recorded }) {
      expect(await status('/hints')).toBe(200)
      await recorded(['success'])
    },
  },
  {
    id: '26b',
    name: 'early hints say nothing of the answer to come',
    policy: COUNTS,
    async run({ status, recorded }) {
      expect(await status('/hints?code=503')).toBe(503)
      await recorded(['failure'])
    },
  },
  {
    id: '27',
    name: 'a gzip stream that does not unpack is a success: the host answered',
    policy: COUNTS,
    async run({ at, client, recorded }) {
      await client.call(at('/badgzip')).catch(() => {})
      await recorded(['success'])
    },
  },
  {
    id: '27b',
    name: 'JSON that does not parse is a success, and the error is the caller’s to see',
    policy: COUNTS,
    async run({ at, client, recorded }) {
      expect(await caught(client.read(at('/badjson'), 'json'))).toBeInstanceOf(Error)
      await recorded(['success'])
    },
  },
  {
    id: '61',
    name: 'an upgrade is a success as soon as it is accepted',
    policy: COUNTS,
    async run({ at, client, circuit, recorded, server }) {
      const socket = await need(client.upgrade, 'upgrade')(at('/ws'))
      await recorded(['success'])
      expect([circuit().counters.inFlight, server.requests('/ws')]).toEqual([0, 1])
      socket.close()
    },
  },
  {
    id: '61b',
    name: 'an open circuit refuses an upgrade',
    policy: OPENS,
    async run({ at, client, circuit, log, server }) {
      circuit().trip()
      await caught(need(client.upgrade, 'upgrade')(at('/ws')))
      expect([log.refusals, server.connections]).toEqual([['open'], 0])
    },
  },
]

/** The first row of the table that fits. */
const ruleOf = (status: number): (typeof ANSWERS)[number] | undefined =>
  ANSWERS.find(({ statuses: [from, to] }) => from <= status && status <= to)
