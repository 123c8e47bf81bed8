// What the installed packages say of themselves, and how big they are. Nothing is asked of a registry.
import { readdirSync, readFileSync, realpathSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'

/** One package. */
export interface Facts {
  readonly name: string
  readonly version: string
  readonly licence: string
  /** What is installed with it, at any depth. */
  readonly dependencies: number
  /** What it asks for, where it asks. */
  readonly node: string
  readonly modules: 'ESM' | 'CommonJS' | 'both'
  readonly types: boolean
  /** All of it in one file, minified and gzipped, without what has to be there anyway. */
  readonly kilobytes: number
}

const PACKAGES: Readonly<Record<string, readonly string[]>> = {
  '@fuseboard/core': [],
  opossum: [],
  cockatiel: [],
  mollitia: [],
  'axios-cache-interceptor': ['axios'],
  undici: [],
}

interface Modules {
  readonly type?: string
  readonly exports?: unknown
  /** Where pnpm is to publish other exports than those that the workspace has: these are the ones that are installed. */
  readonly publishConfig?: { readonly exports?: unknown }
}

interface Manifest extends Modules {
  readonly version: string
  readonly license: string
  readonly engines?: { readonly node?: string }
  readonly dependencies?: Readonly<Record<string, string>>
}

/** The facts of all. */
export function facts(): Promise<readonly Facts[]> {
  return Promise.all(Object.entries(PACKAGES).map(([name, given]) => factsOf(name, given)))
}

const HERE = dirname(fileURLToPath(import.meta.url))

async function factsOf(name: string, given: readonly string[]): Promise<Facts> {
  const folder = folderOf(name, HERE)
  const manifest = manifestOf(folder)
  const { version, license, engines } = manifest
  return {
    name,
    version,
    licence: license,
    dependencies: under(folder).size,
    node: engines?.node ?? 'any',
    modules: modulesOf(manifest),
    types: readdirSync(folder, { recursive: true }).some((file) => /\.(?:d\.)?[cm]?ts$/.test(String(file))),
    kilobytes: await kilobytesOf(name, given),
  }
}

/** Where a package is that one in `from` depends on: beside it, or further up. */
function folderOf(name: string, from: string): string {
  for (let folder = from; ; folder = dirname(folder)) {
    try {
      return realpathSync(join(folder, 'node_modules', name))
    } catch {
      if (folder === dirname(folder)) throw new Error(`${name} is not installed`)
    }
  }
}

const manifestOf = (folder: string): Manifest =>
  JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Manifest

function under(folder: string, found: Set<string> = new Set()): Set<string> {
  for (const name of Object.keys(manifestOf(folder).dependencies ?? {})) {
    const at = folderOf(name, folder)
    if (found.has(at)) continue
    found.add(at)
    under(at, found)
  }
  return found
}

/** Which kinds of modules may load it, once it is installed. */
export function modulesOf({ type, exports, publishConfig }: Modules): Facts['modules'] {
  const text = JSON.stringify(publishConfig?.exports ?? exports ?? {})
  if (text.includes('"require"') && text.includes('"import"')) return 'both'
  return type === 'module' ? 'ESM' : 'CommonJS'
}

async function kilobytesOf(name: string, external: readonly string[]): Promise<number> {
  const { outputFiles } = await build({
    // One that is CommonJS has its exports in its default.
    stdin: { contents: `import * as all from '${name}'; globalThis.all = all`, resolveDir: HERE },
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'node',
    target: 'node22',
    legalComments: 'none',
    external: [...external],
    write: false,
  })
  return Math.round(gzipSync(outputFiles[0]?.contents ?? '', { level: 9 }).length / 1_000)
}
