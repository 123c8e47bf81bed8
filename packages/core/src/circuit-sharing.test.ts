// What a circuit asks of its fleet and tells it: no more than a call needs, and nothing where it will be refused anyway.
import { describe, expect, test } from 'vitest'
import { Circuit } from './circuit.ts'
import { createBoard, type BoardOptions } from './index.ts'
import type { SharedCircuit, Sharing } from './sharing.ts'

const ORDINARY = Promise.resolve()
const TO_PROBE = Promise.resolve()

/** A circuit whose fleet is seen in all that it is asked and told. */
function sharedOf(options: BoardOptions = {}) {
  const clock = { ms: 1_000_000, now: (): number => clock.ms }
  const alone = createBoard({ consecutiveFailures: 3, openFor: '10s', ...options, clock }).circuit('host.test')
  const told: unknown[] = []
  const tell =
    (what: string) =>
    (...args: readonly unknown[]): void => {
      told.push([what, ...args])
    }
  const fleet = {
    lookAt: Infinity,
    asked: tell('asked'),
    viewed: () => ORDINARY,
    leased: () => TO_PROBE,
    mayProbe: () => true,
    probing: tell('probing'),
    probed: () => undefined,
    failed: tell('failed'),
    opened: tell('opened'),
    trip: tell('trip'),
    reset: tell('reset'),
    hold: (kind, reason) => {
      tell('hold')(kind, reason)
      return tell('release')
    },
    explain: () => 'The fleet is well.',
    end: tell('end'),
  } satisfies Sharing
  let seen: SharedCircuit | undefined
  const share = (circuit: SharedCircuit): Sharing => {
    seen = circuit
    return fleet
  }
  const circuit = new Circuit('host.test', alone.rules, { ...alone.wiring, share })
  const fail = (times: number): void => {
    for (let call = 0; call < times; call++) circuit.settle(circuit.admit(), 'failure')
  }
  const consult = (method = 'POST') => circuit.consult({ method, url: 'https://host.test/', headers: [] })
  return { clock, circuit, fleet, told, fail, consult, seen: seen as unknown as SharedCircuit }
}

describe('a call waits', () => {
  test('for nothing while the fleet needs not be looked at', () => {
    const { clock, circuit, fleet, consult, told } = sharedOf()
    expect(consult()).toBeUndefined()
    fleet.lookAt = clock.ms + 1
    expect(consult()).toBeUndefined()
    circuit.admit()
    expect(told).toEqual([])
  })

  test('for a look at the fleet once it is time, and the fleet is told of it then', () => {
    const { clock, circuit, fleet, consult, told } = sharedOf()
    fleet.lookAt = clock.ms
    expect(consult()).toBe(ORDINARY)
    circuit.admit()
    expect(told).toEqual([['asked', clock.ms]])
  })

  test('for a look where the circuit is closed and there was trouble', () => {
    const { circuit, consult } = sharedOf()
    circuit.trip()
    circuit.reset()
    circuit.configure({ ...circuit.rules, label: 'other' })
    expect(consult()).toBe(ORDINARY)
  })

  test('for leave to probe once the open time is over, and not before', () => {
    const { clock, circuit, consult } = sharedOf()
    circuit.trip()
    clock.ms += 9_999
    expect(consult()).toBeUndefined()
    clock.ms += 1
    expect(consult()).toBe(TO_PROBE)
    circuit.admit()
    expect(consult()).toBeUndefined()
  })

  test('for nothing where it is held or paused', () => {
    const { clock, circuit, seen, consult } = sharedOf()
    circuit.trip()
    clock.ms += 10_000
    const release = seen.followHold('bypassed', undefined)
    expect(consult()).toBeUndefined()
    release()
    circuit.pause(2_000)
    expect(consult()).toBeUndefined()
    clock.ms += 1_999
    expect(consult()).toBeUndefined()
    clock.ms += 1
    expect(consult()).toBe(TO_PROBE)
  })

  test('for nothing where it may not probe: another goes first, or the policy says no', () => {
    const { clock, circuit, consult } = sharedOf({ probes: 2 })
    const read = { method: 'GET', host: 'host.test', request: undefined as never }
    circuit.trip()
    clock.ms += 10_000
    circuit.admit(read)
    expect([consult('POST'), consult('GET')]).toEqual([undefined, TO_PROBE])

    const asked: string[] = []
    const picky = sharedOf({ probe: ({ method, url }) => asked.push(`${method} ${url}`) > 1 })
    picky.circuit.trip()
    picky.clock.ms += 10_000
    expect([picky.consult('PUT'), picky.consult('PATCH')]).toEqual([undefined, TO_PROBE])
    expect(asked).toEqual(['PUT https://host.test/', 'PATCH https://host.test/'])
  })

  test('and is run after that', async () => {
    const { clock, circuit, fleet } = sharedOf()
    fleet.lookAt = clock.ms
    let ran = false
    const running = circuit.run(() => (ran = true))
    expect(ran).toBe(false)
    await running
    expect([ran, circuit.counters.successes]).toEqual([true, 1])
  })
})

describe('the fleet is told', () => {
  test('of each failure of a closed circuit, and of the one that opens it that it opened', () => {
    const { clock, circuit, told, fail } = sharedOf()
    circuit.settle(circuit.admit(), 'success')
    expect(told).toEqual([])
    fail(2)
    expect(told).toEqual([
      ['failed', clock.ms],
      ['failed', clock.ms],
    ])
    fail(1)
    expect(told.slice(2)).toEqual([['opened', clock.ms, 0]])
  })

  test('of no call that went well, where calls may be slow as little as elsewhere', () => {
    const { clock, circuit, told } = sharedOf({ slowAfter: '1s' })
    circuit.settle(circuit.admit(), 'success')
    expect(told).not.toContainEqual(['failed', clock.ms])
  })

  test('of an answer that broke off', () => {
    const { clock, circuit, told } = sharedOf()
    const token = circuit.admit()
    circuit.amend(token, circuit.settle(token, 'success'), 'body')
    expect(told).toEqual([['failed', clock.ms]])
  })

  test('for how long the host wants to be left alone', () => {
    const { clock, circuit, told, fail } = sharedOf()
    fail(2)
    circuit.holdOff(60_000)
    fail(1)
    expect(told.at(-1)).toEqual(['opened', clock.ms, 60_000])
  })

  test('for how long a hand opened it', () => {
    const { circuit, told } = sharedOf()
    circuit.trip('7s')
    expect(told).toEqual([['trip', 7_000]])
  })

  test('of holds, by their kind', () => {
    const { circuit, told } = sharedOf()
    circuit.bypass('a fire drill').release()
    circuit.isolate().release()
    expect(told).toEqual([
      ['hold', 'bypassed', 'a fire drill'],
      ['release'],
      ['hold', 'isolated', undefined],
      ['release'],
    ])
  })
})

describe('the fleet learns and says', () => {
  test('how many failed in a row, and since when', () => {
    const { clock, seen, fail } = sharedOf()
    expect([seen.streak(), seen.streakSince()]).toEqual([0, 0])
    fail(1)
    const since = clock.ms
    clock.ms += 500
    fail(1)
    expect([seen.streak(), seen.streakSince(), seen.good(), seen.bad(), seen.closed()]).toEqual([2, since, 0, 2, true])
  })

  test('that it is open, for longer each time it says so anew, and that counts as one trip', () => {
    const { clock, circuit, seen } = sharedOf()
    seen.followOpen(clock.ms + 5_000, 'fleet-opened')
    expect([circuit.state, circuit.counters.trips, circuit.save()?.trips]).toEqual(['open', 1, 1])
    seen.followOpen(clock.ms + 9_000, 'fleet-opened')
    expect([circuit.counters.trips, circuit.save()?.trips]).toEqual([1, 1])
    expect(circuit.refusal(circuit.admit()).retryAfterMs).toBe(9_000)
  })

  test('that it is open while a hand holds it, which changes nothing of what is told', () => {
    const { clock, circuit, seen } = sharedOf()
    seen.followHold('isolated', 'moving house')
    const before = circuit.explain()
    seen.followOpen(clock.ms + 5_000, 'fleet-opened')
    expect([circuit.state, circuit.explain()]).toEqual(['isolated', before])
  })

  test('how it is, to people', () => {
    expect(sharedOf().circuit.explain()).toMatch(/ 0 under way\. The fleet is well\.$/)
  })
})
