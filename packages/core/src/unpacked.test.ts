// Stored bytes of the wire, for clients that unpack bodies.
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import type { Reply } from './reply.ts'
import { unpacked } from './unpacked.ts'

const bytes = new TextEncoder().encode('In the beginning')

const wire = (body: Uint8Array, encoding: string): Reply => ({
  status: 200,
  statusText: 'OK',
  headers: [
    ['Content-Type', 'text/plain'],
    ['Content-Encoding', encoding],
    ['Content-Length', String(body.byteLength)],
  ],
  body: new Uint8Array(body),
  decoded: false,
  mark: { source: 'stored', reason: 'refused' },
})

describe('a reply as it was on the wire', () => {
  test.each([
    ['gzip', gzipSync(bytes)],
    ['X-GZip', gzipSync(bytes)],
    ['deflate', deflateSync(bytes)],
    ['br', brotliCompressSync(bytes)],
    ['deflate, gzip', gzipSync(deflateSync(bytes))],
  ])('is unpacked from %s, and says so no more', (encoding, body) => {
    expect(unpacked(wire(body, encoding))).toEqual({
      ...wire(bytes, ''),
      headers: [['Content-Type', 'text/plain']],
      decoded: true,
    })
  })

  test('may have a head only', () => {
    expect(unpacked(wire(new Uint8Array(), 'gzip'))).toMatchObject({ headers: [['Content-Type', 'text/plain']] })
  })

  test('that cannot be unpacked is none', () => {
    expect(unpacked(wire(bytes, 'gzip'))).toBeUndefined()
    expect(unpacked(wire(bytes, 'rot13'))).toBeUndefined()
  })
})

test('another reply stays as it is', () => {
  const decoded = { ...wire(bytes, 'gzip'), decoded: true }
  const plain = { ...wire(bytes, ''), headers: [] }
  for (const reply of [decoded, plain, undefined]) expect(unpacked(reply)).toBe(reply)
})
