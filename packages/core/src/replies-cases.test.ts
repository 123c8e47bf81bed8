// Stored replies: the tests of this folder are numbered by the list of cases, and none is left out.
import { readdirSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { CREDENTIAL_LEAKS } from '../test/credential-leaks.ts'
import { PARTITION_LEAKS } from '../test/partition-leaks.ts'
import { PLACE_LEAKS } from '../test/place-leaks.ts'

test('every case of stored replies has a test', () => {
  const files = readdirSync(import.meta.dirname).filter((file) => /^replies-.*\.test\.ts$/.test(file))
  const titled = files.flatMap((file) => [
    ...readFileSync(new URL(file, import.meta.url), 'utf8').matchAll(/['"]#(\d+) /g),
  ])
  const numbers = [
    ...titled.map(([, number]) => Number(number)),
    ...[...CREDENTIAL_LEAKS, ...PARTITION_LEAKS, ...PLACE_LEAKS].map((leak) => leak.case),
  ]
  expect([...new Set(numbers)].toSorted((a, b) => a - b)).toEqual(Array.from({ length: 56 }, (_, index) => index + 1))
})
