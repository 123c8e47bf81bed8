// What a board has counted so far, by host: kept once for each board, so that all exporters show the same.
import type { Board, Circuit, Counters, State, StoreEvent } from '@fuseboard/core'
import { addressOf } from './address.ts'
import { ATTRIBUTES, OTHER } from './names.ts'

/** @internal */
export type Attributes = Readonly<Record<string, string | number>>

/** @internal One host at one moment, or several together. */
export interface Reading {
  readonly host: Host
  /** How many circuits are in each state. */
  readonly states: Readonly<Record<State, number>>
  readonly totals: Counters
  readonly window: Circuit['window']
  /** Counted by `from to reason`, and by source. */
  readonly transitions: ReadonlyMap<string, number>
  readonly fallbacks: ReadonlyMap<string, number>
}

/** @internal The most hosts that are ever told apart. */
export const MOST_HOSTS = 1_000

const ledgers = new WeakMap<object, Ledger>()

/** @internal The ledger of a board. It counts transitions, fallbacks and faults of stores from when it is first asked for. */
export function ledgerOf(board: Board): Ledger {
  const known = ledgers.get(board)
  if (known !== undefined) return known
  const ledger = new Ledger(board)
  ledgers.set(board, ledger)
  return ledger
}

/** @internal The hosts of a board. Calls are read from the circuits; only what is rare is listened to. */
export class Ledger {
  readonly storeErrors: Record<StoreEvent['action'], number> = { get: 0, set: 0, delete: 0, read: 0, swap: 0, watch: 0 }
  readonly #board: Board
  // A host that has once been told apart stays so: a counter that moves to another name would look like a burst of calls.
  readonly #hosts = new Map<string, Host>()
  readonly #known = new WeakMap<Circuit, Host>()
  readonly #rest: Host = new Host(OTHER, undefined, undefined)

  constructor(board: Board) {
    this.#board = board
    // Those that the policy names are never among the others, and are seen before their first call.
    for (const { name, label } of board.hosts()) if (!name.startsWith('*.') && label) this.#hostOf(name, label)
    board.on('transition', ({ key, label, from, to, reason }) =>
      count(this.#hostOf(key, label).transitions, `${from} ${to} ${reason}`),
    )
    board.on('fallback', ({ key, label, source }) => count(this.#hostOf(key, label).fallbacks, source))
    board.on('store', ({ action }) => void this.storeErrors[action]++)
  }

  /** All hosts; those beyond the most that are wanted come last, as one. */
  read(most: number): readonly Reading[] {
    for (const host of this.#hosts.values()) host.forgetRetired(this.#board)
    this.#rest.circuits.clear()
    for (const circuit of this.#board.circuits()) this.#hostOfCircuit(circuit).circuits.set(circuit.key, circuit)

    const all = [...this.#hosts.values()].map((host) => host.read(1))
    const rest = [...all.slice(most), this.#readRest()].reduce((sum, reading) => add(this.#rest, sum, reading))
    return isEmpty(rest) ? all.slice(0, most) : [...all.slice(0, most), rest]
  }

  // What made room for others is known as a sum: the rest has what no host of its own has taken from it.
  #readRest(): Reading {
    let retired = this.#board.evicted
    for (const { retired: taken } of this.#hosts.values()) {
      retired = combine(retired, taken, (sum, part) => Math.max(0, sum - part))
    }
    this.#rest.retired = retired
    return this.#rest.read()
  }

  #hostOfCircuit(circuit: Circuit): Host {
    const known = this.#known.get(circuit)
    if (known !== undefined) return known
    const host = this.#hostOf(circuit.key, circuit.label)
    this.#known.set(circuit, host)
    return host
  }

  #hostOf(key: string, label: string): Host {
    const { host, port } = addressOf(key)
    if (host === '' || host === OTHER) return this.#rest
    const name = `${host} ${port ?? ''}`
    const known = this.#hosts.get(name)
    if (known !== undefined) return known
    if (this.#hosts.size >= MOST_HOSTS) return this.#rest
    const made = new Host(host, port, label === key ? undefined : label)
    this.#hosts.set(name, made)
    return made
  }
}

/** @internal One host, with the attributes that it is shown with. Several circuits may have its name: a policy makes their keys. */
export class Host {
  readonly circuits: Map<string, Circuit> = new Map()
  readonly transitions: Map<string, number> = new Map()
  readonly fallbacks: Map<string, number> = new Map([
    ['stored', 0],
    ['made', 0],
  ])
  /** What circuits counted that made room for others. */
  retired: Counters = NOTHING
  #shown: Counters = NOTHING
  readonly #attributes = new Map<string, Attributes>()

  constructor(address: string, port: number | undefined, label: string | undefined) {
    const attributes: Record<string, string | number> = { [ATTRIBUTES.address]: address }
    if (port !== undefined) attributes[ATTRIBUTES.port] = port
    if (label !== undefined) attributes[ATTRIBUTES.label] = label
    this.#attributes.set('', attributes)
  }

  /** The host's own attributes and some more: the same object each time. */
  attributes(...more: readonly (readonly [name: string, value: string])[]): Attributes {
    let id = ''
    for (const [name, value] of more) id += ` ${name} ${value}`
    const known = this.#attributes.get(id)
    if (known !== undefined) return known
    const made = { ...this.#attributes.get(''), ...Object.fromEntries(more) }
    this.#attributes.set(id, made)
    return made
  }

  /** A circuit that made room keeps what it counted, and may have a successor of its name. */
  forgetRetired(board: Board): void {
    for (const [key, circuit] of this.circuits) {
      if (board.peek(key) === circuit) continue
      this.retired = combine(this.retired, circuit.counters, plus)
      this.circuits.delete(key)
    }
  }

  /** @param vacant how many closed circuits it stands for while it has none: the next call would make one */
  read(vacant = 0): Reading {
    let totals = this.retired
    let window = NO_CALLS
    const states = { ...NO_STATES, closed: this.circuits.size === 0 ? vacant : 0 }
    for (const circuit of this.circuits.values()) {
      totals = combine(totals, circuit.counters, plus)
      window = combine(window, circuit.window, plus)
      states[circuit.state]++
    }
    // A success is taken back where its body breaks; who reads a counter that goes down takes it for a new one.
    this.#shown = combine(this.#shown, totals, Math.max)
    const { transitions, fallbacks } = this
    return { host: this, states, totals: this.#shown, window, transitions, fallbacks }
  }
}

function add(host: Host, one: Reading, other: Reading): Reading {
  return {
    host,
    states: combine(one.states, other.states, plus),
    totals: combine(one.totals, other.totals, plus),
    window: combine(one.window, other.window, plus),
    transitions: addCounts(one.transitions, other.transitions),
    fallbacks: addCounts(one.fallbacks, other.fallbacks),
  }
}

const isEmpty = ({ states, totals, transitions, fallbacks }: Reading): boolean =>
  [...Object.values(states), ...Object.values(totals), ...transitions.values(), ...fallbacks.values()].every(
    (value) => value === 0,
  )

function count(counts: Map<string, number>, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1)
}

function addCounts(one: ReadonlyMap<string, number>, other: ReadonlyMap<string, number>): ReadonlyMap<string, number> {
  const sum = new Map(one)
  for (const [name, value] of other) sum.set(name, (sum.get(name) ?? 0) + value)
  return sum
}

function combine<T extends object>(one: T, other: T, how: (one: number, other: number) => number): T {
  const made: Record<string, number> = {}
  const [left, right] = [one, other] as [Record<string, number>, Record<string, number>]
  for (const name of Object.keys(one)) made[name] = how(left[name] ?? 0, right[name] ?? 0)
  return made as T
}

const plus = (one: number, other: number): number => one + other
const NO_STATES = { closed: 0, open: 0, 'half-open': 0, isolated: 0, bypassed: 0 } as const satisfies Record<
  State,
  number
>
const NO_CALLS: Circuit['window'] = { calls: 0, failures: 0, slow: 0 }
const NOTHING: Counters = {
  successes: 0,
  failures: 0,
  ignored: 0,
  refused: 0,
  stale: 0,
  slow: 0,
  fallbacks: 0,
  trips: 0,
  inFlight: 0,
  openMs: 0,
  savedMs: 0,
}
