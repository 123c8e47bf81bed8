// Makes the CommonJS that tsc emitted into dist/cjs a build of its own, and has both builds of the core share their types.
import { access, mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { basename, join, resolve } from 'node:path'

const root = resolve(import.meta.dirname, '../packages')

for (const name of await readdir(root)) {
  const cjs = join(root, name, 'dist/cjs')
  if (await exists(cjs)) await writeFile(join(cjs, 'package.json'), '{ "type": "commonjs", "sideEffects": false }\n')
}
await shareTypes(join(root, 'core'))

/**
 * A class with private fields is a type of its own in each file that declares it: the board of a CommonJS file would be none to
 * an adapter that is ESM. So of the core both take what the CommonJS declares, since the other way round is an error.
 */
async function shareTypes(home: string): Promise<void> {
  const types = join(home, 'dist/types')
  await mkdir(types, { recursive: true })
  const { exports } = JSON.parse(await readFile(join(home, 'package.json'), 'utf8')) as {
    exports: Record<string, string>
  }
  for (const source of Object.values(exports)) {
    const entry = basename(source, '.ts')
    await writeFile(join(types, `${entry}.d.ts`), `export * from '../cjs/${entry}.js'\n`)
  }
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}
