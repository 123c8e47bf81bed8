// What is said of a change, by what the circuit saw.
import { expect, test } from 'vitest'
import { transitionOf } from './evidence.ts'
import type { Evidence } from './events.ts'
import { Trouble } from './trouble.ts'

const NOTHING: Evidence = { calls: 0, failures: 0, slow: 0, overdue: 0, streak: 0, streakMs: 0, kinds: {} }

function said(reason: 'slow-calls' | 'failure-rate', evidence: Partial<Evidence>): string {
  const trouble = new Trouble()
  trouble.askedAt = 100
  trouble.openUntil = 30_100
  const change = { from: 'closed', to: 'open', reason, at: 0, evidence: { ...NOTHING, ...evidence } } as const
  return transitionOf({ key: 'k', label: 'host', mode: 'on' }, trouble, change, 200).message
}

test('calls that are slow and calls that are still unanswered are told apart', () => {
  expect(said('slow-calls', { calls: 10, slow: 6 })).toBe('host open for 30 s: 6 of 10 calls were slow')
  expect(said('slow-calls', { calls: 10, slow: 6, overdue: 2 })).toBe(
    'host open for 30 s: 8 of 12 calls were slow, 2 of them still unanswered',
  )
})

test('failures are named by their kinds, where those are known', () => {
  expect(said('failure-rate', { calls: 4, failures: 3 })).toBe('host open for 30 s: 3 of 4 calls failed')
  expect(said('failure-rate', { calls: 4, failures: 3, kinds: { ECONNRESET: 2, '503': 1 } })).toBe(
    'host open for 30 s: 3 of 4 calls failed (1x 503, 2x ECONNRESET)',
  )
})
