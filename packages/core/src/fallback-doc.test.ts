// The page on fallbacks speaks of every option and of every reason that is counted, and its recipes are right.
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import {
  createBoard,
  header,
  policy,
  reply,
  staleIfError,
  type HttpRequest,
  type Outcome,
  type Policy,
} from './index.ts'

const page = readFileSync(new URL('../../../docs/fallback.md', import.meta.url), 'utf8')

test('it names every option of staleIfError', () => {
  const told = (() => {
    try {
      staleIfError({ nothing: 1 } as never)
      return ''
    } catch (error) {
      return String(error)
    }
  })()
  const options = told.slice(told.indexOf('there are ') + 10).split(', ')
  expect(options.length).toBeGreaterThan(10)
  expect(options.filter((option) => !page.includes(option))).toEqual([])
})

test('its recipes make policies', () => {
  const blocks = [...page.matchAll(/```ts\n([^]*?)```/g)].map(([, code = '']) => code.replaceAll(/^import .*$/gm, ''))
  const recipes = blocks.filter((code) => code.includes('staleIfError(') && !code.includes('createBoard('))
  expect(recipes).toHaveLength(5)
  const names = { createBoard, header, policy, reply, staleIfError }
  for (const recipe of recipes) {
    const code = recipe.replaceAll(/: HttpRequest\b/g, '')
    // oxlint-disable-next-line no-implied-eval, typescript/no-implied-eval
    const run = new Function(...Object.keys(names), code) as (...given: unknown[]) => void
    expect(() => run(...Object.values(names))).not.toThrow()
  }
})

test('its recipe for tenants keeps nothing that is one user’s', () => {
  const [, code = ''] = /```ts\n([^`]*const crm = [^]*?)```/.exec(page) ?? []
  // oxlint-disable-next-line no-implied-eval, typescript/no-implied-eval
  const make = new Function('header', 'policy', 'staleIfError', `${code.replace(': HttpRequest', '')}\nreturn crm`)
  const board = createBoard((make as (...given: unknown[]) => Policy)(header, policy, staleIfError))
  const isKept = (path: string): boolean => {
    const attempt = board.attempt({ method: 'GET', url: `http://crm.test${path}`, headers: [['x-tenant', 'a']] })
    attempt.settle({ status: 200 })
    return attempt.capture({ status: 200, statusText: '', headers: [], decoded: true })
  }
  expect(['/deals', '/menu'].map(isKept)).toEqual([true, true])
  expect(['/me', '/me?full', '/me/inbox', '/users/7'].map(isKept)).toEqual([false, false, false, false])
})

test('the tenant of its recipe has replies of its own', async () => {
  const tenantOf = ({ headers }: HttpRequest): string | undefined => header(headers, 'x-tenant')
  const board = createBoard({
    key: (request) => `${request.host} ${tenantOf(request)}`,
    classify: (outcome: Outcome) => ('status' in outcome && outcome.status === 503 ? 'failure' : undefined),
    fallback: staleIfError({ keepFor: '15m', partition: tenantOf }),
  })
  const begin = (tenant: string) =>
    board.attempt({ method: 'GET', url: 'http://crm.test/deals', headers: [['x-tenant', tenant]] })
  const good = begin('a')
  good.settle({ status: 200 })
  expect(good.capture({ status: 200, statusText: '', headers: [], decoded: true })).toBe(true)
  good.end()
  const stood = ['a', 'b'].map(async (tenant) => {
    const attempt = begin(tenant)
    attempt.settle({ status: 503 })
    return (await attempt.standIn())?.status
  })
  expect(await Promise.all(stood)).toEqual([200, undefined])
})
