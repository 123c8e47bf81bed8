// Reads a passage through a client, and says what came back and from where.
import { circuitOpen, type Board } from '@fuseboard/core'
import type { Client } from './clients.ts'
import type { Call, Twin } from './events.ts'
import type { Passage } from './passages.ts'

/** A call, and the bytes of its answer. */
export interface Reading {
  readonly call: Omit<Call, 'n'>
  readonly body: Buffer | undefined
}

/** Reads through guarded clients, and hears from their board what headers cannot say of a stand-in. */
export class Reader {
  readonly #standIns = new Map<string, Pick<Call, 'ageMs' | 'instead'>>()
  #met = ''

  constructor(board: Board) {
    board.on('settled', ({ status, error }) => (this.#met = status === undefined ? kindOf(error) : String(status)))
    board.on('refused', ({ reason }) => (this.#met = reason))
    // It comes right after what it stands in for.
    board.on('fallback', ({ url, age }) => {
      this.#standIns.set(url, { instead: this.#met, ...(age === undefined ? {} : { ageMs: age }) })
    })
  }

  async read(client: Client, origin: string, { name, path, headers }: Passage): Promise<Reading> {
    const url = new URL(path, origin).href
    const asked = { client: client.name, asked: name, path }
    const startedAt = performance.now()
    try {
      const { status, body, mark } = await client.get(url, headers)
      const tookMs = performance.now() - startedAt
      const text = firstWords(body.toString())
      if (mark)
        return { call: { ...asked, source: mark.source, status, ...this.#standIns.get(url), text, tookMs }, body }
      return { call: { ...asked, source: status === 200 ? 'network' : 'failed', status, text, tookMs }, body }
    } catch (error) {
      const tookMs = performance.now() - startedAt
      const waitMs = circuitOpen(error)?.retryAfterMs
      const came = waitMs === undefined ? ({ source: 'failed' } as const) : ({ source: 'refused', waitMs } as const)
      return { call: { ...asked, ...came, instead: kindOf(error), tookMs }, body: undefined }
    }
  }
}

/** Reads without a breaker. */
export async function readUnguarded(
  client: Client,
  origin: string,
  { path, headers }: Passage,
): Promise<Omit<Twin, 'n'>> {
  const startedAt = performance.now()
  try {
    const { status } = await client.get(origin + path, headers)
    return { source: status === 200 ? 'network' : 'failed', status, tookMs: performance.now() - startedAt }
  } catch (error) {
    return { source: 'failed', error: kindOf(error), tookMs: performance.now() - startedAt }
  }
}

/** What an error is, in a word: `TimeoutError`, `ECONNREFUSED`, or why a circuit refused. */
export function kindOf(error: unknown): string {
  const refusal = circuitOpen(error)
  if (refusal) return refusal.reason
  for (let depth = 0; depth < 8 && error instanceof Error; depth++) {
    if (error.name === 'TimeoutError') return error.name
    // What axios calls its time limit.
    if ('code' in error && error.code === 'ECONNABORTED') return 'TimeoutError'
    if ('code' in error && typeof error.code === 'string') return error.code
    error = error.cause
  }
  return 'Error'
}

function firstWords(body: string): string {
  try {
    const verse = JSON.parse(body) as { text?: string; random_verse?: { text: string } }
    return (verse.text ?? verse.random_verse?.text ?? '').trim().replaceAll(/\s+/g, ' ')
  } catch {
    return body
  }
}
