// The bytes of an entry: that every one of them counts, and how many there may be.
import { crc32 } from 'node:zlib'
import type { StoredReply } from '@fuseboard/core'
import { expect, test } from 'vitest'
import { decode, encode, encodeWithin } from './encoding.ts'

const entry = (bytes: number, status = 200): StoredReply => ({
  v: 1,
  key: 'GET\nhttps://bible-api.com/',
  vary: {},
  status,
  statusText: 'OK',
  headers: [['a', 'b']],
  body: new Uint8Array(bytes).fill(7),
  decoded: true,
  storedAt: 1,
  ageAtStore: 2,
  staleAt: 3,
  expiresAt: 4,
})

test('what was encoded is decoded', () => {
  for (const replies of [[], [entry(0)], [entry(3), entry(5)]]) expect(decode(encode(replies))).toEqual(replies)
})

test('bytes within larger ones are decoded', () => {
  const bytes = encode([entry(3)])
  const larger = Buffer.concat([Buffer.alloc(5, 1), bytes, Buffer.alloc(5, 1)])
  expect(decode(larger.subarray(5, -5))).toEqual([entry(3)])
})

test('no byte can be another, be missing, or come besides', () => {
  const bytes = encode([entry(3), entry(2)])
  for (const at of bytes.keys()) {
    const other = Buffer.from(bytes)
    other[at]! ^= 0x20
    expect(() => decode(other)).toThrow(/^(?:a malformed entry|an entry of another version)/)
    expect(() => decode(bytes.subarray(0, at))).toThrow(/^(?:a malformed entry|an entry of another version)/)
  }
  expect(() => decode(Buffer.concat([bytes, bytes]))).toThrow('malformed')
})

test.each([{ length: 1 }, 'text', 7, null, [7], [null], [{ body: -1 }], [{ body: 1.5 }], [{ body: 9 }], [{}], []])(
  'a sound checksum is not enough: %j',
  (known) => {
    const bytes = encode([])
    const head = Buffer.from(JSON.stringify(known))
    const forged = Buffer.concat([bytes.subarray(0, 12), head, Buffer.alloc(3)])
    forged.writeUInt32BE(head.byteLength, 8)
    forged.writeUInt32BE(crc32(forged.subarray(8)), 4)
    expect(() => decode(forged)).toThrow('malformed')
  },
)

test('the newest variants are kept for which there is room', () => {
  const replies = [entry(100, 200), entry(100, 203), entry(100, 204)]
  const kept = (most: number): number[] | undefined => {
    const bytes = encodeWithin(most, replies)
    return bytes && decode(bytes).map(({ status }) => status)
  }
  const [one, two, three] = [1, 2, 3].map((count) => encode(replies.slice(0, count)).byteLength) as [
    number,
    number,
    number,
  ]
  expect([three, three - 1, two - 1, one - 1, 99].map(kept)).toEqual([
    [200, 203, 204],
    [200, 203],
    [200],
    undefined,
    undefined,
  ])
})
