// What becomes of an answer that a stand-in masks: its connection is to come back.
import type { Answer } from './transport.ts'

/** An answer up to this many bytes is read to its end, which is cheaper than a new connection. */
const MOST = 131_072
/** Milliseconds that it may take. */
const LONGEST = 1_000

/** @internal Reads an answer to its end if that is soon, and hangs up otherwise. */
export function drain(answer: Answer): void {
  if (Number(answer.headers['content-length'] ?? 0) > MOST) return void answer.on('error', () => {}).destroy()
  let bytes = 0
  const timer = setTimeout(() => answer.destroy(), LONGEST).unref()
  answer
    .on('data', (chunk: Uint8Array) => {
      bytes += chunk.byteLength
      if (bytes > MOST) answer.destroy()
    })
    .on('error', () => {})
    .on('close', () => clearTimeout(timer))
}
