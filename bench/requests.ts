// A process that makes requests with one client, bare and guarded: blocks of them in a new order each round. What it is asked for
// comes as its argument, and what each round took goes to the process that forked it.
import { ENTRANTS, type ClientName, type Entrant } from './entrants.ts'
import { shuffle } from './stats.ts'

/** What a process is asked for. */
export interface Trial {
  readonly client: ClientName
  readonly url: string
  readonly rounds: number
  /** Blocks before the first round: after 3,000 requests V8 is still compiling, and the ratios stand still from 30,000 on. */
  readonly warm: number
}

/** Microseconds a request in each round, on the wall and on the CPU. */
interface Took {
  readonly wall: number[]
  readonly cpu: number[]
}

/** The rounds of those compared. */
export type Rounds = Record<'bare' | 'again' | 'guarded', Took>

const REQUESTS = 100
const AT_A_TIME = 16

const { client, url, rounds, warm } = JSON.parse(process.argv[2]!) as Trial
const entrant: Entrant = ENTRANTS[client]()
const took: Rounds = { bare: { wall: [], cpu: [] }, again: { wall: [], cpu: [] }, guarded: { wall: [], cpu: [] } }
const each: [Entrant['bare'], Took][] = [
  [entrant.bare, took.bare],
  [entrant.bare, took.again],
  [entrant.guarded, took.guarded],
]
for (let i = 0; i < warm; i++) for (const [ask] of shuffle(each)) await block(ask)
for (let i = 0; i < rounds; i++) for (const [ask, its] of shuffle(each)) await time(ask, its)
await entrant.close?.()
process.send!(took, () => process.exit())

async function time(ask: Entrant['bare'], { wall, cpu }: Took): Promise<void> {
  const [from, usage] = [performance.now(), process.cpuUsage()]
  await block(ask)
  const { user, system } = process.cpuUsage(usage)
  wall.push(((performance.now() - from) * 1_000) / REQUESTS)
  cpu.push((user + system) / REQUESTS)
}

async function block(ask: Entrant['bare']): Promise<void> {
  let left = REQUESTS
  const worker = async (): Promise<void> => {
    while (left-- > 0) await ask(url)
  }
  await Promise.all(Array.from({ length: AT_A_TIME }, worker))
}
