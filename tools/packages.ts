// Checks the packages as npm would have them: that publint finds nothing to say, and that types resolve to what is loaded.
import { join, resolve } from 'node:path'
import { rm } from 'node:fs/promises'
import { pack, PUBLISHED, run, type Published } from './pack.ts'

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
  await check(name, 'publint', [tarball, '--strict'])
  for (const look of LOOKS[name] ?? [[]])
    await check(name, 'attw', [tarball, '--format', 'ascii', '--no-color', ...look])
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
