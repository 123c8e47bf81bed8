// The page on Lambda: its commands say what the template says.
import { readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { expect, test } from 'vitest'

const root = resolve(import.meta.dirname, '../..')
const page = await readFile(join(root, 'docs/lambda.md'), 'utf8')
const template = await readFile(join(import.meta.dirname, 'template.yaml'), 'utf8')

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

test('it makes the index that the outbox needs', async () => {
  const [, updates = ''] = /--global-secondary-index-updates '([^']+)'/.exec(page) ?? []
  const [{ Create }] = JSON.parse(updates) as [
    { Create: { IndexName: string; Projection: { NonKeyAttributes: string[] } } },
  ]
  const readme = await readFile(join(root, 'packages/outbox/README.md'), 'utf8')
  expect(readme).toContain(`IndexName: ${Create.IndexName}`)
  expect(readme).toContain(`NonKeyAttributes: [${Create.Projection.NonKeyAttributes.join(', ')}]`)
})
