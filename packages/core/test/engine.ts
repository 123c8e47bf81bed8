// The circuit as it ships, or a copy of its sources with a fault planted, set up on a clock that is moved by hand.
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { createBoard } from '../src/board.ts'
import type { Circuit } from '../src/circuit.ts'
import type { TransitionEvent } from '../src/events.ts'
import type { step } from '../src/fleet-step.ts'
import type { Policy } from '../src/policy.ts'

/** What makes boards: the sources', or a copy's. */
export type Engine = typeof createBoard

/** One edit of the sources: its text must stand in the file exactly once. */
export interface Edit {
  readonly file: string
  readonly from: string
  readonly to: string
}

const load = createRequire(import.meta.url)
const SOURCES = join(import.meta.dirname, '..', 'src')

/** The engine of a copy of the sources, edited. */
export function plant(edits: readonly Edit[]): Engine {
  return plantAll(edits).createBoard
}

/** All that core offers, of a copy of the sources, edited. */
export function plantAll(edits: readonly Edit[]): typeof import('../src/index.ts') {
  return planted(edits, 'index.ts') as typeof import('../src/index.ts')
}

/** What makes a fleet's records, of a copy of the sources, edited. */
export function plantReducer(edits: readonly Edit[]): typeof step {
  return (planted(edits, 'fleet-step.ts') as typeof import('../src/fleet-step.ts')).step
}

function planted(edits: readonly Edit[], file: string): unknown {
  const copy = mkdtempSync(join(tmpdir(), 'fuseboard-'))
  try {
    cpSync(SOURCES, copy, { recursive: true, filter: (path) => !/\.test(-d)?\.ts$/.test(path) })
    for (const { file, from, to } of edits) {
      const text = readFileSync(join(copy, file), 'utf8')
      const found = text.split(from).length - 1
      if (found !== 1) throw new Error(`an edit no longer fits: ${file} has ${found} times, not once, ${from}`)
      writeFileSync(
        join(copy, file),
        text.replace(from, () => to),
      )
    }
    // Node reads TypeScript by itself, and sooner than the test runner does.
    return load(join(copy, file))
  } finally {
    rmSync(copy, { recursive: true })
  }
}

/** One thing that a search does to a circuit. Calls and holds are numbered in the order in which they were given. */
export type Action =
  | { readonly do: 'admit'; readonly as: Asking }
  | { readonly do: 'settle'; readonly call: number; readonly as: Ending }
  | { readonly do: 'amend'; readonly call: number }
  | { readonly do: 'wait'; readonly ms: number }
  | { readonly do: 'isolate' | 'bypass' | 'trip' | 'reset' }
  | { readonly do: 'trip for'; readonly ms: number }
  | { readonly do: 'release'; readonly hold: number }

export type Asking = 'task' | 'safe' | 'unsafe'
export type Ending = 'success' | 'failure' | 'ignored' | 'pause' | 'short pause' | 'retry-after'

/** How long a call asks to be left alone. */
export const LEAVE = { pause: 1_500, 'short pause': 500, 'retry-after': 1_500 } as const

/** What one can see of a circuit from outside. */
export interface Sight {
  readonly state: Circuit['state']
  readonly counters: Circuit['counters']
  /** For how long it says that calls are refused: by an open time or a pause. */
  readonly refusesMs: number
  readonly calls: number
  readonly failures: number
  readonly slow: number
  readonly streak: number
}

const ASKER = {
  task: undefined,
  safe: { method: 'GET', host: 'host' },
  unsafe: { method: 'POST', host: 'host' },
} as Record<Asking, Parameters<Circuit['admit']>[0]>

/** A new circuit, its clock, and what it has given away. */
export class Subject {
  now = 1_000_000
  /** Of each admitted call, in order. */
  readonly tokens: number[] = []
  readonly told: TransitionEvent[] = []
  readonly warnings: string[] = []
  readonly circuit: Circuit
  readonly #startedAt: number[] = []
  readonly #results: number[] = []
  readonly #holds: ReturnType<Circuit['isolate']>[] = []

  constructor(createBoard: Engine, policy: Policy) {
    const board = withoutChance(() => createBoard({ ...policy, clock: { now: () => this.now } }))
    board.on('transition', (event) => this.told.push(event))
    board.on('warning', ({ message }) => this.warnings.push(message))
    this.circuit = board.circuit('host')
  }

  /** Does one thing. @returns the token of an admission, negative where it was refused */
  act(action: Action): number {
    const { circuit } = this
    switch (action.do) {
      case 'admit':
        return this.#admit(action.as)
      case 'settle':
        this.#results[action.call] = this.#settle(action.call, action.as)
        return 0
      case 'amend':
        circuit.amend(this.#token(action.call), this.#results[action.call] ?? NONE, 'body')
        return 0
      case 'wait':
        this.now += action.ms
        return 0
      case 'isolate':
      case 'bypass':
        this.#holds.push(circuit[action.do]())
        return 0
      case 'release':
        this.#holds[action.hold]?.release()
        return 0
      case 'trip for':
        circuit.trip(action.ms)
        return 0
      case 'trip':
      case 'reset':
        circuit[action.do]()
        return 0
    }
  }

  look(): Sight {
    const { circuit } = this
    const said = circuit.explain()
    const [calls = NONE, failures = NONE, slow = NONE, streak = NONE] = (WINDOW.exec(said) ?? []).slice(1).map(Number)
    return {
      state: circuit.state,
      counters: circuit.counters,
      refusesMs: circuit.retryAfterMs ?? 0,
      calls,
      failures,
      slow,
      streak,
    }
  }

  refusal(token: number): ReturnType<Circuit['refusal']> {
    return this.circuit.refusal(token)
  }

  #admit(as: Asking): number {
    const token = this.circuit.admit(ASKER[as], this.now)
    if (token >= 0) {
      this.tokens.push(token)
      this.#startedAt.push(this.now)
    }
    return token
  }

  #settle(call: number, as: Ending): number {
    const { circuit } = this
    const token = this.#token(call)
    if (as === 'pause' || as === 'short pause') {
      circuit.pause(LEAVE[as])
      return circuit.settle(token, 'ignored', this.#startedAt[call])
    }
    if (as === 'retry-after') circuit.holdOff(LEAVE[as])
    return circuit.settle(token, as === 'retry-after' ? 'failure' : as, this.#startedAt[call])
  }

  #token(call: number): number {
    return this.tokens[call] ?? NONE
  }
}

const NONE = -1
const WINDOW = /In its window: (\d+) calls?, (\d+) failed, (\d+) slow; (\d+) failures? in a row/

// A board takes its chance when it is made.
function withoutChance<T>(make: () => T): T {
  const { random } = Math
  Math.random = () => 0
  try {
    return make()
  } finally {
    Math.random = random
  }
}
