// Uses the packed packages as programs do: installed by npm and by pnpm, required and imported, type-checked by old and new
// TypeScript under each way to resolve modules, and in tests under Jest.
import { cp, mkdir, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { runCells, runScript, type Cell } from './cells.ts'
import { pack, pnpm, PUBLISHED, run, unpack } from './pack.ts'

/** How a compiler finds modules, and the programs that it is given. */
interface Mode {
  readonly name: string
  readonly options: object
  /** Where each source goes. */
  readonly files: Readonly<Record<string, string>>
  /** What runs of the output. */
  readonly runs?: string
}

const NODE = {
  files: {
    'program.mts': 'program.cts',
    'program.cts': 'program.cts',
    'aws.mts': 'aws.ts',
    'aws.cts': 'aws.ts',
    'esm-only.mts': 'esm-only.mts',
  },
  runs: 'esm-only.mjs',
}
const MODES: readonly Mode[] = [
  { name: 'node16', options: { module: 'node16' }, ...NODE },
  { name: 'nodenext', options: { module: 'nodenext' }, ...NODE },
  {
    name: 'bundler',
    options: { module: 'esnext', moduleResolution: 'bundler' },
    files: { 'program.ts': 'program.cts', 'aws.ts': 'aws.ts' },
  },
  {
    name: 'node10',
    options: { module: 'commonjs', moduleResolution: 'node10' },
    files: { 'program.ts': 'program.cts', 'aws.ts': 'aws.ts' },
    runs: 'program.js',
  },
  {
    name: 'a page',
    options: { module: 'esnext', moduleResolution: 'bundler', lib: ['es2020', 'dom'], types: [] },
    files: { 'browser.ts': 'browser.ts' },
  },
]
/** What they need beside them. */
const BESIDE = [
  '@aws-sdk/client-cloudwatch',
  '@aws-sdk/client-dynamodb',
  '@aws-sdk/client-sqs',
  '@types/node',
  'axios',
  'bullmq',
  'got',
  'jest',
  'ky',
  'undici',
]
const INSTALLED = ['axios', 'got', 'ky', 'undici']

// Some of the cells, by a part of their names.
const [, , only = ''] = process.argv
const root = resolve(import.meta.dirname, '..')
const modules = join(root, 'compat/node_modules')
const sources = join(root, 'compat/consumers')
// Outside the repo, so that a program finds no package but those that it is given.
const work = join(tmpdir(), `fuseboard-consumers-${process.pid}`)
const project = join(work, 'project')

/** The releases of TypeScript, by their names in compat/node_modules. */
async function compilers(): Promise<{ alias: string; version: string; script: string }[]> {
  const aliases = (await readdir(modules)).filter((name) => /^typescript[\d.]*$/.test(name))
  return Promise.all(
    aliases.map(async (alias) => {
      const script = join(modules, alias, 'bin/tsc')
      return { alias, version: await versionOf(alias), script }
    }),
  )
}

async function typeChecks(): Promise<Cell[]> {
  const cells: Cell[] = []
  for (const { alias, version, script } of await compilers()) {
    for (const mode of MODES) {
      const name = `TypeScript ${version}, ${mode.name}`
      // From 6.0 on it is deprecated, and 7 has it no longer.
      if (mode.name === 'node10' && Number.parseInt(version) >= 6)
        console.log(`skip ${name}: it has no such resolution`)
      else
        cells.push({
          name,
          run: () => typeCheck(mode, script, join(project, `${alias}-${mode.name}`.replace(' ', '-'))),
        })
    }
  }
  return cells
}

async function typeCheck({ options, files, runs }: Mode, script: string, dir: string): Promise<string> {
  await mkdir(dir, { recursive: true })
  for (const [file, source] of Object.entries(files)) await cp(join(sources, source), join(dir, file))
  const compilerOptions = {
    target: 'es2022',
    lib: ['es2023'],
    types: ['node'],
    strict: true,
    exactOptionalPropertyTypes: true,
    esModuleInterop: true,
    declaration: true,
    skipLibCheck: false,
    outDir: 'out',
    ...options,
  }
  await writeFile(join(dir, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: Object.keys(files) }))
  const theirs = await compile(script, dir)
  if (runs) await runScript(process.execPath, [join('out', runs)], dir)
  return theirs > 0 ? `${theirs} errors in the types of others` : ''
}

/** Compiles a folder; gives how many errors there are in what is neither the program's nor ours, and rejects for any other. */
async function compile(script: string, dir: string): Promise<number> {
  const told = await runScript(process.execPath, [script, '-p', dir, '--pretty', 'false'], dir).then(
    () => '',
    ({ stdout, message }: Error & { stdout?: string }) => stdout || message,
  )
  const errors = told.split('\n').filter((line) => /^\S/.test(line))
  const ours = errors.filter((line) => !/node_modules\/(?!@fuseboard\/)/.test(line))
  if (ours.length > 0) throw new Error(ours.join('\n'))
  return errors.length
}

async function jest(): Promise<void> {
  const dir = join(project, 'jest')
  await cp(join(sources, 'jest'), dir, { recursive: true })
  await mkdir(join(dir, 'node_modules'))
  await symlink(join(modules, 'typescript5.9'), join(dir, 'node_modules/typescript'))
  await runScript(process.execPath, [join(modules, 'jest/bin/jest.js'), '--ci'], dir)
}

/** An empty folder, what a package manager puts there, and programs that run and are type-checked in it. */
async function install(
  manager: string,
  command: readonly [string, ...string[]],
  tarballs: readonly string[],
): Promise<void> {
  const dir = join(work, manager)
  await mkdir(dir)
  await writeFile(join(dir, 'package.json'), '{ "name": "empty", "version": "1.0.0", "private": true }\n')
  const clients = await Promise.all(INSTALLED.map(async (name) => `${name}@${await versionOf(name)}`))
  const [program, ...args] = command
  await run(program, [...args, ...tarballs, ...clients], { cwd: dir, timeout: 300_000 })
  for (const file of ['plain.mjs', 'plain.cjs', 'esm-only.mts']) await cp(join(sources, file), join(dir, file))
  await cp(join(sources, 'program.cts'), join(dir, 'program.cts'))
  for (const file of ['plain.mjs', 'plain.cjs']) await runScript(process.execPath, [file], dir)
  const compilerOptions = {
    module: 'nodenext',
    target: 'es2022',
    strict: true,
    skipLibCheck: true,
    noEmit: true,
    types: ['node'],
    typeRoots: [join(modules, '@types')],
  }
  await writeFile(join(dir, 'tsconfig.json'), JSON.stringify({ compilerOptions }))
  await compile(join(modules, 'typescript/bin/tsc'), dir)
}

async function versionOf(name: string): Promise<string> {
  return (JSON.parse(await readFile(join(modules, name, 'package.json'), 'utf8')) as { version: string }).version
}

/** A project with the packages in it, as any installer would put them. */
async function prepare(): Promise<void> {
  await unpack(PUBLISHED, join(project, 'node_modules/@fuseboard'))
  for (const name of BESIDE) {
    const at = join(project, 'node_modules', name)
    await mkdir(dirname(at), { recursive: true })
    await symlink(join(modules, name), at)
  }
}

try {
  await prepare()
  const tarballs = [...(await pack(PUBLISHED, join(work, 'tarballs'))).values()]
  const cells = [
    { name: 'installed by npm', run: () => install('npm', ['npm', 'install', '--no-audit', '--no-fund'], tarballs) },
    { name: 'installed by pnpm', run: () => install('pnpm', [...pnpm(), 'add'], tarballs) },
    { name: `Jest ${await versionOf('jest')}`, run: jest },
    ...(await typeChecks()),
  ]
  await runCells(cells.filter(({ name }) => name.includes(only)))
} finally {
  await rm(work, { recursive: true, force: true })
}
