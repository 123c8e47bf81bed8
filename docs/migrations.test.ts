// The pages for those who come from elsewhere map every name that is there, as the installed packages tell it: a new one is noticed.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import * as cockatiel from 'cockatiel'
import CircuitBreaker from 'opossum'
import { interceptors } from 'undici'
import { describe, expect, test } from 'vitest'

const require = createRequire(import.meta.url)

/** The names in the first cells of the table of a section of a page. */
function mapped(page: string, heading: string): string[] {
  const text = readFileSync(join(import.meta.dirname, page), 'utf8')
  const [, section = ''] = text.split(`\n## ${heading}\n`)
  const [own = ''] = section.split('\n## ')
  const cells = own.split('\n').flatMap((line) => /^\| (`.*?) \|/.exec(line)?.[1] ?? [])
  return cells.flatMap((cell) => [...cell.matchAll(/`(\w+)`/g)].map(([, name = '']) => name)).toSorted()
}

const all = (text: string, pattern: RegExp): string[] => [...text.matchAll(pattern)].map(([, name = '']) => name)
const sorted = (names: Iterable<string>): string[] => [...new Set(names)].toSorted()

describe('opossum', () => {
  const source = ['circuit', 'status']
    .map((name) => readFileSync(require.resolve(`opossum/lib/${name}.js`), 'utf8'))
    .join()
  const page = 'migrate-from-opossum.md'

  test('options', () => {
    // coalesceCache is one that it sets itself.
    const options = [...all(source, /@param \{[^}]+\} options\.(\w+)/g), ...all(source, /[ (!]options\.(\w+)/g)]
    expect(options).toContain('resetTimeout')
    expect(mapped(page, 'Options')).toEqual(sorted(options))
  })

  test('events', () => {
    expect(mapped(page, 'Events')).toEqual(sorted(all(source, /emit\('(\w+)'/g)))
  })

  test('methods and properties', () => {
    const own = [...Object.getOwnPropertyNames(CircuitBreaker.prototype), 'isOurError', 'newStatus']
    const hidden = new Set(['constructor', '_renewAbortControllerIfNeeded'])
    expect(mapped(page, 'Methods and properties')).toEqual(sorted(own.filter((name) => !hidden.has(name))))
    const builtIn = new Set(['length', 'name', 'prototype'])
    const ofClass = Object.getOwnPropertyNames(CircuitBreaker).filter((name) => !builtIn.has(name))
    expect(ofClass.toSorted()).toEqual(['isOurError', 'newStatus'])
  })

  test('stats', () => {
    const breaker = new CircuitBreaker(async () => {}, { enableSnapshots: false })
    const { stats } = breaker as unknown as { stats: object }
    expect(mapped(page, 'Stats')).toEqual(Object.keys(stats).toSorted())
  })
})

describe('cockatiel', () => {
  const types = (path: string): string =>
    readFileSync(join(require.resolve('cockatiel'), '..', path), 'utf8').replaceAll(/\/\*[^]*?\*\//g, '')
  const page = 'migrate-from-cockatiel.md'

  test('exports', () => {
    expect(mapped(page, 'Exports')).toEqual(Object.keys(cockatiel).toSorted())
  })

  test('options of its breakers', () => {
    const files = ['CircuitBreakerPolicy.d.ts', 'breaker/CountBreaker.d.ts', 'breaker/SamplingBreaker.d.ts']
    const bodies = files.flatMap((file) => all(types(file), /interface \w+Options \{([^}]*)\}/g))
    expect(bodies).toHaveLength(4)
    expect(mapped(page, 'Options')).toEqual(sorted(bodies.flatMap((body) => all(body, /^ {4}(\w+)\??:/gm))))
  })

  test('events, methods and properties of its breaker', () => {
    const [, body = ''] = types('CircuitBreakerPolicy.d.ts').split('class CircuitBreakerPolicy')
    const members = all(body, /^ {4}(?:readonly |get )?(\w+)[(:<]/gm).filter(
      (name) => !/^(?:constructor|_altReturn)$/.test(name),
    )
    expect(mapped(page, "The breaker's events, methods and properties")).toEqual(sorted(members))
  })
})

test('undici has no circuit breaker in a release yet: where it has, the page speaks of the wrong thing', () => {
  expect(Object.keys(interceptors).filter((name) => /circuit|breaker/i.test(name))).toEqual([])
  expect(mapped('migrate-from-undici.md', 'Options')).toHaveLength(9)
})
