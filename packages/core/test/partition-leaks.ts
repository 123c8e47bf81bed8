// What must never leak from one partition to another, or out of the names of partitions.
import { AsyncLocalStorage } from 'node:async_hooks'
import { expect } from 'vitest'
import { memoryReplies } from '../src/index.ts'
import { ALICE, BOB, leaked, SECRET, userOf, type Leak } from './credential-leaks.ts'
import { KEPT, RemoteStore, World } from './replying-host.ts'

const KEY = 'reply-key.ts'

export const PARTITION_LEAKS: readonly Leak[] = [
  {
    case: 30,
    what: 'a partition has its own replies, and no other’s',
    guard: [{ file: KEY, from: "${owner === '' ? '' : `${sha256(owner)}\\n`}", to: '' }],
    async run(core) {
      await using world = await World.of({ ...KEPT, partition: userOf }, {}, core)
      await world.warm({ body: SECRET }, '/me', ALICE)
      world.down()
      expect(await world.ask('/me', ALICE)).toMatchObject({ text: SECRET, mark: { source: 'stored' } })
      return leaked(await world.ask('/me', BOB), await world.ask('/me'), await world.open().ask('/me', BOB))
    },
  },
  {
    case: 30,
    what: 'a function that cannot tell whose a request is leaves it alone',
    guard: [
      { file: KEY, from: "owner === undefined || name === '') return undefined", to: "name === '') return undefined" },
      { file: KEY, from: 'sha256(owner)', to: 'sha256(`${owner}`)' },
    ],
    async run(core) {
      const partition = (): string => {
        throw new Error('no session')
      }
      await using world = await World.of({ ...KEPT, partition }, {}, core)
      await world.warm({ body: SECRET }, '/me', ALICE)
      return leaked(await world.down().ask('/me', BOB))
    },
  },
  {
    case: 30,
    what: 'whose a request is, is asked in its own context: an answer may come in that of another',
    guard: [{ file: 'asked.ts', from: 'known.set(request, asked)', to: '' }],
    async run(core) {
      const user = new AsyncLocalStorage<string>()
      const fallback = core.staleIfError({ ...KEPT, partition: () => user.getStore() })
      const board = core.createBoard({ fallback, consecutiveFailures: false })
      const begin = (name: string) =>
        user.run(name, () => {
          const attempt = board.attempt({ method: 'GET', url: 'http://a.test/me' })
          expect(attempt.headers).toEqual([])
          return attempt
        })
      const [alice, bob] = [begin('alice'), begin('bob')]
      user.run('bob', () => {
        alice.settle({ status: 200 })
        alice.capture({ status: 200, statusText: 'OK', headers: [], decoded: true })
        alice.chunk(Buffer.from(SECRET))
        alice.end()
        bob.settle({ status: 503 })
      })
      return (await user.run('bob', () => bob.standIn())) === undefined ? [] : [SECRET]
    },
  },
  {
    case: 30,
    what: 'neither a partition nor a token of the query stands in a key in clear',
    guard: [
      { file: KEY, from: 'sha256(owner)', to: 'owner' },
      { file: KEY, from: '#${sha256(path)}', to: '${path}' },
    ],
    async run(core) {
      const store = memoryReplies()
      const keys: string[] = []
      const replies = {
        get: store.get.bind(store),
        set: (key: string) => void keys.push(key),
        delete: (key: string) => void keys.push(key),
      }
      await using world = await World.of({ ...KEPT, partition: userOf }, { replies }, core)
      await world.warm({ body: 'x' }, '/me', { authorization: SECRET })
      await world.warm({ body: 'x' }, `/me?token=${SECRET}`, { authorization: 'x' })
      expect(keys).toHaveLength(2)
      return keys.map((key) => decodeURIComponent(key)).filter((key) => key.includes(SECRET))
    },
  },
  {
    case: 30,
    what: 'nor does what a reply varies by, where that may be a secret',
    guard: [{ file: 'stored-reply.ts', from: 'isHarmless(name) ?', to: 'true ?' }],
    async run(core) {
      const replies = new RemoteStore()
      await using world = await World.of(
        { ...KEPT, partition: () => 'tenant', varyBy: ['x-api-key'] },
        { replies },
        core,
      )
      const own = { 'x-api-key': SECRET, cookie: SECRET }
      await world.warm({ headers: { vary: 'cookie' }, body: 'x' }, '/me', own)
      world.down()
      expect(await world.ask('/me', own)).toMatchObject({ text: 'x', status: 200 })
      expect(await world.ask('/me', { ...own, cookie: 'of bob' })).toMatchObject({ status: 503 })
      return [...replies.held.values()].filter((text) => text.includes(SECRET))
    },
  },
]
