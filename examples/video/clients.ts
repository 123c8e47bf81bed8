// Two ways to get a film as a stream, guarded by one board: a body that breaks off through one counts for the other.
import type { Readable } from 'node:stream'
import { once } from 'node:events'
import type { Board } from '@fuseboard/core'
import { breaker as gotBreaker } from '@fuseboard/got'
import { breaker as undiciBreaker } from '@fuseboard/undici'
import got, { type Response } from 'got'
import { Agent, request } from 'undici'

export type ClientName = 'got' | 'undici'
type Headers = Readonly<Record<string, string>>

/** An answer whose body is still to come. */
export interface Answer {
  readonly status: number
  readonly headers: NodeJS.Dict<string | string[]>
  readonly body: Readable
}

export interface Client {
  readonly name: ClientName
  get(url: string, headers: Headers, signal: AbortSignal): Promise<Answer>
}

/** @param silence milliseconds without a byte after which an answer, or the rest of one, is given up as failed */
export function guardedClients(board: Board, silence: number): Readonly<Record<ClientName, Client>> {
  const http = got.extend(gotBreaker(board)).extend({
    retry: { limit: 0 },
    throwHttpErrors: false,
    decompress: false, // positions are those of the bytes on the wire
    timeout: { socket: silence },
  })
  const dispatcher = new Agent({ headersTimeout: silence, bodyTimeout: silence }).compose(undiciBreaker(board))
  return {
    got: {
      name: 'got',
      async get(url, headers, signal) {
        const body = http.stream(url, { headers, signal })
        const [{ statusCode, headers: came }] = (await once(body, 'response')) as [Response]
        return answer(statusCode, came, body)
      },
    },
    undici: {
      name: 'undici',
      async get(url, headers, signal) {
        const { statusCode, headers: came, body } = await request(url, { headers, signal, dispatcher })
        return answer(statusCode, came, body)
      },
    },
  }
}

function answer(status: number, headers: NodeJS.Dict<string | string[]>, body: Readable): Answer {
  // It may break before somebody reads it: whoever reads it then is told.
  body.on('error', () => {})
  return { status, headers, body }
}
