// One film on its way to the disk: what has come stays, and the next try goes on from there.
import { open, type FileHandle } from 'node:fs/promises'
import { circuitOpen } from '@fuseboard/core'
import type { Answer, Client } from './clients.ts'

/** What a caller of {@link Download.attempt} is told. */
export type Result =
  | { readonly status: 'done' }
  | {
      readonly status: 'failed'
      readonly error: string
      /** A circuit did not let it through: nothing was sent. */
      readonly refused: boolean
      readonly retry_later: boolean
      /** When, as ISO 8601 has it; where it is worth trying again. */
      readonly retry_at?: string
    }

/** Where the bytes of an answer go: into an empty file, after what there is, or in the place of it, since the film has changed. */
export type Beginning = 'new' | 'resumed' | 'changed'

/** What happens to it meanwhile. */
export interface Watcher {
  /** An answer has begun. */
  begun?(how: Beginning): void
  /** More has come. */
  grown?(): void
}

/** The server answered something that is no part of the film. */
class UnexpectedAnswer extends Error {
  readonly status: number

  constructor(status: number, why = `status ${status}`) {
    super(`Unexpected answer: ${why}`)
    this.status = status
  }
}

export interface DownloadOptions {
  readonly url: string
  /** The file that it goes to. */
  readonly path: string
  /** Milliseconds to wait after a failure, where no circuit says how long. */
  readonly pause: number
}

/**
 * A download that ends cleanly when its host fails, and can be gone on with.
 *
 * @example
 * const download = new Download({ url, path: 'lecture.mp4', pause: 10_000 })
 * const result = await download.attempt(client, signal)
 * if (result.status === 'failed' && result.retry_later) later(result.retry_at, () => download.attempt(client, signal))
 */
export class Download {
  readonly url: string
  readonly path: string
  /** Bytes that are on the disk. */
  have = 0
  /** Bytes of the whole film, once an answer has told. */
  size: number | undefined
  /** Bytes that came from the network, kept or not. */
  came = 0
  /** How often it went on from where it was. */
  resumed = 0
  /** How often it began again since the film had changed. */
  restarted = 0
  /** How often a body broke off. */
  broken = 0
  readonly #pause: number
  #etag: string | undefined

  constructor({ url, path, pause }: DownloadOptions) {
    this.url = url
    this.path = path
    this.#pause = pause
  }

  /**
   * Fetches what is missing, as far as it comes.
   * @throws the reason of the signal, where it aborted; and where the file cannot be opened
   */
  async attempt(client: Client, signal: AbortSignal, watcher: Watcher = {}): Promise<Result> {
    await using file = await open(this.path, 'a')
    this.have = (await file.stat()).size
    try {
      await this.#fetch(file, client, signal, watcher)
      return { status: 'done' }
    } catch (error) {
      signal.throwIfAborted()
      if (error instanceof UnexpectedAnswer && error.status < 500) {
        return { status: 'failed', error: error.message, refused: false, retry_later: false }
      }
      const open = circuitOpen(error)
      const retry_at = new Date(Date.now() + Math.ceil(open?.retryAfterMs ?? this.#pause)).toISOString()
      const refused = open !== undefined
      return { status: 'failed', error: open?.message ?? nameOf(error), refused, retry_later: true, retry_at }
    }
  }

  async #fetch(file: FileHandle, client: Client, signal: AbortSignal, watcher: Watcher): Promise<void> {
    const answer = await client.get(this.url, this.#missing(), signal)
    try {
      const how = await this.#place(answer, file)
      watcher.begun?.(how)
      await this.#write(answer, file, watcher)
    } finally {
      answer.body.destroy()
    }
    if (this.have !== this.size) throw new Error(`${this.have} of ${this.size} bytes came`)
  }

  #missing(): Record<string, string> {
    if (this.have === 0 || this.#etag === undefined) return {}
    return { range: `bytes=${this.have}-`, 'if-range': this.#etag }
  }

  async #place({ status, headers }: Answer, file: FileHandle): Promise<Beginning> {
    if (status === 206) {
      const [, from, size] = /^bytes (\d+)-\d+\/(\d+)$/.exec(headers['content-range']?.toString() ?? '') ?? []
      if (Number(from) !== this.have) throw new UnexpectedAnswer(status, `a part from ${from}, not from ${this.have}`)
      this.size = Number(size)
      this.resumed++
      return 'resumed'
    }
    if (status !== 200) throw new UnexpectedAnswer(status)
    this.size = Number(headers['content-length'])
    this.#etag = headers.etag?.toString()
    if (this.have === 0) return 'new'
    await file.truncate(0)
    this.have = 0
    this.restarted++
    return 'changed'
  }

  // By hand: a pipeline throws away what it still holds when the body breaks, and that would have to come twice.
  async #write({ body }: Answer, file: FileHandle, watcher: Watcher): Promise<void> {
    try {
      for await (const chunk of body as AsyncIterable<Buffer>) {
        await file.appendFile(chunk)
        this.came += chunk.length
        this.have += chunk.length
        watcher.grown?.()
      }
    } finally {
      if (body.errored !== null) this.broken++
    }
  }
}

function nameOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException
  return code ?? message
}
