// What Fuseboard costs, side by side with a bare call, cockatiel and opossum, against the targets in targets.ts.
// Exits 1 where a target is missed, 2 where the controls were too noisy for a verdict or an option is wrong. `--quick` takes
// seconds and judges only what noise cannot touch, bytes and timers. `--section telemetry` measures one section, and keeps no
// results.
import { optionsOrEnd, parse, UsageError } from '../examples/entry.ts'
import { measure, SECTIONS, type Section } from './fresh.ts'
import { heading, load, summary, table, write } from './report.ts'
import { best, exitCode, isSettled, judge, TARGETS, type Row } from './targets.ts'

const EXACT: ReadonlySet<Section> = new Set(['bytes', 'memory'])
const TRIES = 3
/** No section begins another try later than this. */
const PATIENCE_MS = 200_000

const { quick, section: only } = optionsOrEnd('usage: node --expose-gc bench/main.ts [--quick] [--section name]', read)
const sections = SECTIONS.filter((section) => only === undefined || section === only)
const started = { at: new Date().toISOString(), load: load() }
console.log(heading())

const rows: Row[] = []
for (const section of sections) {
  const found = await (quick ? glance(section) : look(section))
  rows.push(...found)
  if (found.length > 0) console.log(table(section, found))
}
if (only === undefined) write(new URL('results.json', import.meta.url), rows, { ...started, loadAfter: load(), quick })
console.log(summary(rows))
process.exitCode = exitCode(rows)

/** @throws UsageError */
function read(args: readonly string[]): { readonly quick: boolean; readonly section: string | undefined } {
  const { quick, section } = parse(args, {
    quick: { type: 'boolean', default: false },
    section: { type: 'string' },
  })
  if (section !== undefined && !(SECTIONS as readonly string[]).includes(section))
    throw new UsageError(`--section must be one of ${SECTIONS.join(', ')}, got ${JSON.stringify(section)}`)
  return { quick, section }
}

/** The best of a few tries: noise may make a target look missed, and nothing makes a missed one look met. */
async function look(section: Section): Promise<Row[]> {
  let rows = judge(section, await measure(section, false))
  for (let tries = 1; tries < TRIES && !EXACT.has(section); tries++) {
    if (isSettled(rows) || performance.now() > PATIENCE_MS) break
    rows = best(rows, judge(section, await measure(section, false)))
  }
  return rows
}

async function glance(section: Section): Promise<Row[]> {
  return judge(section, await measure(section, true), EXACT.has(section) ? TARGETS : [])
}
