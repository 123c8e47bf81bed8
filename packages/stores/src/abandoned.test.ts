// A call that may be given up: what becomes of it, and of the signal.
import { getEventListeners } from 'node:events'
import { expect, test } from 'vitest'
import { unlessAbandoned } from './abandoned.ts'

test('an answer and an error come through', async () => {
  const { signal } = new AbortController()
  expect(await unlessAbandoned(signal, async () => 5)).toBe(5)
  const error = new Error('down')
  await expect(unlessAbandoned(signal, () => Promise.reject(error))).rejects.toBe(error)
})

test('what throws at once rejects', async () => {
  const error = new Error('closed')
  const call = unlessAbandoned(new AbortController().signal, () => {
    throw error
  })
  await expect(call).rejects.toBe(error)
})

test('a signal that lasts keeps nothing of calls that have ended', async () => {
  const { signal } = new AbortController()
  await unlessAbandoned(signal, async () => 5)
  await unlessAbandoned(signal, () => Promise.reject(new Error('down'))).catch(() => {})
  await expect(
    unlessAbandoned(signal, () => {
      throw new Error('closed')
    }),
  ).rejects.toThrow('closed')
  await new Promise((resolve) => setImmediate(resolve))
  expect(getEventListeners(signal, 'abort')).toHaveLength(0)
})
