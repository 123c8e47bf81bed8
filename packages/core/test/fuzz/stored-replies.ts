// Whatever a store gives for what was kept: no call fails by it, and nothing stands in that is another's, or was never whole.
import fc from 'fast-check'
import { circuitOpen, createBoard, guardFetch, staleIfError, type StoredReply } from '../../src/index.ts'
import { manualClock } from '../../src/testing.ts'
import type { Fuzz } from './fuzz.ts'

const NOW = 1_700_000_000_000
const URL = 'http://host.test/a'
const KEEP_FOR = 60_000
const KEY = `GET\n${new globalThis.URL(URL).origin}/a`

/** As it was kept for a caller who reads English. */
const SOUND: StoredReply = {
  v: 1,
  key: KEY,
  vary: { 'accept-language': 'en' },
  status: 200,
  statusText: 'OK',
  headers: [
    ['vary', 'accept-language'],
    ['content-type', 'text/plain'],
  ],
  body: new TextEncoder().encode('in English'),
  decoded: true,
  storedAt: NOW,
  ageAtStore: 0,
  staleAt: NOW,
  expiresAt: NOW + KEEP_FOR,
}

const text = fc.string({ maxLength: 6 })
const moment = fc.oneof(
  fc.integer({ min: NOW - 200_000, max: NOW + 200_000 }),
  fc.double(),
  fc.constantFrom<unknown>(null, '0', 0),
)
const changes: { readonly [Name in keyof StoredReply]: fc.Arbitrary<unknown> } = {
  v: fc.constantFrom<unknown>(0, 2, '1', null),
  key: fc.oneof(
    fc.constantFrom(`${KEY}b`, 'GET\nhttp://other.test/a', KEY.toLowerCase(), `private\n${KEY}`),
    fc.anything(),
  ),
  vary: fc.oneof(
    fc.constantFrom<unknown>({}, [], { 'accept-language': 'de' }, { 'accept-language': null }, { '*': 'x' }, null),
    fc.dictionary(text, fc.option(text)),
    fc.anything(),
  ),
  status: fc.oneof(
    fc.constantFrom<unknown>(99, 100, 101, 204, 205, 206, 301, 304, 429, 500, 503, 600, '200', 200.5),
    fc.anything(),
  ),
  statusText: fc.oneof(fc.constantFrom('', 'a\r\nb: c', 'ÿ', '€'), fc.anything()),
  headers: fc.oneof(
    fc.array(
      fc.tuple(
        fc.oneof(text, fc.constantFrom('vary', 'cache-control', 'content-encoding', 'connection', 'set-cookie')),
        fc.oneof(text, fc.constantFrom('*', 'cookie', 'no-store', 'private', 'gzip', 'a\r\nb')),
      ),
    ),
    fc.array(fc.anything(), { maxLength: 3 }),
    fc.anything(),
  ),
  body: fc.oneof(fc.uint8Array({ maxLength: 20 }), fc.anything()),
  decoded: fc.oneof(fc.boolean(), fc.anything()),
  storedAt: moment,
  ageAtStore: moment,
  staleAt: moment,
  expiresAt: moment,
}
const mutated = fc
  .tuple(fc.subarray(Object.keys(changes) as (keyof StoredReply)[], { maxLength: 3 }), fc.record(changes))
  .map(([names, values]) => ({ ...SOUND, ...Object.fromEntries(names.map((name) => [name, values[name]])) }))
const cut = fc
  .tuple(mutated, fc.subarray(Object.keys(SOUND)))
  .map(([entry, names]) => Object.fromEntries(names.map((name) => [name, (entry as Record<string, unknown>)[name]])))
const given = fc.oneof(
  { weight: 6, arbitrary: fc.array(mutated, { maxLength: 3 }) },
  { weight: 1, arbitrary: fc.array(cut, { maxLength: 2 }) },
  { weight: 1, arbitrary: fc.anything() },
)

export const STORED_REPLIES: Fuzz = {
  what: 'no store can fail a call, or have it given what is not for it',
  share: 50,
  holds: fc.asyncProperty(given, fc.constantFrom('en', 'de'), fc.boolean(), async (given, language, remote) => {
    const clock = manualClock(NOW + 1_000)
    const replies = { get: () => (remote ? Promise.resolve(given) : given) as never, set() {}, delete() {} }
    const board = createBoard({ clock, replies, fallback: staleIfError({ keepFor: KEEP_FOR }) })
    board.on('warning', ({ code, message }) => {
      if (code !== 'replies') throw new Error(message)
    })
    board.circuit('host.test').trip()
    let response: Response
    try {
      response = await guardFetch(board)(URL, { headers: { 'accept-language': language } })
    } catch (error) {
      if (circuitOpen(error) === error) return
      throw error
    }
    const fits = (given as StoredReply[]).filter((entry) => isSound(entry) && isFit(entry, language, clock.wall()))
    const body = new Uint8Array(await response.arrayBuffer())
    const is = ({ status, body: kept }: StoredReply): boolean =>
      status === response.status && (status === 204 || status === 205 || Buffer.compare(kept, body) === 0)
    if (!fits.some(is))
      throw new Error(`${response.status} ${new TextDecoder().decode(body)} stands in for ${language}`)
  }),
}

/** Whether it is an entry at all, as far as the other tests of it go. */
const isSound = ({ vary, headers, body }: StoredReply): boolean =>
  body instanceof Uint8Array &&
  Array.isArray(headers) &&
  headers.every(
    (pair) => Array.isArray(pair) && pair.length > 1 && pair.slice(0, 2).every((part) => typeof part === 'string'),
  ) &&
  typeof vary === 'object' &&
  vary !== null

/** Whether an entry may stand in, as its own fields and headers have it. */
function isFit({ v, key, status, vary, headers, expiresAt }: StoredReply, language: string, now: number): boolean {
  const said = (name: string): string =>
    headers
      .filter(([field]) => field.toLowerCase() === name)
      .map(([, value]) => value)
      .join(',')
      .toLowerCase()
  const names = said('vary')
    .split(',')
    .map((name) => name.trim())
    .filter(Boolean)
  const told: Record<string, string | null | undefined> = { 'accept-language': language }
  const varied = [...names, ...Object.keys(vary)].every(
    (name) => Object.hasOwn(vary, name) && (told[name] ?? null) === vary[name],
  )
  return (
    v === 1 &&
    key === KEY &&
    varied &&
    status >= 200 &&
    status < 500 &&
    ![206, 304, 429].includes(status) &&
    !/no-store|no-cache|private/.test(said('cache-control')) &&
    now <= expiresAt
  )
}
