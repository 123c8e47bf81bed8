// A host on loopback that goes wrong in every way a client can meet, and counts what reaches it.
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http'
import {
  connect,
  createServer as createTcpServer,
  type AddressInfo,
  type Server as TcpServer,
  type Socket,
} from 'node:net'
import { Readable, type Duplex } from 'node:stream'
import { text } from 'node:stream/consumers'
import { pipeline } from 'node:stream/promises'
import { gzipSync } from 'node:zlib'

/** Starts a fault server on a free port of 127.0.0.1. */
export async function faultServer(): Promise<FaultServer> {
  const server = new FaultServer()
  await server.listen()
  return server
}

/** Its paths are the names in `ROUTES`, and `/own` for what a case wants of its own; besides, it accepts each upgrade and each CONNECT. */
export class FaultServer implements AsyncDisposable {
  /** The sockets that are open now. */
  readonly sockets: ReadonlySet<Socket>
  readonly #sockets = new Set<Socket>()
  readonly #server: Server = createServer()
  readonly #paths = new Tally()
  readonly #targets = new Tally()
  readonly #waiting = new Set<{ path: string; times: number; resolve: () => void }>()
  readonly #held: { peer: TcpServer; ends: readonly Socket[] }[] = []
  /** What answers `/own` and all paths below it. */
  own: RequestListener = (_request, response) => json(response, { error: 'nobody says' }, 404)
  #connections = 0
  #port = 0

  constructor() {
    this.sockets = this.#sockets
    this.#server.keepAliveTimeout = 60_000
    this.#server.on('connection', (socket) => this.#accept(socket))
    this.#server.on('request', (request, response) => this.#answer(request, response))
    this.#server.on('upgrade', (request, socket) => {
      this.#count(urlOf(request).pathname)
      upgrade(request, socket)
    })
    this.#server.on('connect', (_request, socket) => {
      this.#count('CONNECT')
      socket.write('HTTP/1.1 200 Connection Established\r\n\r\n')
      socket.pipe(socket)
    })
  }

  /** How many connections came in so far. */
  get connections(): number {
    return this.#connections
  }

  get port(): number {
    return this.#port
  }

  get origin(): string {
    return `http://127.0.0.1:${this.#port}`
  }

  /** The same port by a second name. */
  get alias(): string {
    return `http://localhost:${this.#port}`
  }

  /** How many requests came in so far: for one path (without its query), or in all. An upgrade counts; a CONNECT has the path `CONNECT`. */
  requests(path?: string): number {
    return path === undefined ? this.#paths.total : this.#paths.of(path)
  }

  /** Resolves once a path was asked for so many times in all. */
  asked(path: string, times = 1): Promise<void> {
    if (this.requests(path) >= times) return Promise.resolve()
    return new Promise((resolve) => this.#waiting.add({ path, times, resolve }))
  }

  /** An origin that refuses connections for as long as this server runs. */
  async closedOrigin(): Promise<string> {
    // The near end of a connection: nobody listens there, and its port is given to nobody else.
    const peer = createTcpServer().listen(0, '127.0.0.1')
    await once(peer, 'listening')
    const near = connect(portOf(peer), '127.0.0.1')
    const [[far]] = await Promise.all([once(peer, 'connection'), once(near, 'connect')])
    this.#held.push({ peer, ends: [near, far as Socket] })
    return `http://127.0.0.1:${near.localPort}`
  }

  async listen(): Promise<void> {
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
    this.#port = portOf(this.#server)
  }

  /** Breaks every connection and gives the ports back. */
  async stop(): Promise<void> {
    const sockets = [...this.#sockets, ...this.#held.flatMap(({ ends }) => ends)]
    for (const socket of sockets) socket.destroy()
    const servers = [this.#server, ...this.#held.map(({ peer }) => peer)].filter(({ listening }) => listening)
    await Promise.all(servers.map((server) => once(server.close(), 'close')))
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }

  #accept(socket: Socket): void {
    this.#connections++
    this.#sockets.add(socket)
    socket.on('error', ignore) // a client that resets is one of the cases
    socket.once('close', () => this.#sockets.delete(socket))
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const { pathname, search, searchParams } = urlOf(request)
    const [, route = '', detail = ''] = pathname.split('/')
    const count = this.#count(pathname)
    const times = this.#targets.add(pathname + search)
    if (route === 'own') return this.own(request, response)
    const answer = ROUTES[route] ?? (({ response }) => json(response, { error: 'no such path' }, 404))
    Promise.resolve(answer({ request, response, detail, query: searchParams, count, times })).catch(() =>
      response.destroy(),
    )
  }

  #count(path: string): number {
    const count = this.#paths.add(path)
    for (const waiting of this.#waiting) {
      if (waiting.path !== path || waiting.times > count) continue
      this.#waiting.delete(waiting)
      waiting.resolve()
    }
    return count
  }
}

interface Exchange {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  /** What follows the name of the route: `503` in `/status/503`. */
  readonly detail: string
  readonly query: URLSearchParams
  /** The requests for this path so far, this one included. */
  readonly count: number
  /** The same of the path with its query. */
  readonly times: number
}

const ROUTES: Readonly<Record<string, (exchange: Exchange) => void | Promise<void>>> = {
  /** JSON with the method, the body and a count; two `x-multi` fields and two cookies. */
  ok: async ({ request, response, count }) => {
    const body = await text(request)
    response.setHeader('x-multi', ['one', 'two']).setHeader('set-cookie', ['a=1', 'b=2'])
    json(response, { method: request.method, count, body })
  },

  /** `/status/N?ra=`: status N, with `Retry-After: ra`, or with a date so many seconds after the answer's own by `date=`. */
  status: ({ response, detail, query }) => {
    const after = query.get('ra')
    const seconds = query.get('date')
    if (after !== null) response.setHeader('retry-after', after)
    if (seconds !== null) {
      const now = Math.floor(Date.now() / 1_000) * 1_000
      response.setHeader('date', new Date(now).toUTCString())
      response.setHeader('retry-after', new Date(now + Number(seconds) * 1_000).toUTCString())
    }
    json(response, { status: Number(detail) }, Number(detail))
  },

  /** `?ms=`: the head comes late. */
  'slow-headers': ({ response, query }) => {
    later(response, Number(query.get('ms') ?? 3_000), () => json(response, { slow: true }))
  },

  /** `?ms=`: the second half of a body of 20 bytes comes late. */
  'slow-body': ({ response, query }) => {
    response.writeHead(200, { 'content-length': 20 }).write('0123456789')
    later(response, Number(query.get('ms') ?? 3_000), () => response.end('0123456789'))
  },

  'reset-before': ({ request }) => {
    request.socket.resetAndDestroy()
  },

  'close-before': ({ request }) => {
    request.socket.end()
  },

  /** Ten of a hundred bytes, and the end. */
  truncate: ({ response }) => {
    response.writeHead(200, { 'content-length': 100 })
    response.write('0123456789', () => response.socket?.end())
  },

  /** Ten bytes of a chunked body, then a reset. */
  'reset-mid': ({ response }) => {
    response.writeHead(200).write('0123456789')
    later(response, APART, () => response.socket?.resetAndDestroy())
  },

  /** Ten bytes of a chunked body, then a clean close. */
  'close-mid-chunked': ({ response }) => {
    response.writeHead(200).write('0123456789')
    later(response, APART, () => response.socket?.end())
  },

  garbage: ({ request }) => {
    request.socket.end('this is no HTTP at all\r\n\r\n')
  },

  /** `?to=&code=`: a redirect; without `to`, to one more redirect, and so on for ever. */
  redirect: ({ response, query, count }) => {
    response
      .writeHead(Number(query.get('code') ?? 302), { location: query.get('to') ?? `/redirect?hop=${count}` })
      .end()
  },

  /** `?n=&code=`: n chunks of 64 kB, at the pace of the reader. */
  big: async ({ response, query }) => {
    response.writeHead(Number(query.get('code') ?? 200))
    await pipeline(Readable.from(chunks(Number(query.get('n') ?? 16))), response)
  },

  /** The first half of a gzip stream, whole as far as HTTP goes. */
  badgzip: ({ response }) => {
    const whole = gzipSync(JSON.stringify({ text: 'In the beginning '.repeat(50) }))
    const half = whole.subarray(0, whole.length >> 1)
    response.writeHead(200, {
      'content-type': 'application/json',
      'content-encoding': 'gzip',
      'content-length': half.length,
    })
    response.end(half)
  },

  /** Half a JSON object. */
  badjson: ({ response }) => {
    response.writeHead(200, { 'content-type': 'application/json' }).end('{"half":')
  },

  /** `?code=`: a 103, then a 200. */
  hints: ({ response, query }) => {
    const status = Number(query.get('code') ?? 200)
    response.writeEarlyHints({ link: '</style.css>; rel=preload' }, () => json(response, { hinted: true }, status))
  },

  /** `?fail=&code=&k=`: fails the first `fail` times, then answers; `k` keeps callers apart. */
  flaky: ({ response, query, times }) => {
    json(response, { times }, times > Number(query.get('fail') ?? 1) ? 200 : Number(query.get('code') ?? 503))
  },

  /** `?cc=&etag=&die=`: a count with `Cache-Control: cc`. From the second time on, `die=reset` resets the connection, and any other `die` is a 503. */
  cache: ({ request, response, query, times }) => {
    const [control, etag, die] = ['cc', 'etag', 'die'].map((name) => query.get(name) ?? '')
    if (times > 1 && die === 'reset') return void request.socket.resetAndDestroy()
    if (times > 1 && die) return json(response, { status: 503 }, 503)
    if (control) response.setHeader('cache-control', control)
    if (etag) response.setHeader('etag', `"${etag}"`)
    if (etag && request.headers['if-none-match'] === `"${etag}"`) return void response.writeHead(304).end()
    return json(response, { count: times })
  },
}

/** How long a head is ahead of its own connection's end, in milliseconds, so that a client reads the two apart. */
const APART = 20

function json(response: ServerResponse, body: unknown, status = 200): void {
  response.statusCode = status
  if (status === 204 || status === 304) return void response.end()
  response.setHeader('content-type', 'application/json').end(JSON.stringify(body))
}

function later(response: ServerResponse, ms: number, action: () => void): void {
  const timer = setTimeout(action, ms)
  response.once('close', () => clearTimeout(timer))
}

function* chunks(count: number): Iterable<Buffer> {
  for (let sent = 0; sent < count; sent++) yield Buffer.alloc(65_536, 'x')
}

/** A WebSocket handshake where the client asks for one, else an echo. */
function upgrade(request: IncomingMessage, socket: Duplex): void {
  const key = request.headers['sec-websocket-key']
  const head = ['HTTP/1.1 101 Switching Protocols', 'Connection: Upgrade', `Upgrade: ${request.headers.upgrade}`]
  if (key !== undefined)
    head.push(
      `Sec-WebSocket-Accept: ${createHash('sha1')
        .update(key + WEBSOCKET)
        .digest('base64')}`,
    )
  socket.write(`${head.join('\r\n')}\r\n\r\n`)
  if (key === undefined) socket.pipe(socket)
  else socket.once('data', () => socket.end(CLOSE_FRAME))
}

/** The constant that a WebSocket handshake hashes (RFC 6455, section 1.3). */
const WEBSOCKET = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'
const CLOSE_FRAME = Buffer.from([0x88, 0x00])

/** Counts by name. */
class Tally {
  readonly #counts = new Map<string, number>()
  total = 0

  add(name: string): number {
    const count = this.of(name) + 1
    this.#counts.set(name, count)
    this.total++
    return count
  }

  of(name: string): number {
    return this.#counts.get(name) ?? 0
  }
}

const urlOf = ({ url = '/' }: IncomingMessage): URL => new URL(url, 'http://host')

const portOf = (server: TcpServer): number => (server.address() as AddressInfo).port

const ignore = (): void => {}
