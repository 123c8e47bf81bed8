// SQLite: a file in a temporary folder.
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, describe, expect, test, vi } from 'vitest'
import { entryOf, outboxSuite } from '../test/suite.ts'
import { createOutbox } from './outbox.ts'
import type { Claim } from './store.ts'
import { sqliteOutbox, type DatabaseLike } from './sqlite.ts'

const folder = mkdtempSync(join(tmpdir(), 'fuseboard-'))
afterAll(() => rmSync(folder, { recursive: true }))

const path = join(folder, 'outbox.db')
// Another connection to the same file each time, as other processes have.
outboxSuite('sqlite', () => sqliteOutbox(path))

describe('a file', () => {
  test('is written through to the disk at each commit', () => {
    const exec = vi.spyOn(DatabaseSync.prototype, 'exec')
    sqliteOutbox(join(folder, 'safe.db')).depth()
    expect(exec.mock.calls[0]?.[0]).toMatch(/journal_mode = WAL.*synchronous = FULL/)
    exec.mockRestore()
    using database = new DatabaseSync(join(folder, 'safe.db'))
    expect(database.prepare('PRAGMA journal_mode').get()).toEqual({ journal_mode: 'wal' })
  })

  test('is closed with the outbox that has it, once: nothing but the file stays, and a call says which one it is', async () => {
    const file = join(folder, 'closed.db')
    const files = (): string[] => readdirSync(folder).filter((name) => name.startsWith('closed.db'))
    {
      using store = sqliteOutbox(file)
      await using outbox = createOutbox({ store })
      await outbox.enqueue({ url: 'https://api.test/', body: 'text', idempotencyHeader: 'Key' })
      expect(files()).toEqual(['closed.db', 'closed.db-shm', 'closed.db-wal'])
      await outbox[Symbol.asyncDispose]()
      expect(files()).toEqual(['closed.db'])
      await expect(outbox.depth()).rejects.toThrow(`The outbox in ${file}: database is not open`)
      expect(() => store.put(entryOf())).toThrow(`The outbox in ${file}: database is not open`)
    }
    using again = sqliteOutbox(file)
    expect(again.depth()).toMatchObject({ pending: 1 })
  })

  test('of the caller keeps its settings, and is not closed', () => {
    using database = new DatabaseSync(join(folder, 'own.db'))
    const store = sqliteOutbox(database)
    store.put(entryOf())
    store[Symbol.dispose]()
    expect(store.depth()).toMatchObject({ pending: 1 })
    expect(database.prepare('PRAGMA journal_mode').get()).toEqual({ journal_mode: 'delete' })
    expect(database.prepare('SELECT state FROM fuseboard_outbox').all()).toEqual([{ state: 'pending' }])
  })

  test('does not keep the body of what was sent', () => {
    using database = new DatabaseSync(':memory:')
    const store = sqliteOutbox(database)
    const entry = entryOf()
    store.put(entry)
    const claims = store.claim(entry.circuit, 1, entry.notBefore, entry.notBefore + 1) as readonly Claim[]
    store.settle(claims[0] as Claim, { state: 'sent', at: 0, receipt: { status: 201, headers: [], body: '' } })
    expect(database.prepare('SELECT state, body FROM fuseboard_outbox').all()).toEqual([{ state: 'sent', body: null }])
  })

  test('that two processes share gives each entry to one of them', () => {
    const file = join(folder, 'shared.db')
    const stores = [sqliteOutbox(file), sqliteOutbox(file)]
    const { circuit, notBefore } = entryOf()
    for (let n = 0; n < 20; n++) stores[n % 2]?.put(entryOf({ circuit }))
    const given = Array.from(
      { length: 12 },
      (_, n) => stores[n % 2]?.claim(circuit, 2, notBefore, notBefore + 1) as Claim[],
    )
    const ids = given.flat().map(({ id }) => id)
    expect([ids.length, new Set(ids).size]).toEqual([20, 20])
  })

  test('with a backlog is asked along its indexes', () => {
    using database = new DatabaseSync(':memory:')
    sqliteOutbox(database).depth()
    const plan = database
      .prepare(
        "EXPLAIN QUERY PLAN SELECT circuit, count(*), min(queued) FROM fuseboard_outbox WHERE state = 'pending' GROUP BY circuit",
      )
      .all()
    expect(JSON.stringify(plan)).toContain('USING INDEX fuseboard_outbox_due')
  })
})

test.each([
  [undefined, 'undefined'],
  ['', '""'],
  [1, '1'],
  [{}, 'an object'],
])('%j is no database', (database, shown) => {
  expect(() => sqliteOutbox(database as DatabaseLike)).toThrow(
    `sqliteOutbox needs the path of a file or a DatabaseSync of node:sqlite, got ${shown}`,
  )
})

test('a file that cannot be opened is named at once, and one that is no database at the first step', () => {
  const nowhere = join(folder, 'none', 'outbox.db')
  expect(() => sqliteOutbox(nowhere)).toThrow(`The outbox in ${nowhere}: unable to open database file`)
  const text = join(folder, 'text.db')
  writeFileSync(text, 'This is no database, whatever its name says.'.repeat(100))
  expect(() => sqliteOutbox(text).depth()).toThrow(`The outbox in ${text}: file is not a database`)
})
