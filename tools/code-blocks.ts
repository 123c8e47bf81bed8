// The code that documents show: what stands in their blocks, whether it has the types that it needs, and what it does when it is run.
import { execFile } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

/** The folder of the repository. */
export const ROOT: string = fileURLToPath(new URL('..', import.meta.url))

/** A block of TypeScript of a page. */
export interface Block {
  /** From the root of the repository. */
  readonly page: string
  /** Of the page, counted from 1: where its code begins. */
  readonly line: number
  /** As the reader sees it. */
  readonly code: string
  /**
   * The module that it is, each line of which has the number that it has in the page: between what `<!-- with: ... -->` gives right before
   * the block (names of the reader's own program) and what `<!-- then: ... -->` does right after it (proof that it works, its end).
   */
  readonly module: string
  /** Why it is not run, as `<!-- types only: ... -->` before it says. */
  readonly typesOnly: string | undefined
}

const FENCE = /^( *)```(\w+).*\n([^]*?)^ *```$/gm
const BEFORE = /<!-- (with|types only): ((?:(?!-->)[^])*?)\s*-->\s*$/
const AFTER = /^\s*<!-- then: ([^]*?)\s*-->/

/** The blocks of a page in a language. */
export const fencesOf = (page: string, language: string): { code: string; begin: number; end: number }[] =>
  [...page.matchAll(FENCE)]
    .filter((match) => match[2] === language)
    .map((match) => {
      const [whole, indent = '', , code = ''] = match
      const begin = match.index + whole.indexOf('\n') + 1
      return { code: code.replaceAll(new RegExp(`^${indent}`, 'gm'), ''), begin, end: match.index + whole.length }
    })

/** The blocks of a page that are TypeScript, as modules. */
export function modulesOf(page: string): Block[] {
  const text = readFileSync(join(ROOT, page), 'utf8')
  const lineAt = (index: number): number => text.slice(0, index).split('\n').length
  return fencesOf(text, 'ts').map(({ code, begin, end }) => {
    const parts: [line: number, code: string][] = [[lineAt(begin), code]]
    let typesOnly: string | undefined
    let before = text.slice(0, text.lastIndexOf('```', begin)).replace(/ *$/, '')
    for (let match = BEFORE.exec(before); match !== null; match = BEFORE.exec(before)) {
      const [whole, kind, said = ''] = match
      if (kind === 'with') parts.push([lineAt(match.index + whole.indexOf(said)), said])
      else typesOnly = said
      before = before.slice(0, match.index)
    }
    const after = AFTER.exec(text.slice(end))
    if (after !== null) parts.push([lineAt(end + after[0].indexOf(after[1] as string)), after[1] as string])
    return { page, line: lineAt(begin), code, module: atTheirLines(parts), typesOnly }
  })
}

function atTheirLines(parts: readonly [line: number, code: string][]): string {
  const lines: string[] = []
  for (const [first, code] of parts) for (const [nth, line] of code.split('\n').entries()) lines[first - 1 + nth] = line
  return `${Array.from(lines, (line) => line ?? '').join('\n')}\nexport {}\n`
}

/** A folder with a program of each block, which has the dependencies of every package of this repository. */
export class Programs {
  readonly folder: string = mkdtempSync(join(tmpdir(), 'fuseboard-pages-'))
  readonly #files = new Map<Block, string>()

  constructor(blocks: readonly Block[], ambient: string = '') {
    installAll(join(this.folder, 'node_modules'))
    writeFileSync(join(this.folder, 'package.json'), '{ "type": "module" }')
    writeFileSync(join(this.folder, 'ambient.d.ts'), ambient)
    for (const block of blocks) {
      const file = join(this.folder, `${block.page.replaceAll('/', '_')}_${block.line}.ts`)
      writeFileSync(file, block.module)
      this.#files.set(block, file)
    }
  }

  /** What the compiler says of all of them, by page and line; empty where all is well. */
  async typeFaults(): Promise<string> {
    const compilerOptions = { noEmit: true, noUnusedLocals: false, typeRoots: [join(ROOT, 'node_modules/@types')] }
    const config = { extends: join(ROOT, 'tsconfig.base.json'), compilerOptions, include: ['*.ts'] }
    writeFileSync(join(this.folder, 'tsconfig.json'), JSON.stringify(config))
    const { stdout } = await run([join(ROOT, 'node_modules/typescript/bin/tsc'), '-p', this.folder])
    const names = new Map([...this.#files].map(([{ page }, file]) => [basename(file), page]))
    return stdout.replaceAll(
      /^(?:.*\/)?([^/]+\.ts)\((\d+),\d+\)/gm,
      (_, file: string, line) => `${names.get(file) ?? file}:${line}`,
    )
  }

  /** Runs one to its end. */
  async run(block: Block, flags: readonly string[], env: NodeJS.ProcessEnv): Promise<Ran> {
    const cwd = mkdtempSync(join(this.folder, 'run-'))
    const options = {
      cwd,
      env: { ...process.env, ...env, NODE_COMPILE_CACHE: join(this.folder, 'compiled') },
      timeout: 60_000,
    }
    return run([...flags, this.#files.get(block) as string], options)
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true })
  }
}

/** How a program ended, and what it printed. */
export interface Ran {
  readonly code: number | undefined
  readonly stdout: string
  readonly stderr: string
}

const run = (
  args: readonly string[],
  options: { cwd?: string; env?: NodeJS.ProcessEnv; timeout?: number } = {},
): Promise<Ran> =>
  promisify(execFile)(process.execPath, args, options).then(
    ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
    (error: Ran) => error,
  )

/** Links what the packages depend on, and the packages themselves. */
function installAll(folder: string): void {
  const packages = [
    ...readdirSync(join(ROOT, 'packages')).map((name) => join('packages', name)),
    'docs',
    'examples',
    'bench',
  ]
  for (const home of packages) {
    const { name } = JSON.parse(readFileSync(join(ROOT, home, 'package.json'), 'utf8')) as { name: string }
    if (name.startsWith('@')) link(join(ROOT, home), join(folder, name))
    for (const dependency of dependenciesIn(join(ROOT, home, 'node_modules')))
      link(join(ROOT, home, 'node_modules', dependency), join(folder, dependency))
  }
}

function dependenciesIn(folder: string): string[] {
  if (!existsSync(folder)) return []
  return readdirSync(folder).flatMap((name) => {
    if (name.startsWith('.')) return []
    return name.startsWith('@') ? readdirSync(join(folder, name)).map((scoped) => join(name, scoped)) : [name]
  })
}

function link(target: string, path: string): void {
  if (existsSync(path)) return
  mkdirSync(join(path, '..'), { recursive: true })
  symlinkSync(target, path)
}

/** The pages of the repository: what people read of it. */
export function pages(): string[] {
  const inFolder = (folder: string): string[] =>
    readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.name.endsWith('.md') && !entry.parentPath.includes('node_modules'))
      .map((entry) => relative(ROOT, join(entry.parentPath, entry.name)))
  const readmes = readdirSync(join(ROOT, 'packages')).map((name) => `packages/${name}/README.md`)
  return ['README.md', 'CONTRIBUTING.md', 'CHANGELOG.md', ...inFolder('docs').toSorted(), ...readmes].filter((page) =>
    existsSync(join(ROOT, page)),
  )
}
