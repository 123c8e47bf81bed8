// SQLite: a file in a temporary folder.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { StoredReply } from '@fuseboard/core'
import { afterAll, describe, expect, test } from 'vitest'
import { PLACES } from '../test/places.ts'
import { restartSuite, storeSuite } from '../test/suite.ts'
import { sqliteReplies } from './sqlite.ts'

const folder = mkdtempSync(join(tmpdir(), 'fuseboard-'))
afterAll(() => rmSync(folder, { recursive: true }))

const path = join(folder, 'replies.db')
storeSuite({ name: 'sqlite', open: () => PLACES.sqlite(path), roomFor: 8 << 20 })
restartSuite('sqlite', () => path)

describe('a file', () => {
  const entry = (key: string, bytes = 1): StoredReply => ({
    v: 1,
    key,
    vary: {},
    status: 200,
    statusText: 'OK',
    headers: [],
    body: new Uint8Array(bytes),
    decoded: true,
    storedAt: 0,
    ageAtStore: 0,
    staleAt: 0,
    expiresAt: 9e15,
  })
  const size = (ttlMs = 60_000): { ttlMs: number; bytes: number } => ({ ttlMs, bytes: 1 })
  const keysIn = (database: DatabaseSync): unknown[] =>
    database
      .prepare('SELECT key FROM fuseboard_replies ORDER BY key')
      .all()
      .map(({ key }) => key)
  const totals = (database: DatabaseSync): unknown =>
    database
      .prepare('SELECT total, (SELECT sum(length(value)) FROM fuseboard_replies) AS sum FROM fuseboard_replies_bytes')
      .all()

  test('takes no more than it may, and what would expire first goes first', () => {
    using database = new DatabaseSync(':memory:')
    const store = sqliteReplies(database, { maxBytes: 80_000 })
    for (let n = 0; n < 8; n++) store.set(`${n}`, [entry(`${n}`, 9_000)], size(n === 5 ? 1_000 : 60_000 + n * 1_000))
    expect(keysIn(database)).toHaveLength(8)
    store.set('8', [entry('8', 9_000)], size(90_000))
    expect(keysIn(database)).toEqual(['0', '1', '2', '3', '4', '6', '7', '8'])
    store.set('9', [entry('9', 9_000)], size(90_000))
    expect(keysIn(database)).toEqual(['1', '2', '3', '4', '6', '7', '8', '9'])
    expect(store.evicted).toBe(2)
  })

  test('counts its bytes through whatever is done', () => {
    using database = new DatabaseSync(':memory:')
    const store = sqliteReplies(database)
    for (let n = 0; n < 500; n++) {
      const key = `${(n * 7) % 40}`
      if (n % 5 === 0) store.delete(key)
      else store.set(key, [entry(key, (n * 31) % 997)], size())
    }
    const [counted] = totals(database) as [{ total: number; sum: number }]
    expect(counted.total).toBe(counted.sum)
    for (let n = 0; n < 40; n++) store.delete(`${n}`)
    expect(totals(database)).toEqual([{ total: 0, sum: null }])
  })

  test('is cleared of what has expired as others come', () => {
    using database = new DatabaseSync(':memory:')
    const store = sqliteReplies(database)
    store.get('none')
    const old = database.prepare('INSERT INTO fuseboard_replies (key, expires, value) VALUES (?, ?, ?)')
    for (let n = 0; n < 40; n++) old.run(`old ${n}`, n, new Uint8Array(10))
    store.set('a', [entry('a')], size())
    expect(keysIn(database)).toHaveLength(9)
    store.set('b', [entry('b')], size())
    expect([keysIn(database), store.evicted]).toEqual([['a', 'b'], 0])
  })

  test('does not keep what takes more than an eighth, nor what that supersedes', () => {
    using database = new DatabaseSync(':memory:')
    const store = sqliteReplies(database, { maxBytes: 8_000 })
    store.set('a', [entry('a')], size())
    expect(() => store.set('a', [entry('a', 1_000)], size())).toThrow(
      /^not kept, with a body of 1000 bytes it takes more than an eighth of maxBytes \(1000\)$/,
    )
    expect(store.get('a')).toBeUndefined()
  })

  test('that another process has locked fails at once, and serves again afterwards', () => {
    const file = join(folder, 'locked.db')
    using other = new DatabaseSync(file)
    other.exec('BEGIN EXCLUSIVE')
    using database = new DatabaseSync(file)
    const store = sqliteReplies(database)
    expect(() => store.get('a')).toThrow('locked')
    expect(() => store.set('a', [entry('a')], size())).toThrow('locked')
    expect(() => store.delete('a')).toThrow('locked')
    other.exec('COMMIT')
    store.set('a', [entry('a')], size())
    other.exec('BEGIN IMMEDIATE')
    expect(() => store.set('a', [], size())).toThrow('locked')
    expect(() => store.delete('a')).toThrow('locked')
    other.exec('COMMIT')
    expect(store.get('a')).toEqual([entry('a')])
    store.delete('a')
    expect(store.get('a')).toBeUndefined()
  })

  test('in which the caller has begun a transaction is written within it', () => {
    using database = new DatabaseSync(':memory:')
    const store = sqliteReplies(database)
    store.set('a', [entry('a')], size())
    database.exec('BEGIN')
    store.set('b', [entry('b')], size())
    expect(store.get('b')).toHaveLength(1)
    database.exec('ROLLBACK')
    expect(keysIn(database)).toEqual(['a'])
  })

  test('that is full keeps what it had', () => {
    using database = new DatabaseSync(':memory:')
    const store = sqliteReplies(database)
    store.set('a', [entry('a')], size())
    database.exec('PRAGMA max_page_count = 12')
    expect(() => store.set('a', [entry('a', 1 << 20)], size())).toThrow('full')
    expect(store.get('a')).toEqual([entry('a')])
    store.set('b', [entry('b')], size())
    expect(keysIn(database)).toEqual(['a', 'b'])
  })

  test('that was closed, and one that is no database, fail each call', () => {
    const database = new DatabaseSync(':memory:')
    const store = sqliteReplies(database)
    store.get('a')
    database.close()
    expect(() => store.get('a')).toThrow(Error)
    expect(() => store.set('a', [], size())).toThrow(Error)
    const file = join(folder, 'text.db')
    writeFileSync(file, 'no database, but long enough to be taken for the beginning of one '.repeat(99))
    using broken = new DatabaseSync(file)
    expect(() => sqliteReplies(broken).get('a')).toThrow('not a database')
  })

  test('with a value of another make is a miss', () => {
    using database = new DatabaseSync(':memory:')
    const store = sqliteReplies(database)
    store.get('a')
    database.prepare("INSERT INTO fuseboard_replies VALUES ('a', 9e15, 'text')").run()
    expect(() => store.get('a')).toThrow('malformed')
  })
})

test.each([
  [undefined, {}, /^sqliteReplies needs a DatabaseSync of node:sqlite, got one without exec\(\)$/],
  ['replies.db', {}, /without exec\(\)$/],
  [{ exec() {}, prepare() {} }, { maxBytes: 0 }, /^sqliteReplies\.maxBytes must be .*, got 0$/],
  [{ exec() {}, prepare() {} }, { maxBytes: '1' }, /got 1$/],
  [{ exec() {}, prepare() {} }, { table: 'a' }, /^sqliteReplies has no option table; there are maxBytes$/],
])('bad input is told: %j %j', (database, options, message) => {
  expect(() => sqliteReplies(database as never, options as never)).toThrow(message)
})
