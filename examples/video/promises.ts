// What this program promises, checked at its end.
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { span } from '../format.ts'
import type { Promised } from '../promised.ts'
import type { Row } from './events.ts'
import type { VideoServer } from './server.ts'
import { FILM, type Story } from './story.ts'
import type { Tally } from './tally.ts'

export interface Evidence {
  readonly story: Story
  readonly rows: readonly Row[]
  readonly server: VideoServer
  readonly tally: Tally
  /** Milliseconds that a connection may be silent. */
  readonly silence: number
  /** Milliseconds by which the program's own timers were late at worst. */
  readonly late: number
  /** Bytes of memory. */
  readonly growth: number
}

const FAILURES = 3
const CLIP = 'clip.mp4'

/** What came of each film, by what lies on the disk. */
export async function rowsOf(story: Story, folder: string, server: VideoServer, platform: VideoServer): Promise<Row[]> {
  const rows: Row[] = []
  for (const { path, came, resumed } of story.downloads.values()) {
    rows.push(await rowOf(path, server, came, resumed))
  }
  const clip = join(folder, CLIP)
  return [...rows, await rowOf(clip, platform, (await stat(clip)).size, 0)]
}

async function rowOf(path: string, server: VideoServer, came: number, resumed: number): Promise<Row> {
  const film = basename(path)
  const hash = createHash('sha256')
  await pipeline(createReadStream(path), hash)
  const { size: bytes } = await stat(path)
  return { film, bytes, resumed, twice: came - bytes, hashOk: hash.digest('hex') === server.film(film).digest() }
}

/** Each promise, whether it was kept, and the figures. */
export function check(evidence: Evidence): readonly Promised[] {
  return [whole, once, asked, counted, spared, endless, flat, wrapped].map((promise) => promise(evidence))
}

function whole({ rows }: Evidence): Promised {
  const bad = rows.filter(({ hashOk }) => !hashOk)
  return {
    promise: 'every film is whole, by its SHA-256',
    kept: bad.length === 0 && rows.length === 7,
    reason: bad.length === 0 ? `${rows.length} of ${rows.length}` : bad.map(({ film }) => film).join(', '),
  }
}

function once({ rows, story: { changed, downloads } }: Evidence): Promised {
  const others = rows.filter(({ film, twice }) => film !== changed.name && twice !== 0)
  const again = rows.find(({ film }) => film === changed.name)?.twice
  return {
    promise: 'no byte was fetched twice, but for those of the film that changed',
    kept: others.length === 0 && again === changed.had && downloads.get(changed.name)?.restarted === 1,
    reason: [...others, { film: changed.name, twice: again }]
      .map(({ film, twice }) => `${twice?.toLocaleString('en')} of ${film}`)
      .join(', '),
  }
}

/** Each answer but the first of a film was asked for by Range and If-Range; the changed film came whole, the others in parts. */
function asked({ server, story: { changed, downloads } }: Evidence): Promised {
  const later = [...downloads.keys()].flatMap((name) => server.asked.filter((one) => one.name === name).slice(1))
  const bare = later.filter(({ range, ifRange }) => !range?.startsWith('bytes=') || ifRange === undefined)
  const parts = later.filter(({ status }) => status === 206).length
  const wholes = later.filter(({ status }) => status === 200)
  const kept = bare.length === 0 && parts > 0 && wholes.length === 1 && wholes[0]?.name === changed.name
  return {
    promise: 'what was begun went on by Range and If-Range, and began again only where the ETag was another',
    kept,
    reason: `${parts} answers were 206, ${wholes.length} was 200`,
  }
}

function counted({ story: { downloads }, tally: { amended, streaks } }: Evidence): Promised {
  const broken = [...downloads.values()].reduce((sum, download) => sum + download.broken, 0)
  return {
    promise: `each body that broke off was a failure, and ${FAILURES} in a row opened the circuit`,
    kept: broken === amended && broken >= 3 && streaks.length > 1 && streaks.every((streak) => streak === FAILURES),
    reason: `${broken} bodies, ${amended} failures; opened after ${streaks.join(' and ')}`,
  }
}

function spared({ tally: { refused, reached } }: Evidence): Promised {
  return {
    promise: 'while the circuit was open the server was not asked',
    kept: reached === 0 && refused > 0,
    reason: `${refused} calls refused, ${reached} requests reached it`,
  }
}

function endless({ server: { stalls }, silence, late }: Evidence): Promised {
  const longest = Math.max(0, ...stalls)
  return {
    promise: `a body that stalled was given up after ${span(silence)} of silence, to which undici's clock may add one`,
    kept: stalls.length > 0 && longest < silence + GRACE + late,
    reason: `after ${span(longest)}`,
  }
}

function flat({ story: { downloads }, growth }: Evidence): Promised {
  const came = [...downloads.values()].slice(2).reduce((sum, download) => sum + download.came, 0)
  return {
    promise: 'after the first two films memory grew by less than two have',
    kept: growth < 2 * FILM,
    reason: `by ${mib(growth)} at most, while ${mib(came)} came`,
  }
}

function wrapped({ story: { wrapped } }: Evidence): Promised {
  const { deleted, closedAfterDeleted, failed, opened, refused, started } = wrapped
  return {
    promise: 'three deleted videos left the circuit of the child process closed, three network failures opened it',
    kept: deleted === 3 && closedAfterDeleted && failed === 3 && opened && refused && started === 7,
    reason: `${started} processes, ${deleted} found nothing, ${failed} failed; then a call was refused and started none`,
  }
}

/** Milliseconds: undici looks at its time limits twice a second, and the program has other things to do. */
const GRACE = 1_500

const mib = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(1)} MiB`
