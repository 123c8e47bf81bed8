// The page on fleets names every option with the default that the code has.
import { readFileSync } from 'node:fs'
import { afterEach, expect, test, vi } from 'vitest'
import { fleet, type FleetOptions, type SharedStore } from '@fuseboard/core'

const page = readFileSync(new URL('../../../docs/fleet.md', import.meta.url), 'utf8')

const STORE: SharedStore = {
  read: async () => ({ version: 0, now: 0 }),
  swap: async () => ({ version: 0, now: 0, won: false }),
}
const PUSHING: SharedStore = { ...STORE, watch: () => () => {} }

afterEach(() => void vi.unstubAllEnvs())

/** The last cell of the row of the page that begins with a text: where a table has its defaults. */
function told(begins: string): string {
  const row = page.split('\n').find((line) => line.startsWith(`| \`${begins}\``))
  return row?.split('|').at(-2)?.trim() ?? 'not told'
}

test('it names every option', () => {
  const error = (() => {
    try {
      fleet(STORE, { nothing: 1 } as FleetOptions)
      return ''
    } catch (error) {
      return String(error)
    }
  })()
  const options = error.slice(error.indexOf('there are ') + 10).split(', ')
  expect(options).toContain('trust')
  expect(options.filter((option) => !page.includes(`\`${option}`))).toEqual([])
})

test('it says the defaults that there are, of lengths of time', () => {
  vi.stubEnv('AWS_LAMBDA_FUNCTION_NAME', undefined)
  const spelt = (ms: number): string => (ms < 1_000 ? `\`'${ms}ms'\`` : `\`'${ms / 1_000}s'\``)
  const { terms } = fleet(STORE)
  const pushed = fleet(PUSHING).terms
  expect(told('refresh')).toBe(`${spelt(terms.refresh)}; ${spelt(pushed.refresh)} where Redis pushes`)
  expect([terms.staleAfter, pushed.staleAfter]).toEqual([2 * terms.refresh, 2 * pushed.refresh])
  expect(told('staleAfter')).toBe('twice `refresh`')
  for (const option of ['wait', 'timeout', 'jitter'] as const) expect(told(option)).toBe(spelt(terms[option]))
})

test('it says whom an instance trusts, and where it polls', () => {
  const corroborates = fleet(STORE).terms.quorum === fleet(STORE, { trust: 'corroborate' }).terms.quorum
  expect(page.includes("| `'corroborate'` (default) |")).toBe(corroborates)
  vi.stubEnv('AWS_LAMBDA_FUNCTION_NAME', undefined)
  expect(told(fleet(STORE).terms.polls ? "'polling'" : "'suspicion'")).toBe('servers')
  vi.stubEnv('AWS_LAMBDA_FUNCTION_NAME', 'verses')
  expect(told(fleet(STORE).terms.polls ? "'polling'" : "'suspicion'")).toBe('AWS Lambda')
})
