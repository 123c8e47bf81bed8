// The program that stands for yt-dlp: `node downloader.ts <url> <file> <silence in ms>` fetches a film, and tells by its exit status how it went.
import { open } from 'node:fs/promises'
import { NETWORK, NOT_FOUND } from './exit-codes.ts'

const [url = '', path = '', silence = ''] = process.argv.slice(2)
const quiet = new AbortController()
const timer = setTimeout(() => quiet.abort(new Error(`silent for ${silence} ms`)), Number(silence))
process.exitCode = await fetchFilm()
clearTimeout(timer)

async function fetchFilm(): Promise<number> {
  try {
    const response = await fetch(url, { signal: quiet.signal })
    if (response.status === 404 || response.status === 410) return tell(NOT_FOUND, 'no such video')
    if (!response.ok) return tell(NETWORK, `status ${response.status}`)
    await using file = await open(path, 'w')
    for await (const chunk of response.body!) {
      timer.refresh()
      await file.appendFile(chunk)
    }
    return 0
  } catch (error) {
    const { message, cause } = error as Error
    return tell(NETWORK, (cause as NodeJS.ErrnoException | undefined)?.code ?? message)
  }
}

function tell(status: number, why: string): number {
  console.error(why)
  return status
}
