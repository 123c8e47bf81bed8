// A copy of a body, made as it passes to the caller.
import type { Sink } from './reply.ts'

/** A whole body, or word that it was bigger than the limit. */
export type Copied = Uint8Array | 'too big'

const FIRST_ROOM = 4_096
const MOST_FIRST_ROOM = 65_536

/**
 * @internal Copies a body of at most `most` bytes and gives it to `done` where it came whole; a bigger one is let go at the
 * limit, and told. One that was broken off, or is not as long as it was to be, comes to nothing.
 * @param length how long it is to be, where that is known
 */
export function copyBody(most: number, length: number | undefined, done: (copied: Copied) => void): Sink {
  // One buffer that grows: a list of chunks would cost many times their bytes where they are small.
  let room: Uint8Array | undefined = new Uint8Array(Math.min(most, length ?? FIRST_ROOM, MOST_FIRST_ROOM))
  let bytes = 0
  let open = true

  return {
    write(chunk) {
      const before = bytes
      bytes += chunk.byteLength
      if (bytes > most) room = undefined
      if (room === undefined) return
      if (bytes > room.byteLength) room = grown(room, Math.min(most, Math.max(bytes, room.byteLength * 2)))
      room.set(chunk, before)
    },
    end() {
      if (!open) return
      open = false
      if (room === undefined) done('too big')
      else if (length === undefined || bytes === length) done(bytes === room.byteLength ? room : room.slice(0, bytes))
      room = undefined
    },
    abort() {
      open = false
      room = undefined
    },
  }
}

function grown(room: Uint8Array, size: number): Uint8Array {
  const larger = new Uint8Array(size)
  larger.set(room)
  return larger
}
