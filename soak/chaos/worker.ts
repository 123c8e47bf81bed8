// The process of the chaos: rounds of calls by all clients, and after each the books are closed and what is left over is measured.
import { setTimeout as sleep } from 'node:timers/promises'
import { createBoard } from '@fuseboard/core'
import { seeded, type Random } from '../../packages/core/test/simulation/random.ts'
import { GlobalGuard, make, openAll, type Caller } from './callers.ts'
import { drawCall } from './calls.ts'
import { Hand, POLICY } from './hand.ts'
import { Host } from './host.ts'
import { burden, type Burden } from './leaks.ts'
import { Ledger } from './ledger.ts'
import type { Figures, Orders } from './messages.ts'
import { placesOf } from './places.ts'
import { MoodyStore } from './store.ts'

const { seed, length } = JSON.parse(process.argv[2] ?? '') as Orders

/** Of each client, at a time. */
const CALLERS = 4
/** From one thing that the hand does to the next at most. */
const PAUSE = 60
/** So many rounds make thirds that can be compared. */
const ROUNDS = 15
const LONGEST_ROUND = 10_000
/** What is under way when a round ends has so long to end. */
const QUIET = 20_000
const QUIET_TURNS = 10

const broken: string[] = []
const trouble = (what: string): void => void (broken.length < 50 && broken.push(what))
process.on('unhandledRejection', (error) => trouble(`unhandled rejection: ${describe(error)}`))
process.on('uncaughtException', (error) => trouble(`uncaught exception: ${describe(error)}`))
process.on('warning', (warning) => trouble(`warning: ${describe(warning)}`))
process.on('disconnect', () => process.exit())

const ledger = new Ledger()
const store = new MoodyStore(seeded(seed))
const board = createBoard({ ...POLICY, replies: store, hosts: { '127.0.0.1': {}, localhost: {} } })
ledger.watch(board)
let transitions = 0
let storeFaults = 0
board.on('transition', () => transitions++)
board.on('store', () => storeFaults++)
board.on('warning', ({ code, message }) => {
  // Its store garbles entries on purpose, and is rightly warned of.
  if (code !== 'replies') trouble(`warning of the board: ${message}`)
})

const callers = openAll(board)
const guard = new GlobalGuard(board, callers.at(-1) as Caller)
const shared = await Host.start(ledger)
const own = await Promise.all(callers.map(() => Host.start(ledger)))
const hosts = [shared, ...own]
const hand = new Hand(board, hosts, store, seeded(seed + 1))
const random = seeded(seed + 2)
// A caller draws the same calls from one seed, whatever the others do.
const lots = callers.map((_, i) => Array.from({ length: CALLERS }, (_, k) => seeded(seed + 10 + i * CALLERS + k)))
let calls = 0

const round = Math.min(LONGEST_ROUND, (length * 1_000) / ROUNDS)
const end = Date.now() + length * 1_000
const burdens: Burden[] = []
while (Date.now() < end && broken.length === 0) {
  hand.renew()
  ledger.start(board)
  await stir(Date.now() + Math.max(500, round - 1_000))
  await calm()
  for (const wrong of await placesOf(board)) trouble(wrong)
  burdens.push(await burden(Object.fromEntries(callers.map(({ name, forever }) => [name, forever]))))
}
const { totals } = ledger
const figures: Figures = {
  ...totals,
  ends: [...totals.ends],
  unarrived: [...totals.unarrived],
  rounds: burdens.length,
  transitions,
  storeFaults,
  burdens,
  broken,
}
process.send?.(figures, () => process.exit())

/** All clients call while everything around them changes. */
async function stir(until: number): Promise<void> {
  if (random() < 0.5) guard.turn()
  await Promise.all([
    ...callers.flatMap((caller, i) =>
      (lots[i] as Random[]).map((lot) => keepCalling(caller, own[i] as Host, lot, until)),
    ),
    meddle(until),
  ])
}

async function keepCalling(caller: Caller, host: Host, lot: Random, until: number): Promise<void> {
  while (Date.now() < until) {
    // Nobody guards it just now.
    if (caller === callers.at(-1) && !guard.on) return
    const call = drawCall(lot, `${++calls}`)
    ledger.begin(call, caller.name, caller.hidesHops)
    ledger.end(call, await make(caller, call, (call.shared ? shared : host).urlOf(call)))
    await sleep(lot() * 5)
  }
}

async function meddle(until: number): Promise<void> {
  while (Date.now() < until) {
    hand.act()
    await sleep(random() * PAUSE)
  }
}

/** Waits until nothing is under way, and compares what was sent with what arrived. */
async function calm(): Promise<void> {
  hand.rest()
  const late = Date.now() + QUIET
  // Turns of the event loop, and not time alone: a process that is starved has not read yet what is there.
  for (let quiet = 0; quiet < QUIET_TURNS && Date.now() < late; quiet++) {
    const { arrived } = ledger.totals
    await sleep(20)
    if (ledger.open > 0 || hosts.some(({ open }) => open > 0) || ledger.totals.arrived > arrived) quiet = 0
    if (quiet === QUIET_TURNS >> 1) await Promise.all(hosts.map((host) => host.catchUp()))
  }
  if (ledger.open > 0) trouble(`${ledger.open} attempts are not settled`)
  for (const { origin, open } of hosts) if (open > 0) trouble(`${open} answers of ${origin} are not over`)
  for (const wrong of ledger.close(board)) trouble(wrong)
  await Promise.all(hosts.map((host) => host.hangUp()))
  await sleep(50)
}

function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}
