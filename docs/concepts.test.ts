// The page on concepts has the table of verdicts, each option of a policy with its default, and each reason, as the code has them.
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { ANSWERS, CAUSES, createBoard, type Policy, type TransitionReason } from '@fuseboard/core'
import { POLICY_OPTIONS, readPolicy } from '../packages/core/src/policy.ts'

const page = readFileSync(new URL('concepts.md', import.meta.url), 'utf8')

/** The cells of the rows of a part of the page. */
const rowsOf = (part: string): string[][] =>
  part
    .split('\n')
    .filter((line) => /^\| (?!-)/.test(line))
    .map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    )

test('it has the table of verdicts, in its order', () => {
  const rows = rowsOf(page.slice(page.indexOf('## Verdicts'), page.indexOf('## The policy'))).slice(1)
  const answers = ANSWERS.map(({ statuses: [from, to], verdict, why }) => [
    from === to ? `status ${from}` : `status ${from} to ${to}`,
    `\`${verdict}\``,
    why,
  ])
  const causes = CAUSES.map(({ cause, verdict, why }) => [`\`${cause}\``, `\`${verdict}\``, why])
  const told = rows.map(([ended = '', ...rest]) => [ended.split(':')[0], ...rest])
  expect(told).toEqual([...answers, ...causes])
})

test('it has each option of a policy, with the default that it has', () => {
  const rows = rowsOf(page.slice(page.indexOf('## The policy'), page.indexOf('Of the board alone')))
  const told = new Map(rows.slice(1).map(([option = '', , value = '']) => [option.replaceAll('`', ''), value]))
  expect([...told.keys()].toSorted()).toEqual([...POLICY_OPTIONS].toSorted())

  const warn = (message: string): never => {
    throw new Error(message)
  }
  for (const [option, value] of told) {
    if (!value.startsWith('`')) continue
    // oxlint-disable-next-line no-implied-eval, typescript/no-implied-eval
    const given = new Function(`return (${value.replaceAll('`', '')})`)() as unknown
    // What needs another option is told with it.
    const beside: Policy = option === 'slowRate' ? { slowAfter: '1s' } : {}
    expect([option, readPolicy({ ...beside, [option]: given }, '', warn)]).toEqual([
      option,
      readPolicy(beside, '', warn),
    ])
  }
})

test('it has each option of a board', () => {
  const told = rowsOf(page.slice(page.indexOf('Of the board alone'), page.indexOf('A guard of a function')))
  const names = told.slice(1).map(([option = '']) => option.replaceAll('`', ''))
  const wrong = (): unknown => createBoard({ nothing: 1 } as never)
  expect(wrong).toThrow(/there are /)
  const message = String(catching(wrong))
  const all = message.slice(message.indexOf('there are ') + 10).split(', ')
  expect([...POLICY_OPTIONS, ...names].toSorted()).toEqual(all.toSorted())
})

test('it has each reason for which a circuit changes', () => {
  const reasons: Record<TransitionReason, true> = {
    'failure-rate': true,
    'consecutive-failures': true,
    'slow-calls': true,
    'unanswered-calls': true,
    'probe-failed': true,
    'body-broke': true,
    elapsed: true,
    'probe-succeeded': true,
    'fleet-opened': true,
    corroborated: true,
    'fleet-closed': true,
    restored: true,
    'by-hand': true,
  }
  const told: string = page.slice(page.indexOf('## States'), page.indexOf('### The two rules'))
  for (const reason of Object.keys(reasons)) expect(told).toContain(`\`${reason}\``)
})

function catching(run: () => unknown): unknown {
  try {
    return run()
  } catch (error) {
    return error
  }
}
