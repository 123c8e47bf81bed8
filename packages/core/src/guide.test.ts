// The three steps by which the guide tests its breaker: it opens after 3 failures, stays open, and recovers.
import { expect, test } from 'vitest'
import { circuitOpen, createBoard, type CircuitOpenError } from './index.ts'

test('opens after 3 failures, is still open after 2 s, and recovers after 6 s of a 5 s time-out', async () => {
  let now = 0
  let calls = 0
  const board = createBoard({ clock: { now: () => now } })
  const flaky = board.guard(
    'flaky service',
    () => {
      if (++calls <= 3) throw new Error('Service unavailable')
      return 'Success'
    },
    { consecutiveFailures: 3, openFor: '5s' },
  )
  const refusal = (): CircuitOpenError | undefined => {
    try {
      flaky()
      return undefined
    } catch (error) {
      return circuitOpen(error)
    }
  }

  for (let call = 1; call <= 3; call++) expect(flaky).toThrow('Service unavailable')
  for (let call = 4; call <= 5; call++) expect(refusal()).toMatchObject({ retryAfterMs: 5_000, reason: 'open' })
  expect(calls).toBe(3)

  now += 2_000
  expect(refusal()).toMatchObject({ retryAfterMs: 3_000 })

  now += 6_000
  expect(flaky()).toBe('Success')
  expect(flaky.circuit.state).toBe('closed')
})
