// SDKs that take a fetch: a guarded one keeps a dead API from holding its callers up, and its refusal ends their retries.
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import Anthropic from '@anthropic-ai/sdk'
import { createBoard, guardFetch, type Board } from '@fuseboard/core'
import { manualClock } from '@fuseboard/core/testing'
import OpenAI from 'openai'
import { Stripe } from 'stripe'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'

type Fetch = typeof globalThis.fetch

/** A call of an SDK as it comes, but for its address: with its own retries. */
const SDKS: Readonly<Record<string, (fetch: Fetch, port: number) => Promise<unknown>>> = {
  OpenAI: (fetch, port) =>
    new OpenAI({ apiKey: 'none', baseURL: `http://127.0.0.1:${port}/v1`, fetch }).models.retrieve('m'),
  Anthropic: (fetch, port) =>
    new Anthropic({ apiKey: 'none', baseURL: `http://127.0.0.1:${port}`, fetch }).models.retrieve('m'),
  Stripe: (fetch, port) =>
    new Stripe('none', {
      host: '127.0.0.1',
      port,
      protocol: 'http',
      httpClient: Stripe.createFetchHttpClient(fetch),
      telemetry: false,
    }).customers.retrieve('c'),
}

let api: Server
let status: number
let requests: number
let board: Board

beforeAll(async () => {
  api = createServer((_request, response) => {
    requests++
    response.writeHead(status, { 'content-type': 'application/json' })
    response.end(JSON.stringify(status === 200 ? { id: 'm' } : { error: { message: 'down' } }))
  }).listen(0, '127.0.0.1')
  await once(api, 'listening')
})

afterAll(() => {
  api.closeAllConnections()
  api.close()
})

beforeEach(() => {
  status = 200
  requests = 0
  board = createBoard({ consecutiveFailures: 3, clock: manualClock() })
})

describe.each(Object.keys(SDKS))('%s', (name) => {
  const call = (): Promise<unknown> =>
    SDKS[name]!(guardFetch(board, { refusal: 'response' }), (api.address() as AddressInfo).port)
  const circuit = () => board.circuit(`127.0.0.1:${(api.address() as AddressInfo).port}`)

  test('is answered as without a guard', async () => {
    expect(await call()).toMatchObject({ id: 'm' })
    expect([requests, circuit().counters.successes]).toEqual([1, 1])
  })

  test('tries again by itself, and each try counts', async () => {
    status = 503
    await expect(call()).rejects.toMatchObject(name === 'Stripe' ? { statusCode: 503 } : { status: 503 })
    expect(circuit().counters.failures).toBe(requests)
    expect(requests).toBeGreaterThan(1)
  })

  test('is refused once, as a 503 that it does not try again, and nothing is sent', async () => {
    circuit().trip('1m')
    const error: unknown = await call().catch((error: unknown) => error)
    expect(error).toMatchObject(name === 'Stripe' ? { statusCode: 503, code: 'EOPENBREAKER' } : { status: 503 })
    expect((error as Error).message).toContain('is open, retry in 60 s')
    expect([requests, circuit().counters.refused]).toEqual([0, 1])
  })
})
