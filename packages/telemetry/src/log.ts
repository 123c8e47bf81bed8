// Circuits in a log: what changed, what was refused, and what needs attention, to a logger such as pino.
import type { Board, RefusedEvent, State, StoreEvent, TransitionEvent } from '@fuseboard/core'
import { addressOf } from './address.ts'
import { checkBoard, checkMethod, checkOptions, show } from './checks.ts'
import { stopOf, type Stop } from './stop.ts'

export type { Stop } from './stop.ts'

/** What is needed of a logger: pino's order, the object first. */
export interface LoggerLike {
  debug(about: object, message: string): unknown
  info(about: object, message: string): unknown
  warn(about: object, message: string): unknown
  error(about: object, message: string): unknown
}

/** How grave something is; `false` for what is not logged. */
export type Level = keyof LoggerLike | false

/** What is logged: a transition by the state it leads to, and the other events by their names. */
export type Logged = State | 'refused' | 'store' | 'warning'

/** How grave each is. */
export interface LogOptions {
  /**
   * @default { closed: 'info', open: 'warn', 'half-open': 'debug', isolated: 'warn', bypassed: 'warn', refused: 'debug',
   * store: 'warn', warning: 'warn' }
   */
  levels?: Partial<Readonly<Record<Logged, Level>>>
}

/**
 * Logs what becomes of the circuits of a board. Of the refusals of a host one a second is logged, with how many were left out
 * before it. No URL is logged.
 *
 * @returns what takes it away again
 * @example log(board, pino(), { levels: { open: 'error', refused: false } })
 * @throws TypeError where the board, the logger or an option is wrong
 */
export function log(board: Board, logger: LoggerLike, options: LogOptions = {}): Stop {
  checkBoard('log', board)
  for (const method of LEVELS) checkMethod('the logger of log', logger, method)
  checkOptions('log', options, ['levels'])
  const levels = readLevels(options.levels)
  // Given back, so that the board hears where a logger rejects.
  const write = (what: Logged, about: object, message: string, shadow = false): unknown => {
    const level = levels[what]
    if (level === false) return undefined
    // What would have happened is no reason to look up.
    return logger[shadow && level !== 'debug' ? 'info' : level](about, message)
  }

  const refusals = new Refusals()
  const stops = [
    board.on('transition', (event) =>
      write(event.to, aboutTransition(event, refusals.end(event.key)), event.message, event.shadow),
    ),
    board.on('warning', (event) => write('warning', { event: 'warning', code: event.code }, event.message)),
    board.on('store', (event) =>
      write('store', aboutStore(event), `${event.action} of a store failed: ${event.fault}`),
    ),
  ]
  if (levels.refused !== false) {
    const refused = (event: RefusedEvent): unknown => {
      const leftOut = refusals.take(event)
      if (leftOut === undefined) return undefined
      const did = event.shadow ? 'would have refused' : 'refused'
      return write(
        'refused',
        aboutRefusal(event, leftOut),
        `${event.label} ${did} a call: ${event.reason}`,
        event.shadow,
      )
    }
    stops.push(board.on('refused', refused))
  }
  return stopOf(() => {
    for (const stop of stops) stop()
  })
}

/**
 * The console as a logger: the message first, then the object.
 * @param to where to. @default console
 */
export function consoleLogger(to: Pick<Console, keyof LoggerLike> = console): LoggerLike {
  return {
    debug: (about, message) => to.debug(message, about),
    info: (about, message) => to.info(message, about),
    warn: (about, message) => to.warn(message, about),
    error: (about, message) => to.error(message, about),
  }
}

const LEVELS = ['debug', 'info', 'warn', 'error'] as const

const DEFAULTS: Readonly<Record<Logged, Level>> = {
  closed: 'info',
  open: 'warn',
  'half-open': 'debug',
  isolated: 'warn',
  bypassed: 'warn',
  refused: 'debug',
  store: 'warn',
  warning: 'warn',
}

function readLevels(levels: unknown = {}): Readonly<Record<Logged, Level>> {
  checkOptions('log.levels', levels, Object.keys(DEFAULTS))
  const given = Object.entries(levels as Partial<Record<Logged, Level>>).filter(([, level]) => level !== undefined)
  for (const [what, level] of given) {
    if (level !== false && !LEVELS.includes(level))
      throw new TypeError(`log.levels.${what} must be one of ${LEVELS.join(', ')}, or false, got ${show(level)}`)
  }
  return { ...DEFAULTS, ...Object.fromEntries(given) }
}

/** How long a logged refusal stands for those after it. */
const SPARSE_MS = 1_000

/** So many hosts may be refusing calls; beyond it the one that was logged first is forgotten. */
const MOST = 1_024

/** Which refusals are logged: by the time that the board tells, so that there is no timer. */
class Refusals {
  readonly #last = new Map<string, { readonly at: number; leftOut: number }>()

  /** @returns how many were left out since the last that was logged; undefined for one that is left out itself */
  take({ key, at }: RefusedEvent): number | undefined {
    const last = this.#last.get(key)
    // A wall clock may be set back.
    if (last !== undefined && Math.abs(at - last.at) < SPARSE_MS) {
      last.leftOut++
      return undefined
    }
    this.end(key)
    const [oldest] = this.#last.keys()
    if (this.#last.size >= MOST && oldest !== undefined) this.#last.delete(oldest)
    this.#last.set(key, { at, leftOut: 0 })
    return last?.leftOut ?? 0
  }

  /** @returns how many were left out */
  end(key: string): number {
    const { leftOut } = this.#last.get(key) ?? { leftOut: 0 }
    this.#last.delete(key)
    return leftOut
  }
}

function aboutTransition(event: TransitionEvent, leftOut: number): object {
  const { key, label, from, to, reason, until, evidence } = event
  const about = { event: 'transition', ...hostOf(key, label), from, to, reason, evidence }
  return {
    ...about,
    ...(until === undefined ? {} : { until }),
    ...(event.shadow && { shadow: true }),
    ...(leftOut === 0 ? {} : { refusalsLeftOut: leftOut }),
  }
}

function aboutRefusal(event: RefusedEvent, leftOut: number): object {
  const { key, label, reason, retryAfterMs, method } = event
  const about = {
    event: 'refused',
    ...hostOf(key, label),
    reason,
    retryAfterMs,
    method,
    ...(event.shadow && { shadow: true }),
  }
  return leftOut === 0 ? about : { ...about, refusalsLeftOut: leftOut }
}

// The key of a reply is its URL.
const aboutStore = ({ action, fault }: StoreEvent): object => ({ event: 'store', action, fault })

function hostOf(key: string, label: string): object {
  const { host, port } = addressOf(key)
  return { host, port, ...(label === key ? {} : { label }) }
}
