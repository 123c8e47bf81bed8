// What instances of a fleet find out together: each test has several boards on one store, and one clock.
import { describe, expect, test } from 'vitest'
import { createBoard, type Board, type BoardOptions } from './board.ts'
import { fleet, type FleetOptions } from './fleet.ts'
import type { SharedStore } from './shared-store.ts'
import { manualClock, memoryStore, type ManualClock } from './testing.ts'

const HOST = 'bible-api.com'
const POLICY = { consecutiveFailures: 3, openFor: '10s', probes: { within: '2s' } } as const
/** Without chance, so that a test says what happens when. */
const TERMS = { jitter: 0 } as const

class Fleet {
  readonly clock: ManualClock = manualClock(1_700_000_000_000)
  readonly inner: SharedStore = memoryStore(this.clock)
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
