// A subscription to one channel of Redis, which all who watch a key share: begun with the first, ended with the last.
import type { Snapshot } from '@fuseboard/core'
import { checkMethods } from './names.ts'

interface Emitter {
  on(event: string, listener: (...told: string[]) => void): unknown
}

type Hear = (message: unknown) => void

/** What is needed of a client or cluster of `redis` 5 or 6 that can be subscribed to a channel. */
export interface NodeRedisSubscriberLike extends Emitter {
  readonly isReady?: boolean
  subscribe(channel: string, listener: Hear): Promise<unknown>
  unsubscribe(channel: string, listener: Hear): Promise<unknown>
}

/** What is needed of a client or cluster of `ioredis` 5 or 6 that can be subscribed to a channel. */
export interface IoRedisSubscriberLike extends Emitter {
  readonly status: string
  subscribe(channel: string): Promise<unknown>
  unsubscribe(channel: string): Promise<unknown>
}

type Changed = (snapshot: Snapshot) => void

/** @internal */
export class Subscription {
  readonly #line: Line
  readonly #watching = new Map<string, Set<Changed>>()
  #joined = false
  /** Subscribing and unsubscribing must not overtake one another. */
  #turn: Promise<void> = Promise.resolve()
  /** Called when the client may have become ready. */
  #wake = (): void => {}

  /** @throws TypeError where the client is none */
  constructor(subscriber: NodeRedisSubscriberLike | IoRedisSubscriberLike, channel: string) {
    checkMethods(subscriber, CLIENT, ['subscribe', 'unsubscribe', 'on'])
    this.#line = lineOf(subscriber, channel, (message) => this.#hear(message))
    // Clients say `ready`, a cluster of node-redis `connect`. They are heard for good: a client of node-redis stands on
    // another that emits, and the two lose touch when the last listener is taken off.
    for (const event of ['ready', 'connect']) subscriber.on(event, () => this.#wake())
  }

  /** Resolves once what changes from now on is told; rejects where the server does not allow to subscribe. */
  async watch(key: string, changed: Changed): Promise<() => void> {
    const stop = this.#add(key, changed)
    try {
      await this.#settle()
    } catch (error) {
      stop()
      throw error
    }
    return stop
  }

  #add(key: string, changed: Changed): () => void {
    // The same function may watch twice.
    const told: Changed = (snapshot) => changed(snapshot)
    const all = this.#watching.get(key) ?? new Set()
    this.#watching.set(key, all.add(told))
    return () => {
      all.delete(told)
      if (all.size > 0 || this.#watching.get(key) !== all) return
      this.#watching.delete(key)
      void this.#settle().catch(() => {})
    }
  }

  #settle(): Promise<void> {
    const turn = this.#turn.then(() => this.#match())
    this.#turn = turn.catch(() => {})
    return turn
  }

  /** Subscribed while somebody watches. */
  async #match(): Promise<void> {
    const wanted = this.#watching.size > 0
    if (wanted === this.#joined) return
    this.#joined = false
    await (wanted ? this.#join() : this.#line.leave())
    this.#joined = wanted
  }

  /** A client that loses its connection later on subscribes again by itself; one that loses it meanwhile does not. */
  async #join(): Promise<void> {
    for (;;) {
      if (!this.#line.ready()) await new Promise<void>((resolve) => (this.#wake = resolve))
      else {
        try {
          await this.#line.join()
          return
        } catch (error) {
          if (this.#line.ready()) throw error
        }
      }
    }
  }

  #hear(message: unknown): void {
    const told = parse(message)
    if (told === undefined) return
    for (const changed of this.#watching.get(told.key) ?? []) changed(told.snapshot)
  }
}

const CLIENT = 'redisFleet.subscriber must be a client of redis 5 or 6, or of ioredis 5 or 6'

interface Line {
  ready(): boolean
  join(): Promise<unknown>
  leave(): Promise<unknown>
}

function lineOf(subscriber: NodeRedisSubscriberLike | IoRedisSubscriberLike, channel: string, hear: Hear): Line {
  if (!('status' in subscriber)) {
    return {
      ready: () => subscriber.isReady !== false,
      join: () => subscriber.subscribe(channel, hear),
      leave: () => subscriber.unsubscribe(channel, hear),
    }
  }
  subscriber.on('message', (from, message) => {
    if (from === channel) hear(message)
  })
  return {
    // One that connects lazily waits for its first command.
    ready: () => subscriber.status === 'ready' || subscriber.status === 'wait',
    join: () => subscriber.subscribe(channel),
    leave: () => subscriber.unsubscribe(channel),
  }
}

/** @returns undefined where a message is not of the script: anyone may publish */
function parse(message: unknown): { key: string; snapshot: Snapshot } | undefined {
  let told: unknown
  try {
    told = JSON.parse(String(message))
  } catch {
    return undefined
  }
  if (!Array.isArray(told)) return undefined
  const [key, version, value, now] = told as unknown[]
  const snapshot = { version: Number(version), value, now: Number(now) }
  const sound = typeof key === 'string' && typeof value === 'string' && snapshot.version >= 1 && snapshot.now > 0
  return sound && Number.isSafeInteger(snapshot.version) ? { key, snapshot: { ...snapshot, value } } : undefined
}
