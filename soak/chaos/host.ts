// A host of the chaos: the fault server, which does to each request what its call has drawn, as far as the host is sick just now.
import { once } from 'node:events'
import { get, type IncomingMessage, type ServerResponse } from 'node:http'
import { gzipSync } from 'node:zlib'
import { faultServer, type FaultServer } from '../../packages/conformance/src/fault-server.ts'
import type { Call, Fault } from './calls.ts'

/** What a document says of itself. */
export interface Doc {
  readonly doc: number
  readonly host: number
  readonly user: string | null
  readonly language: string | null
}

/** Who wants to know what arrived. Nobody knows a request that no call has sent. */
export interface Arrivals {
  /** @returns the call that sent it */
  arrived(id: string, host: string, hop: boolean): Call | undefined
}

/** What a document allows to be kept, by its number. */
const CONTROLS = [
  undefined,
  'max-age=1, stale-if-error=60',
  'no-store',
  'private, max-age=60',
  'public, max-age=60',
  'max-age=0, must-revalidate',
  'No-Cache, max-age=60',
  undefined,
] as const

/** Whether a document may be kept at all, or be given when it is not fresh. */
export const isKeepable = (doc: number): boolean => !/no-|private|must/i.test(controlOf(doc) ?? '')

/** Whether a document varies by the language that is asked for. */
export const isVaried = (doc: number): boolean => doc % 3 === 0

/** Whether a document comes packed to who takes it so. */
const isPacked = (doc: number): boolean => doc % 4 === 0

const controlOf = (doc: number): string | undefined => CONTROLS[doc % CONTROLS.length]

export class Host implements AsyncDisposable {
  readonly server: FaultServer
  readonly #arrivals: Arrivals
  readonly #elsewhere: { readonly refusing: string; away: string }
  /** The share of requests that meet their fault, and none but these where it is limited. */
  sickness = 0
  /** Answers that are not over. */
  open = 0

  static async start(arrivals: Arrivals): Promise<Host> {
    const server = await faultServer()
    return new Host(server, arrivals, await server.closedOrigin())
  }

  constructor(server: FaultServer, arrivals: Arrivals, refusing: string) {
    this.server = server
    this.#arrivals = arrivals
    this.#elsewhere = { refusing, away: server.alias }
    server.own = (request, response) => this.#answer(request, response)
  }

  /** Where documents are, and where redirects to another host lead. */
  get origin(): string {
    return this.server.origin
  }

  set away(origin: string) {
    this.#elsewhere.away = origin
  }

  urlOf({ doc }: Call): string {
    return `${this.origin}/own/${doc}`
  }

  /** Waits until all has been accepted that waited before now. */
  async catchUp(): Promise<void> {
    const request = get(`${this.origin}/ok`, { agent: false })
    const [response] = (await once(request, 'response')) as [IncomingMessage]
    await once(response.resume(), 'close')
  }

  /** Closes the connections that clients keep. */
  async hangUp(): Promise<void> {
    const closed = [...this.server.sockets].map((socket) => new Promise((resolve) => socket.once('close', resolve)))
    for (const socket of this.server.sockets) socket.destroy()
    await Promise.all(closed)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server.stop()
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const { pathname, searchParams } = new URL(request.url ?? '/', this.origin)
    const hop = searchParams.has('hop')
    const call = this.#arrivals.arrived(String(request.headers['x-request-id']), request.headers.host ?? '', hop)
    this.open++
    response.once('close', () => this.open--)
    request.on('error', () => {}).resume()
    const answer: Answer = { request, response, doc: Number(pathname.split('/')[2]), call, ...this.#elsewhere }
    if (call === undefined || hop || call.luck >= this.sickness) well(answer)
    else ANSWERS[call.fault](answer, call)
  }
}

interface Answer {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly doc: number
  readonly call: Call | undefined
  readonly refusing: string
  readonly away: string
}

const ANSWERS: Readonly<Record<Fault, (answer: Answer, call: Call) => void>> = {
  none: well,
  status: ({ response }, { status }) => void response.writeHead(status).end('no'),
  'rate-limit': ({ response }, { ms }) => {
    response.writeHead(429, { 'retry-after': ms < 30 ? '1' : '0' }).end('later')
  },
  'come-back': ({ response }, { ms }) => {
    const now = Math.floor(Date.now() / 1_000) * 1_000
    const [date, after] = [now, now + (ms < 30 ? 1_000 : 0)].map((at) => new Date(at).toUTCString())
    response.writeHead(503, { date, 'retry-after': after }).end('later')
  },
  missing: ({ response }) => void response.writeHead(404).end('none'),
  'reset-before': ({ request }) => void request.socket.resetAndDestroy(),
  'close-before': ({ request }) => void request.socket.end(),
  truncate: ({ response }) => {
    response.writeHead(200, { 'content-length': 100 })
    response.write('0123456789', () => response.socket?.end())
  },
  'reset-mid': ({ response }, { ms }) => {
    response.writeHead(200).write('0123456789')
    later(response, ms / 5, () => response.socket?.resetAndDestroy())
  },
  hang: () => {},
  'late-head': (answer, { ms }) => later(answer.response, 4 * ms, () => well(answer)),
  stall: ({ response }) => void response.writeHead(200, { 'content-length': 20 }).write('0123456789'),
  garbage: ({ request }) => void request.socket.end('this is no HTTP at all\r\n\r\n'),
  'bad-gzip': ({ response }) => {
    const whole = gzipSync('In the beginning '.repeat(50))
    response
      .writeHead(200, { 'cache-control': 'no-store', 'content-encoding': 'gzip' })
      .end(whole.subarray(0, whole.length >> 1))
  },
  redirect: ({ response, doc }) => void response.writeHead(302, { location: `/own/${doc}?hop` }).end(),
  'redirect-away': ({ response, doc, away }) => {
    response.writeHead(307, { location: `${away}/own/${doc}?hop` }).end()
  },
  'redirect-nowhere': ({ response, doc, refusing }) => {
    response.writeHead(302, { location: `${refusing}/own/${doc}?hop` }).end()
  },
  hints: (answer) => answer.response.writeEarlyHints({ link: '</style.css>; rel=preload' }, () => well(answer)),
}

/** A document as it should be: plain or packed, as the caller takes it. */
function well({ request, response, doc }: Answer): void {
  const control = controlOf(doc)
  const { authorization, 'accept-language': language } = request.headers
  const mine = !/public/.test(control ?? '') && authorization !== undefined
  const said: Doc = {
    doc,
    host: request.socket.localPort ?? 0,
    user: mine ? authorization : null,
    language: isVaried(doc) ? (language ?? null) : null,
  }
  if (control !== undefined) response.setHeader('cache-control', control)
  const vary = [...(isVaried(doc) ? ['accept-language'] : []), ...(isPacked(doc) ? ['accept-encoding'] : [])]
  if (vary.length > 0) response.setHeader('vary', vary.join(', '))
  const text = JSON.stringify({ ...said, filler: 'x'.repeat((doc % 10) * 500) })
  const packs = isPacked(doc) && /gzip/.test(request.headers['accept-encoding']?.toString() ?? '')
  if (packs) response.setHeader('content-encoding', 'gzip')
  const body = packs ? gzipSync(text) : Buffer.from(text)
  response.setHeader('content-type', 'application/json').setHeader('content-length', body.byteLength).end(body)
}

function later(response: ServerResponse, ms: number, action: () => void): void {
  const timer = setTimeout(action, ms)
  response.once('close', () => clearTimeout(timer))
}
