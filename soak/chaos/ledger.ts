// The books of the chaos: for each call and host, what the board let through and what arrived, kept apart and compared afterwards.
import type { Attempt, Board, Circuit } from '@fuseboard/core'
import type { Call } from './calls.ts'
import type { Arrivals } from './host.ts'

/** One call at one host. */
interface Account {
  /** Attempts that were let through. */
  sent: number
  refused: number
  /** Those that passed a circuit that was off, once for each layer that saw them. */
  unguarded: number
  /** Attempts that ended with the head of an answer. */
  heads: number
  /** Requests that arrived; those of them that a redirect led there. */
  arrived: number
  hops: number
}

/** What a caller was left with. */
export interface End {
  readonly what: 'answer' | 'stand-in for a refusal' | 'stand-in for a failure' | 'refusal' | 'error' | 'left'
  /** The status of an answer, the reason of a refusal, the kind of an error. */
  readonly detail: string
  /** Why the caller could not have been given that. */
  readonly wrong?: string | undefined
}

/** A call under way, or over. */
interface Entry {
  readonly call: Call
  readonly client: string
  /** Whether the client follows redirects where no board may see it. */
  readonly hidesHops: boolean
  readonly accounts: Map<string, Account>
  end: End | undefined
}

/** What a circuit counts. */
interface Counted {
  admitted: number
  refused: number
  stoodIn: number
}

/** What all calls came to. */
export interface Totals {
  calls: number
  sent: number
  arrived: number
  hiddenHops: number
  /** Requests that arrived past a circuit that was off. */
  unguarded: number
  stoodIn: number
  refused: number
  /** By what the callers were left with. */
  readonly ends: Map<string, number>
  /** Attempts that were let through and did not arrive, by how their call ended. */
  readonly unarrived: Map<string, number>
}

/** @returns what the ledger keeps for itself: attempts are told of as the adapters begin them */
export class Ledger implements Arrivals {
  readonly totals: Totals = {
    calls: 0,
    sent: 0,
    arrived: 0,
    hiddenHops: 0,
    unguarded: 0,
    stoodIn: 0,
    refused: 0,
    ends: new Map(),
    unarrived: new Map(),
  }
  /** Attempts that are not settled. */
  open = 0
  readonly #entries = new Map<string, Entry>()
  /** By the key of a circuit: what it must have counted since the books were opened. */
  readonly #counted = new Map<string, Counted>()
  readonly #before = new Map<string, Counted>()
  readonly #wrong: string[] = []

  /** Has each attempt of a board entered from now on. */
  watch(board: Board): void {
    const attempt = board.attempt.bind(board)
    board.attempt = (request, handed) => {
      const begun = attempt(request, handed)
      if (begun !== handed) this.#begun(begun)
      return begun
    }
  }

  begin(call: Call, client: string, hidesHops: boolean): void {
    this.#entries.set(call.id, { call, client, hidesHops, accounts: new Map(), end: undefined })
  }

  end({ id }: Call, end: End): void {
    const entry = this.#entries.get(id)
    if (entry !== undefined) entry.end = end
  }

  arrived(id: string, host: string, hop: boolean): Call | undefined {
    this.totals.arrived++
    const entry = this.#entries.get(id)
    if (entry === undefined) {
      this.#wrong.push(`a request arrived at ${host} that no call has sent: ${id}`)
      return undefined
    }
    const account = this.#accountOf(entry, host)
    account.arrived++
    if (hop) account.hops++
    return entry.call
  }

  /** The calls that are not over. */
  get under(): readonly string[] {
    return [...this.#entries.values()].filter(({ end }) => end === undefined).map((entry) => tell(entry))
  }

  /** Opens the books, while nothing is under way. */
  start(board: Board): void {
    this.#counted.clear()
    for (const circuit of board.circuits()) this.#before.set(circuit.key, countsOf(circuit))
  }

  /** Closes the books of the calls since then. @returns what does not add up */
  close(board: Board): readonly string[] {
    for (const entry of this.#entries.values()) this.#wrong.push(...this.#check(entry))
    this.#entries.clear()
    for (const circuit of board.circuits()) {
      const now = countsOf(circuit)
      const before = this.#before.get(circuit.key)
      const counted = this.#countedOf(circuit.key)
      for (const what of Object.keys(counted) as (keyof Counted)[]) {
        const more = now[what] - (before?.[what] ?? 0)
        if (more !== counted[what])
          this.#wrong.push(`${circuit.key} counts ${more} ${what}, and it was ${counted[what]}`)
      }
    }
    return this.#wrong.splice(0)
  }

  #begun(attempt: Attempt): void {
    const { request, host } = attempt
    const id = [...request.headers].find(([name]) => name.toLowerCase() === 'x-request-id')?.[1]
    const entry = this.#entries.get(`${id}`)
    if (entry === undefined) return void this.#wrong.push(`an attempt at ${host} that no call has made: ${id}`)
    const account = this.#accountOf(entry, host)
    const counted = this.#countedOf(host)
    if (attempt.refused) {
      account.refused++
      counted.refused++
      this.totals.refused++
    } else if (attempt.guarded) {
      account.sent++
      counted.admitted++
      this.totals.sent++
      this.#follow(attempt, account)
    } else account.unguarded++
    this.#seeStandIns(attempt, counted)
  }

  #follow(attempt: Attempt, account: Account): void {
    this.open++
    let over = false
    const end = (): void => {
      if (!over) this.open--
      over = true
    }
    const settle = attempt.settle.bind(attempt)
    const release = attempt.release.bind(attempt)
    attempt.settle = (outcome) => {
      if (!over && 'status' in outcome) account.heads++
      end()
      return settle(outcome)
    }
    attempt.release = () => {
      end()
      release()
    }
  }

  #seeStandIns(attempt: Attempt, counted: Counted): void {
    const standIn = attempt.standIn.bind(attempt)
    attempt.standIn = () => {
      const asked = standIn()
      return asked?.then((reply) => {
        if (reply !== undefined) {
          counted.stoodIn++
          this.totals.stoodIn++
        }
        return reply
      })
    }
  }

  #check(entry: Entry): readonly string[] {
    const { totals } = this
    const { end, accounts, hidesHops } = entry
    totals.calls++
    if (end === undefined) return [`${tell(entry)} did not end`]
    add(totals.ends, end.what === 'left' ? 'left' : `${end.what}: ${end.detail}`, 1)
    const all = [...accounts.values()]
    const wrong = end.wrong === undefined ? [] : [end.wrong]
    const [refused, heads] = [sum(all, 'refused'), sum(all, 'heads')]
    if (end.what === 'refusal' && refused === 0) wrong.push('was refused by nobody')
    if (end.what === 'stand-in for a refusal' && refused === 0) wrong.push('was stood in for, and refused by nobody')
    if (end.what === 'answer' && sum(all, 'arrived') === 0) wrong.push('has an answer and never arrived')
    for (const [host, account] of accounts) {
      const { sent, arrived, hops, unguarded } = account
      const besides = Math.max(0, arrived - sent)
      const passed = Math.min(unguarded, besides)
      const hidden = hidesHops ? Math.min(hops, besides - passed) : 0
      totals.unguarded += passed
      totals.hiddenHops += hidden
      const unarrived = sent + passed + hidden - arrived
      if (unarrived < 0) wrong.push(`arrived ${arrived} times at ${host} and was sent ${sent} times`)
      if (unarrived > 0) add(totals.unarrived, end.what === 'left' ? 'left' : end.detail, unarrived)
      if (account.heads > arrived) wrong.push(`has ${heads} answers of ${host} and arrived ${arrived} times`)
    }
    return wrong.map((what) => `${tell(entry)} ${what}`)
  }

  #accountOf({ accounts }: Entry, host: string): Account {
    let account = accounts.get(host)
    if (account === undefined)
      accounts.set(host, (account = { sent: 0, refused: 0, unguarded: 0, heads: 0, arrived: 0, hops: 0 }))
    return account
  }

  #countedOf(host: string): Counted {
    let counted = this.#counted.get(host)
    if (counted === undefined) this.#counted.set(host, (counted = { admitted: 0, refused: 0, stoodIn: 0 }))
    return counted
  }
}

const countsOf = ({ counters }: Circuit): Counted => ({
  admitted: counters.successes + counters.failures + counters.ignored,
  refused: counters.refused,
  stoodIn: counters.fallbacks,
})

const sum = (accounts: readonly Account[], name: keyof Account): number =>
  accounts.reduce((total, account) => total + account[name], 0)

function add(counts: Map<string, number>, name: string, count: number): void {
  counts.set(name, (counts.get(name) ?? 0) + count)
}

const tell = ({ client, call, end }: Entry): string =>
  `${client}, call ${call.id} (${call.method} ${call.doc}, ${call.luck.toFixed(2)} ${call.fault}, ${call.givingUp.how}, ` +
  `${call.reading.how}${end === undefined ? '' : `; ${end.what} ${end.detail}`})`
