// Builds the Lambda layer from packages/*/dist: a zip that has the same bytes wherever and whenever it is built.
import { createHash } from 'node:crypto'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { basename, dirname, join, relative, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { build, transform } from 'esbuild'
import { zip, type Entry } from './zip.ts'

/** What a package says of itself, as far as a layer needs it. */
interface Manifest {
  readonly name: string
  readonly version: string
  readonly license: string
  /** Core has none: it runs anywhere. */
  readonly engines?: object
  readonly publishConfig: { readonly exports: Readonly<Record<string, string | { readonly import: Target }>> }
}

interface Target {
  readonly default: string
}

// The adapters belong to the function: from a layer they would not find its client.
const PACKAGES = ['core', 'stores', 'telemetry']
const root = resolve(import.meta.dirname, '..')

const { values } = parseArgs({ options: { out: { type: 'string', default: join(root, '.run/fuseboard-layer.zip') } } })
const bytes = zip((await Promise.all(PACKAGES.map(filesOf))).flat())
await mkdir(dirname(values.out), { recursive: true })
await writeFile(values.out, bytes)
console.log(
  `${relative('', values.out)}  ${bytes.length} bytes  sha256 ${createHash('sha256').update(bytes).digest('hex')}`,
)

/** A package under the path where Lambda looks for modules, below /opt. */
async function filesOf(folder: string): Promise<Entry[]> {
  const home = join(root, 'packages', folder)
  const manifest = JSON.parse(await readFile(join(home, 'package.json'), 'utf8')) as Manifest
  const entries = entriesOf(manifest)
  const at = `nodejs/node_modules/${manifest.name}`
  const modules = await bundle(entries.map(([, file]) => join(home, file)))
  const scripts = await Promise.all(
    modules.map(async ({ name, code }) => [
      { path: `${at}/esm/${name}`, text: code },
      { path: `${at}/cjs/${name}`, text: await commonJs(code) },
    ]),
  )
  return [
    { path: `${at}/LICENSE`, text: await readFile(join(root, 'LICENSE'), 'utf8') },
    { path: `${at}/package.json`, text: json(manifestOf(manifest, entries)) },
    { path: `${at}/cjs/package.json`, text: json({ type: 'commonjs' }) },
    ...scripts.flat(),
  ]
}

/** `./dynamodb` and the file that is published as it. */
function entriesOf({ publishConfig }: Manifest): [string, string][] {
  return Object.entries(publishConfig.exports).flatMap(([entry, target]) =>
    typeof target === 'string' ? [] : [[entry, target.import.default]],
  )
}

function manifestOf({ name, version, license, engines }: Manifest, entries: [string, string][]): object {
  const exports = entries.map(([entry, file]) => {
    const script = basename(file)
    return [entry, { import: `./esm/${script}`, require: `./cjs/${script}` }] as const
  })
  return { name, version, license, type: 'module', engines, exports: Object.fromEntries(exports) }
}

/** Few files instead of hundreds: a cold start reads them in a sixth of the time. What entries share they still share. */
async function bundle(entryPoints: string[]): Promise<{ name: string; code: string }[]> {
  const { outputFiles } = await build({
    absWorkingDir: root,
    entryPoints,
    outdir: join(root, 'layer'), // only named: nothing is written
    write: false,
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node22',
    packages: 'external',
  })
  return outputFiles.map(({ path, text }) => ({ name: basename(path), code: text }))
}

/** For a `require` in a runtime that refuses to load ESM with it. */
async function commonJs(code: string): Promise<string> {
  return (await transform(code, { format: 'cjs', platform: 'node', target: 'node22' })).code
}

function json(value: object): string {
  return `${JSON.stringify(value, undefined, 2)}\n`
}
