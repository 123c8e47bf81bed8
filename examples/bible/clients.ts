// Six ways to read a verse, all guarded by one board; and the same without a breaker.
import { breaker as axiosBreaker } from '@fuseboard/axios'
import { guardFetch, isFallback, type Board, type FallbackMark } from '@fuseboard/core'
import { breaker as gotBreaker } from '@fuseboard/got'
import { breaker as kyBreaker } from '@fuseboard/ky'
import { breaker, guardGlobalFetch } from '@fuseboard/undici'
import axios from 'axios'
import got from 'got'
import ky from 'ky'
import { Agent, request, setGlobalDispatcher } from 'undici'
import { timeLimit } from './time-limit.ts'

interface Came {
  readonly status: number
  readonly body: Buffer
  /** Where it is no answer of the service. */
  readonly mark: FallbackMark | undefined
}

export interface Client {
  readonly name: 'guardFetch' | 'fetch' | 'request' | 'axios' | 'ky' | 'got' | 'unguarded'
  get(url: string, headers: Record<string, string>): Promise<Came>
}

/** What `--client` may be. */
export const CHOICES = ['all', 'axios', 'ky', 'got', 'undici', 'fetch'] as const
export type Choice = (typeof CHOICES)[number]

/** @param limit milliseconds that a caller waits for an answer */
export function guardedClients(board: Board, limit: number, choice: Choice): readonly Client[] {
  // Native fetch of the whole process, with a time limit below its breaker.
  setGlobalDispatcher(new Agent().compose(timeLimit(limit)))
  guardGlobalFetch(board)
  return (choice === 'all' ? [...CHOICES] : [choice]).flatMap((one) => MAKERS[one]?.(board, limit) ?? [])
}

const MAKERS: Partial<Record<Choice, (board: Board, limit: number) => readonly Client[]>> = {
  axios(board, limit) {
    const http = axiosBreaker(board)(
      axios.create({ timeout: limit, responseType: 'arraybuffer', validateStatus: null }),
    )
    return [
      {
        name: 'axios',
        async get(url, headers) {
          const response = await http.get<Buffer>(url, { headers })
          return { status: response.status, mark: isFallback(response), body: Buffer.from(response.data) }
        },
      },
    ]
  },

  // The guarded fetch below these two adopts their attempts: each counts once.
  ky(board) {
    const http = ky.extend(kyBreaker(board)).extend({ retry: 0, throwHttpErrors: false, timeout: false })
    return [{ name: 'ky', get: async (url, headers) => ofFetch(await http.get(url, { headers })) }]
  },

  fetch(board, limit) {
    const guarded = guardFetch(board)
    return [
      {
        name: 'guardFetch',
        get: async (url, headers) => ofFetch(await guarded(url, { headers, signal: AbortSignal.timeout(limit) })),
      },
      { name: 'fetch', get: async (url, headers) => ofFetch(await fetch(url, { headers })) },
    ]
  },

  got(board, limit) {
    const options = { retry: { limit: 0 }, throwHttpErrors: false, timeout: { response: limit } }
    const http = got.extend(gotBreaker(board)).extend(options)
    return [
      {
        name: 'got',
        async get(url, headers) {
          const response = await http.get(url, { headers, responseType: 'buffer' })
          return { status: response.statusCode, mark: isFallback(response), body: Buffer.from(response.body) }
        },
      },
    ]
  },

  undici(board, limit) {
    const dispatcher = new Agent().compose(timeLimit(limit), breaker(board))
    return [{ name: 'request', get: async (url, headers) => ofUndici(await request(url, { headers, dispatcher })) }]
  },
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
