// Three ways to read a verse, all guarded by one board; and the same without a breaker.
import { guardFetch, isFallback, type Board, type FallbackMark } from '@fuseboard/core'
import { breaker, guardGlobalFetch } from '@fuseboard/undici'
import { Agent, request, setGlobalDispatcher } from 'undici'
import { timeLimit } from './time-limit.ts'

interface Came {
  readonly status: number
  readonly body: Buffer
  /** Where it is no answer of the service. */
  readonly mark: FallbackMark | undefined
}

export interface Client {
  readonly name: 'guardFetch' | 'request' | 'fetch' | 'unguarded'
  get(url: string, headers: Record<string, string>): Promise<Came>
}

/** @param limit milliseconds that a caller waits for an answer */
export function guardedClients(board: Board, limit: number): readonly Client[] {
  // Native fetch of the whole process, with a time limit below its breaker.
  setGlobalDispatcher(new Agent().compose(timeLimit(limit)))
  guardGlobalFetch(board)

  // One fetch, as an SDK takes it. The guarded fetch below it adopts its attempts: each counts once.
  const guarded = guardFetch(board)

  // undici's own request.
  const dispatcher = new Agent().compose(timeLimit(limit), breaker(board))

  return [
    {
      name: 'guardFetch',
      get: async (url, headers) => ofFetch(await guarded(url, { headers, signal: AbortSignal.timeout(limit) })),
    },
    {
      name: 'request',
      get: async (url, headers) => ofUndici(await request(url, { headers, dispatcher })),
    },
    {
      name: 'fetch',
      get: async (url, headers) => ofFetch(await fetch(url, { headers })),
    },
  ]
}

/** undici's request, without a breaker. */
export function unguardedClient(limit: number): Client {
  const dispatcher = new Agent().compose(timeLimit(limit))
  return { name: 'unguarded', get: async (url, headers) => ofUndici(await request(url, { headers, dispatcher })) }
}

async function ofFetch(response: Response): Promise<Came> {
  return { status: response.status, mark: isFallback(response), body: Buffer.from(await response.arrayBuffer()) }
}

async function ofUndici(response: Awaited<ReturnType<typeof request>>): Promise<Came> {
  return {
    status: response.statusCode,
    mark: isFallback(response),
    body: Buffer.from(await response.body.arrayBuffer()),
  }
}
