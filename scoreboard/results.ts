// What was found: every behaviour put to everybody who takes part, one after the other, since each has a world to itself.
import { put, type Behaviour, type Cell, type Group } from './behaviour.ts'
import { GROUPS } from './behaviours.ts'
import { ANSWERS } from './behaviours/answers.ts'
import { ENTRANTS } from './entrants.ts'
import { KEEPERS } from './entrants/keeping.ts'

/** One behaviour, with a cell for each who takes part. */
export interface Row {
  readonly title: string
  readonly why: string
  readonly cells: readonly Cell[]
}

/** A table. */
export interface Table {
  readonly title: string
  readonly file: string
  readonly names: readonly string[]
  readonly rows: readonly Row[]
}

/** Fuseboard is the first column of each table. */
export const OURS = 0

/** Puts everything to everybody. */
export async function results(): Promise<readonly Table[]> {
  const tables: Table[] = []
  for (const group of GROUPS) tables.push(await tableOf(group, ENTRANTS))
  return [...tables, await tableOf(ANSWERS, KEEPERS)]
}

async function tableOf<E extends { readonly name: string }>(group: Group<E>, entrants: readonly E[]): Promise<Table> {
  const rows: Row[] = []
  for (const behaviour of group.behaviours) rows.push(await rowOf(behaviour, entrants))
  return { title: group.title, file: group.file, names: entrants.map(({ name }) => name), rows }
}

async function rowOf<E>(behaviour: Behaviour<E>, entrants: readonly E[]): Promise<Row> {
  const cells: Cell[] = []
  for (const entrant of entrants) cells.push(await put(behaviour, entrant))
  return { title: behaviour.title, why: behaviour.why, cells }
}

/** How many of the behaviours that are its trade one does. */
export function count(cells: readonly Cell[]): string {
  const asked = cells.filter(({ says }) => says !== 'n/a')
  if (asked.length === 0) return 'n/a'
  return `${asked.filter(({ says }) => says === 'yes').length} of ${asked.length}`
}

/** The cells of one column. */
export const column = ({ rows }: Table, at: number): Cell[] => rows.flatMap(({ cells }) => cells[at] ?? [])
