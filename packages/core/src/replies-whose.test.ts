// Whose a stored reply is and what it is kept under: what the functions of a policy say of a request, and what they break.
import { describe, expect, test } from 'vitest'
import { ask, KEPT, PLACE, World } from '../test/kept-replies.ts'
import { header } from './headers.ts'
import type { StaleIfErrorOptions } from './stale-if-error.ts'
import type { HttpRequest } from './request.ts'

const userOf = ({ headers }: HttpRequest): string | undefined => header(headers, 'x-user')
const of = (user: string, url = PLACE) => ({ url, headers: { 'x-user': user, authorization: `Bearer ${user}` } })
const oops = (): never => {
  throw new Error('oops')
}

describe('partition', () => {
  test('keeps the answers of each caller for that caller alone, credentials and all', () => {
    const world = new World({ ...KEPT, partition: userOf })
    world.passes(of('alice'), { body: 'to Alice' }).passes(of('bob'), { body: 'to Bob' })
    expect(Buffer.from(world.failed(of('alice'))?.body ?? []).toString()).toBe('to Alice')
    expect(Buffer.from(world.failed(of('bob'))?.body ?? []).toString()).toBe('to Bob')
    expect(world.failed(of('carol'))).toBeUndefined()
    expect(world.failed()).toBeUndefined()
  })

  test('that gives nothing leaves the request to nobody, whose answers carry no credential', () => {
    const world = new World({ ...KEPT, partition: () => null })
    expect(world.passes(of('alice')).failed(of('alice'))).toBeUndefined()
    expect(world.passes().failed()).toBeDefined()
  })

  test('lets even a secret in the URL be kept, and not in clear', () => {
    const url = `${PLACE}?token=hush`
    const world = new World({ ...KEPT, partition: userOf })
    expect(world.passes(of('alice', url)).failed(of('alice', url))).toBeDefined()
    expect(world.failed(of('bob', url))).toBeUndefined()
    expect(world.failed(of('alice', `${PLACE}?token=other`))).toBeUndefined()
  })

  test('is told nowhere in the store', () => {
    const keys: string[] = []
    const store = { get: () => undefined, set: (key: string) => void keys.push(key), delete() {} }
    new World({ ...KEPT, partition: userOf }, store).passes(of('alice', `${PLACE}?token=hush`))
    expect(keys).toHaveLength(1)
    expect(keys[0]).toMatch(/^[0-9a-f]{64}\nGET\nhttps:\/\/bible-api\.com#[0-9a-f]{64}$/)
  })

  test('is asked once for each request, before it is sent', () => {
    let asked = 0
    const world = new World({ ...KEPT, partition: () => `${++asked}` })
    const request = ask()
    world.fallback.prepare?.(request, world.replies)
    expect(asked).toBe(1)
    world.fallback.capture?.(request, { status: 200, statusText: '', headers: [], decoded: true }, world.replies)
    expect(asked).toBe(1)
  })

  test.each([
    ['throws', oops, 'partition-failed: staleIfError.partition failed, which leaves its request alone: Error: oops'],
    [
      'gives no text',
      () => 5 as never,
      'partition-failed: staleIfError.partition failed, which leaves its request alone: TypeError: it must give text or nothing, got 5',
    ],
  ])('that %s leaves the request alone, and is told', (_, partition, warning) => {
    const world = new World({ ...KEPT, partition })
    expect(world.passes().failed()).toBeUndefined()
    expect(world.store.size).toBe(0)
    expect(new Set(world.warnings)).toEqual(new Set([warning]))
  })
})

describe('key', () => {
  test('stands for path and query, on the origin that was asked', () => {
    const world = new World({ ...KEPT, key: ({ url }) => new URL(url).searchParams.get('verse') })
    world.passes({ url: `${PLACE}?verse=16&nonce=1` })
    expect(world.failed({ url: `https://bible-api.com/?verse=16` })).toBeDefined()
    expect(world.failed({ url: `https://bible-api.com/?verse=17` })).toBeUndefined()
    expect(world.failed({ url: `https://other.test/?verse=16` })).toBeUndefined()
  })

  test('that gives nothing leaves the request alone', () => {
    const world = new World({ ...KEPT, key: () => undefined })
    expect(world.passes().failed()).toBeUndefined()
    expect([world.store.size, world.warnings]).toEqual([0, []])
  })

  test('is no path: what is kept under one is not given for the other', () => {
    const world = new World({ ...KEPT, key: () => '/John+3:16' })
    world.passes()
    const other = new World(KEPT, world.store)
    expect([world.failed() !== undefined, other.failed()]).toEqual([true, undefined])
  })

  test('says nothing of whose an answer is: credentials are nobody’s as ever', () => {
    for (const options of [{ key: () => 'verse' }, { skip: () => false }])
      expect(new World({ ...KEPT, ...options }).passes(of('alice')).store.size).toBe(0)
  })

  test('that breaks leaves the request alone, and is told', () => {
    const world = new World({ ...KEPT, key: oops })
    expect(world.passes().failed()).toBeUndefined()
    expect(world.warnings[0]).toBe('key-failed: staleIfError.key failed, which leaves its request alone: Error: oops')
  })

  test('lets other methods be kept, each under its own', () => {
    const options: StaleIfErrorOptions = { ...KEPT, methods: ['GET', 'POST'], key: () => 'search' }
    const world = new World(options).passes({ method: 'POST' })
    expect([world.failed({ method: 'POST' }) !== undefined, world.failed({ method: 'GET' })]).toEqual([true, undefined])
  })
})

describe('skip', () => {
  test('leaves requests alone, coming and going', () => {
    const kept = new World(KEPT).passes()
    const world = new World({ ...KEPT, skip: ({ url }) => url === PLACE }, kept.store)
    expect(world.failed()).toBeUndefined()
    expect(world.passes({ url: `${PLACE}?x` }).failed({ url: `${PLACE}?x` })).toBeDefined()
    world.passes()
    expect(kept.store.size).toBe(2)
    expect(world.replies.tally.read().refused).toEqual({})
  })

  test('that breaks counts as skipped, and is told', () => {
    const world = new World({ ...KEPT, skip: oops })
    expect(world.passes().failed()).toBeUndefined()
    expect(world.warnings[0]).toBe('skip-threw: staleIfError.skip threw, which counts as skipped: Error: oops')
  })
})

describe('an answer that is not to be kept', () => {
  const forbidden = { headers: { 'cache-control': 'no-store' } }

  test('takes back what was kept for its caller, and what is for everyone stays', () => {
    const world = new World({ ...KEPT, partition: userOf }).passes(of('alice')).passes()
    world.passes(of('alice'), forbidden)
    expect([world.failed(of('alice')), world.failed() !== undefined]).toEqual([undefined, true])
  })

  test('asks the store for nothing that cannot be there', () => {
    const deleted: string[] = []
    const store = { get: () => undefined, set() {}, delete: (key: string) => void deleted.push(key) }
    const secret = `${PLACE}?token=hush`
    new World(KEPT, store).passes({ url: secret }, forbidden)
    new World({ ...KEPT, key: () => undefined }, store).passes({}, forbidden)
    new World({ ...KEPT, partition: oops }, store).passes({}, forbidden)
    expect(deleted).toEqual([])
    new World({ ...KEPT, key: () => 'verse' }, store).passes({ url: secret }, forbidden)
    new World({ ...KEPT, partition: userOf }, store).passes(of('alice', secret), forbidden)
    expect(deleted).toEqual(['GET\nhttps://bible-api.com verse', expect.stringMatching(/^[0-9a-f]{64}\nGET\n/)])
  })
})

describe('what a write changes', () => {
  const owned: StaleIfErrorOptions = { ...KEPT, partition: userOf }

  test('is dropped for its caller and for everyone, and not for others', () => {
    const world = new World(owned).passes(of('alice')).passes(of('bob')).passes()
    world.passes({ ...of('alice'), method: 'POST' }, { status: 201 })
    expect([world.failed(of('alice')), world.failed(), world.failed(of('bob')) !== undefined]).toEqual([
      undefined,
      undefined,
      true,
    ])
  })

  test('by nobody is dropped for nobody alone', () => {
    const world = new World(owned).passes(of('alice')).passes()
    world.passes({ method: 'POST' }, { status: 200 })
    expect([world.failed(), world.failed(of('alice')) !== undefined]).toEqual([undefined, true])
  })

  test('is dropped where the answer names it, on the same origin and over http as well', () => {
    for (const origin of ['https://a.test', 'http://a.test']) {
      const world = new World(KEPT).passes({ url: `${origin}/list` }).passes({ url: `${origin}/other` })
      const headers = { location: '/list', 'content-location': 'https://elsewhere.test/other' }
      world.passes({ url: `${origin}/new`, method: 'POST' }, { status: 201, headers })
      expect(world.failed({ url: `${origin}/list` })).toBeUndefined()
      expect(world.failed({ url: `${origin}/other` })).toBeDefined()
    }
  })

  test('is dropped though the answer names what is no address', () => {
    const world = new World(KEPT).passes()
    world.passes({ method: 'POST' }, { headers: { location: 'https://[' } })
    expect(world.failed()).toBeUndefined()
  })

  test('is dropped under its key, and nothing where that leaves it alone', () => {
    const key = ({ url }: HttpRequest): string | undefined => new URL(url).searchParams.get('verse') ?? undefined
    const [verse, none] = [`${PLACE}?verse=16`, PLACE]
    const world = new World({ ...KEPT, key }).passes({ url: verse })
    world.passes({ url: none, method: 'PUT' })
    expect(world.failed({ url: verse })).toBeDefined()
    world.passes({ url: verse, method: 'PUT' })
    expect(world.failed({ url: verse })).toBeUndefined()
  })

  test.each([
    ['that failed', { method: 'POST' }, 400],
    ['that is OPTIONS', { method: 'OPTIONS' }, 204],
    ['that is TRACE', { method: 'TRACE' }, 200],
  ])('is kept after one %s', (_, asked, status) => {
    expect(new World(KEPT).passes().passes(asked, { status }).failed()).toBeDefined()
  })
})

test('a program of one user and one of many do not meet in a store', () => {
  const one = new World({ ...KEPT, shared: false }).passes()
  const many = new World(KEPT, one.store)
  expect([one.failed() !== undefined, many.failed()]).toEqual([true, undefined])
})
