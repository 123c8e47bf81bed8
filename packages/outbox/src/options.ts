// The options of an outbox: what they are, what they are where nothing is said, and the words for breaking a rule.
import { duration, type Awaitable, type Clock, type Duration } from '@fuseboard/core'
import type { OutboxStore } from './store.ts'

/** How an outbox sends, and for how long it tries. */
export interface OutboxOptions {
  /**
   * Where requests wait: `memoryOutbox()`, `sqliteOutbox(...)`, `bullmqOutbox(...)`, `dynamoOutbox(...)`, `sqsOutbox(...)`, or an
   * engine of your own.
   */
  store: OutboxStore
  /** What sends. @default globalThis.fetch, looked up at each request */
  send?: typeof globalThis.fetch
  /**
   * Signs a request each time that it is sent, since no secret is stored: it sets headers, or gives another request.
   * `renew` says that the host has just refused the last signature with a 401: a token that is kept is to be made anew.
   */
  prepare?: (request: Request, about: { readonly renew: boolean }) => Awaitable<Request | void>
  /** How often a request is sent from here before it is given up. Refused ones were not sent. @default 12 */
  maxAttempts?: number
  /** How long a request that failed waits before the next time. @default { from: '5s', to: '1h', factor: 2 } */
  backoff?: { from?: Duration; to?: Duration; factor?: number }
  /**
   * For how long a request is tried, from when it was queued: it must be shorter than the API remembers idempotency keys, or
   * what had been taken already would be taken again.
   * @default '71h', an hour less than PayPal's 72: for clocks that differ, and for one last answer that is slow
   */
  expires?: Duration
  /** How many requests of a circuit are under way at most; it begins with one, then 2, then 4. With 1 they keep their order. @default 8 */
  concurrency?: number
  /** For how long a worker has a request for itself; half of it is the time limit of a request. @default '2m' */
  lease?: Duration
  /** The largest body that is queued. @default 1_048_576 (1 MiB) */
  maxBodyBytes?: number
  /**
   * A circuit that is half-open closes by a request of somebody else. Where nobody calls for so long, one from here is the
   * probe; `false`: never.
   * @default '1m'
   */
  probeAfter?: Duration | false
  /** @default Date.now and setTimeout, looked up at each call */
  clock?: Pick<Clock, 'wall' | 'after'>
}

/** @internal */
export interface Settings {
  readonly store: OutboxStore
  readonly send: typeof globalThis.fetch | undefined
  readonly prepare: OutboxOptions['prepare']
  readonly maxAttempts: number
  readonly backoff: { readonly from: number; readonly to: number; readonly factor: number }
  readonly expires: number
  readonly concurrency: number
  readonly lease: number
  readonly maxBodyBytes: number
  readonly probeAfter: number
  readonly wall: () => number
  readonly after: (ms: number, then: () => void) => () => void
}

const METHODS = ['put', 'claim', 'retry', 'settle', 'result', 'depth'] as const

const NAMES: Record<keyof OutboxOptions, true> = {
  store: true,
  send: true,
  prepare: true,
  maxAttempts: true,
  backoff: true,
  expires: true,
  concurrency: true,
  lease: true,
  maxBodyBytes: true,
  probeAfter: true,
  clock: true,
}

/** @internal @throws TypeError or RangeError that names the option, its rule and the value */
export function readOptions(options: OutboxOptions): Settings {
  checkKnown('createOutbox', options, Object.keys(NAMES))
  const { store, send, prepare, backoff = {}, probeAfter = '1m', clock = {} } = options
  const missing = METHODS.find((name) => typeof (store as Partial<OutboxStore> | undefined)?.[name] !== 'function')
  if (missing !== undefined) {
    const rule = 'must be memoryOutbox(), sqliteOutbox(path) or another engine'
    throw new TypeError(`createOutbox.store ${rule}, got ${show(store)} without a method ${missing}`)
  }
  checkFunction('createOutbox.send', send)
  checkFunction('createOutbox.prepare', prepare)
  checkKnown('createOutbox.backoff', backoff, ['from', 'to', 'factor'])
  checkKnown('createOutbox.clock', clock, Object.keys(Object(clock)))
  checkFunction('createOutbox.clock.wall', clock.wall)
  checkFunction('createOutbox.clock.after', clock.after)
  const { from = '5s', to = '1h', factor = 2 } = backoff
  if (!(typeof factor === 'number' && Number.isFinite(factor) && factor >= 1))
    throw new RangeError(`createOutbox.backoff.factor must be a number of at least 1, got ${show(factor)}`)
  return {
    store,
    send,
    prepare,
    maxAttempts: count('createOutbox.maxAttempts', options.maxAttempts ?? 12),
    backoff: { from: span('createOutbox.backoff.from', from), to: span('createOutbox.backoff.to', to), factor },
    expires: span('createOutbox.expires', options.expires ?? '71h'),
    concurrency: count('createOutbox.concurrency', options.concurrency ?? 8),
    lease: span('createOutbox.lease', options.lease ?? '2m'),
    maxBodyBytes: count('createOutbox.maxBodyBytes', options.maxBodyBytes ?? 1 << 20),
    probeAfter: probeAfter === false ? Infinity : span('createOutbox.probeAfter', probeAfter),
    wall: () => clock.wall?.() ?? Date.now(),
    after: (ms, then) => (clock.after ?? after)(ms, then),
  }
}

/** @internal @throws TypeError where they are no options, or where there are some that nothing is known of */
export function checkKnown(who: string, options: unknown, known: readonly string[]): void {
  if (typeof options !== 'object' || options === null)
    throw new TypeError(`the options of ${who} must be an object, got ${show(options)}`)
  const strange = Object.keys(options).find((name) => !known.includes(name))
  if (strange !== undefined) throw new TypeError(`${who} has no option ${strange}; there are ${known.join(', ')}`)
}

/** @internal @throws TypeError where it is neither a function nor undefined */
export function checkFunction(name: string, value: unknown): void {
  if (value !== undefined && typeof value !== 'function')
    throw new TypeError(`${name} must be a function, got ${show(value)}`)
}

/** @internal @throws TypeError where it cannot be the name of a header */
export function checkHeader(name: string, value: unknown): void {
  if (typeof value === 'string' && /^[\w!#$%&'*+.^`|~-]+$/.test(value)) return
  throw new TypeError(`${name} must be the name of a header, such as 'PayPal-Request-Id', got ${show(value)}`)
}

/** @internal @throws TypeError where a client has no such method */
export function checkMethod(rule: string, client: unknown, method: string): void {
  if (typeof (client as Record<string, unknown> | undefined)?.[method] === 'function') return
  throw new TypeError(`${rule}, got ${show(client)}${client === undefined ? '' : ` without ${method}()`}`)
}

/** @internal @throws TypeError where it is no text, or an empty one */
export function checkText(rule: string, value: unknown): void {
  if (typeof value !== 'string' || value === '') throw new TypeError(`${rule}, got ${show(value)}`)
}

/** @internal What went wrong, in words. */
export function wordsOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const { message, name, cause } = error
  // fetch says what went wrong in the cause only.
  return cause instanceof Error ? `${message || name}: ${wordsOf(cause)}` : message || codeOf(error) || name
}

const codeOf = ({ code }: Error & { code?: unknown }): string => (typeof code === 'string' ? code : '')

/** @internal A value as an error message shows it: nothing of what is in it, since that may be a secret. */
export function show(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value)
  if (typeof value === 'function') return `function ${value.name}`.trim()
  return typeof value === 'object' && value !== null ? 'an object' : String(value)
}

function count(name: string, value: unknown): number {
  if (Number.isSafeInteger(value) && (value as number) >= 1) return value as number
  throw new RangeError(`${name} must be a whole number of at least 1, got ${show(value)}`)
}

/** @internal @throws TypeError or RangeError where it is no duration longer than 0 */
export function span(name: string, value: Duration): number {
  let ms = 0
  try {
    ms = duration(value)
  } catch {
    throw new TypeError(`${name} must be milliseconds or text such as '30s', got ${show(value)}`)
  }
  if (ms > 0) return ms
  throw new RangeError(`${name} must be longer than 0, got ${show(value)}`)
}

function after(ms: number, then: () => void): () => void {
  const timer: unknown = setTimeout(then, ms)
  // A browser's timer is a number.
  const { unref } = timer as { unref?: () => unknown }
  unref?.call(timer)
  return () => clearTimeout(timer as number)
}
