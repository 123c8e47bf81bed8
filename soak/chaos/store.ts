// A store of replies that goes wrong: it is slow, hangs, fails, lies, and is emptied, and then is well again.
import { memoryReplies, type MemoryReplies, type ReplyStore, type StoredReply } from '@fuseboard/core'
import type { Random } from '../../packages/core/test/simulation/random.ts'

export const MOODS = ['well', 'well', 'well', 'remote', 'remote', 'slow', 'rejects', 'throws', 'hangs', 'lies'] as const

export class MoodyStore implements ReplyStore {
  mood: (typeof MOODS)[number] = 'well'
  readonly #random: Random
  #kept: MemoryReplies = newMemory()

  constructor(random: Random) {
    this.#random = random
  }

  /** All is lost. */
  empty(): void {
    this.#kept = newMemory()
  }

  get(key: string): ReturnType<ReplyStore['get']> {
    return this.#in(() => (this.mood === 'lies' ? this.#lies(key) : this.#kept.get(key)))
  }

  set(key: string, replies: readonly StoredReply[]): Promise<void> | undefined {
    return this.#in(() => this.#kept.set(key, replies)) as Promise<void> | undefined
  }

  delete(key: string): Promise<void> | undefined {
    return this.#in(() => this.#kept.delete(key)) as Promise<void> | undefined
  }

  #in<T>(act: () => T): T | Promise<T> {
    switch (this.mood) {
      case 'well':
      case 'lies':
        return act()
      case 'remote':
        return Promise.resolve().then(act)
      case 'slow':
        return new Promise((resolve) => setTimeout(() => resolve(act()), this.#random() * 200))
      case 'rejects':
        return Promise.reject(new Error('the store is down'))
      case 'throws':
        throw new Error('the store is broken')
      case 'hangs':
        return new Promise(() => {})
    }
  }

  /** What nobody may be given. */
  #lies(key: string): readonly StoredReply[] | undefined {
    const known = this.#kept.get(key)
    const entry = known?.[0]
    if (entry === undefined) return undefined
    const lies: readonly unknown[] = [
      'no list',
      [null, 7, {}],
      [{ ...entry, v: 2 }],
      [{ ...entry, key: `${entry.key}x` }],
      [{ ...entry, status: 99 }],
      [{ ...entry, headers: [['x', 'a\r\nb: c']] }],
      [{ ...entry, body: 'text' }],
      [{ ...entry, expiresAt: 'never' }],
      [{ ...entry, vary: { 'accept-language': 'tlh' } }],
    ]
    return lies[Math.floor(this.#random() * lies.length)] as readonly StoredReply[]
  }
}

const newMemory = (): MemoryReplies => memoryReplies({ maxBytes: 1 << 20, maxEntries: 200 })
