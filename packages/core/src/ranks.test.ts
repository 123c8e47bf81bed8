// The floors of the house: a file imports lower ranks only, and nothing from outside.
import { readdirSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

const RANKS = [
  [
    'ask',
    'awaitable',
    'bounded',
    'common',
    'counters',
    'duration',
    'errors',
    'failures',
    'field',
    'headers',
    'holds',
    'leases',
    'likeness',
    'pending',
    'registry',
    'reply-counters',
    'sha256',
    'stamp',
    'state',
    'timeline',
    'token',
    'window',
    'host',
    'shared-store',
    'fleet-record',
  ],
  ['check', 'snapshot'],
  ['fleet-step'],
  ['cache-control', 'outcome', 'request', 'retry-after'],
  ['reply', 'shadow'],
  ['policy'],
  ['environment', 'throttle'],
  ['fleet-terms'],
  ['fleet-link'],
  ['hosts', 'events'],
  ['evidence', 'explain', 'plain-task', 'sharing', 'task', 'trouble'],
  ['circuit'],
  ['body-copy', 'conditional', 'credentials', 'directives', 'freshness', 'is-fallback', 'stored-reply', 'unpacked'],
  ['fenced-replies', 'keeping', 'memory-replies', 'reply-store', 'stand-in'],
  ['stale-options'],
  ['asked', 'reply-key', 'storable', 'usable'],
  ['made-reply', 'stale-if-error'],
  ['attempt', 'guarded', 'share'],
  ['fleet-side'],
  ['fleet'],
  ['board'],
  ['admin', 'guard', 'watched-body', 'with-board'],
  ['watched-response'],
  ['exchange'],
  ['fetch'],
  ['index', 'memory-store', 'testing'],
]

const sources = readdirSync(import.meta.dirname).filter((file) => /^[^.]+\.ts$/.test(file))
const rankOf = (file: string): number => RANKS.findIndex((names) => names.includes(file.replace('.ts', '')))

test('every file has a rank', () => {
  expect(sources.filter((file) => rankOf(file) === -1)).toEqual([])
})

test.each(sources)('%s imports no higher rank, and nothing from outside', (file) => {
  const text = readFileSync(new URL(file, import.meta.url), 'utf8')
  const imports = [...text.matchAll(/from '([^']+)'/g)].map(([, from]) => from as string)
  expect(imports.filter((from) => !from.startsWith('./'))).toEqual([])
  expect(imports.filter((from) => rankOf(from.slice(2)) > rankOf(file))).toEqual([])
})
