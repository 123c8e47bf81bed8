// How a program that uses ky tests its circuits with nock.
import { circuitOpen, createBoard } from '@fuseboard/core'
import ky, { HTTPError } from 'ky'
import nock from 'nock'
import { afterEach, expect, test } from 'vitest'
import { breaker } from './index.ts'

afterEach(() => {
  nock.cleanAll()
  nock.restore()
})

test('three 503 in a row open the circuit, and the fourth call is not sent', async () => {
  const board = createBoard({ hosts: { 'bible-api.com': { consecutiveFailures: 3, openFor: '30s' } } })
  const bible = ky.extend(breaker(board)).extend({ prefix: 'https://bible-api.com', retry: 0 })
  const host = nock('https://bible-api.com').get('/john+3:16').times(3).reply(503)

  for (const _ of [1, 2, 3]) await expect(bible('john+3:16')).rejects.toThrow(HTTPError)
  expect(host.isDone()).toBe(true)

  const error: unknown = await bible('john+3:16').catch((error: unknown) => error)
  expect(circuitOpen(error)).toMatchObject({ host: 'bible-api.com', reason: 'open' })
})
