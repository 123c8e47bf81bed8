// What a guard costs a request of a client, over the same sockets to a server in another process. Bare runs twice, as a control.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import type { ClientName } from './entrants.ts'
import type { Rounds, Trial } from './requests.ts'
import { pairedRatio, quantile } from './stats.ts'
import type { Figure } from './targets.ts'

/** Each takes a process of its own several times: how code is compiled differs from one to the next by 1 %. */
interface Plan {
  readonly processes: number
  readonly warm: number
}

const PLANS: Record<ClientName, Plan> = {
  undici: { processes: 5, warm: 400 },
  guardFetch: { processes: 2, warm: 100 },
  axios: { processes: 2, warm: 100 },
  ky: { processes: 2, warm: 60 },
  got: { processes: 2, warm: 60 },
}

const OTHERS: readonly ClientName[] = ['guardFetch', 'axios', 'ky', 'got']

export async function undici(rounds: number): Promise<Figure[]> {
  const { bare, again, guarded } = await run('undici', rounds)
  return [
    { name: 'bare, wall', unit: 'us', value: quantile(bare.wall, 0.1) },
    { name: 'bare, CPU', unit: 'us', value: quantile(bare.cpu, 0.1) },
    { name: 'bare again / bare, CPU', unit: 'x', ...pairedRatio(again.cpu, bare.cpu) },
    { name: 'bare again / bare, throughput', unit: 'x', ...pairedRatio(bare.wall, again.wall) },
    { name: 'guarded / bare, CPU', unit: 'x', ...pairedRatio(guarded.cpu, bare.cpu) },
    { name: 'guarded / bare, throughput', unit: 'x', ...pairedRatio(bare.wall, guarded.wall) },
  ]
}

export async function others(rounds: number): Promise<Figure[]> {
  const figures: Figure[] = []
  for (const client of OTHERS) figures.push(...(await of(client, rounds)))
  return figures
}

/** The figures of one client. */
export async function of(client: ClientName, rounds: number): Promise<Figure[]> {
  const { bare, again, guarded } = await run(client, rounds)
  return [
    { name: `${client} again / bare, CPU`, unit: 'x', ...pairedRatio(again.cpu, bare.cpu) },
    { name: `${client} again / bare, throughput`, unit: 'x', ...pairedRatio(bare.wall, again.wall) },
    { name: `${client} guarded / bare, CPU`, unit: 'x', ...pairedRatio(guarded.cpu, bare.cpu) },
    { name: `${client} guarded / bare, throughput`, unit: 'x', ...pairedRatio(bare.wall, guarded.wall) },
  ]
}

async function run(client: ClientName, rounds: number): Promise<Rounds> {
  const { processes, warm } = PLANS[client]
  const server = fork(new URL('server.ts', import.meta.url), { execArgv: [] })
  const [port] = (await once(server, 'message')) as [number]
  const url = `http://127.0.0.1:${port}/john+3:16`
  const all: Rounds = { bare: { wall: [], cpu: [] }, again: { wall: [], cpu: [] }, guarded: { wall: [], cpu: [] } }
  try {
    for (let i = 0; i < processes; i++) {
      add(all, await inProcess({ client, url, rounds: Math.ceil(rounds / processes), warm }))
    }
  } finally {
    server.disconnect()
  }
  return all
}

async function inProcess(trial: Trial): Promise<Rounds> {
  const client = fork(new URL('requests.ts', import.meta.url), [JSON.stringify(trial)], { execArgv: [] })
  const exit = once(client, 'exit')
  let found: Rounds | undefined
  client.once('message', (message) => (found = message as Rounds))
  await exit
  if (found === undefined) throw new Error(`Measuring ${trial.client} failed: see above`)
  return found
}

function add(all: Rounds, more: Rounds): void {
  for (const name of Object.keys(all) as (keyof Rounds)[]) {
    all[name].wall.push(...more[name].wall)
    all[name].cpu.push(...more[name].cpu)
  }
}
