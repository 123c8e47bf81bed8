// One run: a fleet of eight processes calls a service that is well, goes down, and comes back, while something happens to the store.
import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Mode, Orders, Seen } from './messages.ts'
import { startService } from './service.ts'
import { delay, Store } from './stores.ts'

export interface Plan {
  readonly mode: Mode
  readonly processes: number
  readonly instances: number
  /** Calls a second of each instance. */
  readonly rate: number
  /** Milliseconds more that each answer of the store takes. */
  readonly latency?: number
  /** What happens to the store once the service is down for so many milliseconds. */
  readonly happens?: { readonly after: number; readonly to: (store: Store) => Promise<void> }
}

export interface Course {
  readonly plan: Plan
  readonly seen: Seen
  /** When the fleet began, and was told to end; when the service went down, and came back. */
  readonly begun: number
  readonly down: number
  readonly back: number
  readonly ended: number
  /** Commands to the store while the service was well. */
  readonly commands: number
}

const WELL = 4_000
const DOWN = 7_000
const AFTER = 5_000
/** What a cold process does is no part of the comparison. */
export const WARM = 1_500

export async function run(plan: Plan): Promise<Course> {
  await using service = await startService()
  await using store = plan.mode.store === undefined ? undefined : await Store.start(plan.mode.store)
  await using slow = store && plan.latency ? await delay(store.port, plan.latency) : undefined
  const { instances, rate, mode } = plan
  const orders: Orders = { instances, rate, mode, service: service.port, store: slow?.port ?? store?.port ?? 0 }
  const workers = Array.from({ length: plan.processes }, () =>
    fork(new URL('worker.ts', import.meta.url), [JSON.stringify(orders)]),
  )
  await Promise.all(workers.map((worker) => once(worker, 'message')))
  const counts = store?.kind === 'redis' ? store : undefined
  const begun = Date.now()
  await sleep(WARM)
  const before = (await counts?.commands()) ?? 0
  await sleep(WELL)
  const commands = ((await counts?.commands()) ?? 0) - before

  const down = Date.now()
  service.well = false
  if (plan.happens && store) {
    await sleep(plan.happens.after)
    await plan.happens.to(store)
  }
  await sleep(Math.max(0, down + DOWN - Date.now()))
  const back = Date.now()
  service.well = true
  await sleep(AFTER)
  const ended = Date.now()
  const seen = await Promise.all(workers.map(end))
  return { plan, seen: merge(seen), begun, down, back, ended, commands }
}

async function end(worker: ChildProcess): Promise<Seen> {
  const told = once(worker, 'message') as Promise<[Seen]>
  const gone = once(worker, 'exit')
  worker.send('stop')
  const [seen] = await told
  await gone
  return seen
}

const merge = (all: readonly Seen[]): Seen => ({
  calls: all.flatMap(({ calls }) => calls),
  turns: all.flatMap(({ turns }) => turns).toSorted((one, other) => one.at - other.at),
  probes: all.flatMap(({ probes }) => probes),
  faults: all.reduce((sum, { faults }) => sum + faults, 0),
  errors: all.flatMap(({ errors }) => errors),
})
