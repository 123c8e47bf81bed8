// The page on Lambda: its code has the types that it needs, and its commands say what the template says.
import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { expect, onTestFinished, test } from 'vitest'

const root = resolve(import.meta.dirname, '../..')
const page = await readFile(join(root, 'docs/lambda.md'), 'utf8')
const template = await readFile(join(import.meta.dirname, 'template.yaml'), 'utf8')

test('each block has the types that it needs', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'fuseboard-lambda-page-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  await symlink(join(root, 'examples/node_modules'), join(folder, 'node_modules'))
  await writeFile(join(folder, 'package.json'), '{ "type": "module" }')
  const blocks = [...page.matchAll(/```ts\n([^]*?)```/g)].map(([, code = '']) => code)
  expect(blocks).toHaveLength(1)
  for (const [nth, block] of blocks.entries()) await writeFile(join(folder, `block${nth}.ts`), block)
  const config = {
    extends: join(root, 'tsconfig.base.json'),
    compilerOptions: { noEmit: true, typeRoots: [join(root, 'node_modules/@types')] },
    include: ['*.ts'],
  }
  await writeFile(join(folder, 'tsconfig.json'), JSON.stringify(config))
  const tsc = join(root, 'node_modules/typescript/bin/tsc')
  const { stdout } = await promisify(execFile)(process.execPath, [tsc, '-p', folder]).catch(
    (error) => error as { stdout: string },
  )
  expect(stdout).toBe('')
}, 60_000)

test('it gives the rights of the template, and makes its table', () => {
  const [, policy = ''] = /--policy-document '([^']+)'/.exec(page) ?? []
  const { Statement } = JSON.parse(policy) as { Statement: { Action: string[] }[] }
  expect(Statement.flatMap(({ Action }) => Action)).toEqual(rightsOf(/Action: \[(dynamodb:.+)\]/))
  expect(page).toContain('AttributeName=k,AttributeType=S --key-schema AttributeName=k,KeyType=HASH')
  expect(template).toContain('AttributeDefinitions: [{ AttributeName: k, AttributeType: S }]')
  expect(page).toContain('Enabled=true,AttributeName=x')
  expect(template).toContain('TimeToLiveSpecification: { AttributeName: x, Enabled: true }')
})

function rightsOf(list: RegExp): string[] {
  return list.exec(template)?.[1]?.split(', ') ?? []
}

test('it publishes the layer for the runtimes of the template', () => {
  const [, published = ''] = /--compatible-runtimes (.+) \\/.exec(page) ?? []
  expect(template).toContain(`CompatibleRuntimes: [${published.split(' ').join(', ')}]`)
})
