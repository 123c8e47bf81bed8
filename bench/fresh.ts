// Measures a section in a process of its own, so that neither what ran before nor how it was compiled shows in the figures.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { ROOMY } from './bytes.ts'
import { FLEETS } from './subjects.ts'
import type { Figure } from './targets.ts'

/** The sections, in the order of the report; each is measured by the functions of one file. */
export const SECTIONS = [
  'bytes',
  'memory',
  'clock',
  'closed',
  'failing',
  'refused',
  'undici',
  'clients',
  'outage',
  'replies',
  'telemetry',
] as const

export type Section = (typeof SECTIONS)[number]

/** What a child is asked for. */
export interface Task {
  readonly section: Section
  /** How many times each subject has its turn, where time is taken. */
  readonly rounds: number
  /** Which of the fleets, where the section is memory. */
  readonly fleet?: string
  /** Whether bytes are wanted, where the section has times as well. */
  readonly exact?: boolean
}

export async function measure(section: Section, quick: boolean): Promise<Figure[]> {
  if (section === 'outage' && quick) return []
  const rounds = quick ? 20 : ROUNDS[section]
  if (section === 'replies') {
    return [...(await inChild({ section, rounds })), ...(await inChild({ section, rounds, exact: true }))]
  }
  if (section === 'telemetry') {
    const processes: Figure[][] = []
    for (let i = 0; i < (quick ? 1 : PROCESSES); i++) processes.push(await inChild({ section, rounds }))
    return middle(processes)
  }
  if (section !== 'memory') return inChild({ section, rounds })
  const figures: Figure[] = []
  for (const fleet of quick ? ['fuseboard'] : Object.keys(FLEETS))
    figures.push(...(await inChild({ section, fleet, rounds: 1 })))
  return figures
}

/** Differences of 2 % in a whole request take longer to see. */
const ROUNDS: Record<Section, number> = {
  bytes: 1,
  memory: 1,
  clock: 500,
  closed: 500,
  failing: 500,
  refused: 500,
  undici: 1_000,
  clients: 400,
  outage: 1,
  replies: 150,
  telemetry: 100,
}

/** How code is compiled differs from one process to the next, and by subject, by more than watching costs. */
const PROCESSES = 5

/** Of the same figures of several processes, each from the process that is in the middle. */
function middle(processes: readonly Figure[][]): Figure[] {
  return (processes[0] ?? []).map((_, i) => {
    const figures = processes.map((process) => process[i]!).toSorted((one, other) => one.value - other.value)
    return figures[Math.floor(figures.length / 2)]!
  })
}

async function inChild(task: Task): Promise<Figure[]> {
  const flags = task.section === 'bytes' || task.exact ? ROOMY : []
  const child = fork(new URL('child.ts', import.meta.url), [JSON.stringify(task)], {
    execArgv: ['--expose-gc', ...flags],
  })
  const exit = once(child, 'exit')
  let figures: Figure[] | undefined
  child.once('message', (message) => (figures = message as Figure[]))
  await exit
  if (figures === undefined) throw new Error(`Measuring ${task.section} failed: see above`)
  return figures
}
