// What a host writes into Retry-After, as a length of time that programs can count with.
import { expect, test } from 'vitest'
import { retryAfter } from './retry-after.ts'

const NOW = Date.parse('Fri, 15 Jan 2027 09:00:00 GMT')
const said = (value: string, date?: string) =>
  retryAfter([['Retry-After', value], ...(date === undefined ? [] : [['Date', date] as const])], NOW)

test('seconds, and a date against the Date of the answer or the time of the board', () => {
  expect(said(' 120 ')).toBe(120_000)
  expect(said('Fri, 15 Jan 2027 09:00:45 GMT')).toBe(45_000)
  expect(said('Fri, 15 Jan 2027 09:00:45 GMT', 'Fri, 15 Jan 2027 09:00:40 GMT')).toBe(5_000)
  expect(said('Fri, 15 Jan 2027 08:00:00 GMT')).toBe(0)
})

test.each(['', 'soon', '-5', '+5', '1.5'])('%j is no time', (value) => {
  expect(said(value)).toBeUndefined()
})

test('more seconds than can be counted are as many as can', () => {
  expect(said('9'.repeat(400))).toBe(Number.MAX_SAFE_INTEGER)
})
