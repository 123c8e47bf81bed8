// The downloader as a function that a circuit can guard: it resolves, or it throws what its process said.
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { NETWORK } from './exit-codes.ts'

const PROGRAM = fileURLToPath(new URL('downloader.ts', import.meta.url))
/** Milliseconds after which a process is killed, whatever it does. */
const AT_MOST = 60_000

/** The downloader ended with a status other than 0. */
export class DownloaderFailed extends Error {
  /** Undefined where it did not end by itself. */
  readonly exitCode: number | undefined
  /** What the evidence of a circuit calls it. */
  readonly code: string

  constructor(exitCode: number | undefined, message: string) {
    super(message)
    this.exitCode = exitCode
    this.code = exitCode === undefined ? 'killed' : `exit status ${exitCode}`
  }
}

/** Whether an error says something of the host: a video that is not there does not. */
export function isNetworkFailure(error: unknown): boolean {
  return error instanceof DownloaderFailed && (error.exitCode === NETWORK || error.exitCode === undefined)
}

/**
 * Runs the downloader.
 * @param silence milliseconds without a byte after which it gives up
 * @throws DownloaderFailed
 */
export async function runDownloader(url: string, path: string, silence: number, signal: AbortSignal): Promise<void> {
  try {
    await promisify(execFile)(process.execPath, [PROGRAM, url, path, String(silence)], { timeout: AT_MOST, signal })
  } catch (error) {
    signal.throwIfAborted()
    const { code, stderr, message } = error as Error & { code?: unknown; stderr?: string }
    throw new DownloaderFailed(typeof code === 'number' ? code : undefined, stderr?.trim() || message)
  }
}
