// Whatever a fleet's store holds for a record: nothing is thrown, no host is refused for longer than a policy would, none is let in too often.
import fc from 'fast-check'
import { createBoard, fleet, type Attempt, type Board, type SharedStore, type Snapshot } from '../../src/index.ts'
import { manualClock } from '../../src/testing.ts'
import type { Fuzz } from './fuzz.ts'

const NOW = 1_700_000_000_000
const PERMITS = 2
const WITHIN = 10_000
const MAX_PAUSE = 60_000
/** What is opened by hand in one instance may stay so for as long in all. */
const BY_HAND = 7 * 86_400_000
const REQUEST = { method: 'GET', url: 'http://host.test/' }

const moment = fc.oneof(
  { weight: 4, arbitrary: fc.integer({ min: NOW - 100_000, max: NOW + 100_000 }) },
  { weight: 1, arbitrary: fc.maxSafeNat() },
  { weight: 1, arbitrary: fc.constantFrom(0, Number.MAX_SAFE_INTEGER) },
)
const name = fc.string({ maxLength: 3 })
const junk = fc.oneof(fc.jsonValue({ maxDepth: 1 }), fc.constantFrom(-1, 0.5, 2 ** 53, 1e300))
const some = <T>(one: fc.Arbitrary<T>) =>
  fc.oneof({ weight: 6, arbitrary: fc.array(one, { maxLength: 3 }) }, { weight: 1, arbitrary: junk })
const or = (one: fc.Arbitrary<unknown>) => fc.oneof({ weight: 12, arbitrary: one }, { weight: 1, arbitrary: junk })
const almost = fc
  .record(
    {
      s: or(fc.constantFrom('o', 'o', 'o', 'c')),
      e: or(fc.oneof(fc.nat(9), fc.constant(Number.MAX_SAFE_INTEGER))),
      a: or(moment),
      u: or(moment),
      t: or(fc.oneof(fc.nat(9), fc.constant(Number.MAX_SAFE_INTEGER))),
      m: or(fc.constantFrom(0, 0, 1)),
      k: some(name),
      f: or(fc.nat(3)),
      l: some(fc.tuple(name, moment)),
      v: some(fc.tuple(name, moment)),
      h: some(fc.tuple(name, fc.constantFrom('i', 'b', 'x'), name)),
    },
    { requiredKeys: ['s', 'e', 'a', 'u'] },
  )
  .map((said) => JSON.stringify(said))
const cut = fc.tuple(almost, fc.nat(200)).map(([text, at]) => text.slice(0, at))
const text = fc.oneof(
  { weight: 8, arbitrary: almost },
  { weight: 1, arbitrary: cut },
  { weight: 1, arbitrary: fc.string() },
)

/** A store that holds a text, and is well. */
function holding(value: string, now: () => number): SharedStore {
  let held: Snapshot = { version: 1, value, now: 0 }
  return {
    read: async () => ({ ...held, now: now() }),
    swap: async (_key, expected, value) => {
      const won = expected === held.version
      if (won) held = { version: expected + 1, value, now: 0 }
      return { ...held, now: now(), won }
    },
  }
}

export const FLEET_RECORDS: Fuzz = {
  what: "nothing that a fleet's store holds keeps a host from being asked, or lets too many ask it",
  share: 60,
  holds: fc.asyncProperty(text, fc.constantFrom('follow', 'corroborate' as const), async (text, trust) => {
    const clock = manualClock(NOW)
    const board = createBoard({
      clock,
      maxPause: MAX_PAUSE,
      openFor: { from: '5s', to: '30s' },
      probes: { permits: PERMITS, need: 1, within: WITHIN },
      fleet: fleet(
        holding(text, () => clock.wall()),
        { trust, jitter: 0 },
      ),
    })
    board.on('store', () => {})
    const circuit = board.circuit('host.test')
    await board.ready()
    for (const attempt of await ask(board)) attempt.release()
    const longest = text.includes('"m":1') ? BY_HAND : MAX_PAUSE
    clock.advance(longest)

    let asked = await ask(board)
    if (circuit.state === 'isolated') {
      if (!text.includes('"i"')) throw new Error('isolated by nobody')
      circuit.reset()
      await board.flush()
    }
    for (let waited = 0; refusedAll(asked); waited += 1_000) {
      if (waited > 4 * WITHIN) throw new Error(`refused for ever: ${circuit.explain()}`)
      clock.advance(1_000)
      asked = await ask(board)
    }
    const admitted = asked.filter(({ refused }) => !refused).length
    if (circuit.state === 'half-open' && admitted > PERMITS) throw new Error(`${admitted} were let in to probe`)
    for (const attempt of asked) attempt.settle({ status: 200 })
    await board.flush()
    clock.advance(5_000)
    const after = await ask(board)
    if (circuit.state !== 'bypassed' && after.some(({ refused }) => refused)) {
      throw new Error(`not closed by a probe that went well: ${circuit.explain()}`)
    }
    for (const attempt of after) attempt.release()
    if (circuit.counters.inFlight !== 0) throw new Error('places are in use')
  }),
}

/** One more than may probe, one after the other and at one moment. */
async function ask(board: Board): Promise<readonly Attempt[]> {
  const attempts: Attempt[] = []
  for (let nth = 0; nth <= PERMITS; nth++) {
    await board.consult(REQUEST)
    attempts.push(board.attempt(REQUEST))
  }
  return attempts
}

const refusedAll = (attempts: readonly Attempt[]): boolean => attempts.every(({ refused }) => refused)
