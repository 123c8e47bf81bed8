// What tests of users put in place of the network and of time: a guarded fetch sees mocks that come later, and fake timers.
import { ModernFakeTimers } from '@jest/fake-timers'
import { circuitOpen, createBoard, guardFetch, type Board } from '@fuseboard/core'
import { http, HttpResponse } from 'msw'
import { setupServer } from 'msw/node'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'

const URL = 'https://bible-api.com/John+3:16'

describe('msw', () => {
  let answer: () => Response = () => HttpResponse.json({ text: 'For God so loved the world' })
  const server = setupServer(http.get('https://bible-api.com/:verse', () => answer()))
  afterEach(() => server.close())

  test('put up after the guard is seen by it, and what it answers counts', async () => {
    const board = createBoard({ consecutiveFailures: 2 })
    const fetch = guardFetch(board)
    server.listen()
    expect(await (await fetch(URL)).json()).toEqual({ text: 'For God so loved the world' })

    answer = () => new HttpResponse(null, { status: 503 })
    expect((await fetch(URL)).status).toBe(503)
    answer = () => HttpResponse.error()
    await expect(fetch(URL)).rejects.toThrow(TypeError)
    const refusal: unknown = await fetch(URL).catch((error: unknown) => error)
    expect(circuitOpen(refusal)?.reason).toBe('open')
    expect(board.circuit('bible-api.com').counters).toMatchObject({ successes: 1, failures: 2, refused: 1 })
  })
})

describe('fake timers', () => {
  let board: Board

  beforeEach(() => {
    board = createBoard({ consecutiveFailures: 1, openFor: '30s' })
  })

  test('of vitest, put up after the board, make it wait no longer than they say', () => {
    vi.useFakeTimers()
    try {
      expectToWait((ms) => vi.advanceTimersByTime(ms))
    } finally {
      vi.useRealTimers()
    }
    expectToWork()
  })

  test('of jest do so, too', () => {
    const timers = new ModernFakeTimers({ config: {} as never, global: globalThis })
    timers.useFakeTimers()
    try {
      expectToWait((ms) => timers.advanceTimersByTime(ms))
    } finally {
      timers.useRealTimers()
    }
    expectToWork()
  })

  function expectToWait(advance: (ms: number) => void): void {
    const circuit = board.circuit('a.test')
    advance(1_000)
    circuit.settle(circuit.admit(), 'failure')
    advance(29_000)
    expect(circuit.state).toBe('open')
    advance(1_000)
    expect(circuit.state).toBe('half-open')
    circuit.settle(circuit.admit(), 'success')
    expect(circuit.state).toBe('closed')
  }

  // The real clock is behind the faked one, or before it: nothing is stuck for that.
  function expectToWork(): void {
    const circuit = board.circuit('a.test')
    for (let call = 0; call < 20; call++) circuit.settle(circuit.admit(), 'success')
    circuit.settle(circuit.admit(), 'failure')
    expect(circuit.state).toBe('open')
  }
})
