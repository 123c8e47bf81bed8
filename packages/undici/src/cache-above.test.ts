// undici's cache interceptor above the breaker: what stands in during an outage is not what it answers with after it.
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createBoard, isFallback, reply, staleIfError } from '@fuseboard/core'
import { manualClock } from '@fuseboard/core/testing'
import { Agent, cacheStores, interceptors, request, type Dispatcher } from 'undici'
import { describe, expect, onTestFinished, test } from 'vitest'
import { breaker } from './breaker.ts'

/** What the host says of how long its answers are good for. */
const HOSTS = {
  'that says nothing': undefined,
  'whose answers are stale': 'max-age=1, stale-if-error=3600',
  'whose answers are fresh yet': 'max-age=3600',
} as const

const CACHES = {
  'as it comes': {},
  'of one caller': { type: 'private' },
  'that keeps what says nothing': { cacheByDefault: 3_600_000 },
} as const

describe.each(Object.entries(CACHES))('a cache %s', (_name, options) => {
  describe.each(Object.entries(HOSTS))('over a host %s', (_name, control) => {
    test('gives the stand-in to who asks in the outage, and the host’s own answer after it', async () => {
      const { host, plain, cached } = await outage(control, options)
      await ask(host.url, plain)
      host.goDown()
      expect(await ask(host.url, cached)).toEqual(['answer 1', 'stored'])
      host.recover()
      expect(await ask(host.url, cached)).toEqual(['answer 2', undefined])
    })
  })

  test('does not keep a made reply', async () => {
    const { host, cached } = await outage(undefined, options)
    host.goDown()
    expect(await ask(host.url, cached)).toEqual(['made', 'made'])
    host.recover()
    expect(await ask(host.url, cached)).toEqual(['answer 1', undefined])
  })

  test('has an entry of its own that has gone stale, which does not hide the host’s answer after the outage', async () => {
    const { host, cached } = await outage('max-age=0, stale-if-error=3600', options)
    await ask(host.url, cached)
    host.goDown()
    expect((await ask(host.url, cached))[0]).toBe('answer 1')
    host.recover()
    expect(await ask(host.url, cached)).toEqual(['answer 2', undefined])
  })
})

async function ask(url: string, dispatcher: Dispatcher): Promise<[text: string, source: string | undefined]> {
  const data = await request(url, { dispatcher })
  return [await data.body.text(), isFallback(data)?.source]
}

/** A dispatcher with the breaker, and one with the cache above it besides, on one board. */
async function outage(control: string | undefined, options: Parameters<typeof interceptors.cache>[0]) {
  let well = true
  let count = 0
  const server = createServer((_request, response) => {
    if (!well) return void response.writeHead(503).end('down')
    if (control !== undefined) response.setHeader('cache-control', control)
    response.end(`answer ${++count}`)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const agent = new Agent()
  onTestFinished(async () => {
    await agent.destroy()
    server.close()
  })
  const clock = manualClock()
  const fallback = [staleIfError({ keepFor: '1h' }), reply({ text: 'made' })]
  const board = createBoard({ failureRate: false, consecutiveFailures: false, clock, fallback })
  const store = new cacheStores.MemoryCacheStore()
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
  return {
    host: {
      url,
      goDown() {
        well = false
        clock.advance(30_000)
      },
      recover() {
        well = true
      },
    },
    plain: agent.compose(breaker(board)),
    cached: agent.compose(breaker(board), interceptors.cache({ store, ...options })),
  }
}
