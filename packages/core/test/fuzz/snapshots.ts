// Whatever a program takes for a snapshot: nothing is thrown, no circuit stays open for longer than its policy, and none lets in too many.
import fc from 'fast-check'
import { createBoard, type BoardOptions } from '../../src/index.ts'
import { manualClock } from '../../src/testing.ts'
import type { Fuzz } from './fuzz.ts'

const NOW = 1_700_000_000_000
const MOST_CIRCUITS = 4
const PERMITS = 2
const MAX_PAUSE = 60_000
const POLICY = {
  maxCircuits: MOST_CIRCUITS,
  maxPause: MAX_PAUSE,
  openFor: { from: '5s', to: '30s' },
  probes: { permits: PERMITS, need: 1, within: '1h' },
  hosts: { 'off.test': { mode: 'off' }, 'left.test': false },
} as const satisfies BoardOptions
/** The longest time that the policy gives, and what is added so that not all probe at once. */
const LONGEST = MAX_PAUSE + 1_000 + 1

const moment = fc.oneof(
  fc.integer({ min: NOW - 100_000, max: NOW + 100_000 }),
  fc.double(),
  fc.maxSafeInteger(),
  fc.constantFrom<unknown>(-1, 0, -0, 1e300, null, '5', undefined),
)
const key = fc.oneof(
  fc.constantFrom<unknown>(
    'a.test',
    'b.test',
    'off.test',
    'left.test',
    '',
    '*',
    '*.test',
    '__proto__',
    'a.test:80',
    'http://a',
    null,
    7,
  ),
  fc.string({ maxLength: 5 }),
)
const entry = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record(
      {
        key,
        state: fc.constantFrom<unknown>('open', 'open', 'closed', 'half-open', 'isolated', null),
        until: moment,
        trips: fc.oneof(fc.nat(9), fc.constantFrom<unknown>(2 ** 53 - 1, 2 ** 53, -1, 0.5, '1')),
        pausedUntil: moment,
      },
      { requiredKeys: ['key', 'state'] },
    ),
  },
  { weight: 1, arbitrary: fc.anything() },
)
const snapshot = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      version: fc.constantFrom<unknown>(1, 1, 1, 1, 2, '1'),
      at: moment,
      circuits: fc.oneof(
        { weight: 5, arbitrary: fc.array(entry, { maxLength: 6 }) },
        { weight: 1, arbitrary: fc.anything() },
      ),
    }),
  },
  { weight: 1, arbitrary: fc.anything() },
)

export const SNAPSHOTS: Fuzz = {
  what: 'no snapshot is thrown over, or keeps a circuit open, or lets in too many',
  share: 60,
  holds: fc.property(snapshot, (snapshot) => {
    const clock = manualClock(NOW)
    const board = createBoard({ ...POLICY, clock })
    board.on('warning', () => {})
    const refused = board.restore(snapshot)
    if (!refused.every(({ why }) => typeof why === 'string' && why !== '')) throw new Error('refused without a reason')
    const circuits = [...board.circuits()]
    if (circuits.length > MOST_CIRCUITS) throw new Error(`${circuits.length} circuits`)
    // What was taken over can be kept again.
    const again = createBoard({ ...POLICY, clock })
    const lost = again.restore(JSON.parse(JSON.stringify(board.snapshot())))
    if (lost.length > 0) throw new Error(`not taken over again: ${lost[0]?.why}`)

    clock.advance(LONGEST)
    for (const circuit of circuits) {
      const tokens = Array.from({ length: PERMITS + 1 }, () => circuit.admit())
      const admitted = tokens.filter((token) => token >= 0).length
      if (circuit.state === 'closed' ? admitted !== PERMITS + 1 : admitted !== PERMITS) {
        throw new Error(`${circuit.key} is ${circuit.state}, and ${admitted} were let in`)
      }
    }
  }),
}
