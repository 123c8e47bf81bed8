// How a program that uses got tests its circuits with nock.
import { circuitOpen, createBoard, isFallback, reply } from '@fuseboard/core'
import { manualClock } from '@fuseboard/core/testing'
import got from 'got'
import nock from 'nock'
import { afterAll, afterEach, expect, test } from 'vitest'
import { breaker } from './breaker.ts'

afterEach(() => nock.cleanAll())
afterAll(() => nock.restore())

test('a host that fails is left alone for a while, and asked again', async () => {
  const clock = manualClock()
  const board = createBoard({ clock, hosts: { 'bible-api.com': { consecutiveFailures: 3, openFor: '30s' } } })
  const client = got.extend(breaker(board), { retry: { limit: 0 } })
  const url = 'https://bible-api.com/john+3:16'
  const host = nock('https://bible-api.com').get('/john+3:16').times(2).reply(503)
  host.get('/john+3:16').replyWithError('The host is gone')
  host.get('/john+3:16').reply(200, { text: 'For God so loved the world' })

  for (const _ of [1, 2, 3]) await expect(client(url)).rejects.toThrow()
  const refusal: unknown = await client(url).catch((error: unknown) => error)
  expect(circuitOpen(refusal)).toMatchObject({ host: 'bible-api.com', retryAfterMs: 30_000 })

  clock.advance(30_000)
  expect(await client(url).json()).toEqual({ text: 'For God so loved the world' })
  expect([board.circuit('bible-api.com').state, host.isDone()]).toEqual(['closed', true])
})

test('a stand-in comes in the place of what nock replies', async () => {
  const host = nock('https://bible-api.com')
    .get('/john+3:16')
    .reply(503, 'down')
    .get('/john+3:17')
    .replyWithError('gone')
  const client = got.extend(breaker({ fallback: reply({ json: { text: '[unavailable]' } }) }))
  for (const verse of ['3:16', '3:17']) {
    const response = await client(`https://bible-api.com/john+${verse}`, { responseType: 'json' })
    expect([response.body, isFallback(response)?.reason]).toEqual([{ text: '[unavailable]' }, 'failed'])
  }
  expect(host.isDone()).toBe(true)
})
