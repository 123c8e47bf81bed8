// One instance of a fleet: a board as it ships, on virtual time, and the calls that it makes of one host.
import { createBoard } from '../../src/board.ts'
import type { Circuit } from '../../src/circuit.ts'
import { fleet } from '../../src/fleet.ts'
import type { EventLoop } from './event-loop.ts'
import type { Ledger } from './ledger.ts'
import { between, gap, withRandom, type Random } from './random.ts'
import type { Scenario } from './scenario.ts'
import { EPOCH, type SimulatedStore } from './store.ts'

const HOST = 'bible-api.com'
/** How long a call takes, in milliseconds. */
const CALL = [10, 30] as const

/** What all instances of a simulation share. */
export interface World {
  readonly scenario: Scenario
  readonly loop: EventLoop
  readonly random: Random
  readonly store: SimulatedStore
  readonly ledger: Ledger
}

export class Instance {
  readonly #world: World
  readonly #of: number
  readonly #circuit: Circuit
  #dead = false

  constructor(of: number, world: World) {
    this.#of = of
    this.#world = world
    this.#circuit = makeCircuit(of, world)
  }

  begin(): void {
    this.#callLater()
  }

  #callLater(): void {
    const { loop, random, scenario } = this.#world
    loop.after(gap(random, scenario.rate(this.#of)), () => {
      if (this.#dead) return
      this.#callLater()
      const asked = loop.now
      const wait = this.#circuit.consult()
      if (wait === undefined) this.#call()
      else void wait.then(() => this.#callAfter(asked))
    })
  }

  #callAfter(asked: number): void {
    const { loop, ledger } = this.#world
    ledger.waited(loop.now - asked)
    if (!this.#dead) this.#call()
  }

  #call(): void {
    const { loop, random, scenario, ledger } = this.#world
    const circuit = this.#circuit
    const probes = circuit.state !== 'closed'
    const at = loop.now
    const token = circuit.admit()
    if (token < 0) return ledger.refused(this.#of)
    const ok = random() >= scenario.failing(at, this.#of)
    const takes = between(random, ...CALL)
    if (probes) return this.#probe(token, ok, takes)

    ledger.called(this.#of, at)
    if (!ok) ledger.failed()
    loop.after(takes, () => this.#settle(token, ok))
  }

  #probe(token: number, ok: boolean, takes: number): void {
    const { loop, ledger, scenario } = this.#world
    ledger.probeBegan()
    if (scenario.deadProber > 0 && ledger.probes % scenario.deadProber === 0) {
      this.#dead = true
      return ledger.died(this.#of)
    }
    loop.after(takes, () => {
      ledger.probeEnded()
      this.#settle(token, ok)
    })
  }

  #settle(token: number, ok: boolean): void {
    if (!this.#dead) this.#circuit.settle(token, ok ? 'success' : 'failure')
  }
}

function makeCircuit(of: number, { scenario, loop, random, store, ledger }: World): Circuit {
  // Each machine has been up for another while.
  const uptime = between(random, 0, 1e9)
  const ahead = between(random, -scenario.skew, scenario.skew)
  const clock = {
    now: () => uptime + loop.now,
    wall: () => EPOCH + loop.now + ahead,
    after: (ms: number, then: () => void) => loop.after(ms, then),
  }
  const seen = store.seenBy(ahead, () => scenario.reaches(of))
  const shared = scenario.terms && { fleet: fleet(seen, scenario.terms) }
  const board = withRandom(random, () => createBoard({ ...scenario.policy, ...shared, clock }))
  board.on('transition', ({ to }) => {
    if (to === 'closed') ledger.closed(of, loop.now)
    else ledger.opened(of, loop.now)
  })
  // Expected here, and otherwise on the console.
  board.on('warning', () => {})
  return board.circuit(HOST)
}
