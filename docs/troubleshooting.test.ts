// The page for those who ask why has every reason that there is: for which a circuit opens, and for which no reply is kept or given.
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import type { TransitionReason, Unkept, Unserved } from '@fuseboard/core'

const page = readFileSync(new URL('troubleshooting.md', import.meta.url), 'utf8')

/** The names in the first cells of the table whose head begins with one. */
function named(head: string): string[] {
  const [table = ''] = page
    .slice(page.indexOf(`\n| \`${head}\` `))
    .slice(1)
    .split('\n\n')
  const cells = table
    .split('\n')
    .slice(2)
    .map((row) => row.split('|')[1] ?? '')
  return cells.flatMap((cell) => [...cell.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name)).toSorted()
}

test('why a circuit opens', () => {
  const opening: Record<Exclude<TransitionReason, 'elapsed' | 'probe-succeeded' | 'fleet-closed'>, true> = {
    'failure-rate': true,
    'consecutive-failures': true,
    'slow-calls': true,
    'unanswered-calls': true,
    'probe-failed': true,
    'body-broke': true,
    'fleet-opened': true,
    corroborated: true,
    restored: true,
    'by-hand': true,
  }
  expect(named('reason')).toEqual(Object.keys(opening).toSorted())
})

test('why an answer is not kept', () => {
  const unkept: Record<Unkept, true> = {
    status: true,
    redirected: true,
    range: true,
    endless: true,
    forbidden: true,
    'set-cookie': true,
    vary: true,
    silent: true,
    'too-big': true,
    'too-old': true,
    credential: true,
  }
  expect(named('unkept')).toEqual(Object.keys(unkept).toSorted())
})

test('why no stored reply stands in', () => {
  const unserved: Record<Unserved, true> = {
    nothing: true,
    variant: true,
    credential: true,
    forbidden: true,
    caller: true,
    'too-big': true,
    'too-old': true,
  }
  expect(named('refused')).toEqual(Object.keys(unserved).toSorted())
})
