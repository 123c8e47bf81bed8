// What a host is allowed before its circuit opens, and what happens then: the options, their defaults, and their rules.
import { Check } from './check.ts'
import { spell, type Duration } from './duration.ts'
import type { Outcome, Verdict } from './outcome.ts'
import { MAKER, type Fallback, type FallbackOption } from './reply.ts'
import type { HttpRequest } from './request.ts'

/** Whether a circuit acts on what it finds. */
export type Mode = 'on' | 'shadow' | 'off'

/** What a host is allowed. Every option has a default that is good for most hosts; `false` switches a rule off. */
export interface Policy {
  /** What people, metrics and alarms call the circuit. @default its key */
  label?: string
  /**
   * Which circuit a request belongs to. A host has one circuit unless its policy says otherwise.
   * @default the host, with its port where that is not the scheme's own
   */
  key?: (request: HttpRequest) => string
  /** How far back the rates look: a length of time, or a number of calls. @default '30s' */
  window?: Duration | { calls: number }
  /** Opens when at least this share of the calls in the window failed; above 0, at most 1. @default 0.5 */
  failureRate?: number | false
  /** No rate is looked at before the window holds this many calls. @default 10, or all of a window of fewer calls */
  minimumCalls?: number
  /**
   * Opens after so many failures in a row. A plain number means just that many; with `over`, they must also span that long,
   * so that one dropped connection pool does not open it. @default { calls: 5, over: '2s' }
   */
  consecutiveFailures?: number | { calls: number; over: Duration } | false
  /**
   * A call whose answer begins later than this is slow; one still unanswered after it counts as slow already. A host that
   * answers nothing for that long opens once `minimumCalls` wait for it, whatever the window holds. @default false
   */
  slowAfter?: Duration | false
  /** Opens when at least this share of the calls in the window was slow; needs `slowAfter`. @default 0.5 */
  slowRate?: number
  /**
   * How long it stays open before it probes. A plain duration is exact. The other form grows with every trip in a row and
   * gets up to 20 % longer by chance, so that many processes do not probe at once. @default { from: '5s', to: '30s', factor: 2 }
   */
  openFor?: Duration | { from: Duration; to: Duration; factor?: number }
  /** No Retry-After and no pause holds longer than this. @default '5m' */
  maxPause?: Duration
  /**
   * Half-open: how many calls may probe at a time, how many must succeed, and how long a probe keeps its place. A plain
   * number means that many of both. @default { permits: 1, need: 1, within: '30s' }
   */
  probes?: number | { permits?: number; need?: number; within?: Duration }
  /**
   * Which requests may probe. By default any may; where safe ones (GET, HEAD) were asked for within the window, they go first
   * for one second.
   */
  probe?: (request: HttpRequest) => boolean
  /** A call that its caller aborts without an answer after this long counts as failed; `false` never. @default '5s' */
  abandonedAfter?: Duration | false
  /**
   * What a 429 means. `ignore`: nothing. `pause`: calls are refused until its Retry-After has passed. `failure`: it counts.
   * @default 'ignore'
   */
  rateLimit?: 'ignore' | 'pause' | 'failure'
  /** Overrides the verdict on how an attempt ended; undefined leaves it. `{ pause }` refuses calls for so many milliseconds. */
  classify?: (outcome: Outcome, request: HttpRequest) => Verdict | { pause: number } | undefined
  /**
   * No more calls than this at a time, each until its answer begins; further ones are refused as `full`. A fixed number refuses
   * healthy calls where a machine stalls. @default false
   */
  maxInFlight?: number | false
  /**
   * Refuses a growing share of calls by chance, as `throttled`, once a host was asked for more than this many times what it
   * answered well in the window: 1.2, for one. With it `failureRate` is 0.9 unless given. @default false
   */
  throttle?: number | false
  /**
   * `shadow`: all is computed and told, and nothing is refused, stood in for or shared: `board.shadowReport()` says what would
   * have been. `off`: calls pass the circuit by. `FUSEBOARD=off` or `=shadow` in the environment goes over it. @default 'on'
   */
  mode?: Mode
  /** What stands in where the host cannot answer, in order. @default [] */
  fallback?: FallbackOption | readonly FallbackOption[]
  /** Gives refusals a stack, at about ten times their cost. @default false */
  stack?: boolean
}

/** The policy of each host: `host:port`, host, or `*.wildcard` (the nearest wins, and it does not match its apex); `false` leaves a host unguarded. */
export type Hosts = Readonly<Record<string, Policy | false>> | ((host: string) => Policy | false | undefined)

/** Keeps the literal types of a policy that stands by itself. */
export function policy<const P extends Policy>(options: P): P {
  return options
}

/** @internal The defaults, as people would write them. */
const DEFAULTS = {
  window: '30s',
  failureRate: 0.5,
  minimumCalls: 10,
  consecutiveFailures: { calls: 5, over: '2s' },
  slowAfter: false,
  slowRate: 0.5,
  openFor: { from: '5s', to: '30s', factor: 2 },
  maxPause: '5m',
  probes: { permits: 1, need: 1, within: '30s' },
  abandonedAfter: '5s',
  rateLimit: 'ignore',
  maxInFlight: false,
  throttle: false,
  mode: 'on',
  stack: false,
} as const satisfies Policy

/** @internal A policy as the engine reads it: milliseconds, `Infinity` for a rule that is off, nothing to look up twice. */
export interface Rules {
  readonly label: string | undefined
  readonly key: Policy['key']
  /** Milliseconds, or 0 for a window of calls. */
  readonly windowMs: number
  /** Calls, or 0 for a window of time. */
  readonly windowCalls: number
  readonly failureRate: number
  readonly minimumCalls: number
  readonly streak: number
  readonly streakOver: number
  readonly slowAfter: number
  readonly slowRate: number
  readonly openFrom: number
  readonly openTo: number
  readonly openFactor: number
  readonly openJitter: number
  readonly maxPause: number
  readonly permits: number
  readonly need: number
  readonly within: number
  readonly probe: Policy['probe']
  readonly abandonedAfter: number
  readonly rateLimit: 'ignore' | 'pause' | 'failure'
  readonly classify: Policy['classify']
  readonly maxInFlight: number
  readonly throttle: number
  readonly mode: Mode
  readonly fallbacks: readonly FallbackOption[]
  readonly stack: boolean
}

/** How far back a window of calls is taken to look where a rule wants a time. */
const COUNT_WINDOW_SPAN = 30_000

/** @internal How long ago is out of the window. */
export const spanOf = (rules: Rules): number => rules.windowMs || COUNT_WINDOW_SPAN

/**
 * @internal Reads a policy, naming what is wrong with it.
 * @param where how the message begins, such as `hosts['bible-api.com']`; empty for the board's own
 */
export function readPolicy(policy: Policy, where: string, warn: (message: string) => void): Rules {
  const check = new Check(where)
  check.known(policy, POLICY_OPTIONS)
  const given = <K extends keyof typeof DEFAULTS>(name: K): Policy[K] | (typeof DEFAULTS)[K] =>
    policy[name] === undefined ? DEFAULTS[name] : policy[name]

  const openFor = readOpenFor(given('openFor'), check)
  const lengths = { openFor: openFor.from, ...inNumbers(policy) }
  for (const [name, ms] of Object.entries(lengths)) {
    if (ms > 0 && ms < 100)
      warn(`${where}${where && '.'}${name} is ${spell(ms)}: durations are milliseconds, or text such as '${ms}s'`)
  }
  const slowAfter = given('slowAfter')
  const window = readWindow(given('window'), check)
  if (policy.slowRate !== undefined && policy.slowAfter === undefined)
    check.fail('slowRate', 'needs slowAfter', policy.slowRate)

  return {
    label: readLabel(policy.label, check),
    key: check.optional(policy.key, 'key', 'function') as Policy['key'],
    ...window,
    failureRate: readFailureRate(policy, check),
    minimumCalls: readMinimum(policy, window.windowCalls, check),
    ...readStreak(given('consecutiveFailures'), check),
    slowAfter: slowAfter === false ? Infinity : check.span(slowAfter, 'slowAfter'),
    slowRate: slowAfter === false ? Infinity : check.ratio(given('slowRate'), 'slowRate'),
    openFrom: openFor.from,
    openTo: openFor.to,
    openFactor: openFor.factor,
    openJitter: openFor.jitter,
    maxPause: check.span(given('maxPause'), 'maxPause'),
    ...readProbes(given('probes'), check),
    probe: check.optional(policy.probe, 'probe', 'function') as Policy['probe'],
    abandonedAfter:
      given('abandonedAfter') === false ? Infinity : check.span(given('abandonedAfter'), 'abandonedAfter'),
    rateLimit: check.oneOf(given('rateLimit'), 'rateLimit', ['ignore', 'pause', 'failure']),
    classify: check.optional(policy.classify, 'classify', 'function') as Policy['classify'],
    maxInFlight: given('maxInFlight') === false ? Infinity : check.count(given('maxInFlight'), 'maxInFlight'),
    throttle: given('throttle') === false ? Infinity : check.factor(given('throttle'), 'throttle'),
    mode: check.oneOf(given('mode'), 'mode', ['on', 'shadow', 'off']),
    fallbacks: readFallbacks(policy.fallback, check),
    stack: check.optional(given('stack'), 'stack', 'boolean') as boolean,
  }
}

/** @internal The names of the options of a policy. */
export const POLICY_OPTIONS: readonly string[] = Object.keys({
  label: true,
  key: true,
  ...DEFAULTS,
  probe: true,
  classify: true,
  fallback: true,
} satisfies Record<keyof Policy, unknown>)

// A throttle deals with a host that fails half of its calls: what is left for the circuit is one that is down.
function readFailureRate({ failureRate, throttle }: Policy, check: Check): number {
  if (failureRate === false) return Infinity
  if (failureRate !== undefined) return check.ratio(failureRate, 'failureRate')
  return throttle === undefined || throttle === false ? DEFAULTS.failureRate : 0.9
}

function readWindow(window: Policy['window'], check: Check): Pick<Rules, 'windowMs' | 'windowCalls'> {
  if (typeof window !== 'object') return { windowMs: check.span(window, 'window'), windowCalls: 0 }
  check.known(window, ['calls'], 'window')
  return { windowMs: 0, windowCalls: check.count(window.calls, 'window.calls') }
}

function readLabel(label: unknown, check: Check): string | undefined {
  if (label === '') check.fail('label', 'must not be empty', label)
  return check.optional(label, 'label', 'string') as string | undefined
}

/** Lengths of time that stand as plain numbers: one who is used to seconds writes 60 for a minute. */
function inNumbers({ window, slowAfter, abandonedAfter, maxPause }: Policy): Record<string, number> {
  const given = Object.entries({ window, slowAfter, abandonedAfter, maxPause })
  return Object.fromEntries(given.filter((entry): entry is [string, number] => typeof entry[1] === 'number'))
}

/** A rate is looked at when the window is full, if not before. */
function readMinimum({ minimumCalls }: Policy, windowCalls: number, check: Check): number {
  const most = windowCalls || Infinity
  if (minimumCalls === undefined) return Math.min(DEFAULTS.minimumCalls, most)
  const count = check.count(minimumCalls, 'minimumCalls')
  return count <= most ? count : check.fail('minimumCalls', `must be at most window.calls (${most})`, count)
}

function readStreak(streak: Policy['consecutiveFailures'], check: Check): Pick<Rules, 'streak' | 'streakOver'> {
  if (streak === false) return { streak: Infinity, streakOver: 0 }
  if (typeof streak !== 'object') return { streak: check.count(streak, 'consecutiveFailures'), streakOver: 0 }
  check.known(streak, ['calls', 'over'], 'consecutiveFailures')
  return {
    streak: check.count(streak.calls, 'consecutiveFailures.calls'),
    streakOver: check.time(streak.over, 'consecutiveFailures.over'),
  }
}

function readOpenFor(openFor: Policy['openFor'], check: Check) {
  if (typeof openFor !== 'object') {
    const from = check.span(openFor, 'openFor')
    return { from, to: from, factor: 1, jitter: 0 }
  }
  check.known(openFor, ['from', 'to', 'factor'], 'openFor')
  const from = check.span(openFor.from, 'openFor.from')
  const to = check.span(openFor.to, 'openFor.to')
  const factor = openFor.factor ?? DEFAULTS.openFor.factor
  if (to < from) check.fail('openFor.to', `must be at least openFor.from (${spell(from)})`, openFor.to)
  return { from, to, factor: check.factor(factor, 'openFor.factor'), jitter: 0.2 }
}

function readProbes(probes: Policy['probes'], check: Check): Pick<Rules, 'permits' | 'need' | 'within'> {
  const { permits, need, within } = DEFAULTS.probes
  if (typeof probes !== 'object') {
    const count = check.count(probes, 'probes')
    return { permits: count, need: count, within: check.span(within, 'probes.within') }
  }
  check.known(probes, ['permits', 'need', 'within'], 'probes')
  return {
    permits: check.count(probes.permits ?? permits, 'probes.permits'),
    need: check.count(probes.need ?? need, 'probes.need'),
    within: check.span(probes.within ?? within, 'probes.within'),
  }
}

function readFallbacks(fallback: Policy['fallback'], check: Check): readonly FallbackOption[] {
  if (fallback === undefined) return []
  const list = Array.isArray(fallback) ? [...(fallback as readonly FallbackOption[])] : [fallback as FallbackOption]
  for (const item of list) {
    const isFunction = typeof item === 'function'
    const fits = isFunction ? !(MAKER in item) : typeof (item as Fallback | null)?.standIn === 'function'
    const rule = 'must be staleIfError(...), reply(...), a function, or a list of these'
    if (!fits) check.fail('fallback', isFunction ? `was not called: it ${rule}` : rule, item)
  }
  return list
}
