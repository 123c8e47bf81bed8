// A body copied in passing, whatever its chunks.
import fc from 'fast-check'
import { expect, test, vi } from 'vitest'
import { copyBody, type Copied } from './body-copy.ts'

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values)

/** Few bytes or many, so that a copy has to grow. */
const chunk = fc.oneof(fc.uint8Array({ maxLength: 9 }), fc.uint8Array({ maxLength: 9_000, size: 'max' }))

test('a body comes out as it went in, whatever its chunks', () => {
  fc.assert(
    fc.property(fc.array(chunk, { maxLength: 6 }), fc.boolean(), (chunks, known) => {
      const whole = Uint8Array.from(chunks.flatMap((chunk) => [...chunk]))
      const done = vi.fn<(copied: Copied) => void>()
      const sink = copyBody(1 << 20, known ? whole.byteLength : undefined, done)
      for (const chunk of chunks) sink.write(chunk)
      sink.end()
      expect(done.mock.calls).toEqual([[whole]])
    }),
    { numRuns: 30 },
  )
})

test('the copy is its own: a chunk that is used again changes nothing', () => {
  const done = vi.fn<(copied: Copied) => void>()
  const sink = copyBody(10, undefined, done)
  const chunk = Buffer.from('abc')
  sink.write(chunk)
  chunk.fill(0)
  sink.end()
  expect(Buffer.from(done.mock.calls[0]?.[0] as Uint8Array).toString()).toBe('abc')
})

test('a copy holds no more memory than its bytes', () => {
  const done = vi.fn<(copied: Copied) => void>()
  const sink = copyBody(1 << 20, undefined, done)
  sink.write(bytes(1, 2, 3))
  sink.end()
  const [[copied] = []] = done.mock.calls
  expect(copied).toHaveProperty('buffer.byteLength', 3)
})

test('a body at the limit is copied, and one byte more is told as too big', () => {
  for (const [size, expected] of [
    [5, bytes(0, 0, 0, 0, 0)],
    [6, 'too big'],
  ] as const) {
    const done = vi.fn<(copied: Copied) => void>()
    const sink = copyBody(5, undefined, done)
    for (let i = 0; i < size; i++) sink.write(bytes(0))
    expect(done).not.toHaveBeenCalled()
    sink.end()
    expect(done).toHaveBeenCalledExactlyOnceWith(expected)
  }
})

test('a body shorter or longer than it was to be comes to nothing', () => {
  for (const size of [2, 4]) {
    const done = vi.fn<(copied: Copied) => void>()
    const sink = copyBody(10, 3, done)
    sink.write(new Uint8Array(size))
    sink.end()
    expect(done).not.toHaveBeenCalled()
  }
})

test('a body broken off comes to nothing, even where it was too big, or ends after all', () => {
  const done = vi.fn<(copied: Copied) => void>()
  for (const size of [1, 9]) {
    const sink = copyBody(5, undefined, done)
    sink.write(new Uint8Array(size))
    sink.abort()
    sink.write(bytes(1))
    sink.end()
  }
  expect(done).not.toHaveBeenCalled()
})

test('an end is told once', () => {
  const done = vi.fn<(copied: Copied) => void>()
  const sink = copyBody(5, 0, done)
  sink.end()
  sink.end()
  expect(done).toHaveBeenCalledExactlyOnceWith(bytes())
})
