// The code of the README is what a program may say.
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { blocksOf, typeFaults } from '../../../tools/code-blocks.ts'

const page = readFileSync(new URL('../README.md', import.meta.url), 'utf8')

test('each block has the types that it needs', async () => {
  const blocks = blocksOf(page).map((block) => {
    // What an earlier block has imported is not said again.
    const missing = ['createBoard', 'staleIfError'].filter((name) => !block.match(`import [^\n]*\\b${name}\\b`))
    return `import { ${missing.join(', ')} } from '@fuseboard/core'\n${block}`
  })
  expect(blocks.length).toBeGreaterThan(4)
  expect(await typeFaults(blocks, 'stores')).toBe('')
}, 60_000)
