// The body of an answer: watched as it passes to the caller, or let go.
import { watchBody, type Attempt, type Cause } from '@fuseboard/core'
import type { AxiosResponse } from 'axios'
import type { IncomingMessage } from 'node:http'
import type { Readable } from 'node:stream'

/** What comes in, with the request that it answers. */
type Incoming = IncomingMessage & { readonly req?: { readonly aborted?: boolean } }
type CauseOf = (error: unknown) => Cause | undefined

/** @internal Watches the body of a response: one that was read already, or a stream. */
export function watch(response: AxiosResponse, attempt: Attempt, captured: boolean, causeOf: CauseOf): void {
  const { data, request, config } = response as { data: unknown; request?: { res?: Readable }; config: object }
  if (isWebStream(data)) {
    if (!data.locked) response.data = watchBody(data, attempt, captured, causeOf)
  } else if (isNodeStream(data)) {
    // To take it in would be to read it before its reader does.
    attempt.drop()
    // What is unpacked is another stream than what comes in.
    watchIncoming(isNodeStream(request?.res) ? request.res : data, attempt, causeOf)
  } else {
    const bytes = captured ? bytesOf(data, config) : undefined
    if (captured && bytes === undefined) attempt.drop()
    if (bytes) attempt.chunk(bytes)
    attempt.end()
  }
}

/** @internal Lets go of a body that nobody is going to read: its socket comes back. */
export function discard(data: unknown): void {
  if (isWebStream(data) && !data.locked) data.cancel().catch(() => {})
  else if (isNodeStream(data)) data.on('error', () => {}).destroy()
}

/** The host breaks a body by its connection; whoever reads it, be it with an error, by the stream alone. */
function watchIncoming(incoming: Readable, attempt: Attempt, causeOf: CauseOf): void {
  const broke = (error: unknown): void => attempt.amend({ error, cause: causeOf(error) })
  if (!isMessage(incoming)) {
    const { errorMonitor } = process.getBuiltinModule('node:events')
    incoming.once(errorMonitor, (error: { code?: string } | undefined) => {
      if (LOST.test(error?.code ?? '')) broke(error)
    })
    return
  }
  const aborted = (): void => {
    const { complete, socket, errored, req } = incoming
    // A pipeline that breaks further down aborts the request.
    if (!complete && socket?.destroyed && !req?.aborted) broke(errored ?? new Error('The body was cut short'))
  }
  if (incoming.destroyed) aborted()
  else incoming.once('aborted', aborted)
}

/** What a stream of HTTP/2 says where the host broke it, and not its reader. */
const LOST = /^(?:ERR_HTTP2_\w+|ECONNRESET)$/

/** The bytes of a body as axios read it; undefined where they cannot be told from that. */
function bytesOf(data: unknown, { responseEncoding = 'utf8' }: { responseEncoding?: string }): Uint8Array | undefined {
  if (data instanceof ArrayBuffer) return new Uint8Array(data)
  if (data instanceof Uint8Array) return data
  // A text that is none has lost what it was.
  if (typeof data !== 'string' || data.includes('\uFFFD') || !/^utf-?8$/i.test(responseEncoding)) return undefined
  return new TextEncoder().encode(data)
}

const isWebStream = (data: unknown): data is ReadableStream<Uint8Array> =>
  typeof (data as ReadableStream | undefined)?.getReader === 'function'

const isNodeStream = (data: unknown): data is Readable =>
  typeof (data as Readable | undefined)?.pipe === 'function' && typeof (data as Readable).destroy === 'function'

const isMessage = (stream: Readable): stream is Incoming => 'complete' in stream && 'socket' in stream
