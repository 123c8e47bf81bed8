// How the figures are shown: a table for people, JSON for programs.
import { writeFileSync } from 'node:fs'
import { availableParallelism, cpus, loadavg } from 'node:os'
import type { Section } from './fresh.ts'
import type { Figure, Row, Target } from './targets.ts'

const TITLES: Record<Section, string> = {
  bytes: 'Bytes a call',
  memory: '100,000 circuits, each',
  clock: 'Admit and settle, against a read of the clock',
  closed: 'A call through a closed circuit',
  failing: 'A failing call',
  refused: 'A refused call',
  undici: 'undici request',
  clients: 'The other clients',
  outage: "A dead host of five, slowAfter: '250ms'",
  replies: 'Stored replies',
  telemetry: 'A call through a closed circuit that is watched',
}

const WIDTHS = [52, 12, 16, 10]

/** The machine and how busy it is. */
export function heading(): string {
  return `Node ${process.versions.node}, ${cpus()[0]?.model.trim()}, ${availableParallelism()} cores, load ${load()}`
}

export function load(): string {
  return loadavg()
    .map((value) => value.toFixed(1))
    .join(' ')
}

export function table(section: Section, rows: readonly Row[]): string {
  const head = line([TITLES[section], 'measured', '95 %', 'target', ''])
  return ['', head, '-'.repeat(head.length + 7), ...rows.map(row)].join('\n')
}

function row({ figure, target, verdict }: Row): string {
  return line([`  ${figure.name}`, show(figure, figure.value), interval(figure), limit(figure, target), SAYS[verdict]])
}

const SAYS: Record<Row['verdict'], string> = { met: 'met', missed: 'MISSED', noisy: 'noisy', shown: '' }

function line([name = '', ...cells]: readonly string[]): string {
  const right = cells.slice(0, -1).map((cell, i) => cell.padStart(WIDTHS[i + 1]!))
  return [name.padEnd(WIDTHS[0]!), ...right, ` ${cells.at(-1)}`].join(' ').trimEnd()
}

function show({ unit }: Figure, value: number): string {
  if (Number.isNaN(value)) return 'not there'
  return unit === 'x' ? `${value.toFixed(3)}x` : `${Math.round(value * 10) / 10} ${unit}`
}

function interval({ low, high }: Figure): string {
  return low === undefined || high === undefined ? '' : `${low.toFixed(3)}..${high.toFixed(3)}`
}

function limit({ unit }: Figure, target: Target | undefined): string {
  if (target === undefined) return ''
  const sign = target.atLeast === undefined ? '<=' : '>='
  return `${sign} ${target.atMost ?? target.atLeast}${unit === 'x' ? 'x' : ''}`
}

/** The last lines: how many targets are met, and which are not. */
export function summary(rows: readonly Row[]): string {
  const judged = rows.filter(({ target }) => target !== undefined)
  const lines = judged
    .filter(({ verdict }) => verdict !== 'met')
    .map(({ section, figure, target, verdict }) =>
      verdict === 'noisy'
        ? `too noisy for a verdict: ${section}, ${figure.name}`
        : `missed: ${section}, ${figure.name} is ${show(figure, figure.value)}, target ${limit(figure, target)}`,
    )
  return ['', ...lines, `${judged.length - lines.length} of ${judged.length} targets met; load ${load()}`].join('\n')
}

export function write(file: URL, rows: readonly Row[], about: object): void {
  writeFileSync(file, `${JSON.stringify({ ...about, node: process.versions.node, rows }, undefined, 2)}\n`)
}
