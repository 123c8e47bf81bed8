// Checks the packages as npm would have them: that publint finds nothing to say, and that types resolve to what is loaded.
import { join, resolve } from 'node:path'
import { readFile, rm } from 'node:fs/promises'
import { pack, PUBLISHED, run, type Published } from './pack.ts'

interface Manifest {
  readonly exports: object
  readonly publishConfig: { readonly exports: object }
}

/** How attw looks at a package that has more than ESM and CommonJS side by side. */
const LOOKS: Partial<Record<Published, readonly string[][]>> = {
  // Their clients are ESM only.
  got: [['--profile', 'esm-only']],
  ky: [['--profile', 'esm-only']],
  // What --import loads is ESM only.
  undici: [
    ['--exclude-entrypoints', 'register'],
    ['--entrypoints', 'register', '--profile', 'esm-only'],
  ],
}

const work = resolve(import.meta.dirname, '../.run')
await rm(work, { recursive: true, force: true })

for (const [name, tarball] of await pack(PUBLISHED, join(work, 'tarballs'))) {
  await checkEntries(name)
  await check(name, 'publint', [tarball, '--strict'])
  for (const look of LOOKS[name] ?? [[]])
    await check(name, 'attw', [tarball, '--format', 'ascii', '--no-color', ...look])
}

/** What the sources offer is published, too. */
async function checkEntries(name: Published): Promise<void> {
  const file = resolve(import.meta.dirname, '../packages', name, 'package.json')
  const { exports, publishConfig } = JSON.parse(await readFile(file, 'utf8')) as Manifest
  for (const entry of Object.keys(exports)) {
    if (entry in publishConfig.exports) continue
    console.error(`FAIL @fuseboard/${name}: ${entry} is in exports, and not in publishConfig.exports`)
    process.exitCode = 1
  }
}

async function check(name: Published, tool: string, args: readonly string[]): Promise<void> {
  try {
    await run(tool, args)
  } catch (error) {
    const { stdout, stderr } = error as { stdout?: string; stderr?: string }
    console.error(stdout || stderr || error)
    console.error(`FAIL @fuseboard/${name}: ${tool} ${args.slice(1).join(' ')}`)
    process.exitCode = 1
  }
}
