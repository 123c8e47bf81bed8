// What must never leak from one user to another, each with the guard that sees to it: taken out, it must leak.
import { expect } from 'vitest'
import { header, memoryReplies, type HttpRequest } from '../src/index.ts'
import type { Edit } from './engine.ts'
import { HOUR, KEPT, World, type Core, type Told } from './replying-host.ts'

export interface Leak {
  /** Its number in the list of cases. */
  readonly case: number
  readonly what: string
  /** The edits that take the guard out. */
  readonly guard: readonly Edit[]
  /** Tries to get at what is not the caller's. @returns what came out */
  run(core: Core): Promise<readonly string[]>
}

export const SECRET = 'of alice'
export const ALICE = { authorization: 'Bearer alice' }
export const BOB = { authorization: 'Bearer bob' }
export const userOf = ({ headers }: HttpRequest): string | undefined => header(headers, 'authorization')

/** What of the answers to callers who are not Alice is Alice's. */
export const leaked = (...told: Told[]): string[] =>
  told.map(({ text }) => text).filter((text) => text.includes(SECRET))

const CREDENTIALS = 'credentials.ts'
const KEY = 'reply-key.ts'
const STORABLE = 'storable.ts'
const harmless = (name: string): Edit => ({
  file: CREDENTIALS,
  from: 'const name = field.toLowerCase()',
  to: `const name = field.toLowerCase() === '${name}' ? 'accept' : field.toLowerCase()`,
})

export const CREDENTIAL_LEAKS: readonly Leak[] = [
  {
    case: 29,
    what: 'an answer to Alice’s Authorization is nobody else’s',
    guard: [harmless('authorization')],
    async run(core) {
      await using world = await World.of(KEPT, {}, core)
      await world.warm({ body: SECRET }, '/me', ALICE)
      world.down()
      return leaked(await world.ask('/me', BOB), await world.ask('/me'), await world.open().ask('/me', BOB))
    },
  },
  {
    case: 29,
    what: 'nor is one to a key in a header of any name',
    guard: [{ file: CREDENTIALS, from: '(strict && !isHarmless(name)', to: '(false && !isHarmless(name)' }],
    async run(core) {
      await using world = await World.of(KEPT, {}, core)
      await world.warm({ body: SECRET }, '/me', { 'x-api-key': 'alice' })
      world.down()
      return leaked(await world.ask('/me', { 'x-api-key': 'bob' }), await world.ask('/me'))
    },
  },
  {
    case: 29,
    what: 'nor one to a token in the query, whose URL somebody else has got hold of',
    guard: [
      { file: KEY, from: "if (owner === '' && telling) return 'credential'", to: '' },
      { file: KEY, from: 'return hasSecret(address) ?', to: 'return false ?' },
    ],
    async run(core) {
      await using world = await World.of(KEPT, {}, core)
      await world.warm({ body: SECRET }, '/me?access_token=alice')
      return leaked(await world.down().ask('/me?access_token=alice'))
    },
  },
  {
    case: 29,
    what: 'nor one to a fetch that sends the credentials of its browser',
    guard: [{ file: CREDENTIALS, from: "request.credentials === 'include' ?", to: 'false ?' }],
    async run(core) {
      await using world = await World.of(KEPT, {}, core)
      world.host.answer = { body: SECRET }
      await world.ask('/me', { headers: {}, credentials: 'include' })
      return leaked(await world.down().ask('/me'))
    },
  },
  {
    case: 31,
    what: 'public gives an answer to Alice’s Authorization to all, and nothing less does',
    guard: [{ file: STORABLE, from: 'said.public || said[', to: "said['max-age'] !== undefined || said[" }],
    async run(core) {
      await using open = await World.of({}, {}, core)
      await open.warm(
        { headers: { 'cache-control': 's-maxage=60, public, max-age=60' }, body: 'for all' },
        '/me',
        ALICE,
      )
      open.down()
      expect([await open.ask('/me', ALICE), await open.ask('/me', BOB)]).toMatchObject([
        { text: 'for all' },
        { text: 'for all' },
      ])
      await using world = await World.of({}, {}, core)
      await world.warm({ headers: { 'cache-control': 'max-age=60' }, body: SECRET }, '/me', ALICE)
      return leaked(await world.down().ask('/me', BOB))
    },
  },
  {
    case: 32,
    what: 'an answer to Alice’s Cookie is nobody else’s, nor that of one without a name',
    guard: [harmless('cookie')],
    async run(core) {
      await using world = await World.of(KEPT, {}, core)
      await world.warm({ body: SECRET }, '/me', { cookie: 'sid=alice' })
      world.down()
      return leaked(await world.ask('/me', { cookie: 'sid=bob' }), await world.ask('/me'))
    },
  },
  {
    case: 33,
    what: 'an answer that sets a cookie is not kept',
    guard: [{ file: STORABLE, from: 'if (shared && !said.public && ', to: 'if (false && ' }],
    async run(core) {
      await using world = await World.of(KEPT, {}, core)
      await world.warm({ headers: { 'set-cookie': 'sid=alice' }, body: SECRET }, '/me')
      return leaked(await world.down().ask('/me'))
    },
  },
  {
    case: 33,
    what: 'a public one is kept, and its cookie is not',
    guard: [{ file: 'stored-reply.ts', from: 'NEVER_KEPT.test(name) ||', to: 'false ||' }],
    async run(core) {
      await using world = await World.of(KEPT, {}, core)
      const headers = { 'cache-control': 'public, max-age=60', 'set-cookie': SECRET }
      await world.warm({ headers, body: 'for all' }, '/me')
      const told = await world.down().ask('/me')
      expect(told.text).toBe('for all')
      return told.headers.getSetCookie()
    },
  },
  {
    case: 33,
    what: 'nor are the fields that private names',
    guard: [{ file: STORABLE, from: 'without: said.fields', to: 'without: []' }],
    async run(core) {
      await using world = await World.of(KEPT, {}, core)
      const headers = { 'cache-control': 'max-age=60, private="set-cookie, x-user"', 'x-user': SECRET }
      await world.warm({ headers, body: 'for all' }, '/me')
      const told = await world.down().ask('/me')
      expect(told.text).toBe('for all')
      return [told.headers.get('x-user')].filter((value) => value !== null)
    },
  },
  {
    case: 34,
    what: 'a private answer is for no shared store, though another policy kept it there',
    guard: [
      { file: 'directives.ts', from: ' ?? said.private)', to: ')' },
      { file: KEY, from: "${shared ? '' : 'private\\n'}", to: '' },
    ],
    async run(core) {
      const replies = memoryReplies()
      await using own = await World.of({ ...KEPT, shared: false }, { replies }, core)
      await own.warm({ headers: { 'cache-control': 'Private, max-age=60' }, body: SECRET }, '/me')
      own.down()
      expect(await own.ask('/me')).toMatchObject({ text: SECRET, status: 200 })
      await using shared = await World.of(KEPT, { replies }, core)
      return leaked(await shared.ask(`${own.origin}/me`))
    },
  },
  {
    case: 34,
    what: 'no-store beats every permission, however it is written',
    guard: [{ file: 'cache-control.ts', from: 'scan(header.toLowerCase())', to: 'scan(header)' }],
    async run(core) {
      await using world = await World.of({ ...KEPT, shared: false }, {}, core)
      await world.warm({ headers: { 'cache-control': 'private, No-Store' }, body: SECRET }, '/me')
      return leaked(await world.down().ask('/me'))
    },
  },
  {
    case: 35,
    what: 'a 403 is given as it is, whatever is kept',
    guard: [
      { file: 'stale-if-error.ts', from: 'on.has(response.status)', to: 'true' },
      { file: 'attempt.ts', from: 'this.#takeBack(circuit, outcome)', to: 'void 0' },
    ],
    async run(core) {
      await using world = await World.of({ ...KEPT, partition: userOf }, {}, core)
      await world.warm({ body: SECRET }, '/me', ALICE)
      world.host.answer = { status: 403, body: 'revoked' }
      return leaked(await world.ask('/me', ALICE))
    },
  },
  {
    case: 35,
    what: 'and takes back what was kept, for when the circuit is open',
    guard: [
      {
        file: 'stale-if-error.ts',
        from: 'drop(keysOf(request, asked, shared, false), replies)',
        to: 'drop([], replies)',
      },
    ],
    async run(core) {
      const out: Told[] = []
      for (const status of [401, 403]) {
        await using world = await World.of({ ...KEPT, partition: userOf }, {}, core)
        await world.warm({ body: SECRET }, '/me', ALICE)
        await world.warm({ status, body: 'revoked' }, '/me', ALICE)
        out.push(await world.later(HOUR).open().ask('/me', ALICE))
      }
      return leaked(...out)
    },
  },
]
