// The README shows what is tested.
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url))
const page = readFileSync(here('../README.md'), 'utf8')

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
