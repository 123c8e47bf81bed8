// All clients at once against hosts that go wrong in every way, while policies change and the store is lost: prints what came of it.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { growth, grown } from './leaks.ts'
import type { Figures, Orders } from './messages.ts'

/** The heap may be so much larger in the last third of a run than in the middle third. */
const GROWTH = 0.02

/** Code that is thrown away for a while, and made again, is no part of what is compared. */
const FLAGS = ['--expose-gc', '--no-flush-bytecode']

/** Fewer rounds have no thirds. */
const LEAST = 6

/** @returns the bounds that did not hold */
export async function soakChaos(print: (line: string) => void, orders: Orders): Promise<readonly string[]> {
  print(`\nchaos: nine clients against ten hosts for ${orders.length} s, seed ${orders.seed}`)
  const worker = fork(new URL('worker.ts', import.meta.url), [JSON.stringify(orders)], { execArgv: FLAGS })
  const ended = once(worker, 'exit').then(([code]: unknown[]) => Number(code))
  const figures = await Promise.race([ended, once(worker, 'message').then(([told]) => told as Figures)])
  if (typeof figures === 'number') return [`chaos: its process ended with ${figures}`]
  show(print, figures)
  const { burdens } = figures
  const more = growth(burdens.map(({ heap }) => heap))
  const broken = [...figures.broken]
  if (burdens.length < LEAST) broken.push(`${burdens.length} rounds are too few to compare`)
  else broken.push(...grown(burdens))
  if (more > GROWTH) broken.push(`the heap grew by ${percent(more)}`)
  for (const what of broken) print(`  BROKEN  ${what}`)
  return broken.map((what) => `chaos: ${what.split('\n', 1)[0]}`)
}

function show(print: (line: string) => void, figures: Figures): void {
  const { rounds, calls, sent, arrived, hiddenHops, unguarded, refused, stoodIn, transitions, storeFaults, burdens } =
    figures
  const lost = figures.unarrived.reduce((sum, [, count]) => sum + count, 0)
  print(`  ${calls} calls in ${rounds} rounds: ${sent} attempts sent, ${refused} refused, ${stoodIn} replies stood in`)
  print(
    `  ${arrived} requests arrived = ${sent} sent + ${hiddenHops} redirects that a fetch follows by itself + ${unguarded} past a circuit that is off - ${lost} that did not arrive`,
  )
  print(`  did not arrive, by how their call ended: ${list(figures.unarrived)}`)
  print(`  callers got: ${list(figures.ends)}`)
  print(`  ${transitions} changes of circuits, ${storeFaults} faults of the store`)
  print(`  heap after collection, MB: ${burdens.map(({ heap }) => (heap / 1e6).toFixed(2)).join(' ')}`)
  print(
    `  last third over middle third: heap ${percent(growth(burdens.map(({ heap }) => heap)))}, buffers ${percent(growth(burdens.map(({ buffers }) => buffers)))}`,
  )
}

const list = (all: readonly (readonly [what: string, count: number])[]): string =>
  all
    .toSorted((one, other) => other[1] - one[1])
    .map(([what, count]) => `${count} ${what}`)
    .join(', ') || 'none'

const percent = (share: number): string => `${share < 0 ? '' : '+'}${(share * 100).toFixed(2)} %`
