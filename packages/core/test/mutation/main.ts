// Mutation tests of core: changes its code in small ways, one at a time, and lists the changes that no test notices.
//   npx -y pnpm@12 mutate [circuit] [window] [policy] [replies]
//   npx -y pnpm@12 mutate --mutate circuit.ts:140-180      some lines of a file, and the page stays as it is
import { readFile, writeFile } from 'node:fs/promises'
import { availableParallelism, constants, setPriority, tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { parseArgs } from 'node:util'
import { Stryker } from '@stryker-mutator/core'
import { section, type Survivor } from './page.ts'
import { SUBJECTS } from './subjects.ts'

type Mutant = Awaited<ReturnType<Stryker['runMutationTest']>>[number]

/** Percent of the changes that tests must notice. */
const ENOUGH = 90
const PAGE = join(import.meta.dirname, 'survivors.md')

const { positionals, values } = parseArgs({ allowPositionals: true, options: { mutate: { type: 'string' } } })
setPriority(constants.priority.PRIORITY_LOW)
for (const name of asked()) {
  const subject = SUBJECTS[name]
  if (subject === undefined) throw new RangeError(`there is no ${name}; there are ${Object.keys(SUBJECTS).join(', ')}`)
  const places = values.mutate === undefined ? subject.mutated.map((file) => `${file}.ts`) : [values.mutate]
  await report(name, await mutate(name, places), values.mutate === undefined)
}

/** The names of subjects. */
function asked(): readonly string[] {
  if (values.mutate === undefined) return positionals.length > 0 ? positionals : Object.keys(SUBJECTS)
  const file = values.mutate.replace(/\.ts(?::.*)?$/, '')
  return Object.keys(SUBJECTS).filter((name) => SUBJECTS[name]?.mutated.includes(file))
}

function mutate(name: string, places: readonly string[]): Promise<Mutant[]> {
  process.env['FUSEBOARD_MUTATED'] = name
  return new Stryker({
    mutate: places.map((place) => `packages/core/src/${place}`),
    testRunner: 'one-thread',
    plugins: [join(import.meta.dirname, 'one-thread.ts')],
    // TypeScript 7 has no JavaScript API to rewrite a tsconfig.json with, and nothing reads one in a run.
    tsconfigFile: 'none',
    disableTypeChecks: false,
    tempDirName: join(tmpdir(), `fuseboard-mutation-${process.pid}`),
    cleanTempDir: 'always',
    concurrency: availableParallelism(),
    timeoutMS: 10_000,
    timeoutFactor: 2,
    reporters: ['progress-append-only'],
    allowConsoleColors: false,
  }).runMutationTest()
}

async function report(name: string, mutants: readonly Mutant[], whole: boolean): Promise<void> {
  const counted = mutants.filter(({ status }) => status !== 'CompileError' && status !== 'RuntimeError')
  const missed = counted.filter(({ status }) => status === 'Survived' || status === 'NoCoverage')
  const noticed = counted.length - missed.length
  const percent = Math.floor((1_000 * noticed) / counted.length) / 10
  const score = `${percent} %: of ${counted.length} changes ${noticed} are noticed.`
  console.log(`${name}: ${score}`)

  const pages = (await readFile(PAGE, 'utf8')).trimEnd().split(/\n\n(?=## )/)
  const at = pages.findIndex((page) => page.split('\n', 1)[0] === `## ${name}`)
  const { text, open } = section(
    pages[at] ?? '',
    name,
    score,
    (await Promise.all(missed.map(survivor))).toSorted(inOrder),
  )
  if (whole) await writeFile(PAGE, `${pages.with(at, text).join('\n\n')}\n`)
  else console.log(text)
  if (open > 0) console.error(`${name}: ${open} of those that are not are without a reason in ${basename(PAGE)}`)
  if (whole && (percent < ENOUGH || open > 0)) process.exitCode = 1
}

async function survivor({ fileName, location: { start, end }, replacement }: Mutant): Promise<Survivor> {
  const lines = (await readFile(fileName, 'utf8')).split('\n')
  const line = lines[start.line - 1] ?? ''
  const from = line.slice(start.column - 1, start.line === end.line ? end.column - 1 : undefined)
  return { file: basename(fileName), at: start.line, line: line.trim(), from, to: replacement.replaceAll(/\s+/g, ' ') }
}

function inOrder(one: Survivor, other: Survivor): number {
  return one.file.localeCompare(other.file) || one.at - other.at
}
