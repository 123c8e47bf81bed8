// The digest, against that of Node.
import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { sha256 } from './sha256.ts'

const known = (text: string): string => createHash('sha256').update(text).digest('hex')

test('the hash of every text is the one that Node gives', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (text) => {
      expect(sha256(text)).toBe(known(text))
    }),
    { numRuns: 300 },
  )
})

test('so it is at every length around the end of a block, and for a long text', () => {
  for (let length = 0; length < 200; length++) expect(sha256('x'.repeat(length))).toBe(known('x'.repeat(length)))
  expect(sha256('ü'.repeat(50_000))).toBe(known('ü'.repeat(50_000)))
})
