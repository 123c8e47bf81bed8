// The list of cases is whole, and each is one of its own.
import { expect, test } from 'vitest'
import { CASES } from './cases/index.ts'

test('the numbers 1 to 82 are all there, in order', () => {
  const numbers = new Set(CASES.map(({ id }) => Number.parseInt(id, 10)))
  expect([...numbers]).toEqual(Array.from({ length: 82 }, (_, index) => index + 1))
})

test('no two cases share an id or a name', () => {
  expect(new Set(CASES.map(({ id }) => id)).size).toBe(CASES.length)
  expect(new Set(CASES.map(({ name }) => name)).size).toBe(CASES.length)
})
