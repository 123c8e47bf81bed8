// Several processes that share what they find: one finds the service down and all stop, one probes and all go on.
import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Ending } from '../../entry.ts'
import { endingOf } from '../../promised.ts'
import { BibleServer } from '../server.ts'
import type { Settings, Told } from './member.ts'
import { openPlace } from './place.ts'
import { check, type Seen } from './promises.ts'

/** The first asks often and finds out; the others ask so rarely that they would not for long. */
const BUSY = 150
const QUIET = 1_300

const HEALTHY = 2_500
const DOWN = 6_000
const LONGEST = 15_000
const RESOLUTION = 10

export async function rehearseFleet(size: number, print: (line: string) => void, stop: AbortSignal): Promise<Ending> {
  // So fast that its limit of 15 requests a window plays no part.
  const server = await BibleServer.listen({ scale: 40 })
  const place = await openPlace()
  const members = Array.from(
    { length: size },
    (_, i) => new Member(i + 1, server.origin, i === 0 ? BUSY : QUIET, place),
  )
  const begun = Date.now()
  const say = (line: string, at = Date.now()): void =>
    print(`${((at - begun) / 1_000).toFixed(1).padStart(5)} s  ${line}`)
  print(`${size} processes read verses at ${server.host}. They share what they find in ${place.says}.`)
  print(`Process 1 reads every ${BUSY} ms, the others every ${QUIET / 1_000} s.\n`)
  const lateness = monitorEventLoopDelay({ resolution: RESOLUTION })
  lateness.enable()
  const dead = { from: 0, to: 0, requests: 0 }
  try {
    for (const member of members) member.start(say)
    await Promise.all(members.map(({ ready }) => ready))
    say('all are ready, and their circuits are closed')
    await sleep(HEALTHY, undefined, { signal: stop })

    dead.from = Date.now()
    await server.breakDown('database-down')
    say('the database of the service goes down')
    await sleep(DOWN, undefined, { signal: stop })
    dead.to = Date.now()
    dead.requests = server.counters.dead
    await server.mend()
    say('it is back')
    while (members.some(({ state }) => state !== 'closed') && Date.now() - dead.to < LONGEST) {
      await sleep(50, undefined, { signal: stop })
    }
    await sleep(QUIET, undefined, { signal: stop })
  } catch (error) {
    if (stop.aborted) return { status: 130, says: 'Stopped.' }
    throw error
  } finally {
    await Promise.all(members.map((member) => member.stop()))
    await place[Symbol.asyncDispose]()
    await server.close()
  }
  const promises = check({ members, dead, late: lateness.max / 1_000_000 - RESOLUTION })
  print('')
  for (const { promise, kept, reason } of promises) print(`${kept ? 'kept  ' : 'BROKEN'}  ${promise}: ${reason}`)
  return endingOf(promises)
}

/** A process, as its parent sees it. */
class Member implements Seen {
  readonly n: number
  readonly ready: Promise<void>
  readonly told: Told[] = []
  state = 'closed'
  readonly #settings: Settings
  #process: ChildProcess | undefined
  #isReady = (): void => {}

  constructor(n: number, origin: string, every: number, { place }: { readonly place: Settings['place'] }) {
    this.n = n
    this.#settings = { origin, every, place }
    this.ready = new Promise((resolve) => {
      this.#isReady = resolve
    })
  }

  start(say: (line: string, at: number) => void): void {
    this.#process = fork(new URL('member.ts', import.meta.url), [JSON.stringify(this.#settings)])
    this.#process.on('message', (told: Told) => {
      this.told.push(told)
      if (told.what === 'ready') this.#isReady()
      if (told.what !== 'state') return
      this.state = told.state
      say(`process ${this.n}: ${told.message}`, told.at)
    })
  }

  async stop(): Promise<void> {
    if (this.#process === undefined || this.#process.exitCode !== null) return
    const gone = once(this.#process, 'exit')
    if (this.#process.connected) this.#process.send('stop')
    await gone
  }
}
