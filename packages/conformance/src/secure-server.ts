// A host on loopback that speaks TLS, HTTP/2 where the client does, and goes wrong in the ways that only they have.
import { once } from 'node:events'
import {
  constants,
  createSecureServer,
  type Http2SecureServer,
  type Http2ServerRequest,
  type Http2ServerResponse,
  type ServerHttp2Session,
} from 'node:http2'
import type { AddressInfo, Socket } from 'node:net'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import { generate } from 'selfsigned'

const DAY = 86_400_000
let made = 0

/** Starts one on a free port of 127.0.0.1. Its certificate, which this process trusts from then on, may have expired. */
export async function secureServer({ expired = false } = {}): Promise<SecureServer> {
  const [from, to] = expired ? [-2 * DAY, -DAY] : [-DAY, DAY]
  // Of two certificates with one name only the first would be found.
  const { private: key, cert } = await generate([{ name: 'commonName', value: `fault server ${++made}` }], {
    notBeforeDate: new Date(Date.now() + from),
    notAfterDate: new Date(Date.now() + to),
    extensions: [{ name: 'subjectAltName', altNames: [{ type: 2, value: 'localhost' }] }],
  })
  setDefaultCACertificates([...getCACertificates('default'), cert])
  const server = new SecureServer(createSecureServer({ key, cert, allowHTTP1: true }))
  await server.listen()
  return server
}

/** Its paths are the names in `ROUTES`. */
export class SecureServer {
  readonly #server: Http2SecureServer
  readonly #sockets = new Set<Socket>()
  /** The protocols of the requests so far, in order. */
  readonly protocols: string[] = []

  constructor(server: Http2SecureServer) {
    this.#server = server
    server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket)
      socket.on('error', () => {}).once('close', () => this.#sockets.delete(socket))
    })
    server.on('sessionError', () => {}) // what it breaks is one of the cases
    server.on('request', (request, response) => {
      this.protocols.push(request.httpVersion)
      response.stream?.on('error', () => {})
      const answer = ROUTES[request.url] ?? ((_request, response) => void response.writeHead(404).end())
      answer(request, response)
    })
  }

  get origin(): string {
    return `https://localhost:${(this.#server.address() as AddressInfo).port}`
  }

  async listen(): Promise<void> {
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
  }

  /** How many connections are open now. */
  get connections(): number {
    return this.#sockets.size
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    const closed = once(this.#server, 'close')
    this.#server.close()
    await closed
  }
}

const ROUTES: Readonly<Record<string, (request: Http2ServerRequest, response: Http2ServerResponse) => void>> = {
  '/ok': (_request, response) => ok(response),

  /** RST_STREAM in place of a head. */
  '/rst-before': ({ stream }) => stream.close(constants.NGHTTP2_INTERNAL_ERROR),

  /** RST_STREAM after half a body. */
  '/rst-mid': ({ stream }, response) => {
    response.writeHead(200).write('half', () => setTimeout(() => stream.close(constants.NGHTTP2_INTERNAL_ERROR), 20))
  },

  /** An answer, and then a GOAWAY: the host goes, as hosts do when they are deployed. */
  '/goaway': ({ stream }, response) => {
    const session = sessionOf(stream)
    stream.once('close', () => session.close())
    ok(response)
  },

  /** A GOAWAY with an error, in place of an answer. */
  '/goaway-before': ({ stream }) => {
    const session = sessionOf(stream)
    session.goaway(constants.NGHTTP2_INTERNAL_ERROR, 0)
    setTimeout(() => session.destroy(), 20)
  },
}

const sessionOf = (stream: { session?: unknown }): ServerHttp2Session => stream.session as ServerHttp2Session

function ok(response: Http2ServerResponse): void {
  response.setHeader('content-type', 'application/json')
  response.end('{"ok":true}')
}
