// That a program which measures or stresses tells a wrong option from a run, at once and with how it is used.
import { expect, test } from 'vitest'
import { start } from './start.ts'

const NUMBER = 'must be a whole number'

test.concurrent.each([
  ['soak', ['--only', 'nope'], '--only must be one of fleet, lambda, outbox, chaos, fuzz, or'],
  ['soak', ['--only', 'toString'], 'Redis killed, back empty'],
  ['soak', ['--seed', 'x'], `--seed ${NUMBER}`],
  ['soak', ['--seconds', '1m'], `--seconds ${NUMBER}`],
  ['soak', ['--bogus'], "Unknown option '--bogus'"],
  ['bench', ['--section', 'nope'], '--section must be one of bytes'],
  ['bench', ['--bogus'], "Unknown option '--bogus'"],
  ['scoreboard', ['--bogus'], "Unknown option '--bogus'"],
  ['scoreboard', ['extra'], "Unexpected argument 'extra'"],
])('%s %j is a usage error', async (folder, args, message) => {
  const { status, stdout, stderr } = await start(new URL(`../${folder}/main.ts`, import.meta.url), args).run
  expect({ status, stdout }).toEqual({ status: 2, stdout: '' })
  expect(stderr).toContain(message)
  expect(stderr).toMatch(new RegExp(`\nusage: node .*${folder}/main.ts`))
  expect(stderr).not.toContain('    at ')
})
