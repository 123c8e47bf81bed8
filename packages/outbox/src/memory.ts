// An outbox in memory: for tests, and for what may be lost with the process.
import type { Claim, Depth, Ending, Entry, OutboxStore, Result } from './store.ts'

interface Row {
  entry: Entry
  /** When it may be claimed: since it is to wait, or since another has it. */
  due: number
  lease: string
  error: string | undefined
  ending: Ending | undefined
}

/** Keeps requests in the memory of the process. They are gone with it: for tests, and where that is no loss. */
export function memoryOutbox(): OutboxStore {
  return new Memory()
}

class Memory implements OutboxStore {
  readonly #rows = new Map<string, Row>()
  #leases = 0

  put(entry: Entry): 'queued' | 'duplicate' {
    this.#clear(entry.queuedAt)
    const known = this.#rows.get(entry.id)
    if (known !== undefined && known.ending?.state !== 'dead') return 'duplicate'
    // As the latest: what waits longest goes first.
    this.#rows.delete(entry.id)
    this.#rows.set(entry.id, { entry, due: entry.notBefore, lease: '', error: undefined, ending: undefined })
    return 'queued'
  }

  claim(circuit: string, most: number, now: number, leasedUntil: number): readonly Claim[] {
    const keys = new Set<string>()
    const due = this.#pending.filter(({ entry, due }) => {
      if (entry.circuit !== circuit) return false
      const first = !keys.has(entry.idempotencyKey)
      keys.add(entry.idempotencyKey)
      return first && due <= now
    })
    return due.slice(0, most).map((row) => {
      row.due = leasedUntil
      row.lease = String(++this.#leases)
      return { ...row.entry, lease: row.lease }
    })
  }

  retry(claim: Claim, { at, attempts, error }: { at: number; attempts: number; error: string | undefined }): void {
    const row = this.#claimed(claim)
    if (row === undefined) return
    row.entry = { ...row.entry, attempts }
    row.due = at
    row.lease = ''
    row.error = error ?? row.error
  }

  settle(claim: Claim, ending: Ending): void {
    const row = ending.state === 'sent' ? this.#rows.get(claim.id) : this.#claimed(claim)
    if (row !== undefined) row.ending = ending
  }

  result(id: string): Result | undefined {
    const row = this.#rows.get(id)
    return row && (row.ending ?? { state: 'pending', attempts: row.entry.attempts, error: row.error })
  }

  depth(): Depth {
    const pending = this.#pending
    return {
      pending: pending.length,
      oldest: pending.length === 0 ? undefined : Math.min(...pending.map(({ entry }) => entry.queuedAt)),
      dead: [...this.#rows.values()].filter(({ ending }) => ending?.state === 'dead').length,
      circuits: [...new Set(pending.map(({ entry }) => entry.circuit))],
    }
  }

  get #pending(): readonly Row[] {
    return [...this.#rows.values()].filter(({ ending }) => ending === undefined)
  }

  #claimed({ id, lease }: Claim): Row | undefined {
    const row = this.#rows.get(id)
    return row?.ending === undefined && row?.lease === lease ? row : undefined
  }

  /** What was sent is remembered for as long as the API remembers it: until then it is a duplicate. */
  #clear(now: number): void {
    for (const [id, { entry, ending }] of this.#rows) {
      if (ending?.state === 'sent' && entry.expiresAt <= now) this.#rows.delete(id)
    }
  }
}
