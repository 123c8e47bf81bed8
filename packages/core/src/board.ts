// All circuits of a program: one for each host, whichever client makes the call.
import { ask } from './ask.ts'
import { Attempt, type Home } from './attempt.ts'
import { Circuit, type Wiring } from './circuit.ts'
import { NO_COUNTS, type Counters } from './counters.ts'
import { show } from './duration.ts'
import { checkFleet, type Fleet } from './fleet.ts'
import type { FleetSide } from './fleet-side.ts'
import { Events, type BoardEvents, type Listener, type StoreEvent } from './events.ts'
import { BOARD, guardOn, readKey, type Fn, type Guarded, type GuardedByKey, type GuardPolicy } from './guarded.ts'
import { hostOf, isOrigin, originOf } from './host.ts'
import { HostRules, type NamedHost } from './hosts.ts'
import { Check, checkObject } from './check.ts'
import { POLICY_OPTIONS, type Hosts, type Policy, type Rules } from './policy.ts'
import { Registry } from './registry.ts'
import type { ReplyCounters } from './reply-counters.ts'
import { checkStore, noReplies } from './reply-store.ts'
import type { Fallback, Fence, Replies, ReplyStore } from './reply.ts'
import { RequestView, type RequestLike } from './request.ts'
import { entriesOf, readEntry, type BoardSnapshot, type CircuitSnapshot, type Unrestored } from './snapshot.ts'
import type { ShadowReport } from './shadow.ts'
import type { RunOptions } from './task.ts'
import { Timeline, type Clock } from './timeline.ts'

const DEFAULT = Symbol.for('fuseboard.board.default.0')

/** The policy of every host, and what the board itself needs. */
export interface BoardOptions extends Policy {
  /** Hosts with a policy of their own, each merged (shallowly) over the board's. */
  hosts?: Hosts
  /** Where replies are kept. @default memoryReplies() */
  replies?: ReplyStore
  /** How many circuits there may be; the least recently used closed idle one makes room. @default 1024 */
  maxCircuits?: number
  /** Shares what its circuits find with the boards of other processes: `redisFleet(...)`, `dynamoFleet(...)`. @default none */
  fleet?: Fleet
  /** @default performance.now and Date.now, looked up at each call */
  clock?: Clock
}

/** How a layer above the dispatcher hands its attempt down: gives a fetch init that carries it. */
export type Carrier = (init: object | undefined, attempt: Attempt) => object

interface Entry {
  readonly host: string
  readonly rules: Rules | false
  circuit: Circuit | undefined
}

/** All circuits of a program. Made by {@link createBoard}. */
export class Board {
  readonly #wiring: Wiring
  readonly #home: Home
  readonly #hosts: HostRules
  readonly #origins = new Map<string, Entry>()
  readonly #mostOrigins: number
  /** What the policy's `key` said when the fleet was asked, for the attempt that follows. */
  #lastAsked: { readonly request: RequestLike; readonly key: string } | undefined
  #lastOrigin = ''
  #lastEntry: Entry | undefined = undefined
  #lastKeyed: Circuit | undefined = undefined
  #carrier: Carrier | undefined = undefined
  readonly #fleet: FleetSide | undefined
  /** The rules of guards, which no host's policy touches. */
  readonly #guards = new WeakSet<Rules>()
  /** Which configure made rules: the last one counts where hosts share a circuit. */
  readonly #configured = new WeakMap<Rules, number>()
  #configures = 0

  /** @internal */
  constructor(options: BoardOptions) {
    Object.defineProperty(this, BOARD, { value: true })
    const check = new Check('')
    if (isBoard(options)) throw new TypeError('The options of a board are wanted, got a board')
    check.known(options, OPTIONS, undefined, 'the options of a board')
    const { hosts, replies, maxCircuits = 1_024, fleet, clock, ...own } = options
    if (clock !== undefined && typeof clock?.now !== 'function')
      check.fail('clock', 'must have a method now', clock, TypeError)
    check.optional((clock as { wall?: unknown } | undefined)?.wall, 'clock.wall', 'function')
    check.optional((clock as { after?: unknown } | undefined)?.after, 'clock.after', 'function')
    if (fleet !== undefined) checkFleet(fleet)

    const events = new Events()
    const warn = (code: string, message: string): void => events.warn(code, message)
    const time = new Timeline(clock, warn)
    const most = check.count(maxCircuits, 'maxCircuits')
    this.#mostOrigins = most * 4
    this.#hosts = new HostRules(own, hosts, warn)
    const onFault = (action: StoreEvent['action'], key: string, fault: string): void => {
      if (events.heard.store) events.tell('store', { action, key, fault })
    }
    const { random } = Math
    this.#fleet = fleet?.join({ time, random, warn, onFault })
    this.#wiring = {
      time,
      random,
      events,
      circuits: new Registry<Circuit>(most),
      evicted: NO_COUNTS,
      sequel: undefined,
      share: this.#fleet && ((circuit) => (this.#fleet as FleetSide).share(circuit)),
    }
    if (replies !== undefined) checkStore(replies)
    const fence: Fence = {
      wall: () => time.wall(),
      warn,
      onFault,
    }
    const none = noReplies(fence)
    let opened: Replies | undefined
    const open = (fallback?: Fallback): Replies => (opened ??= fallback?.open?.(replies, fence)) ?? none
    this.#home = { time, events, replies: open }
  }

  /**
   * Begins one request on the wire.
   * @param handed what the options of the request were tagged with, where an outer layer may have handed an attempt down
   */
  attempt(request: RequestLike, handed?: unknown): Attempt {
    if (handed instanceof Attempt && handed.adopt(this.#home)) return handed
    const entry = this.#entry(request)
    if (entry === undefined || entry.rules === false)
      return new Attempt(this.#home, undefined, request, entry?.host ?? '')
    return new Attempt(this.#home, this.#circuitOf(entry, entry.rules, request), request, entry.host)
  }

  /**
   * What a request waits for before its attempt begins: its fleet's store, where that has to be asked first, and never for long.
   * Nearly always undefined: nothing. Who cannot wait may begin at once; then a probe is refused until the fleet has said yes.
   */
  consult(request: RequestLike, handed?: unknown): Promise<void> | undefined {
    if (this.#fleet === undefined || handed instanceof Attempt) return undefined
    const entry = this.#entry(request)
    if (entry === undefined || entry.rules === false) return undefined
    return this.#circuitOf(entry, entry.rules, request, true)?.consult(request, entry.host)
  }

  /** Waits until the board knows what its fleet knows of the hosts that its options name, and not for long. It never rejects. */
  async ready(): Promise<void> {
    if (this.#fleet === undefined) return
    for (const host of this.#hosts.named()) this.circuit(host)
    await this.#fleet.ready()
  }

  /** Waits until the fleet knows what the board knows, and not for long: before the process is frozen or ends. It never rejects. */
  async flush(): Promise<void> {
    await this.#fleet?.flush()
  }

  /**
   * The circuit of a key, made where there is none. By default the key is the host, with its port where that is not the scheme's
   * own: `bible-api.com`, `127.0.0.1:8080`. {@link peek} makes none, {@link circuits} gives those that there are.
   * @throws TypeError where the key is no text; one that is a URL is warned of
   */
  circuit(key: string): Circuit {
    const { circuits, time } = this.#wiring
    const known = circuits.get(key)
    if (known) return known
    const fault = faultOf(key)
    if (fault) throw fault
    const host = hostOf(key)
    // In an incident a hold on a circuit that no request meets would look like one that works.
    if (host !== undefined)
      this.warn('key', `${show(key)} is a URL: the circuit of its requests is ${show(host)}, by default`)
    circuits.room(time.thawed())
    return this.#make(key, this.#rulesOf(key), false)
  }

  /** The circuit of a key, if there is one. */
  peek(key: string): Circuit | undefined {
    return this.#wiring.circuits.get(key)
  }

  /** All circuits. */
  circuits(): Iterable<Circuit> {
    return this.#wiring.circuits.all()
  }

  /**
   * The hosts that its options name, whether or not they have been called: what to make an alarm for. Those left unguarded are
   * not among them, nor is anything where `hosts` is a function.
   */
  hosts(): readonly NamedHost[] {
    return this.#hosts.list()
  }

  /** What circuits counted that made room for others: the totals of a board are these and those of {@link circuits}. */
  get evicted(): Counters {
    return this.#wiring.evicted
  }

  /** What its stored replies counted. */
  get replyCounters(): ReplyCounters {
    return this.#home.replies().tally.read()
  }

  /** Whether `hosts` names a host, by itself or by a wildcard. */
  names(host: string): boolean {
    return this.#hosts.names(hostOf(`http://${host}`) ?? host)
  }

  /** Whether any policy has something that could stand in; so it may, where `hosts` is a function. */
  get replaces(): boolean {
    return this.#hosts.replaces
  }

  /**
   * Runs a task under the circuit of a key.
   * @throws CircuitOpenError (as a rejection) where it was refused; what the task throws
   */
  run<T>(key: string, task: () => T | PromiseLike<T>, options?: RunOptions): Promise<T> {
    const last = this.#lastKeyed
    if (last !== undefined && last.key === key && !last.retired) return last.run(task, options)
    const fault = faultOf(key)
    if (fault) return Promise.reject(fault)
    const circuit = this.keyed(key, this.#rulesOf(key))
    if (circuit === undefined) return new Promise((resolve) => resolve(task()))
    return (this.#lastKeyed = circuit).run(task, options)
  }

  /**
   * Puts a function under a circuit: it keeps its signature, and carries its `circuit`.
   *
   * @param name the key of the circuit, or what gives it for the arguments of a call
   * @example const download = board.guard('video', downloadVideo, { consecutiveFailures: 3, openFor: '2m' })
   * @throws TypeError or RangeError where an option is wrong
   */
  guard<F extends Fn>(name: string, fn: F, policy?: GuardPolicy): Guarded<F>
  guard<F extends Fn>(name: (...args: Parameters<F>) => string, fn: F, policy?: GuardPolicy): GuardedByKey<F>
  guard<F extends Fn>(
    name: string | ((...args: Parameters<F>) => string),
    fn: F,
    policy?: GuardPolicy,
  ): Guarded<F> | GuardedByKey<F> {
    return guardOn(this, name, fn, policy)
  }

  /** @internal A circuit for a guard with a name of its own: it never makes room for others. */
  pinned(key: string, policy: Policy, where: string): Circuit {
    const rules = this.#hosts.over(policy, where)
    const known = this.#wiring.circuits.get(key)
    if (known === undefined) return this.#make(key, rules, true)
    if (!known.pin(rules)) this.warn('guard', `${where} is there already with another policy, which counts`)
    return known
  }

  /** @internal The circuit of a key, if it fits; none where the policy is off. */
  keyed(key: string, rules: Rules): Circuit | undefined {
    if (rules.mode === 'off') return undefined
    return this.#wiring.circuits.get(key) ?? this.#fit(key, rules)
  }

  /** @internal A policy over the board's own. */
  rules(policy: Policy, where: string): Rules {
    const rules = this.#hosts.over(policy, where)
    this.#guards.add(rules)
    return rules
  }

  /** @internal */
  get time(): Timeline {
    return this.#wiring.time
  }

  /** @internal */
  warn(code: string, message: string): void {
    this.#wiring.events.warn(code, message)
  }

  /**
   * Listens to an event. Listeners are called after the change, in order, and cannot hurt a request.
   * @returns what takes the listener away again
   */
  on<Name extends keyof BoardEvents>(name: Name, listener: Listener<BoardEvents[Name]>): () => void {
    return this.#wiring.events.on(name, listener)
  }

  /**
   * Lays a patch over the policy of a host, `host:port` or `*.wildcard` while the program runs. Its circuits keep their state; what
   * they saw is forgotten where the window, `slowAfter`, `throttle` or `mode` changes. The circuit of a guard with a policy of its
   * own keeps that.
   *
   * @example board.configure('api.paypal.com', { mode: 'off' })
   * @throws TypeError or RangeError that names the option, its rule and the value; then nothing has changed
   */
  configure(host: string, patch: Policy): void {
    const { before, now } = this.#hosts.configure(host, patch)
    this.#origins.clear()
    this.#lastOrigin = ''
    this.#lastEntry = this.#lastKeyed = undefined
    this.#configured.set(now, ++this.#configures)
    for (const circuit of this.#wiring.circuits.all()) {
      if (circuit.rules === before || this.#hosts.of(circuit.key) === now) this.#reconfigure(circuit, now)
    }
  }

  /** What its circuits know that are not simply closed, as plain JSON: to be kept over a restart. Holds are not in it. */
  snapshot(): BoardSnapshot {
    const circuits = [...this.circuits()].flatMap((circuit) => circuit.save() ?? [])
    return { version: 1, at: this.#wiring.time.wall(), circuits }
  }

  /**
   * Takes a snapshot over, each entry whole or not at all. An open time is bounded by the policy, and a little longer by chance.
   * @returns what could not be taken over, and why; it never throws
   */
  restore(snapshot: unknown): readonly Unrestored[] {
    const entries = entriesOf(snapshot)
    if (typeof entries === 'string') return [{ entry: snapshot, why: entries }]
    return entries.flatMap((entry) => {
      const saved = readEntry(entry)
      const why = typeof saved === 'string' ? saved : this.#load(saved)
      return why === undefined ? [] : [{ entry, why }]
    })
  }

  #load(saved: CircuitSnapshot): string | undefined {
    const circuit = this.keyed(saved.key, this.#rulesOf(saved.key))
    return circuit === undefined ? 'its policy is off, or there are maxCircuits circuits' : circuit.load(saved)
  }

  /** What the circuits in shadow would have done by now. */
  shadowReport(): readonly ShadowReport[] {
    return [...this.circuits()].flatMap((circuit) => circuit.shadow ?? [])
  }

  /** Closes every circuit and forgets what it saw. */
  reset(): void {
    for (const circuit of this.#wiring.circuits.all()) circuit.reset()
  }

  /** @internal A guarded dispatcher is below: layers above hand their attempts down to it. */
  carry(carrier: Carrier): void {
    this.#carrier = carrier
  }

  /** @internal The init of a fetch that hands an attempt down, where somebody takes it. */
  handDown<Init extends object>(init: Init | undefined, attempt: Attempt): Init | undefined {
    return this.#carrier === undefined ? init : (this.#carrier(init, attempt) as Init)
  }

  #entry(request: RequestLike): Entry | undefined {
    const address = request.origin ?? request.url
    if (isOrigin(this.#lastOrigin, address)) return this.#lastEntry
    const origin = originOf(address)
    let entry = this.#origins.get(origin)
    if (entry === undefined) {
      const host = hostOf(origin)
      if (host === undefined) return undefined
      entry = { host, rules: this.#hosts.of(host), circuit: undefined }
      if (this.#origins.size >= this.#mostOrigins) this.#origins.clear()
      // Credentials of a URL are kept nowhere.
      if (!origin.includes('@')) this.#origins.set(origin, entry)
      else return entry
    }
    this.#lastOrigin = origin
    this.#lastEntry = entry
    return entry
  }

  #circuitOf(entry: Entry, rules: Rules, request: RequestLike, ahead = false): Circuit | undefined {
    if (rules.key !== undefined) {
      const key = this.#keyOf(rules.key, request, entry.host, ahead)
      const circuit = this.keyed(key, rules)
      if (circuit !== undefined && circuit.rules !== rules) this.#reconfigure(circuit, rules)
      return circuit
    }
    const known = entry.circuit
    if (known !== undefined && !known.retired) return known
    return (entry.circuit = this.keyed(entry.host, rules))
  }

  /** Unless a guard has it, or it goes by newer rules already. */
  #reconfigure(circuit: Circuit, rules: Rules): void {
    const isNewer = (this.#configured.get(rules) ?? 0) > (this.#configured.get(circuit.rules) ?? 0)
    if (isNewer && !circuit.pinned && !this.#guards.has(circuit.rules)) circuit.configure(rules)
  }

  #keyOf(key: NonNullable<Rules['key']>, request: RequestLike, host: string, ahead: boolean): string {
    const last = this.#lastAsked
    this.#lastAsked = undefined
    if (last?.request === request) return last.key
    const failed = (why: string): void => this.warn('key', `key of ${host} failed, the host is taken instead: ${why}`)
    const answer = ask(() => key(new RequestView(request, host)), readKey, failed) ?? host
    if (ahead) this.#lastAsked = { request, key: answer }
    return answer
  }

  /** A circuit that is asked for by name has rules also where requests to such a host are left unguarded. */
  #rulesOf(key: string): Rules {
    return this.#hosts.of(key) || this.#hosts.over({}, '')
  }

  #fit(key: string, rules: Rules): Circuit | undefined {
    const { circuits, time } = this.#wiring
    if (circuits.room(time.thawed())) return this.#make(key, rules, false)
    this.warn('maxCircuits', 'There are maxCircuits circuits, and none may go: further keys are unguarded')
    return undefined
  }

  #make(key: string, rules: Rules, pinned: boolean): Circuit {
    const circuit = new Circuit(key, rules, this.#wiring, pinned)
    this.#wiring.circuits.add(circuit)
    return circuit
  }
}

const OPTIONS = [...POLICY_OPTIONS, 'hosts', 'replies', 'maxCircuits', 'fleet', 'clock']

/**
 * Makes a board: the policy of every host, and of particular ones.
 *
 * @throws TypeError or RangeError that names the option, its rule and the value, where one is wrong
 * @example
 * const board = createBoard({ hosts: { 'bible-api.com': { consecutiveFailures: 3, openFor: '30s' } } })
 */
export function createBoard(options: BoardOptions = {}): Board {
  return new Board(options)
}

/** The board of the process: what `breaker()` without a board uses, so that all clients share their circuits. */
export function defaultBoard(): Board {
  const global = globalThis as { [DEFAULT]?: Board }
  return (global[DEFAULT] ??= createBoard())
}

/** @internal A board as adapters are given one. Boards are known by their brand, since there may be two copies of this code. */
export function toBoard(options?: Board | BoardOptions): Board {
  if (options === undefined) return defaultBoard()
  if (isBoard(options)) return options
  checkObject(options, 'a board or its options')
  return createBoard(options)
}

/** Why a key is none. */
const faultOf = (key: unknown): TypeError | undefined =>
  typeof key === 'string' && key !== '' ? undefined : new TypeError(`A key must be text, got ${show(key)}`)

const isBoard = (value: Board | BoardOptions): value is Board =>
  typeof value === 'object' && value !== null && BOARD in value
