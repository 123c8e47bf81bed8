// The story: films are downloaded while their server is well, breaks off, stalls, goes away and comes back; and then by a child process.
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { circuitOpen, type Board, type CircuitOpenError } from '@fuseboard/core'
import { shuffle } from '../random.ts'
import type { Client, ClientName } from './clients.ts'
import { Download, type Beginning, type Result } from './download.ts'
import type { Progress, Step, Tell } from './events.ts'
import { NOT_FOUND } from './exit-codes.ts'
import { Film } from './film.ts'
import type { Memory } from './memory.ts'
import { PAUSE, silenceAt, videoPolicy } from './policy.ts'
import { DownloaderFailed, isNetworkFailure, runDownloader } from './run-downloader.ts'
import type { Mishap, VideoServer } from './server.ts'

/** Who plays. */
export interface Cast {
  readonly board: Board
  readonly clients: Readonly<Record<ClientName, Client>>
  readonly server: VideoServer
  /** Where only the child process downloads from. */
  readonly platform: VideoServer
  /** Where the films go. */
  readonly folder: string
  readonly scale: number
  /** Numbers from 0 to 1. */
  readonly random: () => number
  readonly memory: Memory
  readonly tell: Tell
  readonly signal: AbortSignal
}

/** The story could not go on: something that had to come did not. */
export class StuckError extends Error {}

const MIB = 2 ** 20
export const FILM = 24 * MIB
const CLIP = 4 * MIB
/** Seconds by the policy's clock. */
const AWAY = 60

/** How the child process fared. */
export interface Wrapped {
  /** Processes that were started. */
  started: number
  /** Videos that were not there, and whether the circuit was closed after them. */
  deleted: number
  closedAfterDeleted: boolean
  /** Network failures until it opened. */
  failed: number
  opened: boolean
  /** A call while it was open was refused, and no process was started for it. */
  refused: boolean
}

export class Story {
  /** By name, in the order of their beginning. */
  readonly downloads = new Map<string, Download>()
  readonly wrapped: Wrapped = {
    started: 0,
    deleted: 0,
    closedAfterDeleted: false,
    failed: 0,
    opened: false,
    refused: false,
  }
  /** The film that changes, and how many bytes of it had come by then. */
  changed = { name: '', had: 0 }
  readonly #cast: Cast
  /** How often the circuit of the server has opened: it may be closed again before anybody looks. */
  #opened = 0

  constructor(cast: Cast) {
    this.#cast = cast
    cast.board.on('transition', ({ key, to }) => {
      if (key === cast.server.host && to === 'open') this.#opened++
    })
  }

  /** @throws StuckError, or the reason of the signal */
  async play(): Promise<void> {
    await this.#well()
    await this.#breaksOff()
    await this.#goesAway()
    await this.#childProcess()
  }

  async #well(): Promise<void> {
    this.#open('The server is well: two films side by side', 'lecture.mp4', 'concert.mp4')
    await Promise.all([this.#carry('lecture.mp4', ['got']), this.#carry('concert.mp4', ['undici'])])
    // From here on nothing is done for the first time, so memory has no reason to grow.
    this.#cast.memory.begin()
  }

  async #breaksOff(): Promise<void> {
    const { server, random, tell } = this.#cast
    this.#open('Bodies break off: three in a row, through two clients, open one circuit', 'interview.mp4', 'encore.mp4')
    const mishaps = shuffle<Mishap>(['reset', 'truncate', 'stall'], random)
    for (const [index, mishap] of mishaps.entries()) {
      server.breakAt('interview.mp4', mishap, Math.floor(((index + 0.2 + 0.7 * random()) / 4) * FILM))
    }
    tell({ event: 'note', well: false, says: `it will ${mishaps.map((one) => WORDS[one]).join(', then ')}` })
    const meanwhile = async (): Promise<void> => {
      await this.#until(() => this.#opened > 0)
      await this.#carry('encore.mp4', ['undici'])
    }
    await Promise.all([this.#carry('interview.mp4', ['got', 'undici']), meanwhile()])
  }

  async #goesAway(): Promise<void> {
    const names = ['match.mp4', 'news.mp4'] as const
    this.#open('The server goes away, and when it is back one film has changed', ...names)
    await Promise.all([this.#carry(names[0], ['got']), this.#carry(names[1], ['undici']), this.#outage(names)])
  }

  async #outage(names: readonly [string, string]): Promise<void> {
    const { server, random, scale, tell, signal } = this.#cast
    const [one, other] = names.map((name) => this.downloads.get(name)!) as [Download, Download]
    const at = (0.3 + 0.3 * random()) * FILM
    await this.#until(() => one.have * other.have > 0 && Math.max(one.have, other.have) >= at)
    const before = this.#opened
    await server.goAway()
    tell({ event: 'note', well: false, says: 'it tears all connections, and nothing listens there any more' })
    await this.#until(() => this.#opened > before)
    await sleep((AWAY * 1_000) / scale, undefined, { signal })

    const name = names[random() < 0.5 ? 0 : 1]
    this.changed = { name, had: this.downloads.get(name)!.have }
    server.put(name, new Film(`${name}, cut anew`, FILM))
    await server.comeBack()
    tell({ event: 'note', well: true, says: `it listens again, and ${name} has changed` })
  }

  async #childProcess(): Promise<void> {
    const { board, platform, folder, scale, random, tell, signal } = this.#cast
    tell({ event: 'scene', title: 'A child process, as yt-dlp would be: board.guard, by host' })
    const { wrapped } = this
    const run = (url: string, path: string): Promise<void> => {
      wrapped.started++
      return runDownloader(url, path, silenceAt(scale), signal)
    }
    const download = board.guard((url) => new URL(url).host, run, {
      ...videoPolicy('platform', scale),
      expected: isNetworkFailure,
    })
    const ask = async (name: string): Promise<Failure | undefined> => {
      const path = join(folder, name)
      const error = await download(platform.url(name), path).then(() => undefined, failureOf)
      const size = isMissing(error) ? undefined : CLIP
      tell({ event: 'step', film: name, by: 'child', have: await sizeOf(path), size, ...outcome(error) })
      return error
    }

    for (const name of ['deleted-1.mp4', 'deleted-2.mp4', 'deleted-3.mp4']) {
      if (isMissing(await ask(name))) wrapped.deleted++
    }
    const circuit = download.circuit(platform.url('clip.mp4'), '')
    wrapped.closedAfterDeleted = circuit.state === 'closed'
    tell({ event: 'note', well: true, says: 'what is not there says nothing of its host: the circuit is closed' })

    platform.put('clip.mp4', new Film('clip.mp4', CLIP))
    for (const trouble of shuffle(['reset', 'stall', 'away'] as const, random)) {
      if (trouble === 'away') await platform.goAway()
      else platform.breakAt('clip.mp4', trouble, Math.floor(random() * CLIP))
      if (isNetworkFailure(await ask('clip.mp4'))) wrapped.failed++
      if (trouble === 'away') await platform.comeBack()
    }
    wrapped.opened = circuit.state === 'open'
    const before = wrapped.started
    const open = circuitOpen(await ask('clip.mp4'))
    wrapped.refused = open !== undefined && wrapped.started === before
    await sleep(open?.retryAfterMs, undefined, { signal })
    if ((await ask('clip.mp4')) !== undefined) throw new StuckError('the clip did not come once its host was well')
  }

  #open(title: string, ...names: readonly string[]): void {
    const { server, folder, scale, tell } = this.#cast
    tell({ event: 'scene', title })
    for (const name of names) {
      server.put(name, new Film(name, FILM))
      this.downloads.set(name, new Download({ url: server.url(name), path: join(folder, name), pause: PAUSE / scale }))
    }
  }

  /** Downloads a film to its end, however often that takes; with one client after the other, by turns. */
  async #carry(name: string, by: readonly ClientName[]): Promise<void> {
    const { clients, tell, signal } = this.#cast
    const download = this.downloads.get(name)!
    for (let turn = 0; ; turn++) {
      const client = clients[by[turn % by.length]!]
      const broken = download.broken
      const progress = (): Progress => ({ film: name, by: client.name, have: download.have, size: download.size })
      const step = (kind: Step['kind'], says: string, result?: Result): void =>
        tell({ event: 'step', kind, says, ...progress(), ...(result && { result }) })
      const result = await download.attempt(client, signal, {
        begun: (how) => step('good', BEGINNINGS[how](download)),
        grown: () => tell({ event: 'progress', ...progress() }),
      })
      if (result.status === 'done') return step('good', 'done')
      if (result.refused) step('refused', result.error, result)
      else step('failed', download.broken > broken ? `broke off: ${result.error}` : result.error, result)
      if (result.retry_at === undefined) throw new StuckError(`${name}: ${result.error}`)
      await sleep(Math.max(Date.parse(result.retry_at) - Date.now(), 0) + 1, undefined, { signal })
    }
  }

  async #until(isSo: () => boolean): Promise<void> {
    while (!isSo()) await sleep(5, undefined, { signal: this.#cast.signal })
  }
}

const WORDS: Record<Mishap, string> = { reset: 'reset a connection', truncate: 'end a body too early', stall: 'stall' }

const BEGINNINGS: Record<Beginning, (download: Download) => string> = {
  new: () => 'begins',
  resumed: ({ have }) => `goes on from byte ${have.toLocaleString('en')}`,
  changed: () => 'has changed, begins again from byte 0',
}

type Failure = DownloaderFailed | CircuitOpenError

/** What a guarded downloader may throw; anything else is a mistake of this program. */
function failureOf(error: unknown): Failure {
  const open = circuitOpen(error)
  if (open !== undefined || error instanceof DownloaderFailed) return open ?? (error as DownloaderFailed)
  throw error
}

function isMissing(error: Failure | undefined): boolean {
  return error instanceof DownloaderFailed && error.exitCode === NOT_FOUND
}

function outcome(error: Failure | undefined): Pick<Step, 'kind' | 'says'> {
  if (error === undefined) return { kind: 'good', says: 'done' }
  if (error instanceof DownloaderFailed) return { kind: 'failed', says: `${error.code}: ${error.message}` }
  return { kind: 'refused', says: `${error.message}; nothing was started` }
}

async function sizeOf(path: string): Promise<number> {
  return stat(path).then(
    ({ size }) => size,
    () => 0,
  )
}
