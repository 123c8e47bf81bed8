// What 100,000 circuits hold on to, registry included, and how many timers they keep running.
import { createHook } from 'node:async_hooks'
import { setTimeout } from 'node:timers/promises'
import { collect, heapUsed } from './bytes.ts'
import { FLEETS } from './subjects.ts'
import type { Figure } from './targets.ts'

const CIRCUITS = 100_000

/** Measures one fleet, idle and after two successes and a failure of each circuit; it wants a process of its own. */
export async function memory(name: string): Promise<Figure[]> {
  const fleet = FLEETS[name]!()
  const empty = await held()
  const timers = timersStartedBy(() => {
    for (let i = 0; i < CIRCUITS; i++) fleet.make(keyOf(i))
  })
  const idle = await held()
  for (let i = 0; i < CIRCUITS; i++) {
    await fleet.use(keyOf(i), false)
    await fleet.use(keyOf(i), false)
    await fleet.use(keyOf(i), true).catch(() => {})
  }
  const used = await held()
  return [
    { name: `${name}, idle`, unit: 'B', value: Math.round((idle - empty) / CIRCUITS) },
    { name: `${name}, used`, unit: 'B', value: Math.round((used - empty) / CIRCUITS) },
    { name: `${name}, timers`, unit: 'timers', value: timers / CIRCUITS },
  ]
}

const keyOf = (i: number): string => `host-${i}.example`

async function held(): Promise<number> {
  await setTimeout(0)
  collect()
  collect()
  return heapUsed()
}

/** Counts timers, those included that do not keep the process alive. */
function timersStartedBy(task: () => void): number {
  let started = 0
  const hook = createHook({
    trackPromises: false,
    init: (_id, type) => void (type === 'Timeout' && started++),
  }).enable()
  task()
  hook.disable()
  return started
}
