// SHA-256 (FIPS 180-4), by hand: that of browsers and of Node is either late or not everywhere, and keys are wanted at once.
import { remember } from './bounded.ts'

interface Constants {
  readonly start: readonly number[]
  readonly round: readonly number[]
}

let constants: Constants | undefined

// The same few callers come again and again.
const memo = new Map<string, string>()
const MEMO_SIZE = 64

/** @internal The hash of a text, in hexadecimal digits: it tells partitions apart and does not tell what they are. */
export function sha256(text: string): string {
  const known = memo.get(text) ?? hashOf(text)
  remember(memo, text, known, MEMO_SIZE)
  return known
}

function hashOf(text: string): string {
  const { start, round } = (constants ??= makeConstants())
  const words = padded(new TextEncoder().encode(text))
  const w = new Int32Array(64)
  let hash = [...start]
  for (let block = 0; block < words.length; block += 16) {
    for (let i = 0; i < 64; i++) w[i] = i < 16 ? at(words, block + i) : scheduled(w, i)
    const end = round.reduce((state, constant, i) => mixed(state, (constant + at(w, i)) | 0), hash)
    hash = hash.map((word, i) => (word + at(end, i)) | 0)
  }
  return hash.map((word) => (word >>> 0).toString(16).padStart(8, '0')).join('')
}

function padded(bytes: Uint8Array): Int32Array {
  const words = new Int32Array((((bytes.length + 8) >> 6) + 1) << 4)
  for (let i = 0; i <= bytes.length; i++) {
    const byte = i < bytes.length ? at(bytes, i) : 0x80
    words[i >> 2] = at(words, i >> 2) | (byte << (24 - ((i & 3) << 3)))
  }
  words[words.length - 1] = bytes.length << 3
  return words
}

function scheduled(w: Int32Array, i: number): number {
  const [x, y] = [at(w, i - 15), at(w, i - 2)]
  const [s0, s1] = [turned(x, 7) ^ turned(x, 18) ^ (x >>> 3), turned(y, 17) ^ turned(y, 19) ^ (y >>> 10)]
  return at(w, i - 16) + s0 + at(w, i - 7) + s1
}

function mixed(state: readonly number[], word: number): number[] {
  const [a, b, c, d, e, f, g, h] = state as [number, number, number, number, number, number, number, number]
  const one = (h + (turned(e, 6) ^ turned(e, 11) ^ turned(e, 25)) + ((e & f) ^ (~e & g)) + word) | 0
  const two = ((turned(a, 2) ^ turned(a, 13) ^ turned(a, 22)) + ((a & b) ^ (a & c) ^ (b & c))) | 0
  return [(one + two) | 0, a, b, c, (d + one) | 0, e, f, g]
}

/** The fractional parts of the roots of the first primes. */
function makeConstants(): Constants {
  const primes: number[] = []
  for (let n = 2; primes.length < 64; n++) if (primes.every((prime) => n % prime !== 0)) primes.push(n)
  const fraction = (root: number): number => ((root % 1) * 2 ** 32) | 0
  return {
    start: primes.slice(0, 8).map((prime) => fraction(Math.sqrt(prime))),
    round: primes.map((prime) => fraction(Math.cbrt(prime))),
  }
}

const turned = (word: number, by: number): number => (word >>> by) | (word << (32 - by))

// What is read is always there.
const at = (list: ArrayLike<number>, index: number): number => list[index] as number
