// Verses, as docs/use-cases.md has them.
import { createBoard, guardFetch, reply, staleIfError } from '@fuseboard/core'

const unavailable = reply({ json: { text: '[Bible verse temporarily unavailable]', translation: 'KJV' } })
const verses = {
  consecutiveFailures: 3,
  openFor: '30s',
  fallback: [staleIfError({ keepFor: '7d' }), unavailable],
} as const
export const board = createBoard({ hosts: { 'bible-api.com': verses } })
const fetch = guardFetch(board)

export async function fetchVerse(reference: string): Promise<unknown> {
  const response = await fetch(`https://bible-api.com/${reference}`, { signal: AbortSignal.timeout(5_000) })
  return response.json()
}
