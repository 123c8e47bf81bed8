// What sends a request of got: the transport that the caller gave, else the one that got would have taken.
import http, { type ClientRequest, type IncomingMessage } from 'node:http'
import https from 'node:https'
import type { Options, RequestFunction } from 'got'
import type { Arguments, GotRequest } from './request.ts'

/** A response, whole or on its way: http's own, or one that a transport of the caller made. */
export type Answer = IncomingMessage

export type Sent = ClientRequest | Answer

/** @internal A request that is under way has no status yet. */
export const isAnswer = (sent: Sent): sent is Answer => 'statusCode' in sent

/** @internal */
export const isPromise = (sent: unknown): sent is Promise<unknown> =>
  typeof (sent as Partial<Promise<unknown>> | undefined)?.then === 'function'

type Send = (...args: Arguments) => Sent | Promise<Sent | undefined> | undefined

/** @internal The transport of one call, beneath the breaker. */
export class Transport {
  readonly given: RequestFunction | undefined
  readonly #options: Options

  constructor(options: Options, given: RequestFunction | undefined) {
    this.#options = options
    this.given = given
  }

  send(request: GotRequest): Sent | Promise<Sent> {
    const sent = (this.given as Send | undefined)?.(...request.args)
    return isPromise(sent) ? sent.then((sent) => sent ?? this.#own(request)) : (sent ?? this.#own(request))
  }

  #own(request: GotRequest): Sent | Promise<Sent> {
    if (this.#options.http2 && request.protocol === 'https:') return overHttp2(this.#options, request)
    return (request.protocol === 'https:' ? https : http).request(...(request.args as Parameters<typeof http.request>))
  }
}

// For a transport that is given, as the breaker is, got leaves out what only its own HTTP/2 reads, and does not use that.
function overHttp2(options: Options, request: GotRequest): Promise<Sent> {
  const OwnOptions = options.constructor as typeof Options
  const { agent, timeout } = options
  const own = new OwnOptions(request.url, { http2: true, agent, timeout })
  const left: Record<string, unknown> = own.createNativeRequestOptions()
  for (const name of ['agent', 'timeout', '_timeoutPhase', '_socketTimeout']) {
    if (left[name] !== undefined) Object.assign(request.options, { [name]: left[name] })
  }
  const send = own.getRequestFunction() as unknown as Send
  return send(...request.args) as Promise<Sent>
}
