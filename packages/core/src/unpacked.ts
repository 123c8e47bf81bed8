// A reply for clients that unpack bodies: a store may hold the bytes of one as they were on the wire, since undici keeps them so.
import { header } from './headers.ts'
import type { Reply } from './reply.ts'

const UNPACK = {
  gzip: 'gunzipSync',
  'x-gzip': 'gunzipSync',
  deflate: 'inflateSync',
  br: 'brotliDecompressSync',
  zstd: 'zstdDecompressSync',
} as const

/** @internal The reply without a content-encoding; undefined where it cannot be unpacked here. */
export function unpacked(reply: Reply | undefined): Reply | undefined {
  const encoding = reply?.decoded === false ? header(reply.headers, 'content-encoding') : undefined
  if (reply === undefined || encoding === undefined) return reply
  try {
    const body = reply.body.byteLength === 0 ? reply.body : unpack(reply.body, encoding)
    const headers = reply.headers.filter(([name]) => !/^content-(?:encoding|length)$/i.test(name))
    return { ...reply, headers, body, decoded: true }
  } catch {
    return undefined
  }
}

function unpack(body: Uint8Array, encoding: string): Uint8Array {
  // Only Node puts such replies into a store.
  const zlib = process.getBuiltinModule('node:zlib')
  const names = encoding.toLowerCase().split(',').toReversed()
  return names.reduce((bytes, name) => new Uint8Array(zlib[UNPACK[name.trim() as keyof typeof UNPACK]](bytes)), body)
}
