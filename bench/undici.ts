// What a guard costs a request of undici: blocks of a hundred requests, bare and guarded in a new order each round, over the same
// sockets to a server in another process. Bare runs twice, as a control.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { createBoard } from '@fuseboard/core'
import { breaker } from '@fuseboard/undici'
import { Agent, request, type Dispatcher } from 'undici'
import { pairedRatio, quantile, shuffle } from './stats.ts'
import type { Figure } from './targets.ts'

const REQUESTS = 100
const AT_A_TIME = 16
const WARM = 30

/** One of those compared, and what each round of it took: microseconds a request on the wall and on the CPU. */
interface Entrant {
  readonly dispatcher: Dispatcher
  readonly wall: number[]
  readonly cpu: number[]
}

export async function undici(rounds: number): Promise<Figure[]> {
  const server = fork(new URL('server.ts', import.meta.url), { execArgv: [] })
  const [port] = (await once(server, 'message')) as [number]
  const agent = new Agent()
  try {
    return await compare(agent, `http://127.0.0.1:${port}/john+3:16`, rounds)
  } finally {
    await agent.close()
    server.disconnect()
  }
}

async function compare(agent: Agent, url: string, rounds: number): Promise<Figure[]> {
  const bare = entrant(agent)
  const again = entrant(agent)
  const guarded = entrant(agent.compose(breaker(createBoard())))
  const order = [bare, again, guarded]
  for (let i = 0; i < WARM; i++) for (const { dispatcher } of order) await block(dispatcher, url)
  for (let i = 0; i < rounds; i++) for (const each of shuffle(order)) await round(each, url)
  return [
    { name: 'bare, wall', unit: 'us', value: quantile(bare.wall, 0.1) },
    { name: 'bare, CPU', unit: 'us', value: quantile(bare.cpu, 0.1) },
    { name: 'bare again / bare, CPU', unit: 'x', ...pairedRatio(again.cpu, bare.cpu) },
    { name: 'bare again / bare, throughput', unit: 'x', ...pairedRatio(bare.wall, again.wall) },
    { name: 'guarded / bare, CPU', unit: 'x', ...pairedRatio(guarded.cpu, bare.cpu) },
    { name: 'guarded / bare, throughput', unit: 'x', ...pairedRatio(bare.wall, guarded.wall) },
  ]
}

const entrant = (dispatcher: Dispatcher): Entrant => ({ dispatcher, wall: [], cpu: [] })

async function round({ dispatcher, wall, cpu }: Entrant, url: string): Promise<void> {
  const [time, usage] = [performance.now(), process.cpuUsage()]
  await block(dispatcher, url)
  const { user, system } = process.cpuUsage(usage)
  wall.push(((performance.now() - time) * 1_000) / REQUESTS)
  cpu.push((user + system) / REQUESTS)
}

async function block(dispatcher: Dispatcher, url: string): Promise<void> {
  let left = REQUESTS
  const worker = async (): Promise<void> => {
    while (left-- > 0) {
      const { body } = await request(url, { dispatcher })
      await body.dump()
    }
  }
  await Promise.all(Array.from({ length: AT_A_TIME }, worker))
}
