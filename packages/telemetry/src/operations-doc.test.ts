// The page for whoever is woken: it names what there is, and its figures are the simulation's.
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { createBoard, type RefusalReason } from '@fuseboard/core'
import { POLICIES, resultsOf } from '../../core/test/simulation/policies.ts'

const page = readFileSync(new URL('../../../docs/operations.md', import.meta.url), 'utf8')

describe('it names', () => {
  test('each reason for which a call is refused', () => {
    const reasons: Record<RefusalReason, true> = {
      open: true,
      probing: true,
      paused: true,
      isolated: true,
      throttled: true,
      full: true,
    }
    for (const reason of Object.keys(reasons)) expect(page).toContain(`| \`${reason}\` `)
  })

  test('each control of a board and of a circuit', () => {
    const board = createBoard()
    const circuit = board.circuit('a.test')
    for (const name of ['configure', 'snapshot', 'restore', 'shadowReport', 'reset'] as const) {
      expect(board[name]).toBeTypeOf('function')
      expect(page).toMatch(new RegExp(`\\b${name}\\(`))
    }
    for (const name of ['isolate', 'bypass', 'trip', 'reset', 'explain'] as const) {
      expect(circuit[name]).toBeTypeOf('function')
      expect(page).toMatch(new RegExp(`\\b${name}\\(`))
    }
    for (const said of ['FUSEBOARD=off', 'FUSEBOARD=shadow', 'maxInFlight', 'throttle']) expect(page).toContain(said)
  })
})

test('its figures are those of the simulation', { timeout: 120_000 }, async () => {
  for (const [name, policy] of Object.entries(POLICIES)) {
    const { brownout, coldStart, outage } = await resultsOf(policy)
    const cells = [brownout, coldStart, outage].map(
      ({ successes, failures }) => `${successes.toFixed(0)} / ${failures.toFixed(0)}`,
    )
    const row = page.split('\n').find((line) => line.startsWith(`| ${name} `))
    expect(row?.split('|').map((cell) => cell.trim())).toEqual(['', name, ...cells, ''])
  }
})
