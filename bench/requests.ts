// A process that makes requests with one client, bare or guarded: a block of them each time that it is told to. What it is asked for
// comes as its argument, and what each block took goes to the process that forked it.
import { ENTRANTS, type ClientName } from './entrants.ts'

/** What a process is asked for. */
export interface Trial {
  readonly client: ClientName
  readonly guarded: boolean
  readonly url: string
  /** Blocks before the first that counts: after 3,000 requests V8 is still compiling, and the ratios stand still from 30,000 on. */
  readonly warm: number
}

/** Microseconds a request, on the wall and on the CPU. */
export interface Block {
  readonly wall: number
  readonly cpu: number
}

const REQUESTS = 100
const AT_A_TIME = 16

const { client, guarded, url, warm } = JSON.parse(process.argv[2]!) as Trial
const entrant = ENTRANTS[client]()
const ask = guarded ? entrant.guarded : entrant.bare
for (let i = 0; i < warm; i++) await block()
process.on('message', () => void time().then((took) => process.send!(took)))
process.on('disconnect', () => process.exit())
process.send!('warm')

async function time(): Promise<Block> {
  const [from, usage] = [performance.now(), process.cpuUsage()]
  await block()
  const { user, system } = process.cpuUsage(usage)
  return { wall: ((performance.now() - from) * 1_000) / REQUESTS, cpu: (user + system) / REQUESTS }
}

async function block(): Promise<void> {
  let left = REQUESTS
  const worker = async (): Promise<void> => {
    while (left-- > 0) await ask(url)
  }
  await Promise.all(Array.from({ length: AT_A_TIME }, worker))
}
