// Holds a client to the cases: one test for each, or for what happens in its place where the client has a gap.
import { setImmediate } from 'node:timers/promises'
import type { Verdict } from '@fuseboard/core'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import type { Case } from './cases/case.ts'
import { CASES } from './cases/index.ts'
import type { Driver } from './driver.ts'
import type { Gap } from './gaps/gap.ts'
import { openWorld, type World } from './world.ts'

/** Registers the tests of a client. A gap that is not one of a case fails, and so does one that the client does not have. */
export function conform(driver: Driver, gaps: readonly Gap[] = []): void {
  const troubles = new Troubles()
  beforeAll(() => troubles.watch())
  afterAll(() => troubles.unwatch())

  describe(`conformance of ${driver.name}`, () => {
    afterEach(() => expect(troubles.take(), 'unhandled rejections and leaks of listeners').toEqual([]))

    for (const one of CASES) {
      const gap = gaps.find(({ id }) => id === one.id)
      test(`#${one.id} ${gap ? `gap: ${gap.instead}` : one.name}`, async () => {
        expect(await inWorld(driver, one, gap?.run ?? one.run), 'warnings of the board').toEqual([])
      })
    }

    test('each gap is one of a case', () => {
      expect(gaps.filter(({ id }) => !CASES.some((one) => one.id === id))).toEqual([])
    })
  })
}

/** Gives back what the board warned of. */
async function inWorld(driver: Driver, { policy, settings }: Case, run: Case['run']): Promise<readonly string[]> {
  const world = await openWorld(driver, policy, settings)
  let counted: readonly Verdict[]
  try {
    await run(world)
  } finally {
    vi.useRealTimers()
    counted = world.log.counted()
    await world.close()
  }
  await settled(world)
  expect(world.log.counted(), 'closing a client says nothing of a host').toEqual(counted)
  return world.log.warnings
}

/** Waits until no call holds a permit, and whatever was about to go unhandled has done so. */
async function settled({ board }: World): Promise<void> {
  await vi.waitFor(
    () => {
      const held = [...board.circuits()].filter(({ counters }) => counters.inFlight !== 0).map(({ key }) => key)
      expect(held, 'permits still held').toEqual([])
    },
    { timeout: 2_000, interval: 5 },
  )
  await setImmediate()
}

/** What a process says when somebody was careless: rejections that nobody handled, and leaks of listeners. */
class Troubles {
  readonly #seen: unknown[] = []
  readonly #rejected = (reason: unknown): void => void this.#seen.push(reason)
  readonly #warned = (warning: Error): void => {
    if (warning.name === 'MaxListenersExceededWarning') this.#seen.push(warning)
  }

  watch(): void {
    process.on('unhandledRejection', this.#rejected).on('warning', this.#warned)
  }

  unwatch(): void {
    process.off('unhandledRejection', this.#rejected).off('warning', this.#warned)
  }

  take(): unknown[] {
    return this.#seen.splice(0)
  }
}
