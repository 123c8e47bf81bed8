// A film: as many bytes as one likes, made when they are asked for, so that nothing large lies anywhere.
import { createCipheriv, createHash } from 'node:crypto'

const BLOCK = 16
const MIB = 2 ** 20

/** Bytes that look random, the same ones for the same title. */
export class Film {
  readonly size: number
  /** A strong one: another title has other bytes and another tag. */
  readonly etag: string
  readonly #key: Buffer

  /** @param title what the bytes are made from */
  constructor(title: string, size: number) {
    const seed = createHash('sha256').update(title).digest()
    this.size = size
    this.etag = `"${seed.toString('hex').slice(-16)}"`
    this.#key = seed.subarray(0, BLOCK)
  }

  /** The bytes from one position up to, and without, another: a cipher in counter mode begins at any block. */
  read(from: number, to: number): Buffer {
    const skip = from % BLOCK
    const counter = Buffer.alloc(BLOCK)
    counter.writeUIntBE((from - skip) / BLOCK, BLOCK - 6, 6)
    const cipher = createCipheriv('aes-128-ctr', this.#key, counter)
    return cipher.update(Buffer.alloc(skip + to - from)).subarray(skip)
  }

  /** SHA-256 of the whole, in hexadecimal. */
  digest(): string {
    const hash = createHash('sha256')
    for (let at = 0; at < this.size; at += MIB) hash.update(this.read(at, Math.min(at + MIB, this.size)))
    return hash.digest('hex')
  }
}
