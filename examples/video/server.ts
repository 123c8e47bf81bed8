// A server of films on 127.0.0.1: it sends parts of them at a limited speed, and on command breaks off, stalls and goes away.
import { once } from 'node:events'
import {
  createServer,
  type IncomingMessage,
  type OutgoingHttpHeaders,
  type Server,
  type ServerResponse,
} from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { listenOn, listenSomewhere } from '../listen.ts'
import type { Film } from './film.ts'
import { partOf, type Part } from './range.ts'

/** What can happen to a body. `reset`: its connection is torn; `truncate`: it is ended too early; `stall`: nothing more comes. */
export type Mishap = 'reset' | 'truncate' | 'stall'

/** One request for a film, and what was answered. */
export interface Asked {
  readonly name: string
  readonly status: number
  readonly range: string | undefined
  readonly ifRange: string | undefined
}

/**
 * A server of films on loopback.
 *
 * @example
 * const server = await VideoServer.listen()
 * server.put('lecture.mp4', new Film('A lecture', 24 * 2 ** 20))
 * server.breakAt('lecture.mp4', 'reset', 1_000_000)
 * await fetch(server.url('lecture.mp4'))
 */
export class VideoServer {
  readonly port: number
  /** All requests, in the order of their answers. */
  readonly asked: Asked[] = []
  /** For how many milliseconds each stalled body was waited for. */
  readonly stalls: number[] = []
  readonly #server: Server
  readonly #speed: number
  readonly #films = new Map<string, Film>()
  readonly #mishaps = new Map<string, { readonly mishap: Mishap; readonly at: number }[]>()

  private constructor(server: Server, port: number, speed: number) {
    this.port = port
    this.#server = server
    this.#speed = speed
    server.on('request', (request, response) => void this.#receive(request, response))
  }

  /** @param speed bytes a second for each body; by default as many as there can be */
  static async listen(speed = Infinity): Promise<VideoServer> {
    const server = createServer()
    return new VideoServer(server, await listenSomewhere(server), speed)
  }

  /** Host and port, as a policy names it. */
  get host(): string {
    return `127.0.0.1:${this.port}`
  }

  url(name: string): string {
    return `http://${this.host}/${name}`
  }

  /** Offers a film, in the place of what had that name. */
  put(name: string, film: Film): void {
    this.#films.set(name, film)
  }

  /** What it sends under a name. */
  film(name: string): Film {
    const film = this.#films.get(name)
    if (film === undefined) throw new Error(`No film is called ${name}`)
    return film
  }

  /** The first body that comes to this position of the film, after those of earlier calls, meets the mishap there. */
  breakAt(name: string, mishap: Mishap, at: number): void {
    const all = this.#mishaps.get(name) ?? []
    this.#mishaps.set(name, [...all, { mishap, at }])
  }

  /** Tears every connection, and listens no more, until {@link comeBack}. */
  async goAway(): Promise<void> {
    if (!this.#server.listening) return
    const closed = once(this.#server, 'close')
    this.#server.close()
    this.#server.closeAllConnections()
    await closed
  }

  /** Listens again, on the same port. */
  async comeBack(): Promise<void> {
    await listenOn(this.#server, this.port)
  }

  async #receive({ method, url, headers }: IncomingMessage, response: ServerResponse): Promise<void> {
    const name = url!.slice(1)
    const film = this.#films.get(name)
    const part = film && (method === 'GET' ? partOf(headers, film) : 'whole')
    const { status, fields } = headOf(film, part)
    this.asked.push({ name, status, range: headers.range, ifRange: headers['if-range'] as string | undefined })
    response.writeHead(status, fields)
    if (film === undefined || part === 'unsatisfiable' || method === 'HEAD') return void response.end()

    const gone = new AbortController()
    response.on('close', () => gone.abort())
    const { from, to } = part === 'whole' || part === undefined ? { from: 0, to: film.size } : part
    try {
      await this.#send(name, film, from, to, response, gone.signal)
    } catch (error) {
      if (!gone.signal.aborted) throw error
    }
  }

  async #send(name: string, film: Film, from: number, to: number, response: ServerResponse, gone: AbortSignal) {
    let dueAt = performance.now()
    for (let at = from; at < to;) {
      const trouble = this.#mishaps.get(name)?.[0]
      if (trouble?.at === at) {
        this.#mishaps.get(name)?.shift()
        return this.#befall(trouble.mishap, response)
      }
      const until = Math.min(at + CHUNK, to, trouble !== undefined && trouble.at > at ? trouble.at : to)
      if (!response.write(film.read(at, until))) await once(response, 'drain', { signal: gone })
      // More than a little is not made up for after the machine was busy: no body overtakes another.
      dueAt = Math.max(dueAt + ((until - at) / this.#speed) * 1_000, performance.now() - CATCH_UP)
      at = until
      const early = dueAt - performance.now()
      if (early > 0) await sleep(early, undefined, { signal: gone })
    }
    response.end()
  }

  #befall(mishap: Mishap, response: ServerResponse): void {
    if (mishap === 'reset') response.socket!.resetAndDestroy()
    else if (mishap === 'truncate') response.socket!.end()
    else {
      const since = performance.now()
      response.on('close', () => this.stalls.push(performance.now() - since))
    }
  }
}

const CHUNK = 2 ** 16
/** Milliseconds. */
const CATCH_UP = 20

function headOf(film: Film | undefined, part: Part | undefined): { status: number; fields: OutgoingHttpHeaders } {
  if (film === undefined || part === undefined) return { status: 404, fields: { 'content-length': 0 } }
  const { size, etag } = film
  if (part === 'unsatisfiable')
    return { status: 416, fields: { 'content-range': `bytes */${size}`, 'content-length': 0 } }
  const fields = { 'accept-ranges': 'bytes', 'content-type': 'video/mp4', etag }
  if (part === 'whole') return { status: 200, fields: { ...fields, 'content-length': size } }
  const { from, to } = part
  const range = { 'content-range': `bytes ${from}-${to - 1}/${size}`, 'content-length': to - from }
  return { status: 206, fields: { ...fields, ...range } }
}
