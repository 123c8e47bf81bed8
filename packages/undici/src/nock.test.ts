// How a program that uses undici tests its circuits with nock.
import { circuitOpen, createBoard } from '@fuseboard/core'
import nock from 'nock'
import { Agent, request } from 'undici'
import { afterEach, expect, test } from 'vitest'
import { breaker } from './index.ts'

afterEach(() => {
  nock.cleanAll()
  nock.restore()
})

test('three 503 in a row open the circuit, and the fourth request is not sent', async () => {
  const board = createBoard({ hosts: { 'bible-api.com': { consecutiveFailures: 3, openFor: '30s' } } })
  const dispatcher = new Agent().compose(breaker(board))
  const host = nock('https://bible-api.com').get('/john+3:16').times(3).reply(503)

  const ask = () => request('https://bible-api.com/john+3:16', { dispatcher })
  for (const _ of [1, 2, 3]) expect((await ask()).statusCode).toBe(503)
  expect(host.isDone()).toBe(true)

  const error: unknown = await ask().catch((error: unknown) => error)
  expect(circuitOpen(error)).toMatchObject({ host: 'bible-api.com', reason: 'open' })
})
