// Writes what each package offers into a text file beside this one, so that a review shows a change of it. With --check it
// compares instead, as CI does. It reads what was built.
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { basename, join, resolve } from 'node:path'
import { describe } from './describe.ts'

interface Manifest {
  readonly name: string
  readonly private?: boolean
  readonly exports: Readonly<Record<string, string>>
}

const packages = resolve(import.meta.dirname, '../packages')
const isCheck = process.argv.includes('--check')

for (const folder of await readdir(packages)) {
  const manifest = JSON.parse(await readFile(join(packages, folder, 'package.json'), 'utf8')) as Manifest
  if (!manifest.private) await report(folder, manifest)
}

async function report(folder: string, { name, exports }: Manifest): Promise<void> {
  const dist = join(packages, folder, 'dist')
  const entries = Object.entries(exports).map(([entry, source]) => ({
    name: entry.replace('.', name),
    file: join(dist, `${basename(source, '.ts')}.d.ts`),
  }))
  const now = `// What ${name} offers. Made by \`npx -y pnpm@12 api\`.\n\n${describe(entries, dist)}`
  const file = join(import.meta.dirname, `${folder}.txt`)
  if (!isCheck) return writeFile(file, now)

  const before = await readFile(file, 'utf8').catch(() => '')
  if (before === now) return
  console.error(`FAIL ${name} does not offer what api/${folder}.txt says:`)
  for (const line of missing(before, now)) console.error(`- ${line}`)
  for (const line of missing(now, before)) console.error(`+ ${line}`)
  console.error('If that is meant, run `npx -y pnpm@12 api`, commit what it writes, and tell of it in CHANGELOG.md.\n')
  process.exitCode = 1
}

/** The lines of one text that another has not, or not as often. */
function missing(from: string, other: string): string[] {
  const left = other.split('\n')
  return from.split('\n').filter((line) => {
    const at = left.indexOf(line)
    if (at !== -1) left.splice(at, 1)
    return at === -1
  })
}
