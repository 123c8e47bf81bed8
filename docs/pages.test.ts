// What the pages show is right: their code has the types that it needs and runs, their links lead somewhere, their commands exist.
//
// Each block of TypeScript is a program of its own. Names that it takes from the program of its reader are given right before it, in
// `<!-- with: declare const baseURL: string -->`; what proves that it works, or ends it, stands right after it, in `<!-- then: ... -->`.
// A comment `// → this` in it says what it prints. `<!-- types only: why -->` before it keeps it from being run.
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parseAllDocuments } from 'yaml'
import { fencesOf, modulesOf, pages, Programs, ROOT } from '../tools/code-blocks.ts'
import { startHost, type Host } from './host.ts'

/** Pages whose blocks a test beside them compiles, or compares with files that are compiled and run. */
const ELSEWHERE = new Set(['docs/use-cases.md', 'packages/outbox/README.md'])

const LOOPBACK = pathToFileURL(join(ROOT, 'tools/loopback.ts')).href
const PAGES = pages()
const read = (page: string): string => readFileSync(join(ROOT, page), 'utf8')
const blocks = PAGES.filter((page) => !ELSEWHERE.has(page)).flatMap(modulesOf)

// Of nodemailer, which is not installed here, and of opossum, which has no types, as much as the pages show.
const AMBIENT = `
declare module 'nodemailer' {
  export function createTransport(url: string | undefined): { sendMail(mail: object): Promise<unknown> }
}
declare module 'opossum' {
  interface Options {
    timeout: number
    errorThresholdPercentage: number
    volumeThreshold: number
    rollingCountTimeout: number
    resetTimeout: number
    errorFilter(error: { code?: string }): boolean
  }
  export default class CircuitBreaker<Args extends unknown[], Result> {
    constructor(action: (...args: Args) => Promise<Result>, options: Options)
    fire(...args: Args): Promise<Result>
    fallback(action: (...args: Args) => Result): void
    on(event: string, listener: () => void): void
    shutdown(): void
  }
}`

describe('the code of the pages', () => {
  const programs = new Programs(blocks, AMBIENT)
  let host: Host

  beforeAll(async () => {
    host = await startHost()
  })
  afterAll(() => {
    host.close()
    programs[Symbol.dispose]()
  })

  test('has the types that it needs', { timeout: 120_000 }, async () => {
    expect(blocks.length).toBeGreaterThan(40)
    expect(await programs.typeFaults()).toBe('')
  })

  test('would not pass if it were wrong', { timeout: 120_000 }, async () => {
    const code = "import { createBoard } from '@fuseboard/core'\n\ncreateBoard({ openFr: '30s' })"
    const block = { page: 'wrong.md', line: 1, code, module: code, typesOnly: undefined }
    using wrong = new Programs([block])
    expect(await wrong.typeFaults()).toMatch(/^wrong\.md:3: error TS\d+: .*'openFr' does not exist/)
    expect(await wrong.run(block, [], {})).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('openFr') as string,
    })
  })

  const runnable = blocks.filter(({ typesOnly }) => typesOnly === undefined)

  test.concurrent.each(runnable.map((block) => [`${block.page}:${block.line}`, block] as const))(
    'runs: %s',
    { timeout: 90_000 },
    async (_where, block) => {
      const { code, stdout, stderr } = await programs.run(block, ['--import', LOOPBACK], host.env)
      expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' })
      const said = [...block.code.matchAll(/\/\/ → (.*)/g)].map(([, line = '']) => line)
      expect(said.filter((line) => !`${stdout}${stderr}`.split('\n').includes(line))).toEqual([])
    },
  )
})

describe.each(PAGES)('%s', (page) => {
  const text = read(page)

  test('links to what there is', () => {
    const targets = [...withoutCode(text).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => target)
    const local = targets.filter((target) => !/^(?:https?|mailto):/.test(target))
    expect(local.filter((target) => !leadsSomewhere(page, target))).toEqual([])
  })

  test('has JSON and YAML that can be read', () => {
    for (const { code } of fencesOf(text, 'json')) expect(() => JSON.parse(code) as unknown).not.toThrow()
    for (const { code } of fencesOf(text, 'yaml'))
      for (const { errors } of parseAllDocuments(code, { logLevel: 'silent' })) expect(errors).toEqual([])
  })

  test('has its code in TypeScript, which is checked', () => {
    expect([...fencesOf(text, 'js'), ...fencesOf(text, 'javascript'), ...fencesOf(text, 'typescript')]).toEqual([])
  })

  test('names scripts that there are', () => {
    const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> }
    const named = [...text.matchAll(/npx -y pnpm@12 (?:run )?([a-z][\w:-]*)/g)].map(([, name = '']) => name)
    expect(named.filter((name) => !['install', ...Object.keys(scripts)].includes(name))).toEqual([])
  })
})

function leadsSomewhere(page: string, target: string): boolean {
  const [path = '', anchor] = target.split('#')
  const file = path === '' ? page : join(dirname(page), path)
  if (!existsSync(join(ROOT, file))) return false
  return anchor === undefined || anchorsOf(read(file)).has(anchor)
}

/** The anchors of a page, as GitHub makes them of its headings. */
function anchorsOf(text: string): ReadonlySet<string> {
  const anchors = new Set<string>()
  for (const [, heading = ''] of withoutCode(text).matchAll(/^#+ (.*)$/gm)) {
    const plain = heading.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1').toLowerCase()
    const slug = plain.replaceAll(/[^\p{L}\p{N}\p{M}_ -]/gu, '').replaceAll(' ', '-')
    let name = slug
    for (let nth = 1; anchors.has(name); nth++) name = `${slug}-${nth}`
    anchors.add(name)
  }
  return anchors
}

const withoutCode = (text: string): string => text.replaceAll(/^ *```[^]*?^ *```$/gm, '')
