// Videos, as docs/use-cases.md has them.
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { circuitOpen, createBoard } from '@fuseboard/core'

export const board = createBoard()
const expected = (error: unknown): boolean => !/unavailable|private|removed/i.test(String(error))
const fetchVideo = (url: string) => promisify(execFile)('yt-dlp', ['--socket-timeout', '30', url])
const guarded = board.guard((url) => new URL(url).host, fetchVideo, {
  consecutiveFailures: 3,
  openFor: '120s',
  expected,
})

export async function downloadVideo(url: string) {
  const later = (error: unknown): number => Date.now() + (circuitOpen(error)?.retryAfterMs ?? 60_000)
  const failed = (error: unknown) => ({ status: 'failed', retry_later: true, retry_at: new Date(later(error)), error })
  return guarded(url).then(() => ({ status: 'done' }), failed)
}
