// What every engine must do: each case runs against the real thing.
import type { Awaitable } from '@fuseboard/core'
import { beforeEach, describe, expect, test } from 'vitest'
import type { Claim, Entry, OutboxStore } from '../src/store.ts'

const NOW = 1_800_000_000_000
const HOUR = 3_600_000

let nth = 0
/** An entry for a circuit that no other case uses. */
export function entryOf(more: Partial<Entry> = {}): Entry {
  const id = `id${++nth}-${process.pid}`
  return {
    id,
    circuit: `api${nth}.test`,
    request: {
      method: 'POST',
      url: 'https://api.test/subscriptions?a=1',
      headers: [
        ['content-type', 'application/json'],
        ['x', 'é'],
        ['x', '2'],
      ],
      body: Uint8Array.from({ length: 256 }, (_, n) => n),
    },
    idempotencyHeader: 'PayPal-Request-Id',
    idempotencyKey: `key-${id}`,
    queuedAt: NOW,
    notBefore: NOW,
    expiresAt: NOW + HOUR,
    attempts: 0,
    ...more,
  }
}

/** As they went in: a body may come back as any bytes. */
const plain = (claim: Claim): Entry => {
  const { body } = claim.request
  const entry = { ...claim, request: { ...claim.request, body: body && new Uint8Array(body) } }
  Reflect.deleteProperty(entry, 'lease')
  return entry
}

/** What an engine is like. */
export interface Traits {
  /** For an engine with a clock of its own: makes it this late, which may be earlier than before. */
  at?: (now: number) => unknown
  /** It knows every entry that it has ever taken in, until that expires. @default true */
  remembers?: boolean
  /** One that failed stays before what came after it with the same idempotency key. @default true */
  keepsPlaces?: boolean
  /** It knows since when the oldest waits. @default true */
  tellsOldest?: boolean
}

export function outboxSuite(
  name: string,
  open: () => Awaitable<OutboxStore>,
  { at = () => undefined, remembers = true, keepsPlaces = true, tellsOldest = true }: Traits = {},
): void {
  describe(`${name}: an outbox`, () => {
    beforeEach(async () => {
      await at(NOW)
    })
    const claim = async (store: OutboxStore, { circuit }: Entry, now = NOW, most = 10): Promise<readonly Claim[]> => {
      await at(now)
      return store.claim(circuit, most, now, now + 60_000)
    }
    const claimed = async (store: OutboxStore, entry: Entry, now = NOW): Promise<Claim> => {
      const [first] = await claim(store, entry, now, 1)
      if (first === undefined) throw new Error('nothing was given out')
      return first
    }

    test('gives out what was put in, whole', async () => {
      const store = await open()
      const entry = entryOf()
      const bare = entryOf({ circuit: entry.circuit, request: { ...entry.request, headers: [], body: undefined } })
      expect([await store.put(entry), await store.put(bare)]).toEqual(['queued', 'queued'])
      expect((await claim(store, entry)).map(plain)).toEqual([entry, bare])
    })

    test('takes the same request in only once, whether it waits, is under way or was sent', async () => {
      const store = await open()
      const entry = entryOf()
      await store.put(entry)
      const known = remembers ? 'duplicate' : 'queued'
      expect(await store.put({ ...entry, queuedAt: NOW + 1 })).toBe(known)
      const own = await claimed(store, entry)
      expect(await store.put(entry)).toBe(known)
      await store.settle(own, { state: 'sent', at: NOW, receipt: { status: 201, headers: [], body: '' } })
      expect(await store.put(entry)).toBe('duplicate')
      expect(await claim(store, entry, NOW + HOUR - 1)).toEqual([])
    })

    test('takes one that was given up in once more', async () => {
      const store = await open()
      const entry = entryOf()
      await store.put(entry)
      await store.settle(await claimed(store, entry), { state: 'dead', at: NOW, error: 'The host answered 422' })
      const again = { ...entry, queuedAt: NOW + 5_000, notBefore: NOW + 5_000, expiresAt: NOW + 2 * HOUR }
      expect(await store.put(again)).toBe('queued')
      expect((await claim(store, entry, NOW + 5_000)).map(plain)).toEqual([again])
      expect(await store.result(entry.id)).toEqual({ state: 'pending', attempts: 0, error: undefined })
    })

    test('takes one that was sent in once more when it has expired, however many others have', async () => {
      const store = await open()
      const first = entryOf()
      const others = Array.from({ length: 39 }, (_, n) => `${first.id}-${n}`)
      const all = [first, ...others.map((id) => ({ ...first, id, idempotencyKey: id }))]
      for (const one of all) await store.put(one)
      for (const one of await claim(store, first, NOW, 40)) {
        await store.settle(one, { state: 'sent', at: NOW, receipt: { status: 201, headers: [], body: '' } })
      }
      const last = all.at(-1) as Entry
      const again = { ...last, queuedAt: NOW + HOUR, notBefore: NOW + HOUR, expiresAt: NOW + 2 * HOUR }
      await at(NOW + HOUR)
      expect(await store.put(again)).toBe('queued')
      expect((await claim(store, again, NOW + HOUR)).map(plain)).toEqual([again])
      expect(await store.result(last.id)).toEqual({ state: 'pending', attempts: 0, error: undefined })
    })

    test('gives out the oldest first, so many, of one circuit, and none before its time', async () => {
      const store = await open()
      const first = entryOf()
      const { circuit } = first
      const later = entryOf({ circuit, notBefore: NOW + 10_000 })
      const others = [entryOf({ circuit }), entryOf({ circuit })]
      for (const one of [first, later, ...others, entryOf()]) await store.put(one)
      expect((await claim(store, first, NOW, 2)).map(({ id }) => id)).toEqual([first.id, others[0]?.id])
      expect((await claim(store, first, NOW)).map(({ id }) => id)).toEqual([others[1]?.id])
      expect((await claim(store, first, NOW + 10_000)).map(({ id }) => id)).toEqual([later.id])
    })

    test('gives out of one idempotency key one at a time, in the order in which they came', async () => {
      const store = await open()
      const first = entryOf()
      const { circuit, idempotencyKey } = first
      const [second, other] = [entryOf({ circuit, idempotencyKey }), entryOf({ circuit })]
      for (const one of [first, second, other]) await store.put(one)
      const [own, ...rest] = await claim(store, first)
      expect([own?.id, ...rest.map(({ id }) => id)]).toEqual([first.id, other.id])
      const ending = { state: 'sent', at: NOW, receipt: { status: 201, headers: [], body: '' } } as const
      await store.settle(rest[0] as Claim, ending)
      // Not tried, and put back for a moment.
      await store.retry(own as Claim, { at: NOW + 10_000, attempts: keepsPlaces ? 1 : 0, error: 'reset' })
      expect(await claim(store, first, NOW + 9_000)).toEqual([])
      const again = await claimed(store, first, NOW + 10_000)
      expect(again.id).toBe(first.id)
      await store.settle(again, ending)
      expect((await claim(store, first, NOW + 60_000)).map(({ id }) => id)).toEqual([second.id])
    })

    test('gives out an entry to one at a time, and again once the lease has run out', async () => {
      const store = await open()
      const entry = entryOf()
      await store.put(entry)
      const crashed = await claimed(store, entry)
      expect(await claim(store, entry, NOW + 59_999)).toEqual([])
      const next = await claimed(store, entry, NOW + 60_000)
      expect(next.lease).not.toBe(crashed.lease)
    })

    test('does nothing for who has lost its lease, but believes that it was sent', async () => {
      const store = await open()
      const entry = entryOf()
      await store.put(entry)
      const late = await claimed(store, entry)
      const own = await claimed(store, entry, NOW + 60_000)
      await store.retry(late, { at: NOW, attempts: 9, error: 'late' })
      await store.settle(late, { state: 'dead', at: NOW, error: 'late' })
      expect(await store.result(entry.id)).toEqual({ state: 'pending', attempts: 0, error: undefined })
      expect(await claim(store, entry, NOW + 60_001)).toEqual([])

      const ending = { state: 'sent', at: NOW + 7, receipt: { status: 201, headers: [['a', 'b']], body: 'ö' } } as const
      await store.settle(late, ending)
      await store.retry(own, { at: NOW, attempts: 1, error: 'reset' })
      await store.settle(own, { state: 'dead', at: NOW, error: 'reset' })
      expect(await store.result(entry.id)).toEqual(ending)
      expect(await claim(store, entry, NOW + HOUR)).toEqual([])
    })

    test('puts an entry back, with how often it was sent and why in vain', async () => {
      const store = await open()
      const entry = entryOf()
      await store.put(entry)
      await store.retry(await claimed(store, entry), { at: NOW + 10_000, attempts: 1, error: 'The host answered 503' })
      expect(await claim(store, entry, NOW + 9_000)).toEqual([])
      const again = await claimed(store, entry, NOW + 10_000)
      expect(plain(again)).toEqual({ ...entry, attempts: 1 })
      await store.retry(again, { at: NOW, attempts: 1, error: undefined })
      const result = { state: 'pending', attempts: 1, error: 'The host answered 503' }
      expect(await store.result(entry.id)).toEqual(result)
    })

    test('tells how an entry ended', async () => {
      const store = await open()
      const [sent, dead] = [entryOf(), entryOf()]
      await store.put(sent)
      await store.put(dead)
      const receipt = { status: 422, headers: [['content-type', 'text/plain']], body: 'no such plan' } as const
      const endings = [
        { state: 'sent', at: NOW, receipt: { ...receipt, status: 201 } },
        { state: 'dead', at: NOW, error: 'The host answered 422', receipt },
      ] as const
      await store.settle(await claimed(store, sent), endings[0])
      await store.settle(await claimed(store, dead), endings[1])
      expect([await store.result(sent.id), await store.result(dead.id)]).toEqual(endings)
      expect(await store.result('none')).toBeUndefined()
    })

    test('tells how much waits, since when and for whom', async () => {
      const store = await open()
      const before = await store.depth()
      const first = entryOf({ queuedAt: NOW - 1_000_000 })
      const all = [first, entryOf({ circuit: first.circuit }), entryOf()]
      for (const one of all) await store.put(one)
      await store.settle(await claimed(store, all[2] as Entry), { state: 'dead', at: NOW, error: 'no' })
      const { pending, oldest, dead, circuits } = await store.depth()
      const since = tellsOldest ? first.queuedAt : undefined
      expect([pending - before.pending, oldest, dead - before.dead]).toEqual([2, since, 1])
      expect(circuits.filter((circuit) => all.some((one) => one.circuit === circuit))).toEqual([first.circuit])
      for (const claim of await store.claim(first.circuit, 9, NOW, NOW + 1)) {
        await store.settle(claim, { state: 'sent', at: NOW, receipt: { status: 201, headers: [], body: '' } })
      }
    })

    test('remembers what was sent until it expires, and what was given up for longer', async () => {
      const store = await open()
      const [sent, dead] = [entryOf(), entryOf()]
      for (const one of [sent, dead]) await store.put(one)
      await store.settle(await claimed(store, sent), {
        state: 'sent',
        at: NOW,
        receipt: { status: 201, headers: [], body: '' },
      })
      await store.settle(await claimed(store, dead), { state: 'dead', at: NOW, error: 'no' })
      await at(NOW + HOUR - 1)
      await store.put(entryOf({ queuedAt: NOW + HOUR - 1 }))
      expect(await store.result(sent.id)).toMatchObject({ state: 'sent' })
      await at(NOW + HOUR)
      await store.put(entryOf({ queuedAt: NOW + HOUR }))
      expect(await store.result(sent.id)).toBeUndefined()
      expect(await store.result(dead.id)).toMatchObject({ state: 'dead' })
    })
  })
}
