// A zip of texts, whose bytes depend on nothing but names and contents.
import { crc32 } from 'node:zlib'

export interface Entry {
  readonly path: string
  readonly text: string
}

/** Stored, not compressed: what a compressor makes of the same text differs between releases and processors. */
export function zip(entries: readonly Entry[]): Buffer {
  const locals: Buffer[] = []
  const directory: Buffer[] = []
  let offset = 0
  for (const entry of entries.toSorted(byPath)) {
    const name = Buffer.from(entry.path)
    const data = Buffer.from(entry.text)
    const common = commonOf(name, data)
    const local = Buffer.concat([words(0x04034b50), common, name, data])
    locals.push(local)
    directory.push(Buffer.concat([words(0x02014b50), MADE_ON_UNIX, common, attributesOf(offset), name]))
    offset += local.length
  }
  return Buffer.concat([...locals, ...directory, endOf(entries.length, Buffer.concat(directory).length, offset)])
}

// By code units: a locale would sort otherwise elsewhere.
const byPath = (a: Entry, b: Entry): number => (a.path < b.path ? -1 : 1)

/** Version 2.0 wrote it, on Unix: only so the rights are heeded. */
const MADE_ON_UNIX = Buffer.from([20, 3])
/** A file that everybody may read: a function runs as a user of its own. */
const RIGHTS = 0o100_644
/** 1 January 1980, the first day that a zip knows. */
const DAY = 0b0000000_0001_00001

/** What both headers of a file have: needs 2.0, names in UTF-8, stored, midnight, day, sum, sizes, length of the name. */
function commonOf(name: Buffer, data: Buffer): Buffer {
  return Buffer.concat([
    halves(20, 1 << 11, 0, 0, DAY),
    words(crc32(data), data.length, data.length),
    halves(name.length, 0),
  ])
}

const attributesOf = (offset: number): Buffer => Buffer.concat([halves(0, 0, 0), words(RIGHTS * 2 ** 16, offset)])

const endOf = (count: number, size: number, offset: number): Buffer =>
  Buffer.concat([words(0x06054b50), halves(0, 0, count, count), words(size, offset), halves(0)])

/** Numbers of four bytes, the lowest first. */
function words(...numbers: readonly number[]): Buffer {
  const bytes = Buffer.alloc(numbers.length * 4)
  for (const [nth, number] of numbers.entries()) bytes.writeUInt32LE(number, nth * 4)
  return bytes
}

/** Numbers of two bytes. */
function halves(...numbers: readonly number[]): Buffer {
  const bytes = Buffer.alloc(numbers.length * 2)
  for (const [nth, number] of numbers.entries()) bytes.writeUInt16LE(number, nth * 2)
  return bytes
}
