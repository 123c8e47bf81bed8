// The dashboard that is shipped: it asks for metrics and labels that a scrape has, and leaves none of them out.
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { makeTrouble, troubledBench } from '../test/troubled-board.ts'
import { prometheusText } from './prometheus.ts'

interface Panel {
  readonly id: number
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number }
  readonly targets: readonly { readonly expr: string }[]
}

interface Dashboard {
  readonly panels: readonly Panel[]
  readonly templating: { readonly list: readonly { readonly query: string | { readonly query: string } }[] }
}

const dashboard = JSON.parse(readFileSync(new URL('../fuseboard.grafana.json', import.meta.url), 'utf8')) as Dashboard

const queries: readonly string[] = [
  ...dashboard.panels.flatMap(({ targets }) => targets.map(({ expr }) => expr)),
  ...dashboard.templating.list.map(({ query }) => (typeof query === 'string' ? query : query.query)),
]

/** The parts of a query that name labels: selectors, groupings, and what `label_values` gives. */
const LABELS = /\{[^}]*\}|\bby \([^)]*\)|, \w+\)$/g

async function scrape(): Promise<{ names: ReadonlySet<string>; labels: ReadonlySet<string> }> {
  const bench = troubledBench()
  prometheusText(bench.board)
  await makeTrouble(bench)
  const samples = prometheusText(bench.board)
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
  return {
    names: new Set(samples.map((line) => line.slice(0, line.indexOf('{')))),
    labels: new Set(samples.flatMap((line) => [...line.matchAll(/(\w+)="/g)].map(([, label = '']) => label))),
  }
}

test('asks for metrics that there are, and for all of them', async () => {
  const { names } = await scrape()
  const asked = new Set(queries.flatMap((query) => query.replaceAll(LABELS, '').match(/fuseboard_\w+/g) ?? []))
  expect(asked).toEqual(names)
})

test('asks for labels that there are', async () => {
  const { labels } = await scrape()
  const asked = queries.flatMap((query) =>
    (query.match(LABELS) ?? []).flatMap((part) => part.match(/[a-z]\w+(?=[=,)])/g)),
  )
  expect(asked.length).toBeGreaterThan(20)
  expect(asked.filter((label) => label !== null && !labels.has(label))).toEqual([])
})

test('asks for values that these labels have', async () => {
  const { board } = troubledBench()
  const text = prometheusText(board)
  for (const query of queries) {
    for (const [, label, values = ''] of query.matchAll(/(fuseboard_(?:circuit_state|outcome))=~?"([^"]+)"/g)) {
      for (const value of values.split('|')) expect(text).toContain(`${label}="${value}"`)
    }
  }
})

test('has a place of its own for each panel', () => {
  const { panels } = dashboard
  expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length)
  const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) =>
    Array.from({ length: w * h }, (_, cell) => `${x + (cell % w)} ${y + Math.floor(cell / w)}`),
  )
  expect(new Set(cells).size).toBe(cells.length)
})
