// Whatever bytes a store holds for replies: they are read as what was written, or refused, and nothing else happens.
import { crc32 } from 'node:zlib'
import fc from 'fast-check'
import type { Fuzz } from '../../packages/core/test/fuzz/fuzz.ts'
import { decode, encode } from '../../packages/stores/src/encoding.ts'

const entry = fc.record({
  v: fc.constant(1 as const),
  key: fc.string({ maxLength: 8 }),
  vary: fc.dictionary(fc.string({ maxLength: 3 }), fc.option(fc.string({ maxLength: 3 })), {
    maxKeys: 2,
    noNullPrototype: true,
  }),
  status: fc.integer({ min: 200, max: 599 }),
  statusText: fc.string({ maxLength: 3 }),
  headers: fc.array(fc.tuple(fc.string({ maxLength: 3 }), fc.string({ maxLength: 3 })), { maxLength: 2 }),
  body: fc.uint8Array({ maxLength: 12 }),
  decoded: fc.boolean(),
  storedAt: fc.nat(),
  ageAtStore: fc.nat(),
  staleAt: fc.nat(),
  expiresAt: fc.nat(),
})
const entries = fc.array(entry, { maxLength: 3 })
const changes = fc.tuple(fc.nat(400), fc.integer({ min: 1, max: 255 }), fc.nat(60), fc.boolean())

export const STORED_BYTES: Fuzz = {
  what: 'bytes of replies are read as they were written, or refused',
  share: 50,
  holds: fc.property(entries, changes, fc.uint8Array({ maxLength: 30 }), (replies, [place, by, cut, sealed], noise) => {
    const bytes = encode(replies)
    same(decode(bytes), replies)
    refusedOr(() => decode(noise))
    const other = Buffer.from(bytes.subarray(0, Math.max(0, bytes.byteLength - cut)))
    const at = place % Math.max(1, other.byteLength)
    other[at] = (other[at] ?? 0) ^ by
    // Who can write into a store can write a checksum, too.
    if (sealed && other.byteLength >= 12) other.writeUInt32BE(crc32(other.subarray(8)), 4)
    const read = refusedOr(() => decode(other))
    if (read !== undefined && !sealed) throw new Error('what was changed is read')
    for (const { body } of read ?? []) if (!(body instanceof Uint8Array)) throw new Error('a body is no bytes')
  }),
}

function refusedOr<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch (error) {
    if (error instanceof Error) return undefined
    throw error
  }
}

function same(one: unknown, other: unknown): void {
  const text = (value: unknown): string =>
    JSON.stringify(value, (_, part: unknown) => (part instanceof Uint8Array ? [...part] : part))
  if (text(one) !== text(other)) throw new Error(`${text(one)} is read, and ${text(other)} was written`)
}
