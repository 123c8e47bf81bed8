// Who does what: the same behaviours, put to Fuseboard and its peers. `--write` writes it to docs/comparison.md and README.md.
import { readFileSync, writeFileSync } from 'node:fs'
import { optionsOrEnd, parse } from '../examples/entry.ts'
import { facts } from './facts.ts'
import { page, summary } from './page.ts'
import { inReadme, PAGE, README } from './places.ts'
import { results, type Table } from './results.ts'

const { write } = optionsOrEnd('usage: node scoreboard/main.ts [--write]', (args) =>
  parse(args, { write: { type: 'boolean' } }),
)

const tables = await results()
const packages = await facts()
if (write) {
  writeFileSync(PAGE, page(tables, packages))
  writeFileSync(README, inReadme(readFileSync(README, 'utf8'), summary(tables, packages)))
} else {
  tables.forEach(print)
  console.log(`\n${summary(tables, packages)}`)
}

function print({ title, names, rows }: Table): void {
  console.log(`\n${title}`)
  for (const row of rows) {
    console.log(`  ${row.title}`)
    row.cells.forEach(({ says, why }, at) => console.log(`    ${says.padEnd(4)}${names[at]}${why && `: ${why}`}`))
  }
}
