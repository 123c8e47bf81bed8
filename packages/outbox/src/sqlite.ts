// An outbox in a file of SQLite, through node:sqlite: what it has answered for is on the disk.
import { randomUUID } from 'node:crypto'
import { DatabaseSync, type StatementSync } from 'node:sqlite'
import { show, wordsOf } from './options.ts'
import type { Claim, Depth, Ending, Entry, OutboxStore, Result } from './store.ts'

/** What is needed of a database. */
export type DatabaseLike = Pick<DatabaseSync, 'exec' | 'prepare'>

/**
 * Keeps requests in the table `fuseboard_outbox` of a database, which is made when it is first needed. Several processes may
 * share a file.
 *
 * @param database the path of a file, which is opened in WAL mode with `synchronous = FULL` so that what was queued survives
 * the loss of power; or a database of the caller's own, whose settings count as they are
 * @returns the engine. A file that was opened here is closed with the outbox that has it (`await using`), or by
 * `store[Symbol.dispose]()`: calls fail from then on. A database of the caller's own is not closed.
 * @example createOutbox({ store: sqliteOutbox('outbox.db') })
 * @throws TypeError where it is neither; Error where the file cannot be opened
 */
export function sqliteOutbox(database: DatabaseLike | string): OutboxStore & Disposable {
  if (typeof database === 'string' && database !== '') {
    const own = about(database, () => new DatabaseSync(database))
    return new Table(() => about(database, () => setUp(own)), own)
  }
  const methods = ['exec', 'prepare'] as const
  const isOne = methods.every((name) => typeof (database as Partial<DatabaseLike> | undefined)?.[name] === 'function')
  if (isOne) return new Table(() => database as DatabaseLike)
  throw new TypeError(`sqliteOutbox needs the path of a file or a DatabaseSync of node:sqlite, got ${show(database)}`)
}

function setUp(database: DatabaseSync): DatabaseLike {
  database.exec('PRAGMA busy_timeout = 5000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL')
  return database
}

/** @throws Error that names the file, which SQLite does not */
function about<T>(path: string, step: () => T): T {
  try {
    return step()
  } catch (error) {
    throw new Error(`The outbox in ${path}: ${wordsOf(error)}`, { cause: error })
  }
}

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS fuseboard_outbox (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    circuit TEXT NOT NULL,
    key TEXT NOT NULL,
    entry TEXT NOT NULL,
    body BLOB,
    queued INTEGER NOT NULL,
    expires INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    due INTEGER NOT NULL,
    lease TEXT NOT NULL DEFAULT '',
    error TEXT,
    state TEXT NOT NULL DEFAULT 'pending',
    ending TEXT
  );
  CREATE INDEX IF NOT EXISTS fuseboard_outbox_due ON fuseboard_outbox (state, circuit, due);
  CREATE INDEX IF NOT EXISTS fuseboard_outbox_key ON fuseboard_outbox (state, circuit, key, seq);
  CREATE INDEX IF NOT EXISTS fuseboard_outbox_expires ON fuseboard_outbox (state, expires);
`

/** How many ended entries go at most when one comes, so that no write takes long. */
const MOST_GONE = 32

class Table implements OutboxStore, Disposable {
  readonly #open: () => DatabaseLike
  #own: DatabaseSync | undefined
  #statements: Statements | undefined

  constructor(open: () => DatabaseLike, own?: DatabaseSync) {
    this.#open = open
    this.#own = own
  }

  put({ request, ...rest }: Entry): 'queued' | 'duplicate' {
    const { id, circuit, idempotencyKey, queuedAt, expiresAt, attempts, notBefore } = rest
    const { body, ...head } = request
    const { put, clear } = this.#ready()
    clear.run(queuedAt)
    const entry = JSON.stringify({ ...rest, request: head })
    const { changes } = put.run(
      id,
      circuit,
      idempotencyKey,
      entry,
      body ?? null,
      queuedAt,
      expiresAt,
      attempts,
      notBefore,
    )
    return changes ? 'queued' : 'duplicate'
  }

  claim(circuit: string, most: number, now: number, leasedUntil: number): readonly Claim[] {
    const lease = randomUUID()
    const rows = this.#ready().claim.all(leasedUntil, lease, circuit, now, most)
    // RETURNING has no order of its own.
    return rows.toSorted((a, b) => Number(a['seq']) - Number(b['seq'])).map((row) => ({ ...entryOf(row), lease }))
  }

  retry({ id, lease }: Claim, again: { at: number; attempts: number; error: string | undefined }): void {
    this.#ready().retry.run(again.at, again.attempts, again.error ?? null, id, lease)
  }

  settle({ id, lease }: Claim, ending: Ending): void {
    const { sent, dead } = this.#ready()
    if (ending.state === 'sent') sent.run(JSON.stringify(ending), id)
    else dead.run(JSON.stringify(ending), id, lease)
  }

  result(id: string): Result | undefined {
    const row = this.#ready().result.get(id)
    if (row === undefined) return undefined
    if (typeof row['ending'] === 'string') return JSON.parse(row['ending']) as Ending
    return { state: 'pending', attempts: Number(row['attempts']), error: (row['error'] as string | null) ?? undefined }
  }

  depth(): Depth {
    const { pending, count } = this.#ready()
    const rows = pending.all()
    return {
      pending: rows.reduce((sum, row) => sum + Number(row['pending']), 0),
      oldest: rows.length === 0 ? undefined : Math.min(...rows.map((row) => Number(row['oldest']))),
      dead: Number(count.get()?.['dead']),
      circuits: rows.map((row) => String(row['circuit'])),
    }
  }

  [Symbol.dispose](): void {
    this.#own?.close()
    // They are made anew at the next call, which says of a closed file which one it is.
    this.#own = this.#statements = undefined
  }

  /** Not when the store is made: the file may be another process's for a moment. */
  #ready(): Statements {
    if (this.#statements) return this.#statements
    const database = this.#open()
    database.exec(SCHEMA)
    return (this.#statements = {
      put: database.prepare(
        `INSERT INTO fuseboard_outbox (id, circuit, key, entry, body, queued, expires, attempts, due)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
         ON CONFLICT (id) DO UPDATE SET circuit = excluded.circuit, key = excluded.key, entry = excluded.entry, body = excluded.body,
           queued = excluded.queued, expires = excluded.expires, attempts = excluded.attempts, due = excluded.due,
           lease = '', error = NULL, state = 'pending', ending = NULL
         WHERE state = 'dead' OR (state = 'sent' AND expires <= excluded.queued)`,
      ),
      // What was sent is remembered for as long as the API remembers it: until then it is a duplicate.
      clear: database.prepare(
        `DELETE FROM fuseboard_outbox WHERE seq IN
           (SELECT seq FROM fuseboard_outbox WHERE state = 'sent' AND expires <= ? LIMIT ${MOST_GONE})`,
      ),
      claim: database.prepare(
        `UPDATE fuseboard_outbox SET due = ?, lease = ? WHERE seq IN
           (SELECT seq FROM fuseboard_outbox AS own
            WHERE state = 'pending' AND circuit = ? AND due <= ? AND NOT EXISTS
              (SELECT 1 FROM fuseboard_outbox AS earlier WHERE earlier.state = 'pending'
               AND earlier.circuit = own.circuit AND earlier.key = own.key AND earlier.seq < own.seq)
            ORDER BY seq LIMIT ?)
         RETURNING seq, entry, body, attempts`,
      ),
      retry: database.prepare(
        `UPDATE fuseboard_outbox SET due = ?, attempts = ?, error = coalesce(?, error), lease = ''
         WHERE id = ? AND lease = ? AND state = 'pending'`,
      ),
      sent: database.prepare(`UPDATE fuseboard_outbox SET state = 'sent', ending = ?, body = NULL WHERE id = ?`),
      dead: database.prepare(
        `UPDATE fuseboard_outbox SET state = 'dead', ending = ? WHERE id = ? AND lease = ? AND state = 'pending'`,
      ),
      result: database.prepare('SELECT attempts, error, ending FROM fuseboard_outbox WHERE id = ?'),
      pending: database.prepare(
        `SELECT circuit, count(*) AS pending, min(queued) AS oldest FROM fuseboard_outbox
         WHERE state = 'pending' GROUP BY circuit`,
      ),
      count: database.prepare(`SELECT count(*) AS dead FROM fuseboard_outbox WHERE state = 'dead'`),
    })
  }
}

type Statements = Readonly<
  Record<'put' | 'clear' | 'claim' | 'retry' | 'sent' | 'dead' | 'result' | 'pending' | 'count', StatementSync>
>

type Row = ReturnType<StatementSync['all']>[number]

function entryOf({ entry, body, attempts }: Row): Entry {
  const { request, ...rest } = JSON.parse(String(entry)) as Entry
  const bytes = (body as Uint8Array | null) ?? undefined
  return { ...rest, attempts: Number(attempts), request: { ...request, body: bytes } }
}
