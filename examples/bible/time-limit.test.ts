// The time limit below a breaker: whom it ends, and whom it leaves alone.
import { Agent, request } from 'undici'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { BibleServer } from './server.ts'
import { timeLimit } from './time-limit.ts'

let server: BibleServer
let agent: Agent

beforeEach(async () => {
  server = await BibleServer.listen()
  agent = new Agent()
})

afterEach(async () => {
  await agent.close()
  await server.close()
})

test('a request that gets no answer fails with a TimeoutError', async () => {
  await server.breakDown('database-frozen')
  const hung = request(`${server.origin}/John+3:16`, { dispatcher: agent.compose(timeLimit(50)) })
  await expect(hung).rejects.toMatchObject({ name: 'TimeoutError', message: 'No answer within 50 ms' })
})

test('an answer passes with all its headers, and may take its time', async () => {
  const { statusCode, headers, body } = await request(`${server.origin}/John+3:16`, {
    dispatcher: agent.compose(timeLimit(5_000)),
  })
  expect(statusCode).toBe(200)
  expect(headers['access-control-allow-methods']).toEqual(['OPTIONS', 'GET'])
  expect(await body.json()).toMatchObject({ reference: 'John 3:16' })
})

test('what fails by itself fails as without it', async () => {
  await server.close()
  const refused = request(`${server.origin}/John+3:16`, { dispatcher: agent.compose(timeLimit(5_000)) })
  await expect(refused).rejects.toMatchObject({ code: 'ECONNREFUSED' })
})
