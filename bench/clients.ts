// What a guard costs a request of a client, with a server in another process. Bare runs twice, as a control. Each of the three has a
// process of its own, as programs have: where one makes requests both ways, V8 compiles for both what each alone would have inlined.
import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import type { ClientName } from './entrants.ts'
import type { Block, Trial } from './requests.ts'
import { pairedRatio, quantile, shuffle } from './stats.ts'
import type { Figure } from './targets.ts'

/** What each round took, in the order of the rounds. */
type Rounds = Record<Name, { readonly wall: number[]; readonly cpu: number[] }>

type Name = (typeof NAMES)[number]

const NAMES = ['bare', 'again', 'guarded'] as const

/** How code is compiled differs from one process to the next by some per cent: several take their turn. */
interface Plan {
  readonly trios: number
  readonly warm: number
}

const PLANS: Record<ClientName, Plan> = {
  undici: { trios: 10, warm: 400 },
  guardFetch: { trios: 5, warm: 300 },
  axios: { trios: 5, warm: 300 },
  ky: { trios: 5, warm: 200 },
  got: { trios: 5, warm: 200 },
}

/** Rounds that a trio is worth starting for. */
const LEAST = 20

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

/** Blocks of each in a new order each round, so that whatever else the machine does hits all of them alike. */
async function run(client: ClientName, rounds: number): Promise<Rounds> {
  const { warm } = PLANS[client]
  const trios = Math.min(PLANS[client].trios, Math.ceil(rounds / LEAST))
  const server = fork(new URL('server.ts', import.meta.url), { execArgv: [] })
  const [port] = (await once(server, 'message')) as [number]
  const url = `http://127.0.0.1:${port}/john+3:16`
  const all: Rounds = { bare: { wall: [], cpu: [] }, again: { wall: [], cpu: [] }, guarded: { wall: [], cpu: [] } }
  try {
    for (let i = 0; i < trios; i++) {
      const each = await Promise.all(
        NAMES.map((name) => start(name, { client, guarded: name === 'guarded', url, warm })),
      )
      for (let round = 0; round < Math.ceil(rounds / trios); round++) {
        for (const { name, child } of shuffle(each)) {
          const { wall, cpu } = await block(child)
          all[name].wall.push(wall)
          all[name].cpu.push(cpu)
        }
      }
      for (const { child } of each) child.disconnect()
    }
  } finally {
    server.disconnect()
  }
  return all
}

async function start(name: Name, trial: Trial): Promise<{ name: Name; child: ChildProcess }> {
  const child = fork(new URL('requests.ts', import.meta.url), [JSON.stringify(trial)], { execArgv: [] })
  await heard(child) // it is warm
  return { name, child }
}

async function block(child: ChildProcess): Promise<Block> {
  child.send('go')
  return (await heard(child)) as Block
}

/** @throws Error where the process ends instead; it has said why */
async function heard(child: ChildProcess): Promise<unknown> {
  const done = new AbortController()
  const { signal } = done
  const died = once(child, 'exit', { signal }).then(() => [])
  const [message] = (await Promise.race([once(child, 'message', { signal }), died])) as unknown[]
  done.abort()
  died.catch(() => {})
  if (message !== undefined) return message
  throw new Error('Measuring failed: see above')
}
