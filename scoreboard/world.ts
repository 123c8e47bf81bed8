// A world in which time is told to pass: the same fake timers, clocks and dice for all who take part, and one host on 127.0.0.1.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { install, type Clock } from '@sinonjs/fake-timers'
import type { Breaker } from './entrant.ts'

/** Says that something was not as it should be. */
export class Unlike extends Error {}

/** Fails the behaviour unless it is so; `otherwise` says what was seen instead. */
export function see(isSo: boolean, otherwise: string): void {
  if (!isSo) throw new Unlike(otherwise)
}

/** A call under way: what its caller and its host see of it. */
export interface Call {
  /** Whether it came to the host. */
  readonly sent: boolean
  readonly state: 'pending' | 'resolved' | 'rejected'
  readonly value: unknown
  /** Whether its signal told it to end. */
  readonly ended: boolean
  /** The host answers. */
  succeed(value?: unknown): Promise<void>
  fail(error?: unknown): Promise<void>
}

/** Failures after which any circuit of the board's is to be open. */
const MANY = 20

type Answer = (request: IncomingMessage, response: ServerResponse) => void

/** What is under way in a world. */
export class World {
  /** What nobody caught. */
  readonly uncaught: unknown[] = []
  readonly #clock: Clock
  readonly #undo: (() => unknown)[] = []

  constructor() {
    this.#clock = install({
      now: Date.UTC(2030, 0, 1),
      toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'Date', 'performance'],
    })
    this.#undo.push(() => this.#clock.uninstall())
    this.#seedDice()
    this.#watchFor('unhandledRejection')
    this.#watchFor('uncaughtException')
  }

  /** Timers that are running. */
  get timers(): number {
    return this.#clock.countTimers()
  }

  /** Lets time pass. */
  async pass(ms: number): Promise<void> {
    await this.#clock.tickAsync(ms).catch((error: unknown) => this.uncaught.push(error))
    await settled()
  }

  /** Sets the wall clock, while all else goes on: what timers and monotonic clocks say does not change. */
  async setWall(by: number): Promise<void> {
    this.#clock.setSystemTime(Date.now() + by)
    await settled()
  }

  /** Makes a call, which goes on until it is told how it ends. */
  async begin(breaker: Breaker, signal?: AbortSignal): Promise<Call> {
    let answer!: (value: unknown) => void
    let refuse!: (error: unknown) => void
    const promise = new Promise((resolve, reject) => ([answer, refuse] = [resolve, reject]))
    // Of a call that was not sent, nobody hears.
    promise.catch(() => {})
    let own: AbortSignal | undefined
    const call = {
      sent: false,
      state: 'pending' as Call['state'],
      value: undefined as unknown,
      get ended() {
        return own?.aborted === true
      },
      succeed(value: unknown = 'well') {
        answer(value)
        return settled()
      },
      fail(error: unknown = new Error('the host failed')) {
        refuse(error)
        return settled()
      },
    }
    const task = (given?: AbortSignal): unknown => {
      call.sent = true
      own = given
      return promise
    }
    const end = (state: Call['state']) => (value: unknown) => Object.assign(call, { state, value })
    // What a library throws at once is a rejection too.
    void (async () => breaker.call(task, signal))().then(end('resolved'), end('rejected'))
    await settled()
    return call
  }

  /** Makes calls, one after the other, that end at once. */
  async works(breaker: Breaker, calls = 1): Promise<void> {
    for (let i = 0; i < calls; i++) await (await this.begin(breaker)).succeed()
  }

  async fails(breaker: Breaker, calls = 1, error?: unknown): Promise<void> {
    for (let i = 0; i < calls; i++) await (await this.begin(breaker)).fail(error)
  }

  /** Fails until it opens: one that never does is no breaker. */
  async opens(breaker: Breaker): Promise<void> {
    for (let i = 0; i < MANY; i++) {
      const call = await this.begin(breaker)
      if (!call.sent) return
      await call.fail()
    }
    see(false, `it did not open after ${MANY} failures`)
  }

  /** Whether a call does not come to the host; one that does succeeds. */
  async refuses(breaker: Breaker): Promise<boolean> {
    const call = await this.begin(breaker)
    await call.succeed()
    return !call.sent
  }

  /** A host of its own; its address. */
  async host(answer: Answer): Promise<string> {
    const server = createServer((request, response) => {
      // Node's own Date header goes by the real clock.
      response.setHeader('date', new Date().toUTCString())
      answer(request, response)
    })
    await new Promise<void>((listens) => server.listen(0, '127.0.0.1', listens))
    this.#undo.push(() => {
      server.closeAllConnections()
      return new Promise((closed) => server.close(closed))
    })
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
  }

  /** Something to be done at its end. */
  atEnd(undo: () => unknown): void {
    this.#undo.push(undo)
  }

  /** Ends it, and puts everything back. */
  async end(): Promise<void> {
    await settled()
    for (const undo of this.#undo.toReversed()) await undo()
  }

  /** The same dice for everybody, so that the page does not change by chance. */
  #seedDice(): void {
    const { random } = Math
    let state = 20_300_101
    Math.random = () => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647
    this.#undo.push(() => (Math.random = random))
  }

  /** Nothing that is thrown here may end the program that looks on. */
  #watchFor(event: 'unhandledRejection' | 'uncaughtException'): void {
    const others = process.listeners(event as 'uncaughtException')
    const note = (error: unknown): void => void this.uncaught.push(error)
    process.removeAllListeners(event).on(event, note)
    this.#undo.push(() => {
      process.removeAllListeners(event)
      for (const other of others) process.on(event, other)
    })
  }
}

const turn = setImmediate

/** All that was promised has been done. */
export async function settled(): Promise<void> {
  for (let i = 0; i < 3; i++) await new Promise((next) => turn(next))
}
