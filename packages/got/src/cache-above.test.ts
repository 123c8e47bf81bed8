// got's own cache above the breaker: what stands in during an outage is not what it answers with after it.
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createBoard, isFallback, reply, staleIfError } from '@fuseboard/core'
import { manualClock } from '@fuseboard/core/testing'
import got from 'got'
import { describe, expect, onTestFinished, test } from 'vitest'
import { breaker } from './breaker.ts'

/** What the host says of how long its answers are good for. */
const HOSTS = {
  'that says nothing': undefined,
  'that says when its answers were changed': 'public',
  'whose answers are stale': 'max-age=1, stale-if-error=3600',
  'whose answers are fresh yet': 'max-age=3600',
} as const

describe.each(Object.entries(HOSTS))('over a host %s', (_name, control) => {
  test('it gives the stand-in to who asks in the outage, and the host’s own answer after it', async () => {
    const { host, plain, cached } = await outage(control)
    await plain(host.url)
    host.goDown()
    const response = await cached(host.url)
    expect([response.body, isFallback(response)?.source]).toEqual(['answer 1', 'stored'])
    host.recover()
    expect(await cached(host.url).text()).toBe('answer 2')
  })
})

test('of what is kept nowhere, a made reply is not kept either', async () => {
  const { host, cached } = await outage(undefined)
  host.goDown()
  expect(await cached(host.url).text()).toBe('made')
  host.recover()
  expect(await cached(host.url).text()).toBe('answer 1')
})

test('an entry of its own that has gone stale does not hide the host’s answer after the outage', async () => {
  const { host, cached } = await outage('max-age=0, stale-if-error=3600')
  await cached(host.url)
  host.goDown()
  expect(await cached(host.url).text()).toBe('answer 1')
  host.recover()
  expect(await cached(host.url).text()).toBe('answer 2')
})

/** An instance with the breaker, and one with the cache above it besides, on one board. */
async function outage(control: string | undefined) {
  let well = true
  let count = 0
  const server = createServer((_request, response) => {
    if (!well) return void response.writeHead(503).end('down')
    if (control !== undefined) response.setHeader('cache-control', control)
    if (control === 'public') response.setHeader('last-modified', new Date(0).toUTCString())
    response.end(`answer ${++count}`)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    server.close()
    server.closeAllConnections()
  })
  const clock = manualClock()
  const fallback = [staleIfError({ keepFor: '1h' }), reply({ text: 'made' })]
  const board = createBoard({ failureRate: false, consecutiveFailures: false, clock, fallback })
  const plain = got.extend({ retry: { limit: 0 } }, breaker(board))
  return {
    host: {
      url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
      goDown() {
        well = false
        clock.advance(30_000)
      },
      recover() {
        well = true
      },
    },
    plain,
    cached: plain.extend({ cache: new Map() }),
  }
}
