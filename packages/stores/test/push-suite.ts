// What a fleet's store must do that pushes.
import type { SharedStore, Snapshot } from '@fuseboard/core'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { FleetPlace } from './fleet-places.ts'
import { freshHost, swap, type FleetSetting } from './fleet-suite.ts'

export function pushSuite(setting: FleetSetting): void {
  const opened = async (): Promise<FleetPlace> => {
    const place = await setting.open()
    onTestFinished(() => place[Symbol.asyncDispose]())
    return place
  }

  describe(`${setting.name}: a store that pushes`, () => {
    test('who watches a key is told of each change, by whomever, and of nothing else', async () => {
      const [{ store: one }, { store: other }] = [await opened(), await opened()]
      const key = freshHost(' "odd" é}')
      const [watched, elsewhere] = [await watch(one, key), await watch(one, freshHost())]
      const first = await swap(one, key, 0, 'first é"')
      const lost = await swap(one, key, 0, 'lost')
      const second = await swap(other, key, first.version, 'second')
      expect(await watched.told(2)).toEqual([first, second].map(({ version, value, now }) => ({ version, value, now })))
      expect(lost.won).toBe(false)
      expect(elsewhere.all).toEqual([])
    })

    test('who has ended is told nothing, and the others go on', async () => {
      const { store } = await opened()
      const key = freshHost()
      const [one, other] = [await watch(store, key), await watch(store, key)]
      one.stop()
      one.stop()
      const { version } = await swap(store, key, 0, 'x')
      expect(await other.told(1)).toMatchObject([{ version, value: 'x' }])
      expect(one.all).toEqual([])
    })

    test('one function may watch twice, and end once', async () => {
      const { store } = await opened()
      const key = freshHost()
      const told: unknown[] = []
      const changed = ({ value }: Snapshot): void => void told.push(value)
      const [stop] = [await store.watch!(key, changed), await store.watch!(key, changed)]
      const other = await watch(store, key)
      stop()
      await swap(store, key, 0, 'x')
      await other.told(1)
      expect(told).toEqual(['x'])
    })

    test('who ends and watches again, without a wait, is told', async () => {
      const { store } = await opened()
      const key = freshHost()
      const before = await watch(store, key)
      before.stop()
      const again = await watch(store, key)
      before.stop()
      await swap(store, key, 0, 'x')
      expect(await again.told(1)).toMatchObject([{ value: 'x' }])
      expect(before.all).toEqual([])
    })
  })
}

export interface Watcher {
  readonly all: readonly Snapshot[]
  readonly stop: () => void
  /** Resolves once so many changes were told. */
  told(times: number): Promise<readonly Snapshot[]>
}

export async function watch(store: SharedStore, key: string): Promise<Watcher> {
  const all: Snapshot[] = []
  let look = (): void => {}
  const stop = await store.watch!(key, (snapshot) => {
    all.push(snapshot)
    look()
  })
  return {
    all,
    stop,
    told: (times) =>
      new Promise((resolve) => {
        look = () => {
          if (all.length >= times) resolve(all)
        }
        look()
      }),
  }
}
