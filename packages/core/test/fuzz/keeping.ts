// Whatever hosts say and callers send: what is kept, and for whom it stands in, is no more than the rules allow, read once more here.
import fc from 'fast-check'
import { createBoard, memoryReplies, staleIfError, type Board } from '../../src/index.ts'
import { manualClock, type ManualClock } from '../../src/testing.ts'
import { headers as controls } from './directives.ts'
import type { Fuzz } from './fuzz.ts'
import { readDirectives, type Said } from './read-directives.ts'

const KEEP_FOR = 60_000
type Pairs = readonly (readonly [name: string, value: string])[]

interface Asked {
  readonly path: string
  readonly method: string
  readonly headers: Pairs
  /** Milliseconds since the one before. */
  readonly after: number
}

interface Answered extends Asked {
  readonly status: number
  readonly said: Pairs
}

interface Terms {
  readonly permitted: boolean
  readonly shared: boolean
  readonly owned: boolean
}

const likely = fc.constantFrom(
  'max-age=60',
  'public',
  'public, max-age=10',
  's-maxage=10',
  'max-age=1, stale-if-error=30',
)
const control = fc.oneof({ weight: 2, arbitrary: likely }, { weight: 1, arbitrary: controls.filter(isField) })
const maybe = (name: string, value: fc.Arbitrary<string>, one = 3): fc.Arbitrary<Pairs> =>
  fc.oneof(
    { weight: one, arbitrary: fc.constant([]) },
    { weight: 1, arbitrary: value.map((text) => [[name, text] as const]) },
  )
const joined = (...parts: fc.Arbitrary<Pairs>[]): fc.Arbitrary<Pairs> => fc.tuple(...parts).map((all) => all.flat())

const asking = joined(
  maybe('authorization', fc.constantFrom('alice', 'bob')),
  maybe('Cookie', fc.constantFrom('id=alice', 'id=bob'), 9),
  maybe('x-api-key', fc.constantFrom('alice', 'bob'), 9),
  maybe('accept-language', fc.constantFrom('en', 'de'), 2),
  maybe('range', fc.constant('bytes=0-1'), 15),
  maybe('cache-control', fc.constantFrom('no-store', 'no-cache', 'max-age=5', 'stale-if-error=30', 'min-fresh=9'), 9),
)
const saying = joined(
  maybe('cache-control', control, 1),
  maybe('Vary', fc.constantFrom('*', 'Accept-Language', 'accept-language, Authorization', 'cookie'), 2),
  maybe('set-cookie', fc.constant('id=1'), 9),
  maybe('age', fc.constantFrom('0', '5', '100', 'x'), 9),
  maybe('content-type', fc.constantFrom('text/event-stream', 'application/json'), 9),
)
const base = {
  path: fc.constantFrom('/a', '/b'),
  method: fc.constantFrom('GET', 'GET', 'GET', 'HEAD', 'POST'),
  headers: asking,
  after: fc.constantFrom(0, 0, 1_000, 10_000, 50_000),
}
const answered = fc.record({
  ...base,
  status: fc.constantFrom(200, 200, 200, 200, 203, 204, 206, 301, 404, 410, 500, 503),
  said: saying,
})
const terms = fc.record({ permitted: fc.boolean(), shared: fc.boolean(), owned: fc.boolean() })

/** An answer, and when it came. */
interface Kept extends Answered {
  readonly nth: number
  readonly at: number
}

export const KEEPING: Fuzz = {
  what: 'nothing is kept, or stands in, that the rules do not allow',
  share: 80,
  holds: fc.asyncProperty(
    terms,
    fc.array(answered, { minLength: 1, maxLength: 5 }),
    fc.array(fc.record(base), { minLength: 1, maxLength: 4 }),
    async (terms, warm, cold) => {
      const clock = manualClock(1_700_000_000_000)
      const board = boardOf(terms, clock)
      const kept: Kept[] = []
      for (const [nth, one] of warm.entries()) {
        clock.advance(one.after)
        kept.push({ ...one, nth, at: clock.now() })
        answer(board, one, nth)
      }
      for (const asked of cold) {
        clock.advance(asked.after)
        const attempt = board.attempt(requestOf(asked))
        attempt.settle({ status: 503 })
        const reply = await attempt.standIn()
        if (reply === undefined) continue
        const of = kept[reply.body[0] as number]
        if (asked.method !== 'HEAD' && of === undefined) throw new Error('a body of nobody stands in')
        // An answer to HEAD does not tell whose it is: that of one has to do.
        const able = of === undefined ? kept : [of]
        const whys = able.map((one) => whyNot(one, asked, clock.now(), terms))
        if (!whys.includes(undefined))
          throw new Error(`${JSON.stringify(of)} stands in for ${JSON.stringify(asked)}: ${whys[0]}`)
        if (reply.headers.some(([name]) => name.toLowerCase() === 'set-cookie')) throw new Error('a cookie is given on')
      }
    },
  ),
}

function boardOf({ permitted, shared, owned }: Terms, clock: ManualClock): Board {
  const fallback = staleIfError({
    shared,
    ...(permitted && { keepFor: KEEP_FOR }),
    ...(owned && { partition: ({ headers }) => valueIn([...headers], 'authorization') }),
  })
  const board = createBoard({
    clock,
    fallback,
    failureRate: false,
    consecutiveFailures: false,
    replies: memoryReplies(),
  })
  board.on('warning', () => {})
  return board
}

const requestOf = ({ path, method, headers }: Asked) => ({ method, url: `http://host.test${path}`, headers })

function answer(board: Board, one: Answered, nth: number): void {
  const attempt = board.attempt(requestOf(one))
  attempt.settle({ status: one.status, headers: one.said })
  const head = { status: one.status, statusText: '', headers: one.said, decoded: true }
  if (attempt.capture(head)) {
    attempt.chunk(new Uint8Array([nth]))
    attempt.end()
  }
}

/** Why an answer must not stand in for a request; undefined where it may. */
function whyNot(kept: Kept, asked: Asked, now: number, { permitted, shared, owned }: Terms): string | undefined {
  const said = directivesOf(kept.said)
  const wish = directivesOf(asked.headers)
  if (kept.path !== asked.path || kept.method !== 'GET' || asked.method === 'POST')
    return 'it is the answer to something else'
  if (![200, 203, 204, 301, 404, 410].includes(kept.status)) return 'it is no whole answer'
  if (said['no-store'] || said['no-cache'] || (shared && said['private'])) return 'the host forbids it'
  if (directivesOf(kept.headers)['no-store'] || wish['no-store'] || wish['no-cache']) return 'a caller forbids it'
  if (valueIn(kept.headers, 'range') ?? valueIn(asked.headers, 'range')) return 'it is a part'
  if (shared && valueIn(kept.said, 'set-cookie') && !said['public']) return 'it sets a cookie'
  if (/event-stream/.test(valueIn(kept.said, 'content-type') ?? '')) return 'it has no end'
  return whoseNot(kept, asked, said, owned, permitted) ?? whenNot(kept, said, wish, now, { permitted, shared })
}

/** Why it is another's. */
function whoseNot(kept: Kept, asked: Asked, said: Said, owned: boolean, permitted: boolean): string | undefined {
  const owner = (headers: Pairs): string | undefined => (owned ? valueIn(headers, 'authorization') : undefined)
  if (owner(kept.headers) !== owner(asked.headers)) return 'it is of another partition'
  const vary = (valueIn(kept.said, 'vary') ?? '').toLowerCase().split(/\s*,\s*/)
  if (vary.includes('*')) return 'it varies by what nobody knows'
  const varied = vary.find((name) => name !== '' && valueIn(kept.headers, name) !== valueIn(asked.headers, name))
  if (varied !== undefined) return `it varies by ${varied}`
  const open = said['public'] === true || said['s-maxage'] !== undefined
  if (owner(kept.headers) !== undefined || (open && kept.status !== 301)) return undefined
  const credential = ['authorization', 'cookie'].find(
    (name) => valueIn(kept.headers, name) ?? valueIn(asked.headers, name),
  )
  if (credential !== undefined) return `it is for who sends ${credential}`
  const silent = !open && permitted && said['stale-if-error'] === undefined && said['max-age'] === undefined
  if (silent && (valueIn(kept.headers, 'x-api-key') ?? valueIn(asked.headers, 'x-api-key')))
    return 'it is for who has the key'
  return undefined
}

/** Why it is too old. */
function whenNot(
  kept: Kept,
  said: Said,
  wish: Said,
  now: number,
  { permitted, shared }: Pick<Terms, 'permitted' | 'shared'>,
) {
  const ages = valueIn(kept.said, 'age')
  if (ages !== undefined && !/^\d+$/.test(ages)) return 'nobody knows its age'
  const age = now - kept.at + Number(ages ?? 0) * 1_000
  const life = (((shared ? said['s-maxage'] : undefined) ?? said['max-age'] ?? 0) as number) * 1_000
  if (age < life) return undefined
  const strict = said['must-revalidate'] ?? (shared ? (said['proxy-revalidate'] ?? said['s-maxage']) : undefined)
  if (strict !== undefined) return 'it is stale, and must not be'
  const window = said['stale-if-error'] ?? wish['stale-if-error'] ?? (permitted ? KEEP_FOR / 1_000 : -1)
  return age - life <= (window as number) * 1_000 ? undefined : 'it is too old'
}

const directivesOf = (headers: Pairs): Said => readDirectives(valueIn(headers, 'cache-control') ?? '')

const valueIn = (headers: Pairs, name: string): string | undefined =>
  headers.find(([field]) => field.toLowerCase() === name)?.[1]

function isField(text: string): boolean {
  return Array.from(text).every((one) => one === '\t' || (one >= ' ' && one <= 'ÿ' && one !== '\x7F'))
}
