// The page that says what was found. It has no time in it, so that it changes only where the libraries or the behaviours do.
import type { Cell } from './behaviour.ts'
import { ANSWERS } from './behaviours/answers.ts'
import { BESIDE } from './behaviours/beside.ts'
import type { Facts } from './facts.ts'
import { column, count, OURS, type Row, type Table } from './results.ts'

const COLUMNS = 140

/** docs/comparison.md. */
export function page(tables: readonly Table[], facts: readonly Facts[]): string {
  return `${[
    INTRODUCTION,
    '## How it comes out',
    countsOf(tables),
    '## Where another does what Fuseboard does not',
    ELSEWHERE,
    ...elsewhere(tables, facts),
    ...tables.flatMap(sectionOf),
    '## The packages',
    PACKAGES_INTRODUCTION,
    factsOf(facts),
  ].join('\n\n')}\n`
}

/** The part of README.md. */
export function summary(tables: readonly Table[], facts: readonly Facts[]): string {
  const counts = countsOf([merged(breakersOf(tables), 'Circuit breaking'), ...tables.filter(isOfAnswers)])
  return `${counts}\n\n${brokenDown(tables, facts)}`
}

/** What the counts hide: how much of them is beside the circuit, and what all of it weighs. */
function brokenDown(tables: readonly Table[], facts: readonly Facts[]): string {
  const [core = NOTHING, ...others] = facts
  const ours = (of: readonly Table[]): string => count(column(merged(of, ''), OURS))
  const breakers = breakersOf(tables)
  const beside = ours(breakers.filter(isBeside))
  const circuit = ours(breakers.filter((table) => !isBeside(table)))
  const smaller = others.filter(({ kilobytes }) => kilobytes < core.kilobytes)
  const sizes = smaller.map(({ kilobytes }) => kilobytes)
  return wrapped(
    `Fuseboard does ${circuit} of what is asked of the circuit itself, and ${beside} of what is beside it (time limits, retries, queues, ` +
      `rate limits). All of \`${core.name}\` is ${core.kilobytes} kB, minified and gzipped; of the others ${smaller.length} ` +
      `have ${Math.min(...sizes)} to ${Math.max(...sizes)} kB (${smaller.map(({ name }) => name).join(', ')}).`,
    '',
  )
}

const INTRODUCTION = `# Comparison

Written by \`npx -y pnpm@12 scoreboard --write\`; a test fails where it is out of date. Each cell is what a run found: the same behaviours
are put to all libraries, each through an adapter with the options that fit best, under the same fake timers and before the same host on
127.0.0.1. Who disagrees with a cell reads the behaviour, about twenty lines in [scoreboard/behaviours](../scoreboard/behaviours), and the
adapter in [scoreboard/entrants](../scoreboard/entrants), and mends them.

- **yes**: it did. **no**: it did not, or has nothing of the kind; the reason stands below the table. **n/a**: not its trade.
- Behaviours were collected from the issues of circuit breakers in several languages, and from what peers have and Fuseboard has not. A count of
  them says how many were asked, not which of them matter to you.
- opossum, cockatiel and mollitia guard functions and know nothing of HTTP; before a host, the function is a \`fetch\`.
- In all of them the policy is explicit (open at half of four calls, for 5 s), so nothing here is about defaults.`

const ELSEWHERE = `Fuseboard keeps to circuits and to what stands in for a host, and goes together with what does the rest: inside retries, queues
and caches, around a client with its time limits ([docs/fallback.md](fallback.md#with-retries-and-other-caches)).`

const PACKAGES_INTRODUCTION = `From the packages as they are installed here. The size is that of all that a package exports, in one file,
minified and gzipped, in kB; for axios-cache-interceptor without axios. A program that bundles takes less of those that can be shaken.`

function countsOf(tables: readonly Table[]): string {
  const names = [...new Set(tables.flatMap(({ names }) => names))]
  const rows = tables.map((table) => [
    table.title,
    ...names.map((name) => {
      const at = table.names.indexOf(name)
      return at === -1 ? '' : count(column(table, at))
    }),
  ])
  return grid(['', ...names], rows)
}

function elsewhere(tables: readonly Table[], facts: readonly Facts[]): string[] {
  const lines = tables.flatMap(({ names, rows }) =>
    rows.flatMap((row) => {
      const others = names.filter((_, at) => at !== OURS && row.cells[at]?.says === 'yes')
      const ours = row.cells[OURS]
      if (ours?.says !== 'no' || others.length === 0) return []
      return [wrapped(`- ${row.title}: ${others.join(', ')}. Fuseboard: ${ours.why}.`)]
    }),
  )
  const [{ name, kilobytes } = NOTHING, ...others] = facts
  const smaller = others
    .filter((other) => other.kilobytes < kilobytes)
    .map((other) => `${other.name} (${other.kilobytes} kB)`)
  lines.push(
    wrapped(
      `- The package is small: ${smaller.join(', ')}. ${name}: ${kilobytes} kB, of which a bundler leaves what is not used.`,
    ),
  )
  return [lines.join('\n')]
}

const NOTHING = { name: '', kilobytes: 0 }

function sectionOf(table: Table): string[] {
  const rows = table.rows.map(({ title, why, cells }) => [`**${title}.** ${why}`, ...cells.map(({ says }) => says)])
  const reasons = table.rows.flatMap((row) => reasonsOf(row, table.names)).join('\n')
  const where = `[scoreboard/behaviours/${table.file}](../scoreboard/behaviours/${table.file})`
  return [`## ${table.title}`, where, grid(['', ...table.names], rows), ...(reasons === '' ? [] : [reasons])]
}

/** Each reason once, with all whom it holds for. */
function reasonsOf({ title, cells }: Row, names: readonly string[]): string[] {
  const found = new Map<string, string[]>()
  cells.forEach(({ why }: Cell, at) => {
    if (why !== '') found.set(why, [...(found.get(why) ?? []), names[at] ?? ''])
  })
  if (found.size === 0) return []
  const said = [...found].map(([why, who]) => `${who.join(', ')}: ${why}`)
  return [wrapped(`- ${title}. ${said.join('; ')}.`)]
}

function factsOf(facts: readonly Facts[]): string {
  return grid(
    ['', 'version', 'licence', 'dependencies', 'Node', 'modules', 'types', 'kB'],
    facts.map(({ name, version, licence, dependencies, node, modules, types, kilobytes }) => [
      name,
      version,
      licence,
      `${dependencies}`,
      // A pipe would end the cell.
      node.replaceAll('||', 'or'),
      modules,
      types ? 'its own' : 'none',
      `${kilobytes}`,
    ]),
  )
}

/** A text, an item of a list where nothing else is said, on lines of the usual length. */
function wrapped(text: string, indent = '  '): string {
  const lines = ['']
  // A number stays with its unit.
  for (const word of text.split(/ (?!(?:k?B|m?s|%)(?:\W|$))/)) {
    const last = lines.at(-1) ?? ''
    if (last.length + word.length < COLUMNS) lines[lines.length - 1] = last === '' ? word : `${last} ${word}`
    else lines.push(`${indent}${word}`)
  }
  return lines.join('\n')
}

/** A table as the formatter leaves it. */
function grid(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((_, at) => Math.max(3, ...[head, ...rows].map((row) => widthOf(row[at] ?? ''))))
  const line = (cells: readonly string[]): string =>
    `| ${widths.map((width, at) => `${cells[at] ?? ''}${' '.repeat(width - widthOf(cells[at] ?? ''))}`).join(' | ')} |`
  return [line(head), `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`, ...rows.map(line)].join('\n')
}

const widthOf = (text: string): number => text.length

const isBeside = ({ title }: Table): boolean => title === BESIDE.title
const isOfAnswers = ({ title }: Table): boolean => title === ANSWERS.title
const breakersOf = (tables: readonly Table[]): Table[] => tables.filter((table) => !isOfAnswers(table))

function merged(tables: readonly Table[], title: string): Table {
  return { title, file: '', names: tables[0]?.names ?? [], rows: tables.flatMap(({ rows }) => rows) }
}
