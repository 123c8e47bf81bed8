// Replies in a file of SQLite, through node:sqlite.
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { ReplyStore, StoredReply } from '@fuseboard/core'
import { decode, encodeWithin } from './encoding.ts'
import { checkMethods, checkOptions, lifetimeOf } from './names.ts'

/** What is needed of a database. */
export type DatabaseLike = Pick<DatabaseSync, 'exec' | 'prepare'>

/** The limits of a store in SQLite. */
export interface SqliteRepliesOptions {
  /** What the replies may take in all; what would expire first goes first. One that takes more than an eighth is not kept. @default 268_435_456 (256 MiB) */
  maxBytes?: number
}

/** A {@link ReplyStore} that answers at once. */
export interface SqliteReplies extends ReplyStore {
  get(key: string): readonly StoredReply[] | undefined
  set(key: string, replies: readonly StoredReply[], options: { ttlMs: number }): void
  delete(key: string): void
  /** How many replies have made room for others so far. */
  readonly evicted: number
}

/**
 * Keeps replies in the table `fuseboard_replies` of a database, which is made when it is first needed.
 *
 * @param database the caller's own, which is not closed here
 * @example createBoard({ fallback: staleIfError(), replies: sqliteReplies(new DatabaseSync('replies.db')) })
 * @throws TypeError or RangeError where the database or an option is wrong
 */
export function sqliteReplies(database: DatabaseLike, options: SqliteRepliesOptions = {}): SqliteReplies {
  checkMethods(database, 'sqliteReplies needs a DatabaseSync of node:sqlite', ['exec', 'prepare'])
  checkOptions('sqliteReplies', options, ['maxBytes'])
  const { maxBytes = 256 << 20 } = options
  if (!(Number.isSafeInteger(maxBytes) && maxBytes > 0)) {
    throw new RangeError(`sqliteReplies.maxBytes must be a whole number of bytes above 0, got ${maxBytes}`)
  }
  return new Table(database, maxBytes)
}

/** How many entries go at most when one comes, so that no write takes long. */
const MOST_GONE = 32

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS fuseboard_replies (
    key TEXT NOT NULL PRIMARY KEY,
    expires INTEGER NOT NULL,
    value BLOB NOT NULL
  );
  CREATE INDEX IF NOT EXISTS fuseboard_replies_expires ON fuseboard_replies (expires);
  CREATE TABLE IF NOT EXISTS fuseboard_replies_bytes (total INTEGER NOT NULL);
  INSERT INTO fuseboard_replies_bytes SELECT 0 WHERE NOT EXISTS (SELECT * FROM fuseboard_replies_bytes);
  CREATE TRIGGER IF NOT EXISTS fuseboard_replies_insert AFTER INSERT ON fuseboard_replies BEGIN
    UPDATE fuseboard_replies_bytes SET total = total + length(new.value);
  END;
  CREATE TRIGGER IF NOT EXISTS fuseboard_replies_update AFTER UPDATE OF value ON fuseboard_replies BEGIN
    UPDATE fuseboard_replies_bytes SET total = total + length(new.value) - length(old.value);
  END;
  CREATE TRIGGER IF NOT EXISTS fuseboard_replies_delete AFTER DELETE ON fuseboard_replies BEGIN
    UPDATE fuseboard_replies_bytes SET total = total - length(old.value);
  END;
`

class Table implements SqliteReplies {
  readonly #database: DatabaseLike
  readonly #maxBytes: number
  #statements: Statements | undefined
  #evicted = 0

  constructor(database: DatabaseLike, maxBytes: number) {
    this.#database = database
    this.#maxBytes = maxBytes
  }

  get evicted(): number {
    return this.#evicted
  }

  get(key: string): readonly StoredReply[] | undefined {
    const row = this.#ready().get.get(key)
    if (row === undefined) return undefined
    const { value } = row
    if (!(value instanceof Uint8Array)) throw new Error('a malformed entry')
    return decode(value)
  }

  set(key: string, replies: readonly StoredReply[], { ttlMs }: { ttlMs: number }): void {
    const most = Math.floor(this.#maxBytes / 8)
    const value = encodeWithin(most, replies)
    if (value === undefined) {
      // What it supersedes goes all the same.
      this.delete(key)
      const size = `with a body of ${replies[0]?.body.byteLength} bytes`
      throw new Error(`not kept, ${size} it takes more than an eighth of maxBytes (${most})`)
    }
    const now = Date.now()
    this.#atOnce(({ set, first, remove, total }) => {
      set.run(key, now + lifetimeOf(ttlMs), value)
      for (let gone = 0; gone < MOST_GONE; gone++) {
        const next = first.get() as { key: string; expires: number } | undefined
        const isAlive = next !== undefined && next.expires > now
        if (next === undefined || (isAlive && Number(total.get()?.['total']) <= this.#maxBytes)) return
        remove.run(next.key)
        if (isAlive) this.#evicted++
      }
    })
  }

  delete(key: string): void {
    this.#ready().remove.run(key)
  }

  /** Not when the store is made: of many processes that start at once only one can, and the others are told that it is locked. */
  #ready(): Statements {
    if (this.#statements) return this.#statements
    const database = this.#database
    database.exec(SCHEMA)
    return (this.#statements = {
      get: database.prepare('SELECT value FROM fuseboard_replies WHERE key = ?'),
      set: database.prepare(
        `INSERT INTO fuseboard_replies (key, expires, value) VALUES (?, ?, ?)
         ON CONFLICT (key) DO UPDATE SET expires = excluded.expires, value = excluded.value`,
      ),
      remove: database.prepare('DELETE FROM fuseboard_replies WHERE key = ?'),
      first: database.prepare('SELECT key, expires FROM fuseboard_replies ORDER BY expires LIMIT 1'),
      total: database.prepare('SELECT total FROM fuseboard_replies_bytes'),
    })
  }

  /** A savepoint, for it also stands where the caller has begun a transaction. */
  #atOnce(act: (statements: Statements) => void): void {
    const statements = this.#ready()
    this.#database.exec('SAVEPOINT fuseboard')
    try {
      act(statements)
    } catch (error) {
      this.#database.exec('ROLLBACK TO fuseboard')
      throw error
    } finally {
      this.#database.exec('RELEASE fuseboard')
    }
  }
}

type Statements = Readonly<Record<'get' | 'set' | 'remove' | 'first' | 'total', StatementSync>>
