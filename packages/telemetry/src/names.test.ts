// The page on telemetry names every metric and every attribute, as they are exported.
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { makeTrouble, troubledBench } from '../test/troubled-board.ts'
import { ATTRIBUTES, METRICS, SPAN_EVENT } from './names.ts'
import { prometheusText } from './prometheus.ts'

const page = readFileSync(new URL('../../../docs/telemetry.md', import.meta.url), 'utf8')
const rows = page.split('\n').filter((line) => line.startsWith('| `fuseboard.'))

test('metrics, with their kinds, in both spellings', async () => {
  const bench = troubledBench()
  await makeTrouble(bench)
  const spelled = [...prometheusText(bench.board).matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name, kind]) => [
    name,
    kind,
  ])
  const told = rows.map((row) => row.split('|').map((cell) => cell.trim().replaceAll('`', '')))
  expect(told.map(([, name]) => name)).toEqual(Object.values(METRICS).map(({ name }) => name))
  expect(told.map(([, , name, kind]) => [name, kind])).toEqual(spelled)
})

test('attributes', () => {
  const names = [...Object.values(ATTRIBUTES), ...Object.values(SPAN_EVENT)]
  expect(names.filter((name) => !page.includes(`\`${name}\``))).toEqual([])
})
