// What must never leak from one place to another: by redirects, by names of hosts, by a store that lies, by bytes held in common.
import { expect } from 'vitest'
import { memoryReplies, type ReplyStore, type StoredReply } from '../src/index.ts'
import { ALICE, BOB, leaked, SECRET, type Leak } from './credential-leaks.ts'
import { KEPT, ReplyingHost, World, type Core } from './replying-host.ts'

const PUBLIC = { 'cache-control': 'public, max-age=60' }
const KEY = 'reply-key.ts'
const STORED = 'stored-reply.ts'
const AS_IT_IS = 'const { href } = address'

/** Whether what was kept for one path stands in for another. */
async function crossed(core: Core, kept: string, asked: string): Promise<readonly string[]> {
  await using world = await World.of(KEPT, {}, core)
  await world.warm({ body: SECRET }, kept)
  world.down()
  expect(await world.ask(`${kept}#fragment`)).toMatchObject({ text: SECRET })
  return leaked(await world.ask(asked))
}

/** What an answer to one request, as an adapter tells it, is to another: for URLs that no fetch takes. */
async function crossedDirectly(core: Core, kept: string, asked: string): Promise<readonly string[]> {
  const board = core.createBoard({ fallback: core.staleIfError(KEPT), consecutiveFailures: false })
  board.on('warning', () => {})
  const good = board.attempt({ method: 'GET', url: kept })
  good.settle({ status: 200 })
  if (good.capture({ status: 200, statusText: 'OK', headers: [], decoded: true })) {
    good.chunk(Buffer.from(SECRET))
    good.end()
  }
  const bad = board.attempt({ method: 'GET', url: asked })
  bad.settle({ status: 503 })
  const reply = await bad.standIn()
  return reply === undefined ? [] : [Buffer.from(reply.body).toString()]
}

/** What comes out of a store that gives this for whatever it is asked. */
async function fromStore(
  core: Core,
  wrong: Partial<Record<keyof StoredReply, unknown>>,
  most = 100,
): Promise<string[]> {
  const held = memoryReplies()
  const lying: ReplyStore = {
    get: (key) => held.get(key)?.map((entry) => ({ ...entry, ...wrong }) as StoredReply),
    set: (key, replies) => held.set(key, replies),
    delete: (key) => held.delete(key),
  }
  await using world = await World.of({ ...KEPT, maxEntryBytes: most }, { replies: lying }, core)
  await world.warm({ body: 'well' })
  const told = await world.down().ask()
  if (told.error !== undefined) return ['it threw']
  if (told.mark === undefined && most === 100) expect(world.faults).toHaveLength(1)
  return told.mark === undefined ? [] : [told.text]
}

export const PLACE_LEAKS: readonly Leak[] = [
  {
    case: 36,
    what: 'what a redirect led Alice to is not the answer of what she asked',
    guard: [{ file: 'storable.ts', from: "if (redirected) return 'redirected'", to: '' }],
    async run(core) {
      await using world = await World.of(KEPT, {}, core)
      world.host.answer = ({ url }) =>
        url === '/me' ? { status: 302, headers: { location: '/u/alice' } } : { headers: PUBLIC, body: SECRET }
      expect((await world.ask('/me', ALICE)).text).toBe(SECRET)
      return leaked(await world.down().ask('/me', BOB))
    },
  },
  {
    case: 36,
    what: 'nor is what it led to on another origin',
    guard: [{ file: 'storable.ts', from: "if (redirected) return 'redirected'", to: '' }],
    async run(core) {
      await using other = await ReplyingHost.start()
      other.answer = { headers: PUBLIC, body: SECRET }
      await using world = await World.of(KEPT, {}, core)
      await world.warm({ status: 302, headers: { location: `http://127.0.0.1:${other.port}/` } })
      return leaked(await world.down().ask())
    },
  },
  {
    case: 36,
    what: 'a redirect that Alice was sent on is for nobody with credentials',
    guard: [{ file: 'storable.ts', from: 'if (status >= 300 && status < 400)', to: 'if (false)' }],
    async run(core) {
      await using world = await World.of(KEPT, {}, core)
      world.host.answer = { status: 301, headers: { ...PUBLIC, location: `/u/${encodeURIComponent(SECRET)}` } }
      await world.ask('/me', { headers: ALICE, redirect: 'manual' })
      const { headers } = await world.down().ask('/me', { headers: BOB, redirect: 'manual' })
      return [headers.get('location')].filter((value) => value !== null)
    },
  },
  {
    case: 37,
    what: 'two ports of one host are two places',
    guard: [{ file: KEY, from: '${address.origin}', to: '' }],
    async run(core) {
      const replies = memoryReplies()
      await using one = await World.of(KEPT, { replies }, core)
      await using two = await World.of(KEPT, { replies }, core)
      await one.warm({ body: SECRET })
      return leaked(await two.down().ask())
    },
  },
  {
    case: 37,
    what: 'so they are under a key of the policy’s own',
    guard: [{ file: KEY, from: '${address.origin}', to: '' }],
    async run(core) {
      const replies = memoryReplies()
      await using one = await World.of({ ...KEPT, key: () => 'k' }, { replies }, core)
      await using two = await World.of({ ...KEPT, key: () => 'k' }, { replies }, core)
      await one.warm({ body: SECRET })
      expect(await one.down().ask('/other')).toMatchObject({ text: SECRET })
      return leaked(await two.down().ask())
    },
  },
  {
    case: 37,
    what: 'an answer to a Host of the caller’s own is not the answer of the URL',
    guard: [{ file: KEY, from: '!asksItsOwn(request, address)', to: 'false' }],
    async run(core) {
      await using world = await World.of(KEPT, {}, core)
      await world.warm({ body: SECRET }, '/x', { host: 'internal.example' })
      return leaked(await world.down().ask())
    },
  },
  {
    case: 37,
    what: 'two schemes, and a name with a dot at its end, are other places',
    guard: [
      { file: KEY, from: '${address.origin}', to: "${address.origin.replace(/^https:/, 'http:').replace(/[.]$/, '')}" },
    ],
    run: async (core) => [
      ...(await crossedDirectly(core, 'https://a.test/', 'http://a.test/')),
      ...(await crossedDirectly(core, 'https://a.test/', 'https://a.test./')),
      ...(await crossedDirectly(core, 'https://a.test/', 'https://www.a.test/')),
    ],
  },
  {
    case: 37,
    what: 'an answer to a user in the URL is nobody else’s',
    guard: [
      {
        file: KEY,
        from: "const telling = address.username !== '' || address.password !== '' || ",
        to: 'const telling = ',
      },
    ],
    run: (core) => crossedDirectly(core, 'http://alice:pass@a.test/', 'http://a.test/'),
  },
  {
    case: 38,
    what: 'a slash that is escaped is none',
    guard: [{ file: KEY, from: AS_IT_IS, to: 'const href = decodeURIComponent(address.href)' }],
    run: (core) => crossed(core, '/a%2fb', '/a/b'),
  },
  {
    case: 38,
    what: 'a plus is no space',
    guard: [{ file: KEY, from: AS_IT_IS, to: "const href = address.href.replaceAll('%20', '+')" }],
    run: (core) => crossed(core, '/a+b', '/a%20b'),
  },
  {
    case: 38,
    what: 'the order of a query counts',
    guard: [{ file: KEY, from: AS_IT_IS, to: 'address.searchParams.sort(); const { href } = address' }],
    run: (core) => crossed(core, '/?b=1&a=2', '/?a=2&b=1'),
  },
  ...(
    [
      ['of another key', { key: 'GET\nhttp://evil.test/' }, [{ file: STORED, from: 'entry.key !== key', to: 'false' }]],
      ['of another version', { v: 2 }, [{ file: STORED, from: 'entry.v !== 1', to: 'false' }]],
      [
        'with a status that is none',
        { status: 99, staleAt: 4e12, expiresAt: 4e12 },
        [
          { file: STORED, from: 'status >= 200 &&', to: 'true &&' },
          { file: 'reply.ts', from: '(status as number) >= 200 &&', to: 'true &&' },
          { file: 'usable.ts', from: "if (!isWhole(entry.status, permission)) return 'forbidden'", to: '' },
        ],
      ],
      [
        'with a line break in a header',
        { headers: [['x', 'a\r\nset-cookie: b']] },
        [
          { file: STORED, from: 'isHeaders(entry.headers) &&', to: 'true &&' },
          { file: 'reply.ts', from: 'areFields(headers) &&', to: 'true &&' },
        ],
      ],
    ] as const
  ).map(([what, wrong, guard]): Leak => ({
    case: 39,
    what: `an entry ${what} is a miss, is told, and throws nothing`,
    guard,
    run: (core) => fromStore(core, wrong),
  })),
  {
    case: 39,
    what: 'nor is an entry given that is bigger than may be kept',
    guard: [
      { file: 'usable.ts', from: "if (entry.body.byteLength > permission.maxEntryBytes) return 'too-big'", to: '' },
    ],
    run: (core) => fromStore(core, { body: new Uint8Array(5) }, 4),
  },
  {
    case: 39,
    what: 'nor one that has lost what its answer varies by',
    guard: [{ file: 'usable.ts', from: "...names(header(entry.headers, 'vary')), ", to: '' }],
    run: (core) => fromStore(core, { headers: [['Vary', 'Accept-Language']], vary: {} }, 200),
  },
  ...[206, 304, 429, 503].map((status): Leak => ({
    case: 39,
    what: `nor one of status ${status}, which is never kept`,
    guard: [{ file: 'usable.ts', from: "if (!isWhole(entry.status, permission)) return 'forbidden'", to: '' }],
    run: (core) => fromStore(core, { status, staleAt: 4e12, expiresAt: 4e12 }, 200),
  })),
  {
    case: 40,
    what: 'a store that hashes two keys to one gives neither the reply of the other',
    guard: [{ file: STORED, from: 'entry.key !== key', to: 'false' }],
    async run(core) {
      let only: readonly StoredReply[] | undefined
      const replies: ReplyStore = { get: () => only, set: (_key, entries) => void (only = entries), delete() {} }
      await using world = await World.of(KEPT, { replies }, core)
      await world.warm({ body: SECRET }, '/alice')
      world.down()
      expect(await world.ask('/alice')).toMatchObject({ text: SECRET })
      return leaked(await world.ask('/bob'))
    },
  },
  {
    case: 41,
    what: 'a program that answers ?callback= is not the JSON',
    guard: [{ file: KEY, from: AS_IT_IS, to: 'const href = address.origin + address.pathname' }],
    run: (core) => crossed(core, '/John+3:16?callback=evil', '/John+3:16'),
  },
  {
    case: 42,
    what: 'what a caller does to the bytes of a stand-in is not seen by the next',
    guard: [{ file: 'stand-in.ts', from: "new Uint8Array(request.method === 'HEAD' ? [] : body)", to: 'body' }],
    async run(core) {
      await using world = await World.of(KEPT, {}, core)
      await world.warm({ body: 'good' })
      world.open()
      const take = () => world.board.attempt({ method: 'GET', url: `${world.origin}/x` }).standIn()
      const first = await take()
      first?.body.set(Buffer.from('evil'))
      return [Buffer.from((await take())?.body ?? []).toString()].filter((text) => text !== 'good')
    },
  },
  {
    case: 42,
    what: 'nor is what one does to the bytes of the answer that is kept',
    guard: [{ file: 'body-copy.ts', from: 'room.set(chunk, before)', to: 'room = before === 0 ? chunk : room' }],
    async run(core) {
      await using world = await World.of(KEPT, {}, core)
      const attempt = world.board.attempt({ method: 'GET', url: `${world.origin}/x` })
      attempt.settle({ status: 200 })
      attempt.capture({ status: 200, statusText: '', headers: [], decoded: true })
      const chunk = Buffer.from('good')
      attempt.chunk(chunk)
      attempt.end()
      chunk.write('evil')
      return [(await world.down().ask()).text].filter((text) => text !== 'good')
    },
  },
]
