// Makes the CommonJS that tsc emitted into dist/cjs a build of its own, and has both builds of the core share their types.
import { access, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'

const root = resolve(import.meta.dirname, '../packages')

for (const name of await readdir(root)) {
  const cjs = join(root, name, 'dist/cjs')
  if (await exists(cjs)) await writeFile(join(cjs, 'package.json'), '{ "type": "commonjs", "sideEffects": false }\n')
}
await shareTypes(join(root, 'core'))

/**
 * A class with private fields is a type of its own in each file that declares it: the board of a CommonJS file would be none to
 * an adapter that is ESM. So the core declares everything once. ESM may take it from CommonJS; the other way round is an error.
 */
async function shareTypes(home: string): Promise<void> {
  const dist = join(home, 'dist')
  for (const file of await readdir(dist)) if (/\.d\.ts(?:\.map)?$/.test(file)) await rm(join(dist, file))
  const { exports } = JSON.parse(await readFile(join(home, 'package.json'), 'utf8')) as {
    exports: Record<string, string>
  }
  for (const source of Object.values(exports)) {
    const entry = source.replace(/^.*\/|\.ts$/g, '')
    await writeFile(join(dist, `${entry}.d.ts`), `export * from './cjs/${entry}.js'\n`)
  }
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}
