// axios-cache-interceptor above the breaker: what stands in during an outage is not what it answers with after it.
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createBoard, isFallback, reply, staleIfError } from '@fuseboard/core'
import { manualClock } from '@fuseboard/core/testing'
import axios from 'axios'
import { setupCache, type CacheOptions } from 'axios-cache-interceptor'
import { describe, expect, onTestFinished, test } from 'vitest'
import { breaker } from './index.ts'

/** What the host says of how long its answers are good for. */
const HOSTS = {
  'that says nothing': undefined,
  'whose answers are stale': 'max-age=1, stale-if-error=3600',
  'whose answers are fresh yet': 'max-age=3600',
} as const

describe.each(['before', 'after'] as const)('put on %s the breaker', (order) => {
  describe.each(Object.entries(HOSTS))('over a host %s', (_name, control) => {
    test('it gives the stand-in to who asks in the outage, and the host’s own answer after it', async () => {
      const { host, plain, cached } = await outage(control, order)
      await plain.get(host.url)
      host.goDown()
      const { data, headers } = await cached.get<string>(host.url)
      expect([data, isFallback({ headers })?.source]).toEqual(['answer 1', 'stored'])
      host.recover()
      expect((await cached.get(host.url)).data).toBe('answer 2')
    })

    test('many who ask at once in the outage have the stand-in, and none of them has it after it', async () => {
      const { host, plain, cached } = await outage(control, order)
      await plain.get(host.url)
      host.goDown()
      const answers = await Promise.all([1, 2, 3].map(() => cached.get<string>(host.url)))
      expect(answers.map(({ data }) => data)).toEqual(['answer 1', 'answer 1', 'answer 1'])
      host.recover()
      expect((await cached.get(host.url)).data).toBe('answer 2')
    })
  })

  test('of what is kept nowhere, a made reply is not kept either', async () => {
    const { host, cached } = await outage(undefined, order)
    host.goDown()
    expect((await cached.get(host.url)).data).toBe('made')
    host.recover()
    expect((await cached.get(host.url)).data).toBe('answer 1')
  })

  test('as it comes it asks for what no store has had, so nothing stored stands in and nothing is stored', async () => {
    const { host, plain, cached } = await outage('max-age=1', order, { cacheTakeover: true })
    await plain.get(host.url)
    host.goDown()
    expect((await cached.get(host.url)).data).toBe('made')
    host.recover()
    expect((await cached.get(host.url)).data).toBe('answer 2')
  })

  test('an entry of its own that has gone stale does not hide the host’s answer after the outage', async () => {
    const { host, cached } = await outage('max-age=0, stale-if-error=3600', order, { staleIfError: true })
    await cached.get(host.url)
    host.goDown()
    expect((await cached.get(host.url)).data).toBe('answer 1')
    host.recover()
    expect((await cached.get(host.url)).data).toBe('answer 2')
  })
})

/** A client with the breaker, and one with the cache above it besides, on one board. */
async function outage(control: string | undefined, order: 'before' | 'after', options: CacheOptions = {}) {
  let well = true
  let count = 0
  const server = createServer((_request, response) => {
    if (!well) return void response.writeHead(503).end('down')
    if (control !== undefined) response.setHeader('cache-control', control)
    response.end(`answer ${++count}`)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    server.close()
    server.closeAllConnections()
  })
  const name = `127.0.0.1:${(server.address() as AddressInfo).port}`
  const clock = manualClock()
  const fallback = [staleIfError({ keepFor: '1h' }), reply({ text: 'made' })]
  const board = createBoard({ failureRate: false, consecutiveFailures: false, clock, fallback })
  const cached = axios.create()
  if (order === 'after') breaker(board)(cached)
  // What it asks of hosts as it comes, no caller of a stored reply may ask.
  setupCache(cached, { cacheTakeover: false, ...options })
  if (order === 'before') breaker(board)(cached)
  return {
    host: {
      url: `http://${name}/`,
      goDown() {
        well = false
        clock.advance(30_000)
      },
      recover() {
        well = true
      },
    },
    plain: breaker(board)(axios.create()),
    cached,
  }
}
