// What instances of a fleet find out together: each test has several boards on one store, and one clock.
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { createBoard, type Board, type BoardOptions } from './board.ts'
import { fleet } from './fleet.ts'
import type { FleetOptions } from './fleet-terms.ts'
import type { SharedStore } from './shared-store.ts'
import { manualClock, memoryStore, type ManualClock } from './testing.ts'

const HOST = 'bible-api.com'
const POLICY = { consecutiveFailures: 3, openFor: '10s', probes: { within: '2s' } } as const
/** Without chance, so that a test says what happens when. */
const TERMS = { jitter: 0 } as const

class Fleet {
  readonly clock: ManualClock = manualClock(1_700_000_000_000)
  inner: SharedStore = memoryStore(() => this.clock.wall())
  readonly boards: readonly Board[]
  /** What the instances asked the store, in order. */
  readonly asked: string[] = []
  store: 'well' | 'failing' | 'hanging' = 'well'

  constructor(size: number, terms: FleetOptions = {}, options: BoardOptions = {}, pushes = false) {
    this.boards = Array.from({ length: size }, () => {
      const shared = fleet(this.#seen(pushes), { ...TERMS, ...terms })
      return createBoard({ ...POLICY, ...options, clock: this.clock, fleet: shared })
    })
  }

  #seen(pushes: boolean): SharedStore {
    const meet = async <T>(what: string, act: () => Promise<T>): Promise<T> => {
      this.asked.push(what)
      if (this.store === 'failing') throw new Error('the store is down')
      return this.store === 'hanging' ? new Promise<never>(() => {}) : act()
    }
    return {
      read: (key, signal) => meet('read', () => this.inner.read(key, signal)),
      swap: (key, expected, value, options) => meet('swap', () => this.inner.swap(key, expected, value, options)),
      ...(pushes && { watch: (key, changed) => this.inner.watch?.(key, changed) ?? (() => {}) }),
    }
  }

  state(of: number): string {
    return this.circuit(of).state
  }

  get states(): string {
    return this.boards.map((_, of) => this.state(of)).join(' ')
  }

  circuit(of: number) {
    return (this.boards[of] as Board).circuit(HOST)
  }

  /** One call of an instance, as a client makes it: it waits where it has to, is let through or not, and ends. */
  async call(of: number, end: 'good' | 'bad' | 'ignored' = 'good'): Promise<'sent' | 'refused'> {
    await this.circuit(of).consult()
    const token = this.circuit(of).admit(undefined, this.clock.now())
    if (token >= 0) {
      const verdict = ({ good: 'success', bad: 'failure', ignored: 'ignored' } as const)[end]
      this.circuit(of).settle(token, verdict, this.clock.now())
    }
    await settled()
    return token >= 0 ? 'sent' : 'refused'
  }

  async calls(of: number, count: number, end: 'good' | 'bad'): Promise<void> {
    for (let i = 0; i < count; i++) await this.call(of, end)
  }

  async wait(ms: number): Promise<void> {
    this.clock.advance(ms)
    await settled()
  }
}

/** Whether the first instance, which calls once a refresh, gets through within that time or at the first call after it. */
async function sentWithin(fleet: Fleet, ms: number): Promise<boolean> {
  const end = fleet.clock.now() + ms
  while (fleet.clock.now() < end) {
    await fleet.wait(1_050)
    if ((await fleet.call(0)) === 'sent') return true
  }
  return false
}

/** All that needs no time has happened. */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

describe('a fleet that follows', () => {
  test('opens together, probes one at a time, and closes together', async () => {
    const fleet = new Fleet(3, { trust: 'follow' })
    await fleet.calls(1, 1, 'good')
    await fleet.calls(0, 3, 'bad')
    expect(fleet.states).toBe('open closed closed')

    // The first of the others is seen only once its view is older than a refresh.
    await fleet.wait(1_100)
    await fleet.call(1)
    expect(await fleet.call(1)).toBe('refused')
    expect(await fleet.call(2)).toBe('refused')
    expect(fleet.states).toBe('open open open')

    await fleet.wait(10_000)
    const [first, second] = [fleet.circuit(1), fleet.circuit(2)]
    await first.consult()
    const probe = first.admit()
    expect(probe).toBeGreaterThanOrEqual(0)
    expect(await fleet.call(2)).toBe('refused')
    expect(second.refusal(second.admit()).reason).toBe('probing')

    first.settle(probe, 'success')
    await settled()
    await fleet.wait(1_100)
    await fleet.call(0)
    await fleet.call(2)
    expect(fleet.states).toBe('closed closed closed')
  })

  test('opens within a turn of the event loop where the store pushes', async () => {
    const fleet = new Fleet(4, { trust: 'follow' }, {}, true)
    for (let of = 0; of < 4; of++) await fleet.call(of)
    await fleet.calls(0, 3, 'bad')
    expect(fleet.states).toBe('open open open open')
  })

  test('tells why', async () => {
    const fleet = new Fleet(2, { trust: 'follow' }, {}, true)
    const told: string[] = []
    fleet.circuit(1)
    ;(fleet.boards[1] as Board).on('transition', ({ message }) => told.push(message))
    await fleet.calls(0, 3, 'bad')
    await fleet.wait(10_000)
    await fleet.call(0)
    expect(told).toEqual([
      `${HOST} open for 10 s: the fleet found it down`,
      `${HOST} closed: the fleet found that it answers again`,
    ])
  })
})

describe('a fleet that corroborates', () => {
  test('does not stop an instance whose own calls go well', async () => {
    const fleet = new Fleet(2, {}, {}, true)
    await fleet.calls(1, 5, 'good')
    await fleet.calls(0, 3, 'bad')
    expect(fleet.states).toBe('open closed')
    for (let i = 0; i < 20; i++) expect(await fleet.call(1)).toBe('sent')
    // One failure among so many good calls says that the other is sick.
    expect(await fleet.call(1, 'bad')).toBe('sent')
    expect(fleet.states).toBe('open closed')
  })

  test('opens an instance at two failures in a row once the others found the host down', async () => {
    const fleet = new Fleet(2, {}, {}, true)
    await fleet.calls(1, 5, 'good')
    await fleet.calls(0, 3, 'bad')
    // One now and then is no reason: there is on every host.
    for (const end of ['bad', 'good', 'bad'] as const) await fleet.call(1, end)
    expect(fleet.states).toBe('open closed')
    await fleet.call(1, 'bad')
    expect(fleet.states).toBe('open open')
    expect(fleet.circuit(1).explain()).toContain('the fleet found it down, and so did this instance')
  })

  test('opens an instance at once that saw the last two calls fail', async () => {
    const fleet = new Fleet(2, {}, {}, true)
    await fleet.calls(1, 2, 'bad')
    await fleet.calls(0, 3, 'bad')
    expect(fleet.states).toBe('open open')
  })

  test('needs a lease to probe once it is open, and a closed instance needs none', async () => {
    const fleet = new Fleet(3, {}, {}, true)
    await fleet.calls(1, 2, 'bad')
    await fleet.calls(2, 3, 'good')
    await fleet.calls(0, 3, 'bad')
    await fleet.wait(10_000)
    const zero = fleet.circuit(0)
    await zero.consult()
    expect(zero.admit()).toBeGreaterThanOrEqual(0)
    expect(await fleet.call(1)).toBe('refused')
    expect(await fleet.call(2)).toBe('sent')
    // Its good calls do not close it for the others.
    expect(fleet.states).toBe('half-open half-open closed')
  })

  test('looks at the store after a failure of its own, and with suspicion only then', async () => {
    const fleet = new Fleet(2, { reads: 'suspicion' })
    await fleet.calls(1, 50, 'good')
    await fleet.wait(60_000)
    await fleet.calls(1, 50, 'good')
    expect(fleet.asked).toEqual([])
    await fleet.calls(0, 3, 'bad')
    expect(fleet.states).toBe('open closed')
    await fleet.calls(1, 2, 'bad')
    expect(fleet.states).toBe('open open')
  })

  test('asks ever less where a host always fails a little', async () => {
    const fleet = new Fleet(1, { reads: 'suspicion' }, { consecutiveFailures: false })
    for (let second = 0; second < 60; second++) {
      for (let i = 0; i < 20; i++) {
        await fleet.call(0, i % 4 === 0 ? 'bad' : 'good')
        await fleet.wait(50)
      }
    }
    expect(fleet.asked.length).toBeLessThanOrEqual(64)
  })

  test('does not probe all at once: who opened by a failure of its own waits for its moment as well', async () => {
    const random = vi.spyOn(Math, 'random').mockReturnValue(0.5)
    onTestFinished(() => random.mockRestore())
    const fleet = new Fleet(2, { jitter: '1s' })
    await fleet.call(1)
    await fleet.calls(0, 3, 'bad')
    await fleet.wait(500)
    await fleet.call(0)
    await fleet.wait(600)
    await fleet.call(1)
    await fleet.calls(1, 2, 'bad')
    expect(fleet.states).toBe('open open')

    await fleet.wait(9_400)
    expect(fleet.states).toBe('half-open half-open')
    expect(await fleet.call(1)).toBe('refused')
    await fleet.wait(500)
    expect(await fleet.call(1)).toBe('sent')
  })
})

describe('a fleet with a quorum', () => {
  test('opens when so many found the host down, and not before', async () => {
    const fleet = new Fleet(4, { trust: { quorum: 2 } }, {}, true)
    for (let of = 0; of < 4; of++) await fleet.call(of)
    await fleet.calls(0, 3, 'bad')
    expect(fleet.states).toBe('open closed closed closed')
    await fleet.calls(0, 3, 'bad')
    expect(fleet.states).toBe('open closed closed closed')
    await fleet.calls(1, 3, 'bad')
    expect(fleet.states).toBe('open open open open')
  })

  test('leaves one that is alone with its verdict to itself', async () => {
    const fleet = new Fleet(3, { trust: { quorum: 2 } }, {}, true)
    await fleet.calls(0, 3, 'bad')
    await fleet.wait(10_000)
    expect(await fleet.call(0)).toBe('sent')
    expect(fleet.states).toBe('closed closed closed')
  })

  test('forgets a vote that is older than the window', async () => {
    const fleet = new Fleet(3, { trust: { quorum: 2 } }, { window: '5s' }, true)
    await fleet.calls(0, 3, 'bad')
    await fleet.wait(6_000)
    await fleet.calls(1, 3, 'bad')
    expect(fleet.state(2)).toBe('closed')
  })
})

describe('a probe', () => {
  test('that failed opens the host for all again, for longer', async () => {
    const fleet = new Fleet(2, { trust: 'follow' }, { openFor: { from: '10s', to: '60s' } }, true)
    fleet.circuit(1)
    await fleet.calls(0, 3, 'bad')
    await fleet.wait(12_000)
    expect(await fleet.call(1, 'bad')).toBe('sent')
    expect(fleet.states).toBe('open open')
    await fleet.wait(12_000)
    expect(await fleet.call(0)).toBe('refused')
    await fleet.wait(13_000)
    expect(await fleet.call(0)).toBe('sent')
    expect(fleet.states).toBe('closed closed')
  })

  test('that was given up gives its place back to the fleet', async () => {
    const fleet = new Fleet(2, { trust: 'follow' }, {}, true)
    fleet.circuit(1)
    await fleet.calls(0, 3, 'bad')
    await fleet.wait(10_000)
    expect(await fleet.call(1, 'ignored')).toBe('sent')
    expect(await fleet.call(0)).toBe('sent')
    expect(fleet.states).toBe('closed closed')
  })

  test('whose process died costs the fleet one lease', async () => {
    const fleet = new Fleet(2, { trust: 'follow' }, {}, true)
    fleet.circuit(1)
    await fleet.calls(0, 3, 'bad')
    await fleet.wait(10_000)
    await fleet.circuit(1).consult()
    expect(fleet.circuit(1).admit()).toBeGreaterThanOrEqual(0)
    expect(await fleet.call(0)).toBe('refused')
    await fleet.wait(2_000)
    expect(await fleet.call(0)).toBe('sent')
    expect(fleet.states).toBe('closed closed')
  })

  test('whose process died is not followed by all others at once', async () => {
    const random = vi.spyOn(Math, 'random').mockReturnValue(0.5)
    onTestFinished(() => random.mockRestore())
    const fleet = new Fleet(2, { trust: 'follow', jitter: '1s' }, {}, true)
    fleet.circuit(1)
    await fleet.calls(0, 3, 'bad')
    await fleet.wait(10_500)
    await fleet.circuit(1).consult()
    expect(fleet.circuit(1).admit()).toBeGreaterThanOrEqual(0)
    expect(await fleet.call(0)).toBe('refused')
    await fleet.wait(2_000)
    expect(await fleet.call(0)).toBe('refused')
    await fleet.wait(500)
    expect(await fleet.call(0)).toBe('sent')
  })

  test('whose good end comes after its lease closes the fleet all the same', async () => {
    const fleet = new Fleet(2, { trust: 'follow' }, {}, true)
    fleet.circuit(1)
    await fleet.calls(0, 3, 'bad')
    await fleet.wait(10_000)
    await fleet.circuit(1).consult()
    const late = fleet.circuit(1).admit()
    await fleet.wait(9_000)
    fleet.circuit(1).settle(late, 'success')
    await settled()
    expect(fleet.states).toBe('closed closed')
  })

  test('of many at a time takes one place: as many as the policy permits, over the whole fleet', async () => {
    const fleet = new Fleet(20, { trust: 'follow' }, { probes: { permits: 3, need: 3 } }, true)
    for (let of = 0; of < 20; of++) fleet.circuit(of)
    await fleet.calls(0, 3, 'bad')
    await fleet.wait(10_000)
    const asked = fleet.boards.flatMap((_, of) => [of, of, of])
    const tokens = await Promise.all(
      asked.map(async (of) => {
        await fleet.circuit(of).consult()
        return fleet.circuit(of).admit()
      }),
    )
    expect(tokens.filter((token) => token >= 0)).toHaveLength(3)
  })

  test('of a caller that cannot wait is refused until the fleet has said yes', async () => {
    const fleet = new Fleet(2, { trust: 'follow' }, {}, true)
    fleet.circuit(1)
    await fleet.calls(0, 3, 'bad')
    await fleet.wait(10_000)
    const circuit = fleet.circuit(1)
    expect(circuit.refusal(circuit.admit()).reason).toBe('probing')
    await settled()
    expect(circuit.admit()).toBeGreaterThanOrEqual(0)
  })

  test('whose answer broke off after it had closed the fleet opens it again', async () => {
    const fleet = new Fleet(2, { trust: 'follow' }, {}, true)
    fleet.circuit(1)
    await fleet.calls(0, 3, 'bad')
    await fleet.wait(10_000)
    const circuit = fleet.circuit(1)
    await circuit.consult()
    const token = circuit.admit()
    const call = circuit.settle(token, 'success')
    await settled()
    expect(fleet.states).toBe('closed closed')
    circuit.amend(token, call, 'body')
    await settled()
    expect(fleet.states).toBe('open open')
  })
})

describe('a store that does not answer', () => {
  test('leaves each instance to itself, and hurts no call', async () => {
    const fleet = new Fleet(2, { trust: 'follow' })
    fleet.store = 'failing'
    const faults: unknown[] = []
    ;(fleet.boards[0] as Board).on('store', ({ action, fault }) => faults.push(`${action}: ${fault}`))
    await fleet.calls(0, 3, 'good')
    await fleet.calls(0, 3, 'bad')
    expect(fleet.states).toBe('open closed')
    expect(faults).toContain('read: Error: the store is down')
    await fleet.wait(20_000)
    expect(await fleet.call(0)).toBe('sent')
    expect(fleet.states).toBe('closed closed')
  })

  test('is asked ever less often', async () => {
    const fleet = new Fleet(1)
    fleet.store = 'failing'
    for (let second = 0; second < 120; second++) {
      await fleet.call(0)
      await fleet.wait(1_000)
    }
    expect(fleet.asked.length).toBeLessThan(20)
  })

  test('holds a call for no longer than the wait, once a refresh', async () => {
    const fleet = new Fleet(1, { wait: '100ms' })
    fleet.store = 'hanging'
    const circuit = fleet.circuit(0)
    const waited = circuit.consult()
    expect(waited).toBeDefined()
    fleet.clock.advance(100)
    await waited
    expect(circuit.admit()).toBeGreaterThanOrEqual(0)
    expect(circuit.consult()).toBeUndefined()
  })

  test('is told later what it missed', async () => {
    const fleet = new Fleet(2, { trust: 'follow' }, { openFor: '60s' })
    await fleet.call(0)
    await fleet.call(1)
    fleet.store = 'failing'
    await fleet.calls(0, 3, 'bad')
    fleet.store = 'well'
    await fleet.wait(2_000)
    await fleet.call(0)
    await fleet.wait(2_000)
    expect(await fleet.call(1)).toBe('refused')
  })

  test('and was emptied is told again within two refreshes', async () => {
    const fleet = new Fleet(2, { trust: 'follow' }, { openFor: '60s' })
    await fleet.calls(0, 3, 'bad')
    fleet.inner = memoryStore(() => fleet.clock.wall())
    for (let i = 0; i < 3; i++) {
      await fleet.wait(1_050)
      await fleet.call(0)
    }
    expect(fleet.state(0)).toBe('open')
    expect(await fleet.call(1)).toBe('refused')
    await fleet.wait(61_000)
    expect(await fleet.call(1)).toBe('sent')
    await fleet.wait(1_050)
    await fleet.call(0)
    expect(fleet.states).toBe('closed closed')
  })

  test('and holds what is no record is overwritten', async () => {
    const fleet = new Fleet(2, { trust: 'follow' }, { openFor: '60s' })
    const options = { ttl: 60_000, notAfter: Infinity, signal: new AbortController().signal }
    await fleet.inner.swap(HOST, 0, '{"s":"o","e":"x"}', options)
    expect(await fleet.call(0)).toBe('sent')
    await fleet.calls(0, 3, 'bad')
    await fleet.wait(1_050)
    expect(await fleet.call(1)).toBe('refused')
  })

  test('and lies about the open time stops nobody for longer than the policy would', async () => {
    const fleet = new Fleet(1, { trust: 'follow' }, { maxPause: '20s' })
    const now = fleet.clock.wall()
    const record = JSON.stringify({ s: 'o', e: 7, a: now, u: now + 1e9, t: 1 })
    await fleet.inner.swap(HOST, 0, record, { ttl: 1e6, notAfter: Infinity, signal: new AbortController().signal })
    expect(await fleet.call(0)).toBe('refused')
    expect(fleet.circuit(0).refusal(fleet.circuit(0).admit()).retryAfterMs).toBeLessThanOrEqual(20_000)
    expect(await sentWithin(fleet, 20_000)).toBe(true)
  })

  test('and lies about who probes keeps nobody from it', async () => {
    const fleet = new Fleet(1, { trust: 'follow' })
    const now = fleet.clock.wall()
    const record = JSON.stringify({ s: 'o', e: 7, a: now, u: now, t: 1, l: [['x-1', now + 1e9]] })
    await fleet.inner.swap(HOST, 0, record, { ttl: 1e6, notAfter: Infinity, signal: new AbortController().signal })
    expect(await sentWithin(fleet, 6_000)).toBe(true)
  })
})

describe('by hand', () => {
  test('a circuit is opened for all', async () => {
    const fleet = new Fleet(2, {}, {}, true)
    fleet.circuit(1)
    fleet.circuit(0).trip('2h')
    await settled()
    expect(fleet.states).toBe('open open')
    await fleet.wait(3_600_000)
    expect(fleet.states).toBe('open open')
    await fleet.wait(3_600_000)
    expect(await fleet.call(1)).toBe('sent')
    expect(fleet.states).toBe('closed closed')
  })

  test('a circuit is held open for all until it is let go', async () => {
    const fleet = new Fleet(2, {}, {}, true)
    fleet.circuit(1)
    const hold = fleet.circuit(0).isolate('maintenance')
    await settled()
    expect(fleet.states).toBe('isolated isolated')
    expect(fleet.circuit(1).explain()).toContain('maintenance')
    hold.release()
    await settled()
    expect(fleet.states).toBe('closed closed')
  })

  test('a circuit is held closed for all, and by another instance too', async () => {
    const fleet = new Fleet(2, { trust: 'follow' }, {}, true)
    fleet.circuit(1)
    const hold = fleet.circuit(0).bypass()
    await settled()
    await fleet.calls(1, 10, 'bad')
    expect(fleet.states).toBe('bypassed bypassed')
    const other = fleet.circuit(1).bypass()
    await settled()
    hold.release()
    await settled()
    expect(fleet.states).toBe('bypassed bypassed')
    other.release()
    await settled()
    expect(fleet.states).toBe('closed closed')
  })

  test('an instance that is in shadow for a while follows no hold, and then the one that is still there, once', async () => {
    const fleet = new Fleet(2, {}, {}, true)
    fleet.circuit(1)
    const hold = fleet.circuit(0).isolate()
    await settled()
    fleet.boards[1]?.configure(HOST, { mode: 'shadow' })
    await settled()
    expect(fleet.states).toBe('isolated closed')
    fleet.boards[1]?.configure(HOST, { mode: 'on' })
    await fleet.call(1)
    expect(fleet.states).toBe('isolated isolated')
    hold.release()
    await settled()
    expect(fleet.states).toBe('closed closed')
  })

  test('who put a hold on lets it go, also after a while in shadow', async () => {
    const fleet = new Fleet(2, {}, {}, true)
    fleet.circuit(1)
    const hold = fleet.circuit(0).isolate()
    await settled()
    fleet.boards[0]?.configure(HOST, { mode: 'shadow' })
    fleet.boards[0]?.configure(HOST, { mode: 'on' })
    await fleet.call(0)
    expect(fleet.states).toBe('isolated isolated')
    hold.release()
    await settled()
    expect(fleet.states).toBe('closed closed')
  })

  test('what comes from the store changes nothing in shadow', async () => {
    const fleet = new Fleet(2, { trust: 'follow' })
    await fleet.calls(0, 3, 'bad')
    // It looks, and is in shadow before the store has answered.
    const looking = fleet.circuit(1).consult()
    fleet.boards[1]?.configure(HOST, { mode: 'shadow' })
    await looking
    await settled()
    expect(fleet.states).toBe('open closed')
  })

  test('a hold outlives the process that put it on, until somebody resets', async () => {
    const fleet = new Fleet(2, {}, {}, true)
    fleet.circuit(0).isolate()
    await settled()
    await fleet.call(1)
    await fleet.call(1)
    expect(fleet.state(1)).toBe('isolated')
    fleet.circuit(1).reset()
    await settled()
    expect(fleet.states).toBe('closed closed')
  })

  test('a circuit is closed for all', async () => {
    const fleet = new Fleet(2, { trust: 'follow' }, {}, true)
    fleet.circuit(1)
    await fleet.calls(0, 3, 'bad')
    fleet.circuit(1).reset()
    await settled()
    expect(fleet.states).toBe('closed closed')
  })
})

describe('a board', () => {
  test('is ready once it knows what its fleet knows of the hosts that it names', async () => {
    const fleet = new Fleet(2, { trust: 'follow' }, { hosts: { [HOST]: { openFor: '60s' } } })
    await fleet.calls(0, 3, 'bad')
    await (fleet.boards[1] as Board).ready()
    expect(fleet.state(1)).toBe('open')
  })

  test('flushes what it has not told yet', async () => {
    const fleet = new Fleet(2, { trust: 'follow', jitter: '1h' })
    await fleet.call(1)
    await fleet.calls(0, 3, 'bad')
    expect(fleet.asked).not.toContain('swap')
    await (fleet.boards[0] as Board).flush()
    await fleet.wait(1_100)
    await fleet.call(1)
    expect(fleet.states).toBe('open open')
  })

  test('waits for a store that hangs no longer than its time limit, and never fails', async () => {
    const fleet = new Fleet(1, { timeout: '500ms' }, { hosts: { [HOST]: {} } })
    fleet.store = 'hanging'
    const both = Promise.all([(fleet.boards[0] as Board).ready(), (fleet.boards[0] as Board).flush()])
    fleet.clock.advance(500)
    await expect(both).resolves.toBeDefined()
  })

  test('without a fleet has nothing to wait for', async () => {
    const board = createBoard()
    await board.ready()
    await board.flush()
    expect(board.consult({ method: 'GET', url: `https://${HOST}/` })).toBeUndefined()
  })

  test('counts the time that its process was frozen', async () => {
    const fleet = new Fleet(2, { trust: 'follow' })
    await fleet.call(1)
    await fleet.calls(0, 3, 'bad')
    await fleet.wait(5_000)
    // It thaws: what it saw before is too old to go by.
    expect(await fleet.call(1)).toBe('refused')
  })
})

test('a clock that fails at calling back, or gives nothing to call it off by, fails no call', async () => {
  const warnings: string[] = []
  for (const after of [
    () => {
      throw new Error('no timers here')
    },
    () => undefined,
  ] as never[]) {
    const store = memoryStore()
    const board = createBoard({ clock: { now: () => performance.now(), after }, fleet: fleet(store) })
    board.on('warning', ({ message }) => warnings.push(message))
    expect(await board.run(HOST, () => 'well')).toBe('well')
  }
  expect(warnings).toEqual(['clock.after threw: Error: no timers here', 'clock.after gave nothing that calls it off'])
})

test('a circuit that goes into shadow hears no more of the fleet, nor does the fleet of it', async () => {
  const fleet = new Fleet(2, { trust: 'follow' }, {}, true)
  await fleet.call(1)
  ;(fleet.boards[1] as Board).configure(HOST, { mode: 'shadow' })
  await fleet.calls(0, 3, 'bad')
  expect(fleet.states).toBe('open closed')
  fleet.circuit(0).reset()
  await settled()
  await fleet.calls(1, 3, 'bad')
  expect(fleet.states).toBe('closed open')
  ;(fleet.boards[1] as Board).configure(HOST, { mode: 'on' })
  fleet.circuit(1).reset()
  await settled()
  await fleet.calls(0, 3, 'bad')
  expect(fleet.states).toBe('open open')
})

test('an answer that comes when its circuit has left the fleet changes nothing', async () => {
  const clock = manualClock(1_700_000_000_000)
  const inner = memoryStore(() => clock.wall())
  let answer = (): void => {}
  const slow: SharedStore = {
    swap: (key, expected, value, options) => inner.swap(key, expected, value, options),
    read: async (key, signal) => {
      await new Promise<void>((resolve) => (answer = resolve))
      return inner.read(key, signal)
    },
  }
  const open = JSON.stringify({ s: 'o', e: 1, a: clock.wall(), u: clock.wall() + 60_000, t: 1 })
  await inner.swap(HOST, 0, open, { ttl: 60_000, notAfter: Infinity, signal: new AbortController().signal })
  const board = createBoard({ clock, fleet: fleet(slow, { trust: 'follow' }) })
  void board.circuit(HOST).consult()
  board.configure(HOST, { mode: 'shadow' })
  answer()
  await settled()
  expect(board.circuit(HOST).state).toBe('closed')
})
