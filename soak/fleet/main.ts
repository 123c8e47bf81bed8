// The fleet on real stores: prints what came of each trial, and which bounds did not hold.
import { figuresOf, type Figures } from './figures.ts'
import { ALONE, TRIALS } from './plans.ts'
import { run } from './run.ts'
import { hasRedis } from './stores.ts'

/** @returns the bounds that did not hold */
export async function soakFleet(print: (line: string) => void, only: string | undefined): Promise<readonly string[]> {
  print(
    'fleet: eight processes of ten instances, 400 calls a second, a service that takes 10 ms and is down for 7 s;\n       on DynamoDB of five, 100 calls a second',
  )
  const columns = [
    'kept',
    'p50 ms',
    'p99 ms',
    'failing',
    'leaked',
    'together',
    'probes',
    'recovered',
    'commands',
    'faults',
  ]
  print(`${' '.repeat(28)}${columns.map((column) => column.padStart(10)).join('')}`)
  const show = (name: string, figures: Figures): void => print(name.padEnd(28) + cellsOf(figures).join(''))

  const alone = figuresOf(await run(ALONE))
  show(ALONE.mode.name, alone)
  const broken: string[] = []
  for (const { plan, bounds } of TRIALS) {
    const { name, store } = plan.mode
    if (only !== undefined && !name.includes(only)) continue
    if (store === 'redis' && !hasRedis) {
      print(`${name.padEnd(28)}skipped: redis-server is not installed`)
      continue
    }
    const figures = figuresOf(await run(plan))
    show(name, figures)
    for (const { what, holds } of bounds) {
      if (holds(figures, alone)) continue
      print(`  BROKEN  ${what}`)
      broken.push(`${name}: ${what}`)
    }
    for (const error of new Set(figures.errors)) print(`  met     ${error}`)
  }
  return broken
}

function cellsOf(figures: Figures): readonly string[] {
  const { kept, p50, p99, failing, leaked, together, probes, probesAtATime, recovered, commands, faults } = figures
  return [
    `${(kept * 100).toFixed(1)} %`,
    p50.toFixed(3),
    p99.toFixed(2),
    failing.toFixed(2),
    `${leaked}`,
    together === undefined ? '-' : `${together} ms`,
    `${probes} (${probesAtATime})`,
    recovered === undefined ? '-' : `${recovered} ms`,
    commands.toFixed(2),
    `${faults}`,
  ].map((cell) => cell.padStart(10))
}
