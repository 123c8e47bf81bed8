// What every store of a fleet must do, whatever it is of: each case runs against the real thing.
import { setTimeout as sleep } from 'node:timers/promises'
import type { SharedStore, Snapshot, Swapped } from '@fuseboard/core'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { FleetPlace } from './fleet-places.ts'

/** How a store is opened on what the tests of a file share. */
export interface FleetSetting {
  readonly name: string
  /** Another client of the same data each time. */
  open(): Promise<FleetPlace>
  /** Whether others can write there. */
  readonly others: boolean
}

export function fleetSuite(setting: FleetSetting): void {
  describe(`${setting.name}: the store of a fleet`, () => {
    comparing(setting)
    aging(setting)
    racing(setting)
    distrust(setting)
  })
}

const HOUR = 3_600_000
/** Later than any of these tests ends, by any store's clock. */
const SOME_DAY = 9e15

let nth = 0
/** A key that no other test uses. */
export const freshHost = (tail = ''): string => `api-${process.pid}-${++nth}.example:8443${tail}`

/** Nobody aborts. */
export const patient: AbortSignal = new AbortController().signal

export function swap(store: SharedStore, key: string, expected: number, value: string): Promise<Swapped> {
  return store.swap(key, expected, value, { ttl: HOUR, notAfter: SOME_DAY, signal: patient })
}

async function opened(setting: FleetSetting): Promise<FleetPlace> {
  const place = await setting.open()
  onTestFinished(() => place[Symbol.asyncDispose]())
  return place
}

const held = ({ version, value }: Snapshot): unknown => ({ version, value })

function comparing(setting: FleetSetting): void {
  test('nothing is there before, and the time is told all the same', async () => {
    const { store } = await opened(setting)
    const snapshot = await store.read(freshHost(), patient)
    expect(held(snapshot)).toEqual({ version: 0, value: undefined })
    expect(Math.abs(snapshot.now - Date.now())).toBeLessThan(2 * HOUR)
  })

  test('what is created is there, with a version by the time', async () => {
    const { store } = await opened(setting)
    const key = freshHost()
    const made = await swap(store, key, 0, '{"s":"o"}')
    expect(made).toMatchObject({ won: true, value: '{"s":"o"}' })
    expect(Math.abs(made.version - made.now)).toBeLessThan(60_000)
    expect(held(await store.read(key, patient))).toEqual(held(made))
  })

  test('each write has a greater version, though it be of the same millisecond', async () => {
    const { store } = await opened(setting)
    const key = freshHost()
    const versions = [0]
    for (let n = 0; n < 10; n++) {
      const { won, version } = await swap(store, key, versions.at(-1)!, `${n}`)
      expect(won).toBe(true)
      versions.push(version)
    }
    expect(versions).toEqual([...new Set(versions)].toSorted((a, b) => a - b))
    expect((await store.read(key, patient)).value).toBe('9')
  })

  test('who expects another version loses, and is told what is there', async () => {
    const [{ store: one }, { store: other }] = [await opened(setting), await opened(setting)]
    const key = freshHost()
    const first = await swap(one, key, 0, 'first')
    for (const expected of [0, 1, first.version - 1, first.version + 1]) {
      const lost = await swap(other, key, expected, 'late')
      expect({ ...held(lost)!, won: lost.won }).toEqual({ version: first.version, value: 'first', won: false })
    }
    const second = await swap(other, key, first.version, 'second')
    expect(held(await one.read(key, patient))).toEqual({ version: second.version, value: 'second' })
  })

  test('who expects a version where nothing is loses, and is told so', async () => {
    const { store } = await opened(setting)
    const lost = await swap(store, freshHost(), 17, 'late')
    expect({ ...held(lost)!, won: lost.won }).toEqual({ version: 0, value: undefined, won: false })
  })

  test('keys that are nearly the same are apart', async () => {
    const { store } = await opened(setting)
    const base = freshHost()
    const odd = ['', '/', ' tenant 7', '}', '{x}', '\u0000', '\r\n', 'é', '\u{1f525}', '*', '"', '\\', '__proto__']
    const long = ['x'.repeat(5_000), `${'x'.repeat(5_000)}y`, 'é'.repeat(600)]
    const keys = [...[...odd, ...long].map((tail) => base + tail), `}${base}`, `{${base}`, base.toUpperCase()]
    for (const key of keys) expect((await swap(store, key, 0, `of ${key}`)).won).toBe(true)
    for (const key of keys) expect((await store.read(key, patient)).value).toBe(`of ${key}`)
  })
}

function aging(setting: FleetSetting): void {
  test('the version goes on rising where the key was lost', async () => {
    const { store, lose } = await opened(setting)
    const key = freshHost()
    const before = await swap(store, key, 0, 'before')
    // A lifetime is an hour and more, so that the store's time is always past the version.
    while ((await store.read(key, patient)).now <= before.version) await sleep(1)
    await lose(key)
    expect(held(await store.read(key, patient))).toEqual({ version: 0, value: undefined })
    expect((await swap(store, key, before.version, 'old')).won).toBe(false)
    const after = await swap(store, key, 0, 'after')
    expect(after.won).toBe(true)
    expect(after.version).toBeGreaterThan(before.version)
  })

  test('a write that comes too late is void, and is told what is there', async () => {
    const { store } = await opened(setting)
    const key = freshHost()
    const { now } = await store.read(key, patient)
    const late = { ttl: HOUR, notAfter: now - 60_000, signal: patient }
    expect(await store.swap(key, 0, 'late', late)).toMatchObject({ won: false, version: 0 })
    const made = await store.swap(key, 0, 'in time', { ...late, notAfter: now + 60_000 })
    expect(made.won).toBe(true)
    expect(await store.swap(key, made.version, 'late', late)).toMatchObject({ won: false, value: 'in time' })
    expect(held(await store.read(key, patient))).toEqual(held(made))
  })

  test('who has aborted is refused, and nothing is written', async () => {
    const { store } = await opened(setting)
    const key = freshHost()
    const reason = new Error('nobody waits')
    const signal = AbortSignal.abort(reason)
    await expect(store.read(key, signal)).rejects.toBe(reason)
    await expect(store.swap(key, 0, 'x', { ttl: HOUR, notAfter: SOME_DAY, signal })).rejects.toBe(reason)
    expect((await store.read(key, patient)).version).toBe(0)
  })

  test.each([0.2, 1.5, 1e15, Infinity])('a lifetime of %d ms is one', async (ttl) => {
    const { store } = await opened(setting)
    const made = await store.swap(freshHost(), 0, 'x', { ttl, notAfter: SOME_DAY, signal: patient })
    expect(made).toMatchObject({ won: true, value: 'x' })
  })
}

function racing(setting: FleetSetting): void {
  test('of a hundred who want the same version one wins, and all are told of it', async () => {
    const places = [await opened(setting), await opened(setting)]
    const key = freshHost()
    const { version } = await swap(places[0]!.store, key, 0, 'before')
    const answers = await Promise.all(
      Array.from({ length: 100 }, (_, n) => swap(places[n % 2]!.store, key, version, `${n}`)),
    )
    const winners = answers.filter(({ won }) => won)
    expect(winners).toHaveLength(1)
    expect(winners[0]?.value).toBe(`${answers.indexOf(winners[0]!)}`)
    expect(new Set(answers.map((answer) => JSON.stringify(held(answer))))).toEqual(
      new Set([JSON.stringify(held(winners[0]!))]),
    )
  })
}

const VALUES: Readonly<Record<string, string>> = {
  text: 'not JSON',
  'half a record': '{"s":',
  'text of any kind': 'é \u{1f525} \u2028 "quoted" \\ \r\n\u0000',
  'ten thousand letters': 'x'.repeat(10_000),
}

function distrust(setting: FleetSetting): void {
  test.each(Object.entries(VALUES))('comes back as it is: %s', async (_name, value) => {
    const { store } = await opened(setting)
    const key = freshHost()
    const { version } = await swap(store, key, 0, value)
    expect(held(await store.read(key, patient))).toEqual({ version, value })
  })

  if (!setting.others) return

  test('what others have written is taken for what it is', async () => {
    const { store, plant } = await opened(setting)
    const key = freshHost()
    await plant(key, '17', 'not JSON')
    expect(held(await store.read(key, patient))).toEqual({ version: 17, value: 'not JSON' })
    expect((await swap(store, key, 17, 'mended')).won).toBe(true)
  })

  test('a version of many digits is counted to the last', async () => {
    const { store, plant } = await opened(setting)
    const key = freshHost()
    await plant(key, '9007199254740123', 'x')
    expect((await store.read(key, patient)).version).toBe(9_007_199_254_740_123)
    expect((await swap(store, key, 9_007_199_254_740_123, 'y')).version).toBe(9_007_199_254_740_124)
    expect((await store.read(key, patient)).version).toBe(9_007_199_254_740_124)
  })

  test.each(['text', '-5', '0', '9007199254740993', '1e100'])(
    'a version that cannot be counted with is none, and written over: %s',
    async (version) => {
      const { store, plant } = await opened(setting)
      const key = freshHost()
      await plant(key, version, 'x')
      expect(held(await store.read(key, patient))).toEqual({ version: 0, value: undefined })
      expect(await swap(store, key, 0, 'mended')).toMatchObject({ won: true, value: 'mended' })
      expect((await store.read(key, patient)).value).toBe('mended')
    },
  )
}
