// The code of the README is what a program may say.
import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, onTestFinished, test } from 'vitest'

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url))
const page = readFileSync(here('../README.md'), 'utf8')

/** What the program of the reader has. */
const GIVEN = `
declare const outbox: import('@fuseboard/outbox').Outbox
declare const customer: object
declare function subscribe(customer: object): Promise<void>
declare function paypalToken(renew: boolean): Promise<string>
declare const hook: string
`

test('each block has the types that it needs', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'fuseboard-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  symlinkSync(here('../node_modules'), join(folder, 'node_modules'))
  const blocks = [...page.matchAll(/```ts\n([^]*?)```/g)].map(([, code = '']) => code)
  expect(blocks).toHaveLength(6)
  for (const [nth, block] of blocks.entries()) writeFileSync(join(folder, `block${nth}.ts`), block)
  writeFileSync(join(folder, 'given.d.ts'), GIVEN)
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')
  const compilerOptions = {
    noEmit: true,
    noUnusedLocals: false,
    typeRoots: [here('../../../node_modules/@types')],
    paths: {
      '@fuseboard/outbox': [here('index.ts')],
      '@fuseboard/outbox/*': [here('*.ts')],
    },
  }
  writeFileSync(
    join(folder, 'tsconfig.json'),
    JSON.stringify({ extends: here('../../../tsconfig.base.json'), compilerOptions, include: ['*.ts'] }),
  )
  const tsc = here('../../../node_modules/typescript/bin/tsc')
  const { stdout } = await promisify(execFile)(process.execPath, [tsc, '-p', folder]).catch(
    (error) => error as { stdout: string },
  )
  expect(stdout).toBe('')
}, 60_000)

test('the table of the page is the one that is tested with', () => {
  expect(page).toContain('KeySchema: [{ AttributeName: o, KeyType: HASH }, { AttributeName: s, KeyType: RANGE }]')
  const [, included = ''] = /NonKeyAttributes: \[(.+)\] }/.exec(page) ?? []
  const tested = readFileSync(here('../test/dynamo-server.ts'), 'utf8')
  expect(tested).toContain(`NonKeyAttributes: ['${included.split(', ').join("', '")}']`)
})

test('what is queued by hand there says that its body is JSON: a text alone would go out as text/plain', () => {
  const [byHand] = /await outbox\.enqueue\([^\n]*JSON\.stringify[^\n]*/.exec(page) ?? []
  expect(byHand).toContain(' headers,')
  expect(page).toContain("const headers = { 'content-type': 'application/json' }")
})
