// How replies are written down: a head that tells the version and a checksum, what is known of each, then the bodies as they are.
import { crc32 } from 'node:zlib'
import type { StoredReply } from '@fuseboard/core'

/** `FBR` and the version of what follows. */
const MAGIC = Buffer.from('FBR\x01', 'latin1')
/** Where the checksum, the length of the head, and the head begin. */
const SUM = 4
const LENGTH = 8
const HEAD = 12

/** @internal The replies as bytes, which are a copy. Whatever fields they have come along, as far as JSON knows them. */
export function encode(replies: readonly StoredReply[]): Buffer {
  const head = Buffer.from(JSON.stringify(replies.map((reply) => ({ ...reply, body: reply.body.byteLength }))))
  const bytes = Buffer.concat([MAGIC, Buffer.alloc(HEAD - SUM), head, ...replies.map(({ body }) => body)])
  bytes.writeUInt32BE(head.byteLength, LENGTH)
  bytes.writeUInt32BE(crc32(bytes.subarray(LENGTH)), SUM)
  return bytes
}

/**
 * @internal The replies in bytes, each with a body of its own. Whether their fields are sound is for core to tell.
 * @throws Error where the bytes are not what {@link encode} made of them
 */
export function decode(stored: Uint8Array): StoredReply[] {
  const bytes = Buffer.from(stored.buffer, stored.byteOffset, stored.byteLength)
  if (!bytes.subarray(0, SUM).equals(MAGIC)) throw new Error('an entry of another version, or of something else')
  if (bytes.byteLength < HEAD || bytes.readUInt32BE(SUM) !== crc32(bytes.subarray(LENGTH))) throw malformed()
  let at = HEAD + bytes.readUInt32BE(LENGTH)
  const known: unknown = JSON.parse(bytes.toString('utf8', HEAD, at))
  if (!Array.isArray(known)) throw malformed()
  const replies = known.map((reply: unknown) => {
    const { body: length } = Object(reply) as { body: unknown }
    if (!Number.isInteger(length) || (length as number) < 0) throw malformed()
    const body = new Uint8Array(bytes.subarray(at, (at += length as number)))
    return { ...(reply as object), body } as StoredReply
  })
  if (at !== bytes.byteLength) throw malformed()
  return replies
}

/**
 * @internal The replies as bytes where there is room for no more than so many; the variants that were kept longest ago give way.
 * @returns undefined where the newest alone takes more
 */
export function encodeWithin(most: number, replies: readonly StoredReply[]): Buffer | undefined {
  for (let kept = replies.length; kept >= Math.min(1, replies.length); kept--) {
    const some = replies.slice(0, kept)
    if (some.reduce((sum, { body }) => sum + body.byteLength, 0) > most) continue
    const bytes = encode(some)
    if (bytes.byteLength <= most) return bytes
  }
  return undefined
}

const malformed = (): Error => new Error('a malformed entry')
