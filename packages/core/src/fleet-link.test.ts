// What a fleet's store may do to an instance: slow, dead or lying, it is an event, and after a few times it is left alone.
import { setImmediate as turn } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { readTerms, type FleetOptions } from './fleet-terms.ts'
import { FleetLink, type Answer } from './fleet-link.ts'
import type { SharedStore, Snapshot } from './shared-store.ts'
import { manualClock } from './testing.ts'
import { Timeline, type Clock } from './timeline.ts'

const START = 1_700_000_000_000
const WRITE = { ttl: 60_000, notAfter: START + 1_000 }
const ANSWER: Snapshot = { version: 3, value: 'text', now: START }
const hangs = (): Promise<never> => new Promise(() => {})
const fails = (): Promise<never> => Promise.reject(new Error('down'))

interface Setting extends FleetOptions {
  random?: () => number
  /** In place of the manual clock's own. */
  after?: NonNullable<Clock['after']>
}

function linked(store: Partial<SharedStore>, { random = () => 0.5, after, ...options }: Setting = {}) {
  const clock = manualClock(START)
  const faults: string[] = []
  const warnings: string[] = []
  const link = new FleetLink({ read: hangs, swap: hangs, ...store }, readTerms(options, store.watch !== undefined), {
    time: new Timeline({ ...clock, ...(after && { after }) }, () => {}),
    random,
    onFault: (action, key, fault) => void faults.push(`${action} ${key}: ${fault}`),
    warn: (code, message) => void warnings.push(`${code}: ${message}`),
  })
  /** For how long the store is left alone. */
  const rest = (): number => {
    let ms = 0
    while (link.down(clock.now() + ms)) ms++
    return ms
  }
  return { link, clock, faults, warnings, rest }
}

describe('an answer', () => {
  test('tells when it was asked for and when it came', async () => {
    const { link, clock, faults } = linked({
      async read() {
        clock.advance(30)
        return ANSWER
      },
    })
    clock.advance(100)
    expect(await link.read('host')).toEqual({ ...ANSWER, sentAt: 100, cameAt: 130 })
    expect(faults).toEqual([])
  })

  test('is asked for with the key, and a write with all that the store has to know', async () => {
    const asked: unknown[] = []
    const { link } = linked({
      read: async (...given) => {
        asked.push(given)
        return ANSWER
      },
      swap: async (...given) => {
        asked.push(given)
        return { ...ANSWER, won: true }
      },
    })
    await link.read('host')
    expect(await link.swap('host', 2, 'text', WRITE)).toMatchObject({ ...ANSWER, won: true })
    const signal: unknown = expect.any(AbortSignal)
    expect(asked).toEqual([
      ['host', signal],
      ['host', 2, 'text', { ...WRITE, signal }],
    ])
  })

  test('that does not come within its time is given up, and the store is told', async () => {
    const signals: AbortSignal[] = []
    const { link, clock, faults } = linked(
      { read: (_, signal) => (signals.push(signal), hangs()) },
      { timeout: '250ms' },
    )
    const answer = link.read('host')
    clock.advance(249)
    expect(signals[0]?.aborted).toBe(false)
    clock.advance(1)
    expect(await answer).toBeUndefined()
    expect(signals[0]?.aborted).toBe(true)
    expect(faults).toEqual(['read host: Error: no answer within 250 ms'])
  })

  test('in time leaves no time limit behind', async () => {
    const signals: AbortSignal[] = []
    const { link, clock, faults } = linked({
      read: async (_, signal) => {
        signals.push(signal)
        return ANSWER
      },
    })
    await link.read('host')
    clock.advance(5_000)
    expect([signals[0]?.aborted, faults]).toEqual([false, []])
  })

  test('that comes late is nobody’s, and no rejection is left over', async () => {
    let reject: (error: Error) => void = () => {}
    const { link, clock } = linked({ read: () => new Promise((_, no) => (reject = no)) })
    const answer = link.read('host')
    clock.advance(1_000)
    expect(await answer).toBeUndefined()
    reject(new Error('late'))
    await turn()
  })

  test.each([
    ['nothing', undefined],
    ['null', null],
    ['a text', 'text'],
    ['no version', { value: 'text', now: START }],
    ['a version below 0', { ...ANSWER, version: -1 }],
    ['a version that is no whole number', { ...ANSWER, version: 1.5 }],
    ['a version that is a text', { ...ANSWER, version: '3' }],
    ['a text that is none', { ...ANSWER, value: 5 }],
    ['no time', { version: 3, value: 'text' }],
    ['a time that is none', { ...ANSWER, now: NaN }],
    ['a time without end', { ...ANSWER, now: Infinity }],
    ['a time before all times', { ...ANSWER, now: -1 }],
  ])('that is no snapshot is a fault: %s', async (_, said) => {
    const { link, faults } = linked({ read: async () => said as Snapshot, swap: async () => said as never })
    expect(await link.read('host')).toBeUndefined()
    expect(await link.swap('host', 0, 'text', WRITE)).toBeUndefined()
    expect(faults).toHaveLength(2)
    expect(faults[0]).toMatch(/^read host: TypeError: /)
  })

  test('to a write says whether it was won', async () => {
    const { link, faults } = linked({ swap: async () => ANSWER as never })
    expect(await link.swap('host', 0, 'text', WRITE)).toBeUndefined()
    expect(faults).toEqual([
      `swap host: TypeError: The store did not say whether a write was won: ${JSON.stringify(ANSWER)}`,
    ])
  })

  test('may be an error, thrown or not', async () => {
    const { link, faults } = linked({
      read: () => {
        throw new Error('thrown')
      },
      swap: fails,
    })
    expect([await link.read('host'), await link.swap('host', 0, 'text', WRITE)]).toEqual([undefined, undefined])
    expect(faults).toEqual(['read host: Error: thrown', 'swap host: Error: down'])
  })
})

describe('a store that does not answer', () => {
  test('is left alone after three faults in a row, and a warning says so', async () => {
    const { link, warnings, rest } = linked({ read: fails })
    await link.read('host')
    await link.read('host')
    expect([rest(), warnings]).toEqual([0, []])
    await link.read('host')
    expect(rest()).toBe(1_000)
    expect(warnings).toEqual([
      "fleet: The fleet's store does not answer: until it does, this instance decides by itself",
    ])
  })

  test('is not left alone where answers come in between', async () => {
    let asked = 0
    const { link, rest } = linked({ read: async () => (++asked % 3 === 0 ? ANSWER : fails()) })
    for (let i = 0; i < 9; i++) await link.read('host')
    expect(rest()).toBe(0)
  })

  test('is left alone twice as long after each fault, up to half a minute, and as at first after an answer', async () => {
    let well = false
    const { link, clock, rest } = linked({ read: async () => (well ? ANSWER : fails()) })
    const rests: number[] = []
    const fault = async (): Promise<void> => {
      await link.read('host')
      rests.push(rest())
      clock.advance(rest())
    }
    for (let i = 0; i < 9; i++) await fault()
    expect(rests).toEqual([0, 0, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000])
    well = true
    await fault()
    well = false
    rests.length = 0
    for (let i = 0; i < 3; i++) await fault()
    expect(rests).toEqual([0, 0, 1_000])
  })

  test.each([
    [0, 500],
    [0.999, 1_499],
  ])('is not left alone by all for the same time: chance %d, %d ms', async (chance, ms) => {
    const { link, rest } = linked({ read: fails }, { random: () => chance })
    for (let i = 0; i < 3; i++) await link.read('host')
    expect(rest()).toBe(ms)
  })

  test('is left alone once for all that it did not answer at a time', async () => {
    const { link, clock, rest } = linked({})
    const answers = Array.from({ length: 9 }, (_, i) => link.read(`host-${i}`))
    clock.advance(1_000)
    await Promise.all(answers)
    expect(rest()).toBe(1_000)
  })

  test('is not blamed by a process that was starved', async () => {
    const due: (() => void)[] = []
    const { link, clock, faults, rest } = linked(
      {},
      {
        after: (_ms, then) => {
          due.push(then)
          return () => {}
        },
      },
    )
    for (let i = 0; i < 4; i++) {
      const answer = link.read('host')
      clock.advance(2_001)
      due.shift()?.()
      expect(await answer).toBeUndefined()
      expect(rest()).toBe(0)
    }
    expect(faults).toHaveLength(4)
  })
})

describe('a watch', () => {
  const GARBAGE = { version: 'x', now: 0 } as unknown as Snapshot

  /** A store that pushes, as a test wants it to. */
  function watched(begin: (changed: (snapshot: Snapshot) => void) => ReturnType<NonNullable<SharedStore['watch']>>) {
    const seen: Answer<Snapshot>[] = []
    const setting = linked({ watch: (_, changed) => begin(changed) })
    const end = setting.link.watch('host', (snapshot) => void seen.push(snapshot))
    return { ...setting, seen, end }
  }

  test('tells what changed, and of the time only when it came', () => {
    let push: (snapshot: Snapshot) => void = () => {}
    const { link, clock, seen } = watched((changed) => ((push = changed), () => {}))
    clock.advance(70)
    push(ANSWER)
    expect(seen).toEqual([{ ...ANSWER, sentAt: 70, cameAt: 70 }])
    expect(link.pushes).toBe(true)
    expect(linked({}).link.pushes).toBe(false)
  })

  test('is ended where the store says how, and tells nothing after that', () => {
    let push: (snapshot: Snapshot) => void = () => {}
    let ended = 0
    const { seen, faults, end } = watched((changed) => ((push = changed), () => void ended++))
    end()
    push(ANSWER)
    push(GARBAGE)
    expect([ended, seen, faults]).toEqual([1, [], []])
  })

  test('may begin late', async () => {
    let ended = 0
    const { end, faults } = watched(async () => () => void ended++)
    await turn()
    expect(ended).toBe(0)
    end()
    expect([ended, faults]).toEqual([1, []])
  })

  test('that is ended before it began is ended as it begins', async () => {
    let ended = 0
    const { end } = watched(async () => () => void ended++)
    end()
    expect(ended).toBe(0)
    await turn()
    expect(ended).toBe(1)
  })

  test('that pushes what is no snapshot is a fault', () => {
    let push: (snapshot: Snapshot) => void = () => {}
    const { seen, faults } = watched((changed) => ((push = changed), () => {}))
    push(GARBAGE)
    push(undefined as unknown as Snapshot)
    push(ANSWER)
    expect(seen).toHaveLength(1)
    expect(faults).toHaveLength(2)
    expect(faults[0]).toBe(
      'watch host: TypeError: The store gave no version, text and time, but {"version":"x","now":0}',
    )
  })

  test('that throws as it begins is a fault, at once or later', async () => {
    const throws = watched(() => {
      throw new Error('no watch')
    })
    const rejects = watched(fails)
    await turn()
    throws.end()
    rejects.end()
    expect(throws.faults).toEqual(['watch host: Error: no watch'])
    expect(rejects.faults).toEqual(['watch host: Error: down'])
  })

  test('that throws at its end is a fault, whenever that is', async () => {
    const stop = (): never => {
      throw new Error('no end')
    }
    const atOnce = watched(() => stop)
    atOnce.end()
    const late = watched(async () => stop)
    late.end()
    await turn()
    expect(atOnce.faults).toEqual(['watch host: Error: no end'])
    expect(late.faults).toEqual(['watch host: Error: no end'])
  })

  test('whose end takes its time and fails is a fault', async () => {
    const { end, faults } = watched(() => fails)
    end()
    await turn()
    expect(faults).toEqual(['watch host: Error: down'])
  })

  test('is no fault of the store where the instance throws', () => {
    let push: (snapshot: Snapshot) => void = () => {}
    const { link, faults, rest } = linked({ watch: (_, changed) => ((push = changed), () => {}) })
    link.watch('host', () => {
      throw new Error('mine')
    })
    for (let i = 0; i < 4; i++) push(ANSWER)
    expect([faults[0], rest()]).toEqual(['watch host: Error: mine', 0])
  })

  test('of a store that does not push is nothing', () => {
    const { link, faults } = linked({})
    link.watch('host', () => {})()
    expect(faults).toEqual([])
  })
})

describe('whoever waits for the store', () => {
  test('waits until it has answered, or no longer than told', async () => {
    const { link, clock } = linked({})
    let over = ''
    void link.within(hangs(), 100).then(() => (over += 'late'))
    void link.within(Promise.resolve(), 100).then(() => (over += 'answered '))
    await turn()
    expect(over).toBe('answered ')
    clock.advance(100)
    await turn()
    expect(over).toBe('answered late')
  })

  test('leaves no time limit behind', async () => {
    let limits = 0
    const { link } = linked({}, { after: () => (limits++, () => void limits--) })
    const answered = link.within(Promise.resolve(), 100)
    expect(limits).toBe(1)
    await answered
    expect(limits).toBe(0)
  })
})

test('each probe has a name that no other has, in this instance or another', () => {
  const { random } = Math
  const [one, other] = [linked({}, { random }).link, linked({}, { random }).link]
  const tokens = [one.token(), one.token(), other.token(), other.token()]
  expect(new Set(tokens).size).toBe(4)
  expect(one.instance).toMatch(/^[0-9a-z]{10}$/)
})
