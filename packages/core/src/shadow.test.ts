// What a tally counts of the calls that a circuit in shadow would have refused.
import { expect, test } from 'vitest'
import { NO_COUNTS } from './counters.ts'
import { ShadowTally } from './shadow.ts'

const circuit = { key: 'a.test', label: 'a', state: 'open', counters: { ...NO_COUNTS, trips: 3, openMs: 700 } } as const

test('it counts what became of them, and leaves out what had begun while the circuit was off', () => {
  const tally = new ShadowTally(1, 200)
  tally.ended('success')
  for (const verdict of ['success', 'failure', 'ignored', 'success'] as const) {
    tally.wouldRefuse()
    tally.wouldRefuse()
    expect(tally.underWay).toBe(2)
    tally.ended(verdict)
    tally.ended('ignored')
    expect(tally.underWay).toBe(0)
  }
  expect(tally.report(circuit, undefined)).toEqual({
    key: 'a.test',
    label: 'a',
    state: 'open',
    opened: 2,
    openMs: 500,
    refused: 8,
    ofThoseWell: 2,
    ofThoseFailed: 1,
    why: undefined,
  })
})

test('a body that breaks makes a failure of a call that went well, and of no other', () => {
  const tally = new ShadowTally()
  tally.amended()
  expect(tally).toMatchObject({ well: 0, failed: 0 })
  tally.wouldRefuse()
  tally.ended('success')
  tally.amended()
  expect(tally).toMatchObject({ well: 0, failed: 1 })
})

test('it says why it would have opened, unless that was in earnest', () => {
  const message = 'a (in shadow) open for 30 s: 3 calls in a row failed'
  const why = (shadow: boolean) => new ShadowTally().report(circuit, { shadow, message }).why
  expect([why(true), why(false)]).toEqual([message, undefined])
})
