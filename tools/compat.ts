// Runs compat/cases/*.mjs (node:test, plain ESM) against the packed packages: each Node release with each client release.
import { cp, mkdir, readdir, readFile, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join, resolve } from 'node:path'
import { runCells, runScript } from './cells.ts'
import { PUBLISHED, run, unpack } from './pack.ts'

/** What a case tests: a client by its name in compat/node_modules, where it is none of Node's own, or several as they are newest. */
interface Case {
  readonly file: string
  readonly client?: string
  readonly clients?: readonly string[]
}

interface Setting extends Case {
  readonly name: string
  readonly node: string
  readonly alias?: string
}

const CLIENTS = ['axios', 'got', 'ky', 'undici'] as const
const CASES: readonly Case[] = [
  { file: 'fetch.mjs' },
  { file: 'copies.mjs', clients: CLIENTS },
  ...CLIENTS.map((client) => ({ file: `${client}.mjs`, client })),
]

const root = resolve(import.meta.dirname, '..')
const compat = join(root, 'compat')
const modules = join(compat, 'node_modules')
// Outside the repo, so that a case finds no package but those that it is given.
const work = join(tmpdir(), `fuseboard-compat-${process.pid}`)

/** This Node, and those that are installed for this. */
async function nodes(): Promise<Map<string, string>> {
  const others = (await readdir(modules)).filter((name) => /^node\d+$/.test(name))
  const paths = [process.execPath, ...others.map((name) => join(modules, name, 'bin/node'))]
  const found = new Map<string, string>()
  for (const path of paths) {
    const version = await run(path, ['-p', 'process.versions.node']).catch(() => undefined)
    if (version) found.set(version.stdout.trim(), path)
    else console.log(`skip ${path}: it does not run here`)
  }
  return found
}

/** Each case with each Node, and with each release of its client that this Node can run. */
async function settings(): Promise<Setting[]> {
  const installed = await readdir(modules)
  const all: Setting[] = []
  for (const [version, node] of await nodes()) {
    for (const one of CASES) {
      if (!one.client) {
        all.push({ ...one, node, name: `${basename(one.file, '.mjs')} on Node ${version}` })
        continue
      }
      const releases = new RegExp(`^${one.client}[\\d.]*$`)
      for (const alias of installed.filter((name) => releases.test(name))) {
        const manifest = JSON.parse(await readFile(join(modules, alias, 'package.json'), 'utf8')) as {
          version: string
          engines?: { node?: string }
        }
        const [floor = '0'] = /\d+(?:\.\d+)*/.exec(manifest.engines?.node ?? '') ?? []
        if (version.localeCompare(floor, 'en', { numeric: true }) < 0) continue
        all.push({ ...one, node, alias, name: `${one.client} ${manifest.version} on Node ${version}` })
      }
    }
  }
  return all
}

async function test({ name, file, client, clients = [], alias, node }: Setting): Promise<void> {
  const dir = join(work, name.replaceAll(' ', '-'))
  const scope = join(dir, 'node_modules/@fuseboard')
  await mkdir(scope, { recursive: true })
  for (const one of PUBLISHED) await cp(join(work, 'packed', one), join(scope, one), { recursive: true })
  for (const one of clients) await symlink(join(modules, one), join(dir, 'node_modules', one))
  if (client && alias) await symlink(join(modules, alias), join(dir, 'node_modules', client))
  await cp(join(compat, 'cases', file), join(dir, 'case.test.mjs'))
  await runScript(node, ['case.test.mjs'], dir)
}

await unpack(PUBLISHED, join(work, 'packed'))
await runCells((await settings()).map((setting) => ({ name: setting.name, run: () => test(setting) })))
await rm(work, { recursive: true, force: true })
