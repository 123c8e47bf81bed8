// One dead host of five, under a load that does not wait: what becomes of the calls to the other four.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { createBoard, policy } from '@fuseboard/core'
import { breaker } from '@fuseboard/undici'
import { Agent, request, type Dispatcher } from 'undici'
import { quantile } from './stats.ts'
import type { Figure } from './targets.ts'

const HOSTS = 5
const CALLS_A_SECOND = 400
const SLOTS = 64
const TIMEOUT = 2_000
const LASTS = 10_000
/** The host that is dead. */
const DEAD = 0

/** Unanswered calls count as slow, so that a hung host is noticed before the first time-out. */
export const POLICY = policy({ slowAfter: '250ms' })
const SLOW_AFTER = 250
const MINIMUM_CALLS = 10

/** What a run came to. */
interface Run {
  /** Milliseconds from when each call to a healthy host was due to its answer. */
  readonly latencies: readonly number[]
  /** Requests that reached the host that is dead, or is not in the control. */
  readonly atDead: number
  /** Calls to that host that began within `slowAfter`, and probes of it. */
  readonly early: number
  readonly probes: number
}

export async function outage(): Promise<Figure[]> {
  const control = await run({ dead: false, guarded: false })
  const bare = await run({ dead: true, guarded: false })
  const guarded = await run({ dead: true, guarded: true })
  const [p99, p99Of] = [(of: Run) => quantile(of.latencies, 0.99), control.latencies]
  const limit = MINIMUM_CALLS + guarded.early + guarded.probes
  return [
    { name: 'control, healthy p99', unit: 'ms', value: quantile(p99Of, 0.99) },
    { name: 'bare, healthy completed / control', unit: 'x', value: bare.latencies.length / p99Of.length },
    { name: 'bare, healthy p99', unit: 'ms', value: p99(bare) },
    { name: 'bare, requests at the dead host', unit: 'requests', value: bare.atDead },
    { name: 'guarded, healthy completed / control', unit: 'x', value: guarded.latencies.length / p99Of.length },
    { name: 'guarded, healthy p99', unit: 'ms', value: p99(guarded) },
    { name: 'guarded, healthy p99 / control', unit: 'x', value: p99(guarded) / p99(control) },
    { name: 'guarded, requests at the dead host', unit: 'requests', value: guarded.atDead },
    {
      name: 'guarded, requests beyond what may reach it',
      unit: 'requests',
      value: Math.max(0, guarded.atDead - limit),
    },
  ]
}

async function run({ dead, guarded }: { dead: boolean; guarded: boolean }): Promise<Run> {
  const child = fork(new URL('hosts.ts', import.meta.url), { execArgv: [] })
  const [ports] = (await once(child, 'message')) as [number[]]
  const agent = new Agent({ headersTimeout: TIMEOUT, bodyTimeout: TIMEOUT })
  const board = createBoard(POLICY)
  let probes = 0
  board.on('settled', ({ probe }) => void (probe && probes++))
  const load = new Load(guarded ? agent.compose(breaker(board)) : agent, ports)
  try {
    await load.warm()
    if (dead) child.send({ die: DEAD })
    await load.last()
    child.send({ count: true })
    const [reached] = (await once(child, 'message')) as [number[]]
    return { latencies: load.latencies, atDead: reached[DEAD]! - load.warmed, early: load.early, probes }
  } finally {
    await agent.destroy()
    child.disconnect()
  }
}

/** Calls that come whether or not those before them have ended; a call has to wait for one of the slots. */
class Load {
  readonly latencies: number[] = []
  /** Calls to each host before the clock starts. */
  readonly warmed = 50
  early = 0
  readonly #dispatcher: Dispatcher
  readonly #ports: readonly number[]
  readonly #waiting: (() => void)[] = []
  #free = SLOTS
  #over = false

  constructor(dispatcher: Dispatcher, ports: readonly number[]) {
    this.#dispatcher = dispatcher
    this.#ports = ports
  }

  async warm(): Promise<void> {
    for (let call = 0; call < this.warmed; call++) {
      await Promise.all(this.#ports.map((_, host) => this.#ask(host)))
    }
  }

  async last(): Promise<void> {
    const start = performance.now()
    let begun = 0
    await new Promise<void>((resolve) => {
      const timer = setInterval(() => {
        const passed = performance.now() - start
        for (; begun < (Math.min(passed, LASTS) / 1_000) * CALLS_A_SECOND; begun++) {
          void this.#call(begun % HOSTS, start + (begun * 1_000) / CALLS_A_SECOND, start)
        }
        if (passed < LASTS) return
        clearInterval(timer)
        this.#over = true
        resolve()
      }, 2)
    })
  }

  async #call(host: number, due: number, start: number): Promise<void> {
    if (this.#free > 0) this.#free--
    else await new Promise<void>((resolve) => this.#waiting.push(resolve))
    if (host === DEAD && performance.now() - start < SLOW_AFTER) this.early++
    try {
      await this.#ask(host)
      if (host !== DEAD && !this.#over) this.latencies.push(performance.now() - due)
    } catch {
      // A call to the dead host: it timed out, or was refused.
    } finally {
      const next = this.#waiting.shift()
      if (next) next()
      else this.#free++
    }
  }

  async #ask(host: number): Promise<void> {
    const { body } = await request(`http://127.0.0.1:${this.#ports[host]}/`, { dispatcher: this.#dispatcher })
    await body.dump()
  }
}
