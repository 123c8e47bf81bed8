// What the service answers while it is well: the recorded answers, found by method, path and the one header that matters.
import data from './data.json' with { type: 'json' }

/** One answer, with its headers in wire order and their repeats. */
export interface Answer {
  readonly status: number
  readonly statusText: string
  readonly headers: readonly (readonly [name: string, value: string])[]
  readonly body: string
}

type Recorded = (typeof data.answers)[number]
type Name =
  | 'throttled-429'
  | 'abuse-403'
  | 'limiter-store-down'
  | 'database-down'
  | 'not-found-book'
  | 'data-nope'
  | 'post'
  | 'options'
  | 'options-data'

const byPath = new Map<string, Recorded>()
const byName = new Map<string, Recorded>()
for (const entry of data.answers) {
  byName.set(entry.name, entry)
  if (isWell(entry)) byPath.set(keyOf(entry.method, entry.path, entry.requestHeaders !== undefined), entry)
}

/** The recorded answer of that name: what the limiter, the abuse filter and a broken service say. */
export function recorded(name: Name): Answer {
  return answerOf(byName.get(name)!)
}

/** The service while it is well. */
export class Answers {
  readonly #draws = new Map<Recorded, number>()

  /**
   * What it says to a request. Random verses are another one at each call.
   * @param path with its query
   * @param indifferent whether the request says `X-Single-Chapter-Book-Matching: indifferent`, the one header that changes a body
   */
  to(method: string, path: string, indifferent: boolean): Answer {
    if (method === 'HEAD') return { ...this.to('GET', path, indifferent), body: '' }
    if (method === 'OPTIONS') return recorded(path.startsWith('/data') ? 'options-data' : 'options')
    if (method !== 'GET') return recorded('post')
    const found = (indifferent && byPath.get(keyOf('GET', path, true))) || byPath.get(keyOf('GET', path, false))
    if (!found) return recorded(path.startsWith('/data/') ? 'data-nope' : 'not-found-book')
    return RANDOM.test(path) ? this.#draw(found) : answerOf(found)
  }

  // The recorded verse first, then those of the recorded chapter in turn, in the form of the recorded one.
  #draw(form: Recorded): Answer {
    const draws = this.#draws.get(form) ?? 0
    this.#draws.set(form, draws + 1)
    if (draws === 0) return answerOf(form)
    const { verses } = JSON.parse(byName.get('data-web-jhn-3')!.body) as { verses: Verse[] }
    const change = like(form, verses[(draws - 1) % verses.length]!)
    return answerOf(form, JSON.stringify({ ...(JSON.parse(form.body) as object), ...change }))
  }
}

const RANDOM = /\/random|[?&]random=/

// Limits, bans and outages have a path in the record too, but not because of it.
function isWell({ status }: Recorded): boolean {
  return status !== 429 && status !== 403 && status < 500
}

function keyOf(method: string, path: string, indifferent: boolean): string {
  return `${method} ${path}${indifferent ? ' indifferent' : ''}`
}

function answerOf({ status, statusText, headers, body }: Recorded, text = body): Answer {
  const length = String(Buffer.byteLength(text))
  const pairs = data.headers[headers as keyof typeof data.headers] as [string, string][]
  return { status, statusText, headers: [...pairs, ['content-length', length]], body: text }
}

function like(form: Recorded, drawn: Verse): object {
  if (form.name !== 'legacy-random') return { random_verse: drawn }
  const { book_id, book, chapter, verse, text } = drawn
  return {
    reference: `${book} ${chapter}:${verse}`,
    verses: [{ book_id, book_name: book, chapter, verse, text }],
    text,
  }
}

interface Verse {
  readonly book_id: string
  readonly book: string
  readonly chapter: number
  readonly verse: number
  readonly text: string
}
